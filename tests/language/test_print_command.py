"""An offer spoken as a command reads back as itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.commands.registry import parse
from app.language.requests import OfferRequest
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.spoken import spoken, spoken_dates
from app.market.terms.contract import Side

NOW = 1_511_870_000
INSTANTS = st.integers(NOW + 1, NOW + 80_000 * 86_400)
FLAGS = st.booleans()


@given(
    st.sampled_from(Side),
    st.integers(1, 10**9),
    st.integers(1, 999),
    st.tuples(INSTANTS, INSTANTS, INSTANTS).map(sorted),
    st.tuples(FLAGS, FLAGS, FLAGS, FLAGS, FLAGS, FLAGS, FLAGS),
)
def test_an_offer_reads_back(
    side: Side, volume: int, price: int, instants: list[int], flags: tuple[bool, bool, bool, bool, bool, bool, bool]
) -> None:
    ranged, expiring, now_or_never, all_or_none, post_only, pool, halting = flags
    from_at, until_at, by_at = instants
    new = NewOffer(
        Action.BUY,
        side,
        volume,
        price,
        until_at if expiring and until_at < by_at else None,
        now_or_never and not post_only,
        all_or_none and not post_only,
        post_only,
        pool,
        halting or post_only,
    )
    told = spoken(new, by_at, from_at if ranged else None)
    assert parse(told.removeprefix("/bugmark "), NOW) == OfferRequest(
        new.action,
        side,
        volume,
        None,
        price,
        None,
        None,
        by_at,
        new.until_at,
        new.now_or_never,
        new.all_or_none,
        new.post_only,
        pool,
        new.cancel_on_halt,
        from_at if ranged else None,
    )


def test_dates_are_short_where_they_can_be() -> None:
    assert spoken_dates(1_512_172_799) == "2017-12-01"
    assert spoken_dates(1_512_172_799, 1_511_827_200) == "2017-11-28..2017-12-01"
    assert spoken_dates(1_512_172_800, 1_511_827_201) == "2017-11-28T00:00:01Z..2017-12-02T00:00:00Z"


def test_a_sale_is_spoken_as_one() -> None:
    new = NewOffer(Action.SELL, Side.FIXED, 20, 400, None, all_or_none=True)
    assert spoken(new, 1_512_172_799) == "/bugmark sell fixed 20 at 0.40 by 2017-12-01 all-or-none"
