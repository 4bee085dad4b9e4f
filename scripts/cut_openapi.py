"""Cut GitHub's own API description down to what the sandbox serves and sends.

The whole description has 811 paths and 270 webhooks; the sandbox holds itself to a committed cut of it, so that nobody
needs Node to run it. A test cuts again from the installed package and compares.

    python scripts/cut_openapi.py node_modules/@octokit/openapi/generated/api.github.com.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent / "sandbox" / "openapi"
USED = HERE / "used.txt"
CUT = HERE / "github.json"
# Prose and samples: nothing in them can be violated.
PROSE = {
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "x-github",
    "x-octokit",
    "tags",
    "title",
}
# Discriminator: only a hint beside `oneOf`, and wrong for GitHub's directories, which are arrays and have no property
# to go by. readOnly: what a request may not hold, but webhooks, which are requests too, do.
HINTS = {"discriminator", "readOnly"}
NULL = {"nullable": True, "enum": [None]}
# Maps whose keys are names chosen by GitHub (a property may be called "title"), so nothing is dropped by its key.
NAMED = {"properties", "schemas", "parameters", "responses", "headers", "patternProperties"}


def read_used(text: str) -> tuple[dict[str, set[str]], list[str]]:
    """The list of what is used: lines `GET /path` and `webhook name`, `#` starts a comment."""
    paths: dict[str, set[str]] = {}
    webhooks: list[str] = []
    for line in text.splitlines():
        kind, _, name = line.partition("#")[0].strip().partition(" ")
        if kind == "webhook":
            webhooks.append(name)
        elif kind:
            paths.setdefault(name, set()).add(kind.lower())
    return paths, webhooks


def without_prose(node: Any, named: bool = False) -> Any:
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: without_prose(value, not named and key in NAMED)
        for key, value in node.items()
        if named or (key not in HINTS and (key not in PROSE or not is_prose(key, value)))
    }
    return kept if named else with_null(with_either(kept))


def with_either(schema: dict[str, Any]) -> dict[str, Any]:
    """The account of an installation is a user or an enterprise; GitHub's list of installations alone asks for both."""
    required = [set(one.get("required", ())) for one in schema.get("allOf", ()) if isinstance(one, dict)]
    if ["login" in names for names in required] != [True, False] or "slug" not in required[1]:
        return schema
    return {("anyOf" if word == "allOf" else word): value for word, value in schema.items()}


def with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """GitHub writes `nullable` beside an `enum` or `oneOf` without null and means that null is allowed.

    By the letter of OpenAPI 3.0 it is not, as every one of them has to agree.
    """
    if schema.get("nullable") is not True:
        return schema
    for word, null in (("enum", None), ("oneOf", NULL), ("anyOf", NULL)):
        choices = schema.get(word)
        if isinstance(choices, list) and null not in choices and not any(map(takes_null, choices)):
            schema = {**schema, word: [*choices, null]}
    return schema


def takes_null(choice: Any) -> bool:
    return isinstance(choice, dict) and ("nullable" in choice or "nullable" in choice.get("$ref", ""))


def is_prose(key: str, value: Any) -> bool:
    """`title` and `description` of a schema are text; anything else under those names is kept."""
    return key not in ("title", "description", "summary") or isinstance(value, str)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def components_for(roots: Iterable[Any], components: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every component that the roots name, and what those name in turn."""
    kept: dict[str, dict[str, Any]] = {}
    waiting = [ref for root in roots for ref in references(root)]
    while waiting:
        _, _, kind, name = waiting.pop().split("/", 3)
        if name in kept.get(kind, {}):
            continue
        component = without_prose(components[kind][name])
        kept.setdefault(kind, {})[name] = component
        waiting += references(component)
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in sorted(kept.items())}


def cut(whole: dict[str, Any], used: str) -> dict[str, Any]:
    wanted, webhooks = read_used(used)
    paths = {
        path: without_prose({k: v for k, v in whole["paths"][path].items() if k in methods or k == "parameters"})
        for path, methods in sorted(wanted.items())
    }
    sent = {name: {"post": webhook(whole, name)} for name in sorted(webhooks)}
    errors = [{"$ref": f"#/components/schemas/{name}"} for name in ("basic-error", "validation-error")]
    return {
        "openapi": whole["openapi"],
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
        "servers": [{"url": "/"}],
        "paths": paths,
        "x-webhooks": sent,
        "components": components_for([paths, sent, errors], whole["components"]),
    }


def webhook(whole: dict[str, Any], name: str) -> dict[str, Any]:
    """Only the payload: the header parameters are spelt in other letters than GitHub sends them in."""
    operation = whole["x-webhooks"][name]["post"]
    return {"requestBody": without_prose(operation["requestBody"]), "responses": {"200": {"description": ""}}}


def as_text(description: dict[str, Any]) -> str:
    return json.dumps(description, separators=(",", ":"), ensure_ascii=False) + "\n"


def main(source: str) -> None:
    whole = json.loads(Path(source).read_text(encoding="utf-8"))
    CUT.write_text(as_text(cut(whole, USED.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"{CUT.name}: {CUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
