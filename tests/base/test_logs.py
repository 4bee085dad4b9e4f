from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.base.logs import REDACTED, Redactor, configure
from app.base.settings import Settings
from tests.leaks import no_secret_logged

PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)
WEBHOOK = 'It\'s a "Secret" to Every/body'
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl-bm93_x"
SECRETS = {
    "installation token": "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "long installation token": "ghs_4711_eyJhbGciOi.eyJpc3Mi.c2ln",
    "personal token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "fine-grained token": "github_pat_11ABCDEFG0_hijklmnop",
    "sandbox token": "sandbox-4f6f7a-9",
    "jwt": JWT,
    "webhook secret": WEBHOOK,
    "second webhook secret": "hush-two",
    "private key": PEM,
    "one line of the key": PEM.splitlines()[3],
    "database password": "hush-db",
}
SETTINGS = Settings(
    database_url="postgresql+asyncpg://ann:hush-db@db/bugmark",
    github_api_url="https://api.github.com",
    app_id="1",
    private_key=PEM,
    webhook_secrets=(WEBHOOK, "hush-two"),
    public_url="https://bugmark.example",
)
log = structlog.get_logger("test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[io.StringIO, Terminal])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """The log as a file and as a terminal sees it; logging is put back afterwards."""
    handlers, level, hook = logging.root.handlers[:], logging.root.level, sys.excepthook
    stream: io.StringIO = request.param()
    configure(SETTINGS.secrets(), stream)
    yield stream
    logging.captureWarnings(False)
    logging.root.handlers[:], sys.excepthook = handlers, hook
    logging.root.setLevel(level)
    structlog.reset_defaults()


class Holder:
    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Holder({self.value!r})"


def raised(secret: str) -> None:
    def inner() -> None:
        raise ValueError(f"cannot use {secret}")

    try:
        inner()
    except ValueError as error:
        try:
            raise RuntimeError("outer") from error
        except RuntimeError:
            log.exception("failed")


WAYS: dict[str, Callable[[str], object]] = {
    "message": lambda secret: log.info(f"using {secret} now"),
    "value": lambda secret: log.warning("using", value=secret),
    "key": lambda secret: log.info("using", **{secret: "value"}),
    "nested": lambda secret: log.info("using", a={"b": [{"c": (secret, {secret})}], secret: 1}),
    "bytes": lambda secret: log.info("using", body=b"x=" + secret.encode()),
    "json": lambda secret: log.info("using", body=json.dumps({"x": secret})),
    "object": lambda secret: log.error("using", holder=Holder(secret)),
    "error": lambda secret: log.error("using", error=ValueError(secret)),
    "bound": lambda secret: log.bind(value=secret).info("using"),
    "traceback": raised,
    "positional": lambda secret: log.info("using %s", secret),
    "library": lambda secret: logging.getLogger("library").warning("using %s", secret),
    "library, logging an error": lambda secret: logging.getLogger("library").error(
        "failed", exc_info=ValueError(secret)
    ),
    "warning": lambda secret: warnings.warn(secret, stacklevel=1),
    "uncaught": lambda secret: sys.excepthook(ValueError, ValueError(secret), None),
}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_written(written: io.StringIO, name: str, way: str) -> None:
    WAYS[way](SECRETS[name])
    text = written.getvalue()
    assert text
    assert REDACTED in text
    for line in SECRETS[name].strip().splitlines():
        if not line.startswith("-----"):
            for spelling in (line, json.dumps(line)[1:-1], repr(line)[1:-1]):
                assert spelling not in text


NAMED: dict[str, dict[str, object]] = {
    "token": {"token": "plain"},
    "Authorization": {"headers": {"Authorization": "token plain"}},
    "X-Hub-Signature-256": {"headers": {"X-Hub-Signature-256": "plain"}},
    "client_secret": {"answer": [{"client_secret": b"plain"}]},
    "private_key": {"private_key": Holder("plain")},
    "in text": {"text": "GET / Authorization: token plain"},
    "in a repr": {"text": "{'Authorization': 'bearer plain', 'x': 1}"},
    "in a url": {"text": "postgresql://ann:plain@db/x"},
    "bearer": {"text": "sent Bearer plainplain"},
}


@pytest.mark.parametrize("name", NAMED)
def test_what_stands_under_a_secret_name_is_not_written(written: io.StringIO, name: str) -> None:
    log.info("using", **NAMED[name])
    assert REDACTED in written.getvalue()
    assert "plain" not in written.getvalue()


@pytest.mark.parametrize("written", [io.StringIO], indirect=True)
def test_a_line_is_one_json_object_with_the_delivery_bound(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(delivery="72d3162e-cc78"):
        log.info("stored\nhere", price_mills=400, known=None, ok=True)
        logging.getLogger("library").warning("slow")
    ours, theirs = (json.loads(line) for line in written.getvalue().splitlines())
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "stored\nhere",
        "level": "info",
        "logger": "test",
        "delivery": "72d3162e-cc78",
        "price_mills": 400,
        "known": None,
        "ok": True,
    }
    assert (theirs["event"], theirs["delivery"], theirs["logger"]) == ("slow", "72d3162e-cc78", "library")


@pytest.mark.parametrize("written", [io.StringIO], indirect=True)
def test_an_exception_keeps_its_traceback(written: io.StringIO) -> None:
    raised("nothing secret")
    text = json.loads(written.getvalue())["exception"]
    assert "Traceback" in text
    assert "cannot use nothing secret" in text
    assert "RuntimeError: outer" in text


def test_a_cycle_is_cut() -> None:
    cycle: dict[str, object] = {}
    cycle["again"] = cycle
    assert "..." in str(Redactor()(None, "info", {"event": "x", "cycle": cycle}))


def test_plain_words_stay() -> None:
    text = "basic offer by @ann: token price 0.40 at https://github.com/o/r/issues/1, commit 4f6f7a"
    assert Redactor(["hush"]).text(text) == text


def test_what_gets_past_the_redactor_fails_a_test_in_which_the_app_runs() -> None:
    with no_secret_logged(SETTINGS.secrets()) as written:
        log.warning("using", value=SECRETS["installation token"], hook=WEBHOOK, key=PEM)
        assert written.getvalue().count(REDACTED) == 3
    for secret in (SECRETS["installation token"], SECRETS["jwt"], "hush-two", PEM.splitlines()[3], PEM):
        with pytest.raises(AssertionError), no_secret_logged(SETTINGS.secrets()) as written:
            written.write(f"using {secret} now")
