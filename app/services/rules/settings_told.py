"""The rules in force in a repository, in the words of its settings file, and where they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app.services.rules.schema import Rules, fields_of, read_rules, section_of
from app.services.rules.schema_changes import default_of, value_at, written
from app.services.rules.yaml_source import read_yaml
from app.storage.engine.db import Tx
from app.storage.people import configs
from app.storage.people.places import Repository


@dataclass(frozen=True, slots=True)
class Setting:
    """`value` as Markdown: in code spans. `own`: a file says it, and it differs from the default."""

    key: str
    value: str
    own: bool


@dataclass(frozen=True, slots=True)
class InForce:
    """`source` as in StoredConfig; `mistakes` are how many the file has that was read last and is not in force."""

    source: str
    mistakes: int
    settings: list[Setting]


async def in_force(tx: Tx, repository: Repository) -> InForce:
    stored = await configs.get(tx, repository.id)
    good = stored.good_text if stored is not None else ""
    text = good if read_rules(good.encode())[0] is not None else ""
    mistakes = len(json.loads(stored.problems_text)) if stored is not None else 0
    source = stored.source if stored is not None and text else "none"
    return InForce(source, mistakes, settings_of(text.encode()))


def settings_of(raw: bytes) -> list[Setting]:
    """Every key with its value, those of a right file as it writes them."""
    tree = read_yaml(raw).tree
    rules, defaults = Rules.model_validate(tree), Rules()
    found = []
    for key, info in fields_of(Rules):
        if section_of(info) is None:
            own = value_at(rules, key) != value_at(defaults, key)
            found.append(Setting(key, written(tree, key) if own else default_of(key), own))
    return found
