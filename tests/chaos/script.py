"""The script of a day: who says, closes, reopens, moves and renames what. A seed makes one.

What hangs on the state when it is said (`{other}`: somebody else's open offer) is chosen by a number drawn here.

Time goes in rounds. All is said in the morning of a round's first day, dates are ends of days and windows whole or half
days, so that no command meets an instant at which something falls due: it does so between the rounds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.lines import Phrases

REPOSITORIES = ("pump", "tools")
MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A command; `pick` chooses what `{own}`, `{other}` or `{forecast}` stands for."""

    text: str
    pick: float


@dataclass(frozen=True, slots=True)
class Say:
    """A comment, or what is added to the one named `edits`. Nobody: whoever would lose by what is announced says it."""

    name: str
    person: str
    issue: int
    lines: tuple[Line, ...]
    edits: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """An issue is closed in this way, or reopened."""

    issue: int
    by: str
    how: str


@dataclass(frozen=True, slots=True)
class Move:
    """Between two rounds: `transfer` an issue, `rename` a repository, `open` an issue with a label."""

    owner: int
    what: str
    issue: int = 0
    name: str = ""


Act = Say | Turn


@dataclass(frozen=True, slots=True)
class Owner:
    """An account with the App installed, its repositories' rules, and who trades there."""

    login: str
    rules: str
    issues: int
    people: tuple[str, ...]

    @property
    def keeper(self) -> str:
        """Has triage rights and never trades."""
        return f"keeper-of-{self.login}"

    @property
    def author(self) -> str:
        return f"author-of-{self.login}"


@dataclass(slots=True)
class Round:
    moves: list[Move] = field(default_factory=list)
    acts: list[list[Act]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Size:
    seed: int = 1
    commands: int = 5_000
    installations: int = 24
    people: int = 200
    issues: int = 50
    rounds: int = 8


@dataclass(slots=True)
class Day:
    size: Size
    owners: list[Owner]
    rounds: list[Round]

    def acts(self) -> Iterator[Act]:
        return (act for each in self.rounds for acts in each.acts for act in acts)

    @property
    def says(self) -> list[Say]:
        return [act for act in self.acts() if isinstance(act, Say)]

    @property
    def commands(self) -> int:
        return sum(len(say.lines) for say in self.says)


RULES = (
    "",
    "",
    "fee_bps: 250\ninsiders: allow\n",
    "dispute_window: 12h\nnot_planned: void\n",
    "insiders: allow\nlabel_rewards: true\n",
    "duplicate: void\ninsiders: forbid\n",
    "replies: reactions\n",
    "dispute_window: 12h\nfee_bps: 100\nlimits:\n  open_offers: 6\n",
)
"""What `.github/bugmark.yml` says; nothing in it counts by the hour, since the clock of two runs is not the same."""


def script(size: Size) -> Day:
    chance = random.Random(size.seed)
    owners = [_owner(size, number) for number in range(size.installations)]
    writers = [_Writer(chance, owner, number) for number, owner in enumerate(owners)]
    rounds = []
    left = size.commands
    for number in range(size.rounds):
        share = left // (size.rounds - number)
        left -= share
        made = Round()
        for writer in writers:
            wanted = share // (len(owners) - writer.number)
            share -= wanted
            made.moves += writer.moves(number)
            made.acts.append(writer.acts(number, wanted))
        rounds.append(made)
    return Day(size, owners, rounds)


def _owner(size: Size, number: int) -> Owner:
    """Everybody trades with two owners."""
    here = [
        person
        for person in range(size.people)
        if number in (person % size.installations, (person * 5 + 7) % size.installations)
    ]
    issues = size.issues // size.installations + (number < size.issues % size.installations)
    rules = RULES[number % len(RULES)]
    return Owner(f"owner-{number}", rules, issues, tuple(f"person-{person}" for person in here))


@dataclass(slots=True)
class _Writer:
    """Writes what happens at one owner's."""

    chance: random.Random
    owner: Owner
    number: int
    closed: dict[int, str] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    said: int = 0
    phrases: Phrases = field(init=False)

    def __post_init__(self) -> None:
        self.phrases = Phrases(self.chance, [])

    def moves(self, number: int) -> list[Move]:
        """Not in the first round: there is nothing that could move yet."""
        if not number:
            return []
        found = []
        unmoved = [issue for issue in range(self.owner.issues) if issue not in self.moved]
        if unmoved and self.chance.random() < 0.12:
            issue = self.chance.choice(unmoved)
            self.moved.add(issue)
            found.append(Move(self.number, "transfer", issue))
        if self.chance.random() < 0.08:
            found.append(Move(self.number, "rename", self.chance.randrange(2), f"renamed-{number}"))
        if self.chance.random() < 0.15:
            found.append(Move(self.number, "open", self.chance.randrange(2)))
        return found

    def acts(self, number: int, commands: int) -> list[Act]:
        acts: list[Act] = [self._reopen(issue) for issue in sorted(self.closed) if self.chance.random() < 0.8]
        busy: list[Act] = []
        left = commands
        while left > 0:
            say = self._say(number, min(left, self.chance.choice((1, 1, 1, 2, 2, MOST_LINES))), busy)
            busy.append(say)
            left -= len(say.lines)
        turns = [self._turn(issue) for issue in range(self.owner.issues) if self.chance.random() < 0.25]
        for turn in turns:
            at = self.chance.randint(len(busy) // 2, len(busy))
            busy[at:at] = turn
        if self.chance.random() < 0.15:
            busy[len(busy) // 3 : len(busy) // 3] = self._halt()
        return acts + busy

    def _name(self) -> str:
        self.said += 1
        return f"{self.owner.login}/{self.said}"

    def _say(self, number: int, lines: int, before: list[Act]) -> Say:
        edited = [act for act in before[-6:] if isinstance(act, Say) and act.person and not act.edits]
        written = tuple(Line(self.phrases.line(number), self.chance.random()) for _ in range(lines))
        if edited and self.chance.random() < 0.04:
            old = self.chance.choice(edited)
            return Say(self._name(), old.person, old.issue, written, old.name)
        person = self.chance.choice(self.owner.people)
        self.phrases.seen.append(person)
        return Say(self._name(), person, self.chance.randrange(self.owner.issues), written)

    def _reopen(self, issue: int) -> Turn:
        del self.closed[issue]
        return Turn(issue, self.owner.keeper, "reopened")

    def _turn(self, issue: int) -> list[Act]:
        """A close and what it leads to."""
        ways = ("completed", "completed", "completed", "commit", "not_planned", "duplicate")
        how = self.chance.choice(ways if self.owner.issues > 1 else ways[:-1])
        by = self.chance.choice((self.owner.login, self.owner.keeper, self.owner.author))
        found: list[Act] = []
        if issue in self.closed:
            found.append(self._reopen(issue))
        found.append(Turn(issue, self.owner.login if how in ("commit", "duplicate") else by, how))
        self.closed[issue] = how
        if how in ("completed", "commit") and self.chance.random() < 0.5:
            found += self._dispute(issue)
        elif self.chance.random() < 0.3:
            found.append(self._reopen(issue))
        return found

    def _dispute(self, issue: int) -> list[Act]:
        found: list[Act] = [Say(self._name(), "", issue, (Line("dispute it is not fixed at all", 0.0),))]
        if self.chance.random() < 0.6:
            ruling = self.chance.choice(("fixed", "unfixed", "void", "void at 0.40"))
            found.append(Say(self._name(), self.owner.keeper, issue, (Line(f"resolve {ruling} I looked at it", 0.0),)))
        return found

    def _halt(self) -> list[Act]:
        issue = self.chance.randrange(self.owner.issues)
        words = ("market halt somebody checks it", "market resume it is clear now")
        return [Say(self._name(), self.owner.keeper, issue, (Line(text, 0.0),)) for text in words]
