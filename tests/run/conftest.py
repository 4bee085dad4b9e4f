"""A desk and a played GitHub."""

from tests.github.conftest import github, play
from tests.run.senders import sender
from tests.services.conftest import desk

__all__ = ["desk", "github", "play", "sender"]
