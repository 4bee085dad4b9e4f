"""The docs page of `.github/bugmark.yml` and its JSON Schema for editors, made of the schema that reads it.

`python -m app.services.rules.schema_docs` writes both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from app.services.rules.schema import Rules, fields_of, section_of, takes
from app.services.rules.yaml_source import MOST_BYTES, Scalar

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "configuration.md"
JSON_SCHEMA = DOCS / "bugmark.schema.json"

_INTRODUCTION = f"""\
# Configuration: `.github/bugmark.yml`

This page is written by `python -m app.services.rules.schema_docs`; change the schema, not the page.

A repository sets its rules in a file `.github/bugmark.yml` on its default branch. Where it has none, the same file in
the owner's repository named `.github` counts, if that is public or BugMark is installed on it; where there is none
either, the defaults below. Every key may be left out.

```yaml
# yaml-language-server: $schema=https://YOUR-HOST/docs/bugmark.schema.json
default_price: 0.40
dispute_window: 3d
labels:
  deny: [question, wontfix]
limits:
  stake: 500
```

The first line is for editors, and may go: with the [JSON Schema](bugmark.schema.json) they complete keys and mark
mistakes. `https://YOUR-HOST` is the address of the BugMark that you use; its own page `/docs/configuration` says which.

The file is read strictly. An unknown key, a key twice, a value of another kind or out of bounds: a pull request that
touches the file gets a check named `bugmark.yml` that says what is wrong in which line. A file that is wrong and
merged all the same changes nothing: the last one that was right stays in force, and the operator's log says why.
Anchors, tags, several documents and more than {MOST_BYTES // 1024} kB are not read. Numbers are read as they are
written: `0.40` is 0.40 exactly.

A change counts for commands from the next one on. **What the table calls terms is copied into a contract when it is
made and never changes for it.** A push to the default branch is noticed at once; the owner's file at the latest
within an hour.

## Keys

| key | takes | without it | what it does | example |
|---|---|---|---|---|
"""

_AFTER = """
## What stays possible

With `enabled: false`, and on issues that `labels` keep out, commands are refused with one sentence; nobody's money
stays locked: open offers can be cancelled, verdicts disputed, and contracts that are there are judged and paid as ever.

With `replies: reactions` a comment with commands gets 🚀 or 😕 and nothing else; the market comment shows the market.
The answers stand on a page to which the market comment links, with the reason of every 😕. While there is none
the page is `/replies/COMMENT` at the app's address; COMMENT is the number at the end of the comment's own link. A
private repository has no such pages.

With `label_rewards: true` the label steps 1, 2, 5, 10, 20, 50 and so on, at or below the reward on offer; it changes
at most once a day on an issue, and labels that no issue carries any more are deleted.
"""


def render() -> str:
    """The page."""
    return _INTRODUCTION + "\n".join(_row(key, info) for key, info in fields_of(Rules)) + "\n" + _AFTER


def _row(key: str, info: FieldInfo) -> str:
    default = "" if section_of(info) is not None else f"`{_default(info)}`"
    example = f"`{key.rpartition('.')[2]}: {info.examples[0]}`" if info.examples else ""
    return f"| `{key}` | {takes(info)} | {default} | {info.description} | {example} |"


def _default(info: FieldInfo) -> str:
    return "[]" if info.default == [] else str(info.default)


class _Defaults(GenerateJsonSchema):
    """Defaults are the text of a file; here they are what YAML makes of it. Those of sections are their keys'."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return {}
        return yaml.safe_load(dft) if isinstance(dft, Scalar) else dft


def json_schema() -> str:
    made = Rules.model_json_schema(schema_generator=_Defaults)
    _read_examples(made)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "BugMark's .github/bugmark.yml"}
    return json.dumps({**made, **about}, indent=2, ensure_ascii=False) + "\n"


def _read_examples(node: Any) -> None:
    for below in node.values() if isinstance(node, dict) else ():
        _read_examples(below)
    if isinstance(node, dict) and isinstance(node.get("examples"), list):
        node["examples"] = [yaml.safe_load(text) for text in node["examples"]]


def main() -> None:
    PAGE.write_text(render(), encoding="utf-8")
    JSON_SCHEMA.write_text(json_schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
