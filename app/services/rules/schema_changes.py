"""Changes that a valid settings file makes: reported on the pull request that brings it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from app.services.rules.schema import Rules, fields_of, section_of
from app.services.rules.yaml_source import Scalar, Tree, read_yaml


def changes_of(raw: bytes) -> list[str]:
    """List the settings of a right file that differ from the defaults: "`fee_bps` is 250 (default 0)"."""
    tree = read_yaml(raw).tree
    rules, defaults = Rules.model_validate(tree), Rules()
    return list(_changes(tree, rules, defaults))


def labels_of(raw: bytes) -> list[str]:
    """List the labels that a right file names, in its order."""
    labels = Rules.model_validate(read_yaml(raw).tree).labels
    return list(dict.fromkeys([*labels.allow, *labels.deny]))


def warnings_of(raw: bytes) -> list[str]:
    """List what in a right file may not be meant as it stands."""
    rules = Rules.model_validate(read_yaml(raw).tree)
    found = []
    if rules.dispute_window == 0:
        found.append("`dispute_window` is 0: contracts are paid as soon as an issue is closed, and nobody can dispute.")
    if not rules.enabled:
        found.append("`enabled` is false: all other settings rest until it is true.")
    if rules.replies == "reactions":
        found.append(
            "`replies` is `reactions`: answers, and why a command was refused, stand on a page to which the market "
            "comment links; a private repository has none."
        )
    return found


def _changes(tree: Tree, rules: Rules, defaults: Rules) -> Iterator[str]:
    for key, info in fields_of(Rules):
        if section_of(info) is not None or value_at(rules, key) == value_at(defaults, key):
            continue
        yield f"`{key}` is {written(tree, key)} (default {default_of(key)})"


def value_at(section: BaseModel, key: str) -> object:
    for name in key.split("."):
        section = getattr(section, name)
    return section


def written(tree: Tree, key: str) -> str:
    """Give a value as the file writes it; hidden characters and backticks do not come into the sentence."""
    for name in key.split("."):
        tree = tree[name] if isinstance(tree, dict) else Scalar("")
    texts = [str(one) for one in tree] if isinstance(tree, list) else [str(tree)]
    plain = ("".join(char for char in text if char.isprintable()).replace("`", "'") for text in texts)
    return ", ".join(f"`{text}`" for text in plain) or "an empty list"


def default_of(key: str) -> str:
    default = dict(fields_of(Rules))[key].default
    return f"`{default}`" if isinstance(default, Scalar) else "an empty list"
