"""How `dispute`, `resolve` and `market` are read: a reason is the rest of the line, whatever its words."""

from __future__ import annotations

import pytest

from app.commands.registry import parse
from app.language.grammar import BadCommand
from app.language.requests import DisputeRequest, MarketRequest, Request, ResolveRequest
from app.market.terms.contract import Outcome

NOW = 1_700_000_000

READ: list[tuple[str, Request]] = [
    ("dispute it still crashes", DisputeRequest("it still crashes", None)),
    ("DISPUTE It Still Crashes", DisputeRequest("It Still Crashes", None)),
    ("dispute on c3 it crashes", DisputeRequest("it crashes", 3)),
    ("dispute on F12 it was withdrawn", DisputeRequest("it was withdrawn", 12)),
    ("dispute on Monday it broke", DisputeRequest("on Monday it broke", None)),
    ("dispute fixed by friday for all at 0.40", DisputeRequest("fixed by friday for all at 0.40", None)),
    ("resolve fixed it is in the release", ResolveRequest(Outcome.FIXED, "it is in the release", None, None)),
    ("resolve UNFIXED no", ResolveRequest(Outcome.UNFIXED, "no", None, None)),
    ("resolve true it was published", ResolveRequest(Outcome.FIXED, "it was published", None, None)),
    ("resolve false it was not", ResolveRequest(Outcome.UNFIXED, "it was not", None, None)),
    ("resolve void on c3 at 0.40 half of it", ResolveRequest(Outcome.VOID, "half of it", 3, 400)),
    ("resolve void @ 40% half", ResolveRequest(Outcome.VOID, "half", None, 400)),
    ("resolve void at least half", ResolveRequest(Outcome.VOID, "at least half", None, None)),
    ("market halt a fix has leaked", MarketRequest(True, "a fix has leaked")),
    ("market resume halt is over", MarketRequest(False, "halt is over")),
]


@pytest.mark.parametrize(("text", "request_"), READ)
def test_a_reason_is_the_rest_of_the_line(text: str, request_: Request) -> None:
    assert parse(text, NOW) == request_


@pytest.mark.parametrize(
    "text",
    [
        "dispute",
        "dispute on c3",
        "resolve",
        "resolve fixed",
        "resolve maybe it is",
        "resolve void at 1.5 half",
        "market",
        "market halt",
        "market stop it",
    ],
)
def test_no_reason_and_no_outcome_is_made_up(text: str) -> None:
    with pytest.raises(BadCommand) as refused:
        parse(text, NOW)
    for one in refused.value.instead:
        if one.blank:
            assert one.text.endswith(" REASON")
            with pytest.raises(BadCommand, match="`REASON` stands for something that you fill in"):
                parse(one.text, NOW)
        else:
            assert one.name in ("help", "price")
