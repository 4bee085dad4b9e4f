"""Every GraphQL query that is sent. A test holds them to GitHub's own schema."""

from __future__ import annotations

WHO_CLOSED = """
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

fragment Merged on PullRequest {
  number
  merged
  repository { databaseId }
  mergedBy { __typename login ... on User { databaseId } }
}
"""
"""The commit or pull request behind each of an issue's last closes, and what it was marked a duplicate of.

`stateReason` is not asked: REST tells a duplicate without being told that we know the word.
"""

MINIMISE = """
mutation Minimise($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized }
  }
}
"""
"""Folds a comment of ours; doing it twice changes nothing."""
