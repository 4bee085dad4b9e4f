"""Refusals: a type with its data and a sentence for the thread.

A refusal is an answer, not a bug: whoever raises it has changed nothing.
"""


class Refusal(Exception):
    """Base of every refusal. `sentence` says what is wrong; `correction` is a command to copy, or None."""

    def __init__(self, sentence: str, correction: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.correction = correction


class InvalidOffer(Refusal):
    """An offer whose numbers are out of bounds."""


class NotTrading(Refusal):
    """The contract is halted, settled or past its maturation."""


class InsufficientFunds(Refusal):
    def __init__(self, need_mills: int, free_mills: int, sentence: str, correction: str | None = None) -> None:
        super().__init__(sentence, correction)
        self.need_mills = need_mills
        self.free_mills = free_mills


class InsufficientUnits(Refusal):
    def __init__(self, need: int, free: int, sentence: str, correction: str | None = None) -> None:
        super().__init__(sentence, correction)
        self.need = need
        self.free = free


class UnknownOffer(Refusal):
    """No such live offer, or not this user's."""
