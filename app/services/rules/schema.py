"""`.github/bugmark.yml`: its keys, what each takes, defaults and words, in one place.

The docs page and the JSON Schema are made of this, and so is what a pull request is told.
Defaults are written as in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from app.market.terms.names import folded
from app.services.rules.config import Config, Limits
from app.services.rules.config_values import (
    NONE,
    Currency,
    Fee,
    Grant,
    Insiders,
    Least,
    MaybeAmount,
    MaybeCount,
    MaybeDays,
    MaybePause,
    MaybeUnits,
    Most,
    Names,
    Price,
    Replies,
    Takes,
    Truth,
    Verdict,
    Window,
)
from app.services.rules.yaml_source import BadYaml, Scalar, read_yaml, shown


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the file. Lines count from 1."""

    line: int
    sentence: str


class Section(BaseModel):
    """Strict: nothing is converted, no key is unknown. Defaults are text and read like a file's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


def said(text: str) -> Any:
    """A default, as a file would say it."""
    return Scalar(text)


class Labels(Section):
    allow: Names = Field(
        default=[], description="Only issues with one of these are traded; empty: all are.", examples=["[bounty]"]
    )
    deny: Names = Field(
        default=[],
        description="Issues with one of these are not traded. Labels are the same in any case.",
        examples=["[question]"],
    )

    @model_validator(mode="after")
    def not_both(self) -> Self:
        if {folded(name) for name in self.allow} & {folded(name) for name in self.deny}:
            raise PydanticCustomError("contradiction", "A label cannot be both allowed and denied.")
        return self


class Maturation(Section):
    min: Least = Field(
        default=said("1h"), description="The nearest date a contract can be made for, from now.", examples=["1d"]
    )
    max: Most = Field(default=said("732d"), description="The farthest such date.", examples=["52w"])

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("contradiction", "`maturation.min` is more than `maturation.max`.")
        return self


class LimitsSection(Section):
    open_offers: MaybeCount = Field(default=said("200"), description="Open offers of a user.", examples=["20"])
    stake: MaybeAmount = Field(
        default=said(NONE), description="Tokens that a user may put up in a contract.", examples=["500"]
    )
    position: MaybeUnits = Field(
        default=said(NONE), description="Units that a user may hold in a contract.", examples=["1000"]
    )
    commands_per_hour: MaybeCount = Field(
        default=said("120"), description="Commands of a user in any hour.", examples=["30"]
    )
    cooldown: MaybePause = Field(
        default=said(NONE), description="The least time between two commands of a user.", examples=["10s"]
    )
    account_age_days: MaybeDays = Field(
        default=said(NONE), description="How old a GitHub account must be to trade, in days.", examples=["30"]
    )


class Rules(Section):
    """The whole file."""

    enabled: Truth = Field(
        default=said("true"),
        description="`false`: commands are refused. Contracts that are there are judged and paid all the same.",
        examples=["false"],
    )
    labels: Annotated[Labels, Takes("keys of its own: `allow`, `deny`")] = Field(
        default=Labels(), description="Which issues are traded, by their labels."
    )
    currency: Currency = Field(
        default=said("play"),
        description="What is traded: play tokens, good in the repositories of one owner.",
        examples=["play"],
    )
    default_price: Price = Field(
        default=said("0.50"),
        description="The price of FIXED in an offer that names none; UNFIXED costs 1 minus it.",
        examples=["0.40"],
    )
    fund_price: Price = Field(
        default=said("0.90"), description="The price of UNFIXED in a `fund` that names none.", examples=["0.80"]
    )
    maturation: Annotated[Maturation, Takes("keys of its own: `min`, `max`")] = Field(
        default=Maturation(), description="How near and how far contracts may mature."
    )
    dispute_window: Window = Field(
        default=said("24h"),
        description="Terms: how long a contract is halted before it is paid.",
        examples=["3d"],
    )
    not_planned: Verdict = Field(
        default=said("unfixed"),
        description="Terms: what a contract settles as at maturation if the issue was closed as not planned.",
        examples=["void"],
    )
    duplicate: Verdict = Field(
        default=said("unfixed"), description="Terms: the same for an issue closed as a duplicate.", examples=["void"]
    )
    fee_bps: Fee = Field(
        default=said("0"), description="Terms: the fee on profit, in hundredths of a percent.", examples=["250"]
    )
    insiders: Insiders = Field(
        default=said("disclose"),
        description="Terms: whether the issue's author and people with triage rights may trade, "
        "and whether they are marked where their position is shown.",
        examples=["forbid"],
    )
    limits: Annotated[LimitsSection, Takes("keys of its own, such as `open_offers`")] = Field(
        default=LimitsSection(), description="What one user may do in this repository."
    )
    welcome_grant: Grant = Field(
        default=said("1000"),
        description="Play tokens for a user who acts for the first time in any of the owner's repositories.",
        examples=["250"],
    )
    replies: Replies = Field(
        default=said("full"),
        description="`reactions`: a comment with commands gets a reaction and no reply; "
        "the market comment and what is said when a contract halts, resumes or settles stay.",
        examples=["reactions"],
    )
    label_rewards: Truth = Field(
        default=said("false"),
        description="Put a label such as `bugmark: 100` on the issue with the reward on offer for a fixer.",
        examples=["true"],
    )
    badges: Truth = Field(default=said("true"), description="`false`: badges show no price.", examples=["false"])


def read_rules(raw: bytes) -> tuple[Config | None, list[Problem]]:
    """A file's config, or what is wrong with it, in the order of the lines."""
    try:
        document = read_yaml(raw)
    except BadYaml as error:
        return None, [Problem(error.line, error.sentence)]
    if not isinstance(document.tree, dict):
        return None, [Problem(1, "The file is a list of keys with their values, such as `enabled: true`.")]
    try:
        return config_of(Rules.model_validate(document.tree)), []
    except ValidationError as error:
        found = {Problem(document.line(one["loc"]), _sentence(one)) for one in error.errors()}
        return None, sorted(found, key=lambda problem: (problem.line, problem.sentence))


def config_of(rules: Rules) -> Config:
    limits = rules.limits
    return Config(
        enabled=rules.enabled,
        allow_labels=frozenset(folded(name) for name in rules.labels.allow),
        deny_labels=frozenset(folded(name) for name in rules.labels.deny),
        default_price=rules.default_price,
        fund_price=rules.fund_price,
        least_maturation_seconds=rules.maturation.min,
        most_maturation_seconds=rules.maturation.max,
        dispute_window_seconds=rules.dispute_window,
        not_planned=rules.not_planned.upper(),
        duplicate=rules.duplicate.upper(),
        fee_bps=rules.fee_bps,
        insiders=rules.insiders,
        limits=Limits(
            open_offers=limits.open_offers,
            stake_mills=limits.stake,
            commands_per_hour=limits.commands_per_hour,
            account_age_days=limits.account_age_days,
            cooldown_seconds=limits.cooldown,
            position_units=limits.position,
        ),
        welcome_grant_mills=rules.welcome_grant,
        reactions_only=rules.replies == "reactions",
        label_rewards=rules.label_rewards,
        badges=rules.badges,
    )


def fields_of(section: type[Section], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of the file with dots for what is inside of what; a section comes before its keys."""
    for name, info in section.model_fields.items():
        yield f"{prefix}{name}", info
        if (inner := section_of(info)) is not None:
            yield from fields_of(inner, f"{prefix}{name}.")


def section_of(info: FieldInfo) -> type[Section] | None:
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def takes(info: FieldInfo) -> str:
    return next(one.words for one in info.metadata if isinstance(one, Takes))


def _sentence(error: ErrorDetails) -> str:
    names = [step for step in error["loc"] if isinstance(step, str)]
    if error["type"] == "contradiction":
        return error["msg"]
    if error["type"] == "extra_forbidden":
        return _unknown(names)
    known = dict(fields_of(Rules))
    key = next(key for key in _shortened(names) if key in known)
    return f"`{key}` takes {takes(known[key])}."


def _unknown(names: Sequence[str]) -> str:
    *parents, name = names
    prefix = "".join(f"{parent}." for parent in parents)
    beside = [key.removeprefix(prefix) for key, _ in fields_of(Rules) if key.startswith(prefix)]
    here = [key for key in beside if "." not in key]
    near = get_close_matches(name, here, n=1, cutoff=0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{key}`' for key in here)}."
    return f"{shown(name)} is no key {f'of `{parents[-1]}`' if parents else 'of this file'}; {hint}"


def _shortened(names: Sequence[str]) -> Iterator[str]:
    return (".".join(names[:count]) for count in range(len(names), 0, -1))
