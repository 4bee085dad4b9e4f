"""Results of requests in the words of the thread: the one place that says which function words which."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import assert_never

from app.market.terms.errors import Refusal
from app.replies import book_table, hand_outs, holding_tables, house_results, price_table, reply, trade_results
from app.services.forecasts.making import Made
from app.services.life.disputes import Disputed
from app.services.rules.settings_told import InForce
from app.services.uses.results import (
    BookShown,
    Changed,
    Funded,
    Given,
    HaltLifted,
    HelpShown,
    HistoryShown,
    Listed,
    MarketHalted,
    MentionsChosen,
    MoneyShown,
    OffersShown,
    PositionsShown,
    PriceShown,
    PricesShown,
    Rehearsed,
    Result,
    Ruled,
    TakenBack,
    Trade,
    Unlisted,
)
from app.storage.engine.db import FIRST_IMAGINED

OUR_FAULT = "Something broke on our side. Nothing was changed; the operator has been told. Please try again later."

HelpText = Callable[[str | None], str]
"""Help for the command of that name, or the overview."""

_SPAN = re.compile(r"(`[^`]*`)")
_MENTION = re.compile(r"(?<![A-Za-z0-9_/.`])@([A-Za-z0-9][A-Za-z0-9-]*)")
_IMAGINED = re.compile(f"([ocF]){str(FIRST_IMAGINED)[:3]}[0-9]{{{len(str(FIRST_IMAGINED)) - 3}}}")


class ThreadVoice:
    """Implements orders.Voice in Markdown."""

    def __init__(self, help_text: HelpText) -> None:
        self.help_text = help_text

    def done(self, result: Result) -> str:
        return words(result, self.help_text)

    def refused(self, refusal: Refusal) -> str:
        return hand_outs.refused(refusal)

    def broken(self) -> str:
        return OUR_FAULT


def words(result: Result, help_text: HelpText) -> str:
    """The answer in Markdown."""
    match result:
        case Trade() | Changed() | TakenBack() | Funded() | Listed() | Unlisted():
            return _traded(result)
        case MoneyShown() | BookShown() | PriceShown() | PricesShown() | HistoryShown():
            return _shown(result)
        case PositionsShown():
            return holding_tables.positions(result)
        case OffersShown():
            return holding_tables.offers(result)
        case HelpShown(command):
            return help_text(command)
        case Rehearsed(inner):
            return _rehearsed(words(inner, help_text))
        case _:
            return _of_the_house(result)


def _traded(result: Trade | Changed | TakenBack | Funded | Listed | Unlisted) -> str:
    match result:
        case Trade():
            return trade_results.trade(result)
        case Changed():
            return trade_results.changed(result)
        case TakenBack():
            return trade_results.taken_back(result)
        case Funded():
            return trade_results.funded(result)
        case Listed():
            return trade_results.listed(result)
        case Unlisted():
            return "You are no longer listed as working on this issue. What you hold stays yours."
        case _:
            assert_never(result)


def _shown(result: MoneyShown | BookShown | PriceShown | PricesShown | HistoryShown) -> str:
    match result:
        case MoneyShown(user):
            return reply.balance_words(user)
        case BookShown(book):
            return book_table.book(book)
        case PriceShown(contract):
            return price_table.price_of(contract)
        case PricesShown(issue):
            return price_table.prices(issue)
        case HistoryShown(contract, days, trades):
            return price_table.history(contract, days, trades)
        case _:
            assert_never(result)


def _of_the_house(
    result: Made | Disputed | Ruled | MarketHalted | HaltLifted | Given | MentionsChosen | InForce,
) -> str:
    match result:
        case Made():
            return house_results.opened(result)
        case Disputed():
            return house_results.disputed(result)
        case Ruled(resolved, outcome, logins):
            return house_results.ruled(resolved, outcome, logins)
        case MarketHalted():
            return house_results.halted(result)
        case HaltLifted():
            return house_results.halt_lifted(result)
        case Given():
            return house_results.given(result)
        case MentionsChosen(mode):
            return house_results.mentions_chosen(mode)
        case InForce():
            return house_results.settings_told(result)
        case _:
            assert_never(result)


def _rehearsed(answer: str) -> str:
    quoted = "\n".join(f"> {line}" for line in without_mentions(answer).splitlines())
    return f"**Nothing was done.** The answer would be:\n\n{quoted}"


def without_mentions(answer: str) -> str:
    """Names instead of mentions, and no number for offers and contracts that were never made."""
    parts = _SPAN.split(answer)
    parts[::2] = [_MENTION.sub(r"**\1**", part) for part in parts[::2]]
    return _IMAGINED.sub(r"\1…", "".join(parts))
