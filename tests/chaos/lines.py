"""One command at a time, of every kind; half of what is said wants an offer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

DAY = 86_400
ROUND_SECONDS = 3 * DAY
START_AT = int(datetime(2030, 1, 7, 6, tzinfo=UTC).timestamp())
LABEL = "crash"


@dataclass(slots=True)
class Phrases:
    """`seen`: who has said something at this owner's."""

    chance: random.Random
    seen: list[str]

    def line(self, number: int) -> str:
        kinds = {
            self._offer: 34,
            self._range: 4,
            self._fund: 4,
            self._sell: 12,
            self._take: 12,
            self._cancel: 7,
            self._change: 7,
            self._dry_run: 2,
            self._look: 10,
            self._give: 2,
            self._forecast: 5,
            self._mute: 1,
            self._wrong: 4,
        }
        return self.chance.choices(list(kinds), list(kinds.values()))[0](number)

    def _date(self, number: int, least: int = 1) -> str:
        """The end of the first day of one of the next rounds."""
        return date_of(number, 3 * self.chance.randint(least, 3))

    def _price(self) -> str:
        return f"0.{self.chance.randrange(30, 72, 2)}"

    def _side(self) -> str:
        return self.chance.choice(("fixed", "unfixed"))

    def _volume(self) -> int:
        return self.chance.randint(5, 40)

    def _conditions(self, number: int) -> str:
        found = self.chance.choices(
            ("", "all-or-none", "now-or-never", "post-only", "pool", "cancel-on-halt"), (50, 14, 8, 8, 14, 6)
        )[0]
        until = f" until {date_of(number, self.chance.randint(1, 2))}" if self.chance.random() < 0.15 else ""
        return f"{until} {found}".rstrip()

    def _offer(self, number: int) -> str:
        by = self._date(number) if self.chance.random() < 0.8 else f"{3 * self.chance.randint(1, 3)}d"
        price = f" at {self._price()}" if self.chance.random() < 0.9 else ""
        return f"offer {self._side()} {self._volume()}{price} by {by}{self._conditions(number)}"

    def _range(self, number: int) -> str:
        dates = f"{date_of(number, 3)}..{date_of(number, 9)}"
        return f"offer {self._side()} {self._volume()} at {self._price()} by {dates}"

    def _fund(self, number: int) -> str:
        return f"fund {self._volume()} by {self._date(number)}"

    def _sell(self, number: int) -> str:
        much = self.chance.choice(("all", "5", "10"))
        price = f" at {self._price()}" if self.chance.random() < 0.6 else ""
        return f"sell {self._side()} {much}{price} by {self._date(number)}"

    def _take(self, number: int) -> str:
        return self.chance.choice(("take o{other}", "take o{other}", "take o{other} 5"))

    def _cancel(self, number: int) -> str:
        return self.chance.choice(("cancel o{own}", "cancel o{own}", "cancel all"))

    def _change(self, number: int) -> str:
        return self.chance.choice(
            ("change o{own} 6", f"change o{{own}} at {self._price()}", f"change o{{own}} 30 at {self._price()}")
        )

    def _dry_run(self, number: int) -> str:
        return f"dry-run {self._offer(number)}"

    def _look(self, number: int) -> str:
        return self.chance.choice(("book", "price", "history", "positions", "offers", "balance", "help", "help offer"))

    def _give(self, number: int) -> str:
        """To somebody who is known here: who else is depends on how far the other owners are."""
        return f"give @{self.chance.choice(self.seen)} 3" if self.seen else "balance"

    def _forecast(self, number: int) -> str:
        if self.chance.random() < 0.3:
            return f"forecast issue label {LABEL} by {self._date(number)}"
        side = self.chance.choice(("true", "false"))
        return f"offer {side} {self._volume()} at {self._price()} on F{{forecast}}"

    def _mute(self, number: int) -> str:
        return self.chance.choice(("mute", "mute daily", "unmute"))

    def _wrong(self, number: int) -> str:
        return self.chance.choice(
            (
                "ofer fixed 10",
                f"offer fixed 0 by {self._date(number)}",
                f"offer fixed 100k at 0.90 by {self._date(number)}",
                "take o999999",
                "offer fixed 10 by 2001-01-01",
                "market halt I am nobody",
            )
        )


def date_of(number: int, days: int) -> str:
    """So many days after the first day of a round."""
    at = START_AT + number * ROUND_SECONDS + days * DAY
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
