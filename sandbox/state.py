"""State of the sandbox: plain records in dictionaries, keyed by GitHub's numeric ids."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Json = dict[str, Any]
# From least to most; the permission endpoint folds triage into read and maintain into write.
ROLES = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass
class User:
    id: int
    login: str
    created_at: int
    type: str = "User"
    """User, Bot or Organization."""


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Milestone:
    id: int
    number: int
    title: str
    creator: User
    created_at: int
    updated_at: int
    description: str | None = None
    due_on: int | None = None
    closed_at: int | None = None


@dataclass
class Release:
    """On a tag. `published_at` None: a draft."""

    id: int
    tag: str
    author: User
    created_at: int
    updated_at: int
    name: str | None = None
    body: str | None = None
    prerelease: bool = False
    published_at: int | None = None


@dataclass
class Reaction:
    id: int
    user: User
    content: str
    created_at: int


@dataclass
class Comment:
    id: int
    user: User
    body: str
    created_at: int
    updated_at: int
    app_id: int | None = None
    reactions: dict[int, Reaction] = field(default_factory=dict)
    minimized: str | None = None
    """Why it is folded, such as "outdated"."""


@dataclass
class Commit:
    """`files` is the whole tree as of this commit."""

    sha: str
    message: str
    author: User
    committer: User
    at: int
    parents: tuple[str, ...]
    files: dict[str, bytes]


@dataclass
class Review:
    """A review of a pull request as it was at a commit: APPROVED or CHANGES_REQUESTED."""

    id: int
    user: User
    state: str
    commit: Commit
    at: int


@dataclass
class Pull:
    """Fields that make an issue a pull request. `branch` lies in the same repository."""

    id: int
    branch: str
    base: str
    """SHA of the default branch when it was opened."""
    head: str
    draft: bool = False
    merged_at: int | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    reviews: list[Review] = field(default_factory=list)
    events: list[TimelineEvent] = field(default_factory=list)
    """Events of the merge queue, auto-merge and forced pushes; GraphQL tells them."""
    queued: bool = False
    auto_merge_by: User | None = None


@dataclass
class TimelineEvent:
    """Everything in a thread's timeline but comments, which are listed from the comments themselves."""

    id: int
    event: str
    actor: User
    created_at: int
    app_id: int | None = None
    data: Json = field(default_factory=dict)
    """Further fields of REST's answer."""
    closer: Commit | Issue | None = None
    """The commit or pull request behind a `closed`; GraphQL tells both, REST only the commit."""
    canonical: Issue | None = None
    """Canonical issue that a `marked_as_duplicate` names."""


@dataclass
class Issue:
    id: int
    number: int
    title: str
    body: str | None
    user: User
    created_at: int
    updated_at: int
    state: str = "open"
    state_reason: str | None = None
    closed_at: int | None = None
    closed_by: User | None = None
    locked: bool = False
    lock_reason: str | None = None
    deleted: bool = False
    moved_to: tuple[int, int] | None = None
    """Repository id and number, once it was transferred."""
    discussion: bool = False
    app_id: int | None = None
    pull: Pull | None = None
    duplicate_of: Issue | None = None
    labels: list[Label] = field(default_factory=list)
    milestone: Milestone | None = None
    comments: dict[int, Comment] = field(default_factory=dict)
    events: list[TimelineEvent] = field(default_factory=list)

    @property
    def present(self) -> bool:
        """Neither deleted nor gone to another repository."""
        return not self.deleted and self.moved_to is None


@dataclass
class CheckRun:
    id: int
    suite_id: int
    app_id: int
    name: str
    head_sha: str
    started_at: int
    status: str = "queued"
    conclusion: str | None = None
    completed_at: int | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Json] = field(default_factory=list)


@dataclass
class Advisory:
    """An advisory of GitHub's global database. `vulnerabilities`: ecosystem, package, range, first_patched."""

    ghsa_id: str
    summary: str
    severity: str
    published_at: int
    updated_at: int
    description: str = ""
    cve_id: str | None = None
    withdrawn_at: int | None = None
    vulnerabilities: list[Json] = field(default_factory=list)


@dataclass
class Repository:
    id: int
    owner: User
    name: str
    created_at: int
    updated_at: int
    private: bool = False
    archived: bool = False
    roles: dict[int, str] = field(default_factory=dict)
    """User id → role, for everyone but the owner."""
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    head: str = ""
    """SHA of the default branch, `main`."""
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def files(self) -> dict[str, bytes]:
        """Those of the default branch."""
        return self.commits[self.head].files

    def role_of(self, user: User | None) -> str:
        """Role of a user here; everybody may read public repositories."""
        if user and user.id == self.owner.id:
            return "admin"
        floor = "none" if self.private else "read"
        return self.roles.get(user.id, floor) if user else floor

    def allows(self, user: User | None, role: str) -> bool:
        return ROLES.index(self.role_of(user)) >= ROLES.index(role)


@dataclass
class App:
    id: int
    slug: str
    name: str
    owner: User
    bot: User
    client_id: str
    public_key: RSAPublicKey
    webhook_url: str
    webhook_secret: str
    permissions: dict[str, str]
    events: list[str]
    created_at: int
    description: str | None = None
    external_url: str | None = None
    setup_url: str | None = None


@dataclass
class NewApp:
    """An app made from a manifest whose credentials nobody has fetched yet."""

    app: App
    pem: str
    made_at: int


@dataclass
class Installation:
    id: int
    app: App
    account: User
    permissions: dict[str, str]
    events: list[str]
    created_at: int
    updated_at: int
    repository_ids: set[int] | None
    """None: all repositories of the account, later ones too."""
    suspended_at: int | None = None
    suspended_by: User | None = None

    def covers(self, repository: Repository) -> bool:
        if self.repository_ids is None:
            return repository.owner.id == self.account.id
        return repository.id in self.repository_ids


@dataclass
class InstallationToken:
    token: str
    installation: Installation
    permissions: dict[str, str]
    repository_ids: set[int] | None
    """Narrower than the installation's, or None when the request did not narrow it."""
    expires_at: int

    def covers(self, repository: Repository) -> bool:
        narrow = self.repository_ids is None or repository.id in self.repository_ids
        return narrow and self.installation.covers(repository)


@dataclass
class Delivery:
    """One attempt to hand one event to an app. A redelivery is another record with the same guid."""

    id: int
    guid: str
    app_id: int
    event: str
    action: str | None
    payload: Json
    installation_id: int | None
    repository_id: int | None
    created_at: int
    redelivery: bool = False
    delivered_at: int | None = None
    """None: still under way."""
    duration_millis: int = 0
    status: str = "pending"
    status_code: int = 0
    """Status of the receiver's answer; 0 when nothing came back at all."""
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
    url: str = ""


class Ids:
    """Numeric ids that are alike only by mistake: each kind counts in a range of its own, some beyond 32 bits."""

    def __init__(self) -> None:
        self.app = itertools.count(910_001)
        self.installation = itertools.count(51_000_001)
        self.user = itertools.count(9_200_001)
        self.repository = itertools.count(700_000_001)
        self.issue = itertools.count(3_200_000_001)
        self.comment = itertools.count(4_100_000_001)
        self.label = itertools.count(5_300_000_001)
        self.milestone = itertools.count(12_400_001)
        self.release = itertools.count(190_000_001)
        self.reaction = itertools.count(260_000_001)
        self.event = itertools.count(18_000_000_001)
        self.pull = itertools.count(2_600_000_001)
        self.check_run = itertools.count(52_000_000_001)
        self.check_suite = itertools.count(46_000_000_001)
        self.delivery = itertools.count(150_000_000_001)


class State:
    """All records, and the look-ups that go by anything but the id."""

    def __init__(self) -> None:
        self.ids = Ids()
        self.users: dict[int, User] = {}
        self.repositories: dict[int, Repository] = {}
        self.old_names: dict[str, int] = {}
        """Lower-case full name that a repository once had → its id."""
        self.apps: dict[int, App] = {}
        self.new_apps: dict[str, NewApp] = {}
        """By the code that the manifest flow gave out."""
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, InstallationToken] = {}
        self.deliveries: dict[int, Delivery] = {}
        self.advisories: dict[str, Advisory] = {}
        self._logins: dict[str, User] = {}
        self._names: dict[str, Repository] = {}

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        self._logins[user.login.lower()] = user
        return user

    def user_named(self, login: str) -> User | None:
        return self._logins.get(login.lower())

    def add_repository(self, repository: Repository) -> Repository:
        self.repositories[repository.id] = repository
        self._names[repository.full_name.lower()] = repository
        self.old_names.pop(repository.full_name.lower(), None)
        return repository

    def remove(self, repository: Repository) -> None:
        del self.repositories[repository.id]
        del self._names[repository.full_name.lower()]

    def rename_user(self, user: User, login: str) -> None:
        owned = [found for found in self.repositories.values() if found.owner is user]
        old = [found.full_name.lower() for found in owned]
        del self._logins[user.login.lower()]
        user.login = login
        self.add_user(user)
        for name, repository in zip(old, owned, strict=True):
            del self._names[name]
            self.add_repository(repository)
            self.old_names[name] = repository.id

    def rename(self, repository: Repository, name: str, owner: User | None = None) -> None:
        """The old name keeps leading here until another repository takes it."""
        old = repository.full_name.lower()
        del self._names[old]
        repository.name, repository.owner = name, owner or repository.owner
        self.add_repository(repository)
        if old != repository.full_name.lower():
            self.old_names[old] = repository.id

    def repository_named(self, full_name: str) -> Repository | None:
        return self._names.get(full_name.lower())

    def installation_on(self, repository: Repository, app_id: int) -> Installation | None:
        found = (i for i in self.installations.values() if i.app.id == app_id and i.covers(repository))
        return next(found, None)

    def repositories_of(self, installation: Installation) -> list[Repository]:
        return [r for r in self.repositories.values() if installation.covers(r)]

    def comment(self, repository: Repository, comment_id: int) -> tuple[Issue, Comment] | None:
        for issue in repository.issues.values():
            if (comment := issue.comments.get(comment_id)) and issue.present:
                return issue, comment
        return None
