"""The files of an export: docs/research.md and the machine-readable dictionary say of them what stands here."""

from __future__ import annotations

from app.services.research.daily import daily_prices
from app.services.research.offer_events import offer_events
from app.services.research.sheet import sheet, stored
from app.services.research.stoppages import stoppages
from app.storage.proof import history, lives

SHEETS = {
    "contracts": sheet(
        "by number",
        "",
        "contract",
        """
contract id `c3` in the thread, `F3` if it is a forecast
issue id the issue in whose thread it lives now
issue_number id that issue's number in the repository
kind text `issue_fixed`, or the kind of forecast
statement text the exact predicate
statement_sha256 text its SHA-256, in hex
round amount 1, and 1 more for each reopening after a settlement
maturation_at instant when it is judged
currency text `play:` and the owner's id, or a currency on a chain
terms text fee, dispute window and all else it was made under
terms_sha256 text their SHA-256, in hex
status text `OPEN`, `HALTED`, `SETTLED`
outcome text `FIXED`, `UNFIXED`, `VOID`; nothing until it is settled
open_interest amount units of each side that are held
minted_mills amount what the open interest was entered at (market.md §5, law 1)
amendments amount how many there are
created_at instant
settled_at instant
""",
        stored(history.all_contracts),
    ),
    "offers": sheet(
        "by number",
        "As they are now. What became of each, and when, is in `offer_events`.",
        "offer",
        """
offer id `o17` in the thread; of a range offer each contract has one
contract id
user id
action text `BUY`, `SELL`
side text `FIXED`, `UNFIXED`
price_mills amount the limit, of the side named
volume amount units
until_at instant when it expires
now_or_never flag
all_or_none flag
post_only flag
cancel_on_halt flag
filled amount units; filled + remaining + cancelled = volume
remaining amount units still open, in the book or suspended
cancelled amount units cancelled or expired
state text `LIVE`, `SUSPENDED`, `DONE`
created_at instant
""",
        stored(history.all_offers),
    ),
    "fills": sheet(
        "by contract, then amendment",
        "",
        "contract amendment",
        """
contract id
amendment id its number among the contract's amendments
at instant
kind text `expand`, `transfer`, `reduce`: open interest grows, changes hands, shrinks
price_mills amount of FIXED
volume amount units
bid_offer id the offer that gains FIXED exposure
ask_offer id the one that gives it up
newcomer_offer id which of them arrived, or was tried again
buyer id user of the bid
seller id user of the ask
""",
        stored(history.all_fills),
    ),
    "amendments": sheet(
        "by contract, then number",
        "Every numbered change of a contract.",
        "contract amendment",
        """
contract id
amendment id 1, 2, 3, … without gaps, but for leaps of a million (`restored`)
at instant
kind text `fill`, `redeem`, `halt`, `resume`, `settlement`; `restored` where an older backup was restored: nothing
    else changed
open_interest amount units, after it
minted_mills amount after it; over the open interest it is the void price of a contract made under law 1
""",
        stored(history.all_amendments),
    ),
    "payouts": sheet(
        "by contract, then user",
        "One row for everybody who held units when a contract was settled.",
        "contract user",
        """
contract id
at instant
outcome text
user id
fixed_units amount what the user held
unfixed_units amount
received_mills amount what they paid, after the fee
""",
        stored(history.all_payouts),
    ),
    "prices": sheet(
        "by contract, then day",
        """
A row for each day (UTC) on which something was filled. Fills of fewer than 5 units count for volume and make no
price.
""",
        "contract date",
        """
contract id
date text `2026-01-31`
open_mills amount first price of the day
high_mills amount
low_mills amount
last_mills amount
volume amount units
fills amount how many
open_interest amount units, after the day's last fill
""",
        stored(daily_prices),
    ),
    "users": sheet(
        "by id",
        "Everybody whom the other files name, if BugMark knows their login.",
        "user",
        """
user id GitHub's, for ever
login text as last seen by BugMark; people rename themselves, and free names are taken by others: join by id
""",
        stored(lives.all_users),
    ),
    "offer_events": sheet(
        "in the order of the journal",
        """
A row whenever something became of an offer, and how it stood then. The last row of each offer up to an instant
is how it stood at that instant; those that are `LIVE` are the book. All that one entry of the journal made of
an offer is one row, named by the first of these that fits: `placed`, `known` (it is older than the journal's
tellings: how it stood in the first), `resumed` (it was suspended and has a new place), `suspended` (it left the
book for want of its owner's money, or of what a fill left of it), `expired`, `displaced` (a better all-or-none
offer took its place), `cancelled` (all that was open of it: by its owner, by the self-trade rule, by a halt or
a settlement), `changed` (a part of it was cancelled), `filled`. An offer may be filled at once as it is placed
or resumed: `filled` says so. A new price is a new offer.
""",
        "entry offer",
        """
entry id of the journal; they grow with time and have gaps
at instant
offer id
contract id
event text see above
half text `bid` (it gains FIXED exposure), `ask` (it gives it up)
price_mills amount the limit, of FIXED
rank id its place in time: at one price the lowest comes first
remaining amount units, after the event
filled amount units, after the event
cancelled amount units cancelled or expired, after the event
state text `LIVE`, `SUSPENDED`, `DONE`, after the event
""",
        lambda snapshot, repository_id: offer_events(snapshot.tx, snapshot.chronicle, repository_id),
    ),
    "issues": sheet(
        "by id",
        "Those in whose threads contracts live or lived, as BugMark saw them last.",
        "issue",
        """
issue id
number id its number in the repository
title text
state text `open`, `closed`
state_reason text GitHub's: `completed`, `not_planned`, `duplicate`, `reopened`, …
closed_at instant
labels text a JSON list of their names, sorted; nothing if they were never told
closed_by id user who closed it, as it is closed now; nothing if that was not told
""",
        stored(lives.all_issues),
    ),
    "halts": sheet(
        "by instant, then contract",
        """
Each time that trade in a contract was halted or went on, and what maintainers said. A maintainer's command that
changed nothing at once (trade was halted anyway, or goes on only after GitHub was asked) has a row without
contract and amendment.
""",
        "",
        """
at instant
issue id
contract id
amendment id
event text `halt`, `resume`
cause text of a halt: `closed`, `matured`, `gone`, `rejected` (closed for a reason that the terms make VOID), `away`
    (the App was), `maintainer`; of a resumption: `not closed`, `set aside`, `lifted`, `returned`; nothing where it
    was not kept yet
user id the maintainer
reason text the maintainer's own words
""",
        lambda snapshot, repository_id: stoppages(snapshot.tx, repository_id),
    ),
    "disputes": sheet(
        "by number",
        "",
        "dispute",
        """
dispute id
contract id
at instant
user id who disputed first
verdict text what was announced then
cause text what had opened the window: `closed`, `matured`, `gone`, `rejected`
window_opened_at instant
bond_mills amount
reason text
state text `open`; `upheld`, `rejected` by a ruling; `unanswered`; `ended` by a reopening or another event
ended_at instant
""",
        stored(lives.all_disputes),
    ),
    "joiners": sheet(
        "by dispute, then instant",
        "Those who joined a dispute, each with a bond and a reason.",
        "dispute user",
        """
dispute id
user id
at instant
bond_mills amount
reason text
""",
        stored(lives.all_joiners),
    ),
    "rulings": sheet(
        "by dispute",
        "What maintainers made of disputes.",
        "dispute",
        """
dispute id
contract id
at instant
user id the maintainer
ruling text `FIXED`, `VOID`; `UNFIXED`: before maturation the close does not count, and trade goes on
void_price_mills amount of FIXED, if the ruling names a price for a VOID
reason text
""",
        stored(lives.all_rulings),
    ),
    "insiders": sheet(
        "by issue, then user",
        """
The issue's author and those with triage rights among the people who gave commands there, where the terms of a
contract do not say `allow`: the threads mark them, too.
""",
        "issue user",
        """
issue id
user id
""",
        stored(lives.all_insiders),
    ),
}
"""In the order in which they are written."""
