"""Security advisories of GitHub's global database: their shapes, and the events about them, which belong to nobody."""

from __future__ import annotations

import re

from sandbox.clock import iso
from sandbox.errors import invalid
from sandbox.shapes import Shapes, instant
from sandbox.state import Advisory, Json
from sandbox.world import World

NAME = re.compile(r"ghsa(-[23456789cfghjmpqrvwx]{4}){3}")
SEVERITIES = ("critical", "high", "medium", "low", "unknown")
SCORES = {"critical": 9.8, "high": 7.5, "medium": 5.3, "low": 3.1}
NO_SCORE = {"vector_string": None, "score": 0.0}


def identifiers(found: Advisory) -> list[Json]:
    cve = [{"value": found.cve_id, "type": "CVE"}] if found.cve_id else []
    return [{"value": name(found), "type": "GHSA"}, *cve]


def name(found: Advisory) -> str:
    """As GitHub writes it."""
    return "GHSA" + found.ghsa_id.removeprefix("ghsa")


def cvss(found: Advisory) -> Json:
    return {"vector_string": None, "score": SCORES.get(found.severity, 0.0)}


def full(shapes: Shapes, found: Advisory) -> Json:
    """As the API gives it."""
    page = f"{shapes.url}/advisories/{name(found)}"
    return {
        "ghsa_id": name(found),
        "cve_id": found.cve_id,
        "url": page,
        "html_url": page,
        "repository_advisory_url": None,
        "summary": found.summary,
        "description": found.description,
        "type": "reviewed",
        "severity": found.severity,
        "source_code_location": None,
        "identifiers": identifiers(found),
        "references": [page],
        "published_at": iso(found.published_at),
        "updated_at": iso(found.updated_at),
        "github_reviewed_at": iso(found.published_at),
        "nvd_published_at": None,
        "withdrawn_at": instant(found.withdrawn_at),
        "vulnerabilities": [vulnerability(one) for one in found.vulnerabilities],
        "cvss": cvss(found),
        "cvss_severities": {"cvss_v3": cvss(found), "cvss_v4": NO_SCORE},
        "cwes": [],
        "credits": [],
        "epss": None,
    }


def vulnerability(one: Json) -> Json:
    return {
        "package": {"ecosystem": one["ecosystem"], "name": one["package"]},
        "vulnerable_version_range": one["vulnerable_version_range"],
        "first_patched_version": one["first_patched_version"],
        "vulnerable_functions": [],
    }


def sent(shapes: Shapes, found: Advisory) -> Json:
    """As an event gives it: patched versions are objects, references too, and the severity stands at each package."""
    return {
        "ghsa_id": name(found),
        "cve_id": found.cve_id,
        "summary": found.summary,
        "description": found.description,
        "severity": found.severity,
        "identifiers": identifiers(found),
        "references": [{"url": f"{shapes.url}/advisories/{name(found)}"}],
        "published_at": iso(found.published_at),
        "updated_at": iso(found.updated_at),
        "withdrawn_at": instant(found.withdrawn_at),
        "vulnerabilities": [sent_vulnerability(found, one) for one in found.vulnerabilities],
        "cvss": cvss(found),
        "cvss_severities": {"cvss_v3": cvss(found), "cvss_v4": NO_SCORE},
        "cwes": [],
    }


def sent_vulnerability(found: Advisory, one: Json) -> Json:
    patched = one["first_patched_version"]
    return {
        "package": {"ecosystem": one["ecosystem"], "name": one["package"]},
        "severity": found.severity,
        "vulnerable_version_range": one["vulnerable_version_range"],
        "first_patched_version": {"identifier": patched} if patched else None,
    }


def affects(found: Advisory, package: str) -> bool:
    """By name, with or without a version behind `@`; the version is not looked at."""
    wanted = package.rpartition("@")[0] or package
    return any(one["package"] == wanted for one in found.vulnerabilities)


def save(world: World, ghsa_id: str, new: Json) -> Advisory:
    """Publishes, changes or withdraws. Every app that asked for `security_advisory` is told, unless `silent`."""
    known = world.state.advisories.get(ghsa_id.lower())
    found = known or fresh(world, ghsa_id.lower(), new)
    fill(found, new, world.clock.now())
    action = "published" if known is None else "updated"
    if new.get("withdrawn") and found.withdrawn_at is None:
        found.withdrawn_at = world.clock.now()
        action = "withdrawn" if known else action
    if not new.get("silent"):
        data = {"security_advisory": sent(world.shapes, found)}
        world.hooks.emit_global("security_advisory", action, data)
    return found


def fresh(world: World, ghsa_id: str, new: Json) -> Advisory:
    if not NAME.fullmatch(ghsa_id):
        raise invalid("Advisory", "ghsa_id", "invalid")
    published_at = int(new.get("published_at", world.clock.now()))
    found = Advisory(ghsa_id, str(new["summary"]), "unknown", published_at, published_at)
    world.state.advisories[ghsa_id] = found
    return found


def fill(found: Advisory, new: Json, now: int) -> None:
    found.summary = str(new.get("summary", found.summary))
    found.description = str(new.get("description", found.description))
    found.severity = str(new.get("severity", found.severity))
    found.cve_id = new.get("cve_id", found.cve_id)
    found.published_at = int(new.get("published_at", found.published_at))
    found.updated_at = max(now, found.published_at)
    if found.severity not in SEVERITIES:
        raise invalid("Advisory", "severity", "invalid")
    if "vulnerabilities" in new:
        found.vulnerabilities = [
            {
                "ecosystem": str(one["ecosystem"]),
                "package": str(one["package"]),
                "vulnerable_version_range": one.get("vulnerable_version_range", ">= 0"),
                "first_patched_version": one.get("first_patched_version"),
            }
            for one in new["vulnerabilities"]
        ]
