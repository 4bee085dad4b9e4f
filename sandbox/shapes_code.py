"""GitHub's JSON for commits, pull requests and check runs."""

from __future__ import annotations

from sandbox.clock import iso
from sandbox.commits import BRANCH, blob_sha, changed
from sandbox.shapes import Shapes, instant, node_id
from sandbox.state import CheckRun, Commit, Issue, Json, Pull, Repository, User


def lines(content: bytes) -> int:
    return len(content.splitlines())


def file_change(shapes: Shapes, repository: Repository, sha: str, path: str, status: str, content: bytes) -> Json:
    """One file of a commit or pull request. The whole file counts as changed, and there is no patch."""
    api, page = shapes.repository_api(repository), f"{shapes.url}/{repository.full_name}"
    added, removed = (0, 1) if status == "removed" else (lines(content), int(status == "modified"))
    return {
        "sha": blob_sha(content),
        "filename": path,
        "status": status,
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{api}/contents/{path}?ref={sha}",
    }


def file_changes(shapes: Shapes, repository: Repository, base: str, head: str) -> list[Json]:
    old, new = (repository.commits[sha].files for sha in (base, head))
    return [
        file_change(shapes, repository, head, path, status, new.get(path, b""))
        for path, status in changed(old, new).items()
    ]


def signature(person: User, at: int) -> Json:
    return {"name": person.login, "email": f"{person.login}@users.noreply.github.com", "date": iso(at)}


def commit(shapes: Shapes, repository: Repository, found: Commit) -> Json:
    api, page = shapes.repository_api(repository), f"{shapes.url}/{repository.full_name}"
    files = file_changes(shapes, repository, found.parents[0], found.sha) if found.parents else []
    tree = {"sha": blob_sha(found.sha.encode()), "url": f"{api}/git/trees/{found.sha}"}
    stats = {name: sum(file[name] for file in files) for name in ("additions", "deletions")}
    return {
        "sha": found.sha,
        "node_id": node_id("C", int(found.sha[:12], 16)),
        "url": f"{api}/commits/{found.sha}",
        "html_url": f"{page}/commit/{found.sha}",
        "comments_url": f"{api}/commits/{found.sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{found.sha}",
            "author": signature(found.author, found.at),
            "committer": signature(found.committer, found.at),
            "message": found.message,
            "tree": tree,
            "comment_count": 0,
        },
        "author": shapes.user(found.author),
        "committer": shapes.user(found.committer),
        "parents": [
            {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in found.parents
        ],
        "stats": {**stats, "total": sum(stats.values())},
        "files": files,
    }


def pushed_commit(shapes: Shapes, repository: Repository, found: Commit) -> Json:
    """As in the list of a `push`."""
    old = repository.commits[found.parents[0]].files if found.parents else {}
    paths = changed(old, found.files)
    people = {
        "author": {**signature(found.author, found.at), "username": found.author.login},
        "committer": {**signature(found.committer, found.at), "username": found.committer.login},
    }
    return {
        "id": found.sha,
        "tree_id": blob_sha(found.sha.encode()),
        "distinct": True,
        "message": found.message,
        "timestamp": iso(found.at),
        "url": f"{shapes.url}/{repository.full_name}/commit/{found.sha}",
        **people,
        **{status: [path for path, how in paths.items() if how == status] for status in ("added", "removed")},
        "modified": [path for path, how in paths.items() if how == "modified"],
    }


def end(shapes: Shapes, repository: Repository, ref: str, sha: str) -> Json:
    """One end of a pull request."""
    owner = repository.owner
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": shapes.user(owner),
        "repo": shapes.repository(repository),
    }


def pull_links(shapes: Shapes, repository: Repository, number: int, head: str) -> Json:
    api, page = shapes.repository_api(repository), f"{shapes.url}/{repository.full_name}/pull/{number}"
    own = f"{api}/pulls/{number}"
    return {
        "url": own,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": f"{api}/issues/{number}",
        "commits_url": f"{own}/commits",
        "review_comments_url": f"{own}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{api}/issues/{number}/comments",
        "statuses_url": f"{api}/statuses/{head}",
    }


def short_pull(shapes: Shapes, repository: Repository, issue: Issue, pull: Pull) -> Json:
    """As in lists."""
    urls = pull_links(shapes, repository, issue.number, pull.head)
    links = {
        "self": "url",
        "html": "html_url",
        "issue": "issue_url",
        "comments": "comments_url",
        "review_comments": "review_comments_url",
        "review_comment": "review_comment_url",
        "commits": "commits_url",
        "statuses": "statuses_url",
    }
    whole = shapes.issue(repository, issue)
    shared = ("number", "state", "locked", "title", "user", "body", "milestone", "active_lock_reason")
    times = ("created_at", "updated_at", "closed_at", "author_association", "assignee", "assignees")
    return {
        **urls,
        **{name: whole[name] for name in (*shared, *times)},
        "labels": [{**label, "description": label["description"] or ""} for label in whole["labels"]],
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "merged_at": instant(pull.merged_at),
        "merge_commit_sha": pull.merge_commit,
        "requested_reviewers": [],
        "requested_teams": [],
        "head": end(shapes, repository, pull.branch, pull.head),
        "base": end(shapes, repository, BRANCH, pull.base),
        "_links": {name: {"href": urls[url]} for name, url in links.items()},
        "auto_merge": None,
        "draft": pull.draft,
    }


def pull_request(shapes: Shapes, repository: Repository, issue: Issue, pull: Pull) -> Json:
    files = file_changes(shapes, repository, pull.base, pull.head)
    counts = {"comments": len(issue.comments), "review_comments": 0, "commits": 1, "changed_files": len(files)}
    return {
        **short_pull(shapes, repository, issue, pull),
        **counts,
        "additions": sum(file["additions"] for file in files),
        "deletions": sum(file["deletions"] for file in files),
        "merged": pull.merged_at is not None,
        "merged_by": shapes.user(pull.merged_by) if pull.merged_by else None,
        "mergeable": None if pull.merged_at else True,
        "rebaseable": None,
        "mergeable_state": "unknown" if pull.merged_at else "clean",
        "maintainer_can_modify": False,
    }


def check_run(shapes: Shapes, repository: Repository, run: CheckRun) -> Json:
    api = f"{shapes.repository_api(repository)}/check-runs/{run.id}"
    pulls = [(i.number, i.pull) for i in repository.issues.values() if i.pull and i.pull.head == run.head_sha]
    app = shapes.state.apps[run.app_id]
    output = {"title": run.title, "summary": run.summary, "text": run.text, "annotations_count": len(run.annotations)}
    return {
        "id": run.id,
        "node_id": node_id("CR", run.id),
        "name": run.name,
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": api,
        "html_url": f"{shapes.url}/{repository.full_name}/runs/{run.id}",
        "details_url": run.details_url or shapes.app(app)["html_url"],
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": iso(run.started_at),
        "completed_at": instant(run.completed_at),
        "output": {**output, "annotations_url": f"{api}/annotations"},
        "check_suite": {"id": run.suite_id},
        "app": shapes.app(app),
        "pull_requests": [checked_pull(shapes, repository, number, pull) for number, pull in pulls],
    }


def checked_pull(shapes: Shapes, repository: Repository, number: int, pull: Pull) -> Json:
    api = shapes.repository_api(repository)
    where = {"id": repository.id, "name": repository.name, "url": api}
    return {
        "id": pull.id,
        "number": number,
        "url": f"{api}/pulls/{number}",
        "head": {"ref": pull.branch, "sha": pull.head, "repo": where},
        "base": {"ref": BRANCH, "sha": pull.base, "repo": where},
    }


def sent_check_run(shapes: Shapes, repository: Repository, run: CheckRun) -> Json:
    """As in a `check_run` event, where the suite comes whole."""
    shape = check_run(shapes, repository, run)
    suite = {
        "id": run.suite_id,
        "node_id": node_id("CS", run.suite_id),
        "head_sha": run.head_sha,
        "head_branch": BRANCH,
        "before": None,
        "after": None,
        "status": run.status,
        "conclusion": run.conclusion,
        "url": f"{shapes.repository_api(repository)}/check-suites/{run.suite_id}",
        "created_at": iso(run.started_at),
        "updated_at": iso(run.started_at),
        "pull_requests": shape["pull_requests"],
        "app": shape["app"],
    }
    return {**shape, "check_suite": suite}
