"""Advisories of GitHub's database as its JSON gives them, read into the facts that forecasts are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.github.api.instants import read_instant
from app.market.life.forecast_verdict import AdvisoryFacts

OLD_NAMES = {"moderate": "medium"}
"""Webhooks have called severities so."""


def advisory_from(advisory: object) -> AdvisoryFacts | None:
    """The facts in an advisory object of the API or of a webhook; None if it does not say what it must."""
    if not isinstance(advisory, Mapping):
        return None
    ghsa, published_at = advisory.get("ghsa_id"), read_instant(advisory.get("published_at"))
    if not isinstance(ghsa, str) or published_at is None:
        return None
    severity = str(advisory.get("severity")).lower()
    return AdvisoryFacts(
        ghsa=ghsa,
        severity=OLD_NAMES.get(severity, severity),
        packages=_packages(advisory.get("vulnerabilities")),
        published_at=published_at,
        changed_at=read_instant(advisory.get("updated_at")) or published_at,
        withdrawn=advisory.get("withdrawn_at") is not None,
    )


def _packages(vulnerabilities: object) -> frozenset[tuple[str, str]]:
    """One advisory may affect several packages, and one package in several ranges of versions."""
    listed = vulnerabilities if isinstance(vulnerabilities, list) else []
    packages = [_package(item.get("package")) for item in listed if isinstance(item, Mapping)]
    return frozenset(found for found in packages if found is not None)


def _package(package: Mapping[str, Any] | object) -> tuple[str, str] | None:
    if not isinstance(package, Mapping):
        return None
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str):
        return None
    return ecosystem.lower(), name
