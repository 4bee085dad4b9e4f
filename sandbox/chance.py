"""The sandbox's one source of randomness: tokens, secrets, delivery ids, key pairs, and the dice of faults."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def make_pem() -> str:
    """A fresh RSA 2048 private key in the form in which GitHub hands it out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@dataclass
class Chance:
    """`dice` may be seeded; `new_pem` may be a constant, since a key takes a tenth of a second to make.

    Faults have dice of their own once they are seeded: the same faults then strike whatever else is made meanwhile.
    """

    dice: random.Random = field(default_factory=random.SystemRandom)
    new_pem: Callable[[], str] = make_pem
    of_faults: random.Random | None = None

    def token(self, prefix: str, length: int = 36) -> str:
        return prefix + "".join(self.dice.choices(ALPHABET, k=length))

    def secret(self) -> str:
        return f"{self.dice.getrandbits(160):040x}"

    def guid(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def happens(self, probability: float) -> bool:
        return (self.of_faults or self.dice).random() < probability

    def seed_faults(self, seed: int) -> None:
        self.of_faults = random.Random(seed)
