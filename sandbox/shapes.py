"""GitHub's JSON for each record. `Shapes` knows the sandbox's own address, in which every url starts."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso, iso_millis
from sandbox.commits import blob_sha
from sandbox.state import (
    ROLES,
    App,
    Comment,
    Delivery,
    Installation,
    Issue,
    Json,
    Label,
    Milestone,
    Reaction,
    Repository,
    State,
    TimelineEvent,
    User,
)

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
DEFAULT_LABELS = {"bug": "d73a4a", "enhancement": "a2eeef", "question": "d876e3"}
# Url templates of a repository that only need its api address in front.
REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def node_id(kind: str, number: int) -> str:
    return f"{kind}_" + base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def instant(at: int | None) -> str | None:
    return None if at is None else iso(at)


@dataclass
class Shapes:
    state: State
    url: str = "http://127.0.0.1:0"

    def user(self, user: User) -> Json:
        api = f"{self.url}/users/{user.login}"
        app = user.type == "Bot"
        return {
            "login": user.login,
            "id": user.id,
            "node_id": node_id("BOT" if app else "U", user.id),
            "avatar_url": f"{self.url}/_sandbox/avatars/{user.id}.svg",
            "gravatar_id": "",
            "url": api,
            "html_url": f"{self.url}/{'apps/' if app else ''}{user.login.removesuffix('[bot]')}",
            "followers_url": f"{api}/followers",
            "following_url": f"{api}/following{{/other_user}}",
            "gists_url": f"{api}/gists{{/gist_id}}",
            "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{api}/subscriptions",
            "organizations_url": f"{api}/orgs",
            "repos_url": f"{api}/repos",
            "events_url": f"{api}/events{{/privacy}}",
            "received_events_url": f"{api}/received_events",
            "type": user.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def public_user(self, user: User) -> Json:
        unknown = ("name", "company", "location", "email", "hireable", "bio", "twitter_username")
        owned = sum(r.owner.id == user.id and not r.private for r in self.state.repositories.values())
        return {
            **self.user(user),
            **dict.fromkeys(unknown),
            "blog": "",
            "public_repos": owned,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": iso(user.created_at),
            "updated_at": iso(user.created_at),
        }

    def app(self, app: App) -> Json:
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("A", app.id),
            "client_id": app.client_id,
            "owner": self.user(app.owner),
            "name": app.name,
            "description": app.description,
            "external_url": app.external_url or f"{self.url}/apps/{app.slug}",
            "html_url": f"{self.url}/apps/{app.slug}",
            "created_at": iso(app.created_at),
            "updated_at": iso(app.created_at),
            "permissions": app.permissions,
            "events": app.events,
        }

    def via_app(self, app_id: int | None) -> Json | None:
        app = self.state.apps.get(app_id) if app_id else None
        return self.app(app) if app else None

    def installation(self, installation: Installation) -> Json:
        return {
            "id": installation.id,
            "account": self.user(installation.account),
            "repository_selection": "all" if installation.repository_ids is None else "selected",
            "access_tokens_url": f"{self.url}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.url}/installation/repositories",
            "html_url": f"{self.url}/settings/installations/{installation.id}",
            "app_id": installation.app.id,
            "client_id": installation.app.client_id,
            "app_slug": installation.app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.type,
            "permissions": installation.permissions,
            "events": installation.events,
            "created_at": iso(installation.created_at),
            "updated_at": iso(installation.updated_at),
            "single_file_name": None,
            "has_multiple_single_files": False,
            "single_file_paths": [],
            "suspended_by": self.user(installation.suspended_by) if installation.suspended_by else None,
            "suspended_at": instant(installation.suspended_at),
        }

    def short_repository(self, repository: Repository) -> Json:
        """As in the lists of installation events."""
        return {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
        }

    def repository(self, repository: Repository) -> Json:
        api = self.repository_api(repository)
        html = f"{self.url}/{repository.full_name}"
        host = self.url.split("://", 1)[1]
        open_issues = sum(i.state == "open" and i.present for i in repository.issues.values())
        return {
            **self.short_repository(repository),
            "owner": self.user(repository.owner),
            "html_url": html,
            "url": api,
            **{name: api + tail for name, tail in REPOSITORY_URLS.items()},
            "git_url": f"git://{host}/{repository.full_name}.git",
            "ssh_url": f"git@{host}:{repository.full_name}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            "mirror_url": None,
            "homepage": None,
            "description": None,
            "fork": False,
            "created_at": iso(repository.created_at),
            "updated_at": iso(repository.updated_at),
            "pushed_at": iso(repository.updated_at),
            "size": 0,
            "stargazers_count": 0,
            "watchers_count": 0,
            "forks_count": 0,
            "forks": 0,
            "watchers": 0,
            "open_issues_count": open_issues,
            "open_issues": open_issues,
            "language": None,
            "license": None,
            "topics": [],
            "visibility": "private" if repository.private else "public",
            "default_branch": "main",
            "has_issues": True,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": True,
            "has_pages": False,
            "has_discussions": False,
            "archived": repository.archived,
            "disabled": False,
            "is_template": False,
            "allow_forking": True,
            "web_commit_signoff_required": False,
        }

    def full_repository(self, repository: Repository, rights: Json) -> Json:
        counts = {"subscribers_count": 0, "network_count": 0}
        return {**self.repository(repository), "permissions": rights, **counts}

    def rights(self, role: str) -> Json:
        """The booleans that GitHub derives from a role."""
        names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
        return {name: ROLES.index(role) >= ROLES.index(least) for name, least in names.items()}

    def repository_api(self, repository: Repository) -> str:
        return f"{self.url}/repos/{repository.full_name}"

    def association(self, repository: Repository, user: User) -> str:
        if user.id == repository.owner.id:
            return "OWNER"
        return "COLLABORATOR" if user.id in repository.roles else "NONE"

    def label(self, repository: Repository, label: Label) -> Json:
        return {
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": f"{self.repository_api(repository)}/labels/{label.name.replace(' ', '%20')}",
            "name": label.name,
            "color": label.color,
            "default": label.name in DEFAULT_LABELS,
            "description": label.description,
        }

    def milestone(self, repository: Repository, milestone: Milestone) -> Json:
        api = f"{self.repository_api(repository)}/milestones/{milestone.number}"
        states = Counter(i.state for i in repository.issues.values() if i.milestone is milestone and i.present)
        return {
            "url": api,
            "html_url": f"{self.url}/{repository.full_name}/milestone/{milestone.number}",
            "labels_url": f"{api}/labels",
            "id": milestone.id,
            "node_id": node_id("MI", milestone.id),
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.user(milestone.creator),
            "open_issues": states["open"],
            "closed_issues": states["closed"],
            "state": "open" if milestone.closed_at is None else "closed",
            "created_at": iso(milestone.created_at),
            "updated_at": iso(milestone.updated_at),
            "due_on": instant(milestone.due_on),
            "closed_at": instant(milestone.closed_at),
        }

    def rollup(self, url: str, reactions: list[Reaction]) -> Json:
        counts = Counter(reaction.content for reaction in reactions)
        return {
            "url": f"{url}/reactions",
            "total_count": len(reactions),
            **{content: counts[content] for content in REACTIONS},
        }

    def issue_html(self, repository: Repository, issue: Issue) -> str:
        return f"{self.url}/{repository.full_name}/issues/{issue.number}"

    def issue(self, repository: Repository, issue: Issue) -> Json:
        api = f"{self.repository_api(repository)}/issues/{issue.number}"
        return {
            "url": api,
            "repository_url": self.repository_api(repository),
            "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments",
            "events_url": f"{api}/events",
            "timeline_url": f"{api}/timeline",
            "html_url": self.issue_html(repository, issue),
            "id": issue.id,
            "node_id": node_id("I", issue.id),
            "number": issue.number,
            "title": issue.title,
            "user": self.user(issue.user),
            "labels": [self.label(repository, label) for label in issue.labels],
            "state": issue.state,
            "locked": issue.locked,
            "assignee": None,
            "assignees": [],
            "milestone": self.milestone(repository, issue.milestone) if issue.milestone else None,
            "comments": len(issue.comments),
            "created_at": iso(issue.created_at),
            "updated_at": iso(issue.updated_at),
            "closed_at": instant(issue.closed_at),
            "author_association": self.association(repository, issue.user),
            "active_lock_reason": issue.lock_reason,
            "body": issue.body,
            "reactions": self.rollup(api, []),
            "performed_via_github_app": self.via_app(issue.app_id),
            "state_reason": issue.state_reason,
            **self.pull_mark(repository, issue),
        }

    def pull_mark(self, repository: Repository, issue: Issue) -> Json:
        """By what one sees that an issue is a pull request."""
        if not issue.pull:
            return {}
        page = f"{self.url}/{repository.full_name}/pull/{issue.number}"
        urls = {"html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        api = f"{self.repository_api(repository)}/pulls/{issue.number}"
        return {"pull_request": {"url": api, **urls, "merged_at": instant(issue.pull.merged_at)}}

    def full_issue(self, repository: Repository, issue: Issue) -> Json:
        return {**self.issue(repository, issue), "closed_by": self.user(issue.closed_by) if issue.closed_by else None}

    def comment(self, repository: Repository, issue: Issue, comment: Comment) -> Json:
        api = f"{self.repository_api(repository)}/issues/comments/{comment.id}"
        return {
            "url": api,
            "html_url": f"{self.issue_html(repository, issue)}#issuecomment-{comment.id}",
            "issue_url": f"{self.repository_api(repository)}/issues/{issue.number}",
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "user": self.user(comment.user),
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "body": comment.body,
            "author_association": self.association(repository, comment.user),
            "reactions": self.rollup(api, list(comment.reactions.values())),
            "performed_via_github_app": self.via_app(comment.app_id),
        }

    def reaction(self, reaction: Reaction) -> Json:
        return {
            "id": reaction.id,
            "node_id": node_id("REA", reaction.id),
            "user": self.user(reaction.user),
            "content": reaction.content,
            "created_at": iso(reaction.created_at),
        }

    def timeline_comment(self, repository: Repository, issue: Issue, comment: Comment) -> Json:
        actor = self.user(comment.user)
        return {**self.comment(repository, issue, comment), "event": "commented", "actor": actor}

    def timeline_event(self, repository: Repository, event: TimelineEvent) -> Json:
        return {
            "id": event.id,
            "node_id": node_id("EV", event.id),
            "url": f"{self.repository_api(repository)}/issues/events/{event.id}",
            "actor": self.user(event.actor),
            "event": event.event,
            "commit_id": None,
            "commit_url": None,
            "created_at": iso(event.created_at),
            "performed_via_github_app": self.via_app(event.app_id),
            **event.data,
        }

    def file(self, repository: Repository, path: str, content: bytes, ref: str) -> Json:
        api = f"{self.repository_api(repository)}/contents/{path}?ref={ref}"
        html = f"{self.url}/{repository.full_name}/blob/{ref}/{path}"
        sha = blob_sha(content)
        git = f"{self.repository_api(repository)}/git/blobs/{sha}"
        return {
            "name": path.rsplit("/", 1)[-1],
            "path": path,
            "sha": sha,
            "size": len(content),
            "url": api,
            "html_url": html,
            "git_url": git,
            "download_url": f"{self.url}/_sandbox/raw/{repository.id}/{path}",
            "type": "file",
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
            "_links": {"self": api, "git": git, "html": html},
        }

    def delivery(self, delivery: Delivery) -> Json:
        return {
            "id": delivery.id,
            "guid": delivery.guid,
            "delivered_at": iso_millis(delivery.delivered_at or delivery.created_at),
            "redelivery": delivery.redelivery,
            "duration": delivery.duration_millis / 1000,
            "status": delivery.status,
            "status_code": delivery.status_code,
            "event": delivery.event,
            "action": delivery.action,
            "installation_id": delivery.installation_id,
            "repository_id": delivery.repository_id,
            "throttled_at": None,
        }

    def full_delivery(self, delivery: Delivery) -> Json:
        response: dict[str, Any] = {"headers": delivery.response_headers, "payload": delivery.response_body}
        return {
            **self.delivery(delivery),
            "url": delivery.url,
            "request": {"headers": delivery.request_headers, "payload": delivery.payload},
            "response": response,
        }
