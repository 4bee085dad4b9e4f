from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from app.base.settings import Settings, SettingsError, SetupSettings, database_url_from, github_web_url, is_loopback


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    cipher: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher).decode()


RSA = rsa.generate_private_key(65537, 2048)
KEY = pem_of(RSA)
GOOD = {
    "BUGMARK_DATABASE_URL": "postgresql://ann:hush-db@db/bugmark",
    "BUGMARK_APP_ID": "4711",
    "BUGMARK_PRIVATE_KEY": KEY,
    "BUGMARK_WEBHOOK_SECRET": "hush-one",
    "BUGMARK_PUBLIC_URL": "https://bugmark.example/",
}


def problems(**changes: str | None) -> tuple[str, ...]:
    environ = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environ)
    return caught.value.problems


def read(**changes: str) -> Settings:
    return Settings.from_environment({**GOOD, **changes})


def test_a_good_environment_with_its_defaults() -> None:
    settings = read()
    assert settings.github_api_url == "https://api.github.com"
    assert settings.database_url == "postgresql+asyncpg://ann:hush-db@db/bugmark"
    assert settings.app_id == "4711"
    assert settings.webhook_secrets == ("hush-one",)
    assert settings.public_url == "https://bugmark.example"
    assert (settings.clock, settings.port) == ("system", 8080)


def test_an_empty_environment_names_every_missing_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"BUGMARK_APP_ID": "  "})
    assert caught.value.problems == (
        "BUGMARK_DATABASE_URL is not set.",
        "BUGMARK_APP_ID is not set.",
        "Set exactly one of BUGMARK_PRIVATE_KEY and BUGMARK_PRIVATE_KEY_FILE.",
        "BUGMARK_WEBHOOK_SECRET is not set.",
        "BUGMARK_PUBLIC_URL is not set.",
    )
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_no_secret_shows_in_repr_str_or_a_problem() -> None:
    settings = read(BUGMARK_WEBHOOK_SECRET="hush-one,hush-two")
    shown = repr(settings) + str(settings) + f"{settings}"
    told = problems(
        BUGMARK_DATABASE_URL="mysql://ann:hush-db@db/x",
        BUGMARK_PRIVATE_KEY="hush-key",
        BUGMARK_WEBHOOK_SECRET="hush-one,,hush-two",
        BUGMARK_PUBLIC_URL="https://ann:hush@bugmark.example:99999",
    )
    assert len(told) == 4
    assert "hush" not in shown + " ".join(told)
    assert KEY.splitlines()[1] not in shown


def test_secrets_may_be_several() -> None:
    assert read(BUGMARK_WEBHOOK_SECRET="old, new").webhook_secrets == ("old", "new")
    assert problems(BUGMARK_WEBHOOK_SECRET="old,") == ("BUGMARK_WEBHOOK_SECRET holds an empty secret between commas.",)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("postgres://db/x?sslmode=require", "postgresql+asyncpg://db/x?ssl=require"),
        ("postgresql+asyncpg://db/x", "postgresql+asyncpg://db/x"),
        ("sqlite:///bugmark.db", "sqlite+aiosqlite:///bugmark.db"),
        ("sqlite:////var/lib/bugmark.db", "sqlite+aiosqlite:////var/lib/bugmark.db"),
        ("sqlite+aiosqlite:///bugmark.db", "sqlite+aiosqlite:///bugmark.db"),
    ],
)
def test_a_bare_database_url_gets_the_asynchronous_driver(given: str, taken: str) -> None:
    assert read(BUGMARK_DATABASE_URL=given).database_url == taken
    assert database_url_from({"BUGMARK_DATABASE_URL": given}) == taken


@pytest.mark.parametrize("url", ["mysql://db/x", "postgresql+psycopg://db/x", "bugmark.db", "postgresql"])
def test_another_database_is_refused(url: str) -> None:
    told = ("BUGMARK_DATABASE_URL must begin with postgresql:// or sqlite:///.",)
    assert problems(BUGMARK_DATABASE_URL=url) == told
    with pytest.raises(SettingsError) as caught:
        database_url_from({"BUGMARK_DATABASE_URL": url})
    assert caught.value.problems == told


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    assert "must name a file" in problems(BUGMARK_DATABASE_URL=url)[0]


def test_the_database_url_alone_is_enough_for_some_commands() -> None:
    with pytest.raises(SettingsError) as caught:
        database_url_from({})
    assert caught.value.problems == ("BUGMARK_DATABASE_URL is not set.",)


@pytest.mark.parametrize("number", ["0", "-1", "12a", "1.5", "٤٧", "1" * 19])
def test_the_app_id_is_a_number(number: str) -> None:
    assert problems(BUGMARK_APP_ID=number) == ("BUGMARK_APP_ID must be the App's number.",)


def test_the_key_may_have_escaped_line_ends_or_come_from_a_file(tmp_path: Path) -> None:
    assert read(BUGMARK_PRIVATE_KEY=KEY.replace("\n", "\\n")).private_key.strip() == KEY.strip()
    file = tmp_path / "key.pem"
    file.write_text(KEY)
    assert read(BUGMARK_PRIVATE_KEY="", BUGMARK_PRIVATE_KEY_FILE=str(file)).private_key == KEY
    assert problems(BUGMARK_PRIVATE_KEY_FILE=str(file)) == (
        "Set exactly one of BUGMARK_PRIVATE_KEY and BUGMARK_PRIVATE_KEY_FILE.",
    )


def test_a_key_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    missing = problems(BUGMARK_PRIVATE_KEY=None, BUGMARK_PRIVATE_KEY_FILE=str(tmp_path / "none.pem"))
    assert missing == ("BUGMARK_PRIVATE_KEY_FILE cannot be read: No such file or directory.",)
    (tmp_path / "x.pem").write_bytes(b"\xff\xfe")
    binary = problems(BUGMARK_PRIVATE_KEY=None, BUGMARK_PRIVATE_KEY_FILE=str(tmp_path / "x.pem"))
    assert binary == ("BUGMARK_PRIVATE_KEY_FILE names a file that is not a PEM text.",)


def test_a_key_that_is_no_plain_rsa_key_is_refused() -> None:
    unreadable = ("BUGMARK_PRIVATE_KEY is not a readable, unencrypted PEM private key.",)
    assert problems(BUGMARK_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----") == unreadable
    assert problems(BUGMARK_PRIVATE_KEY=pem_of(RSA, b"password")) == unreadable
    assert problems(BUGMARK_PRIVATE_KEY=pem_of(ec.generate_private_key(ec.SECP256R1()))) == (
        "BUGMARK_PRIVATE_KEY must be an RSA key of at least 2048 bits.",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://bugmark.example",
        "ftp://bugmark.example",
        "bugmark.example",
        "https://",
        "https://bugmark.example/?a=b",
        "https://bugmark.example/#x",
        "https://ann@bugmark.example",
        "https://bugmark.example:port",
        "https://[::1",
        "http://127.0.0.1\\@bugmark.example",
        "https://bügmark.example",
        "https://bug mark.example",
    ],
)
def test_a_url_that_is_not_plain_https_is_refused(url: str) -> None:
    (public,) = problems(BUGMARK_PUBLIC_URL=url)
    (github,) = problems(BUGMARK_GITHUB_API_URL=url)
    assert public.startswith("BUGMARK_PUBLIC_URL ")
    assert github.startswith("BUGMARK_GITHUB_API_URL ")


LOOPBACK = [
    "http://localhost:8080",
    "http://LOCALHOST.:80",
    "http://127.0.0.1:8080/x",
    "http://127.8.9.10",
    "http://[::1]:8080",
    "http://[::ffff:127.0.0.1]",
    "https://127.0.0.1",
]
ELSEWHERE = [
    "https://api.github.com",
    "https://localhost.example",
    "https://127.0.0.1.example",
    "https://10.0.0.1",
    "https://0.0.0.0",
    "https://[::]",
    "https://[::ffff:10.0.0.1]",
    "https://notlocalhost",
]


@pytest.mark.parametrize("url", LOOPBACK)
def test_time_may_be_moved_when_both_urls_are_on_this_machine(url: str) -> None:
    assert is_loopback(url)
    assert (
        read(BUGMARK_CLOCK="file:/tmp/offset", BUGMARK_GITHUB_API_URL=url, BUGMARK_PUBLIC_URL=url).clock
        == "file:/tmp/offset"
    )


@pytest.mark.parametrize("url", ELSEWHERE)
def test_time_may_not_be_moved_when_either_url_is_elsewhere(url: str) -> None:
    assert not is_loopback(url)
    for pair in ((url, LOOPBACK[0]), (LOOPBACK[0], url)):
        (told,) = problems(BUGMARK_CLOCK="file:/tmp/offset", BUGMARK_GITHUB_API_URL=pair[0], BUGMARK_PUBLIC_URL=pair[1])
        assert told.startswith("BUGMARK_CLOCK may move time only while")


@pytest.mark.parametrize("value", ["real", "file:", "file: ", "systemd", "/tmp/offset"])
def test_another_clock_is_refused(value: str) -> None:
    assert problems(BUGMARK_CLOCK=value) == ("BUGMARK_CLOCK must be system or file:PATH.",)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "8080.0", "٨٠"])
def test_the_port_is_a_port(value: str) -> None:
    assert problems(PORT=value) == ("PORT must be a port from 1 to 65535.",)


def test_the_port_is_taken() -> None:
    assert read(PORT="9000").port == 9000


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "1" * 10])
def test_the_bound_on_what_waits_is_a_number(value: str) -> None:
    assert problems(BUGMARK_MOST_WAITING=value) == ("BUGMARK_MOST_WAITING must be a number of deliveries, 1 or more.",)


@pytest.mark.parametrize("value", ["short", "hush with blanks in between", "hush-é-hush-hush-hush"])
def test_a_token_for_the_metrics_is_long_and_fits_into_a_header(value: str) -> None:
    (told,) = problems(BUGMARK_METRICS_TOKEN=value)
    assert told.startswith("BUGMARK_METRICS_TOKEN must be at least 20 ")
    assert value not in told


def test_the_token_for_the_metrics_is_a_secret_and_need_not_be() -> None:
    token = "hush-hush-hush-hush-hush"
    settings = read(BUGMARK_METRICS_TOKEN=token, BUGMARK_MOST_WAITING="7")
    assert (settings.metrics_token, settings.most_waiting) == (token, 7)
    assert token in settings.secrets()
    assert token not in repr(settings)
    assert (read().metrics_token, read().most_waiting) == ("", 50_000)
    assert "" not in read().secrets()


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://github.example/api/v3", "https://github.example"),
        ("http://127.0.0.1:8040", "http://127.0.0.1:8040"),
    ],
)
def test_githubs_website_is_known_by_its_api(api: str, site: str) -> None:
    assert github_web_url(api) == site


def test_the_set_up_needs_to_know_only_where_it_is() -> None:
    settings = SetupSettings.from_environment({"BUGMARK_PUBLIC_URL": "https://bugmark.example/"})
    assert (settings.public_url, settings.github_api_url) == ("https://bugmark.example", "https://api.github.com")
    with pytest.raises(SettingsError) as caught:
        SetupSettings.from_environment({"PORT": "0"})
    assert len(caught.value.problems) == 2


def test_the_marketplace_has_secrets_of_its_own() -> None:
    settings = read(BUGMARK_MARKETPLACE_SECRET="hush-old, hush-new")
    assert settings.marketplace_secrets == ("hush-old", "hush-new")
    assert {"hush-old", "hush-new"} <= set(settings.secrets())
    assert "hush" not in repr(settings)
    assert read().marketplace_secrets == ()


def test_budgets_may_be_off_only_where_githubs_limits_may_be() -> None:
    assert read().budgets == "github"
    assert read(BUGMARK_BUDGETS="none", BUGMARK_GITHUB_API_URL="https://git.example/api/v3").budgets == "none"
    for url in ("https://api.github.com", "https://API.github.com/"):
        (told,) = problems(BUGMARK_BUDGETS="none", BUGMARK_GITHUB_API_URL=url)
        assert told.startswith("BUGMARK_BUDGETS may be none only for an Enterprise Server")
    assert problems(BUGMARK_BUDGETS="off") == ("BUGMARK_BUDGETS must be github or none.",)
