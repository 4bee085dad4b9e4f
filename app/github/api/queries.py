"""Every GraphQL query that is sent. A test holds them to GitHub's own schema."""

from __future__ import annotations

_fragments = """
fragment Merged on PullRequest {
  number
  merged
  headRefOid
  repository { databaseId }
  mergedBy { ...Somebody }
  latestOpinionatedReviews(last: 50, writersOnly: true) {
    nodes { state submittedAt commit { oid } author { ...Somebody } }
  }
  commits(last: 1) { nodes { commit { oid committedDate } } }
  queued: timelineItems(last: 20, itemTypes: [ADDED_TO_MERGE_QUEUE_EVENT, REMOVED_FROM_MERGE_QUEUE_EVENT]) {
    nodes {
      __typename
      ... on AddedToMergeQueueEvent { createdAt actor { ...Somebody } enqueuer { ...Somebody } }
      ... on RemovedFromMergeQueueEvent { createdAt }
    }
  }
  forced: timelineItems(last: 1, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) {
    nodes { ... on HeadRefForcePushedEvent { createdAt } }
  }
  automatic: timelineItems(
    last: 20
    itemTypes: [
      AUTO_MERGE_ENABLED_EVENT, AUTO_SQUASH_ENABLED_EVENT, AUTO_REBASE_ENABLED_EVENT, AUTO_MERGE_DISABLED_EVENT
    ]
  ) {
    nodes {
      __typename
      ... on AutoMergeEnabledEvent { createdAt enabler { ...Somebody } }
      ... on AutoSquashEnabledEvent { createdAt enabler { ...Somebody } }
      ... on AutoRebaseEnabledEvent { createdAt enabler { ...Somebody } }
      ... on AutoMergeDisabledEvent { createdAt }
    }
  }
}

fragment Somebody on Actor {
  __typename
  login
  ... on User { databaseId }
}
"""
"""All that people did about the last commit of a pull request: approvals by those who may write there, the merge queue,
auto-merge."""

WHO_CLOSED = (
    """
query WhoClosed($id: ID!) {
  node(id: $id) {
    ... on Issue {
      repository { databaseId }
      timelineItems(last: 20, itemTypes: [CLOSED_EVENT, MARKED_AS_DUPLICATE_EVENT, UNMARKED_AS_DUPLICATE_EVENT]) {
        nodes {
          __typename
          ... on ClosedEvent {
            createdAt
            closer {
              __typename
              ... on PullRequest { ...Merged }
              ... on Commit {
                oid
                repository { databaseId }
                associatedPullRequests(first: 10) { nodes { ...Merged } }
              }
            }
          }
          ... on MarkedAsDuplicateEvent {
            canonical {
              ... on Issue { number repository { nameWithOwner isPrivate databaseId } }
              ... on PullRequest { number repository { nameWithOwner isPrivate databaseId } }
            }
          }
        }
      }
    }
  }
}
"""
    + _fragments
)
"""The commit or pull request behind each of an issue's last closes, and what it was marked a duplicate of.

`stateReason` is not asked: REST tells a duplicate without being told that we know the word.
"""

WHO_MERGED = (
    """
query WhoMerged($id: ID!) {
  node(id: $id) { ... on PullRequest { ...Merged } }
}
"""
    + _fragments
)
"""People behind the merge of a pull request."""

MINIMISE = """
mutation Minimise($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized }
  }
}
"""
"""Folds a comment of ours; doing it twice changes nothing."""
