"""`.github/bugmark.yml`: what every key takes and refuses, in which line, and that no file can do harm."""

from __future__ import annotations

import dataclasses
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.services.rules import schema_docs
from app.services.rules.config import Config, Limits
from app.services.rules.schema import Problem, Rules, config_of, fields_of, read_rules, section_of

DAY = 86_400
GOOD: dict[str, dict[str, object]] = {
    "enabled": {"true": True, "false": False, "False": False},
    "labels.allow": {"[Bounty, 'good first issue']": frozenset({"bounty", "good first issue"}), "[]": frozenset()},
    "labels.deny": {"[true, 1.0, 2026-12-01]": frozenset({"true", "1.0", "2026-12-01"})},
    "currency": {"play": "play:7", "'play'": "play:7"},
    "default_price": {"0.40": 400, ".4": 400, "40%": 400, "0.001": 1, "0.999": 999, "'0.405'": 405},
    "fund_price": {"0.9": 900, "0.999": 999},
    "maturation.min": {"1m": 60, "366d": 366 * DAY, "90m": 5400, "1w": 7 * DAY},
    "maturation.max": {"1h": 3600, "3660d": 3660 * DAY},
    "dispute_window": {"0": 0, "30d": 30 * DAY, "24h": DAY},
    "not_planned": {"unfixed": "UNFIXED", "void": "VOID"},
    "duplicate": {"unfixed": "UNFIXED", "void": "VOID"},
    "fee_bps": {"0": 0, "1000": 1000},
    "insiders": {"allow": "allow", "disclose": "disclose", "forbid": "forbid"},
    "limits.open_offers": {"1": 1, "10000": 10_000, "none": None},
    "limits.stake": {"0.001": 1, "1,000": 1_000_000, "2k": 2_000_000, "none": None},
    "limits.position": {"1": 1, "1_000": 1000, "1000000000": 10**9, "none": None},
    "limits.commands_per_hour": {"1": 1, "10000": 10_000, "none": None},
    "limits.cooldown": {"1s": 1, "1d": DAY, "none": None},
    "limits.account_age_days": {"1": 1, "3660": 3660, "none": None},
    "welcome_grant": {"0": 0, "12.5": 12_500, "1000000": 10**9, "1,000": 10**6},
    "replies": {"full": False, "reactions": True},
    "label_rewards": {"true": True, "false": False},
    "badges": {"true": True, "false": False},
}
"""By key what may be written, and what it is read as."""

ANYWHERE = ("", "''", "[1, [2]]", "{a: 1}", "~", "null", "nan", "1e3", "0x10", "-1", "1:30", "１", "yes please")
BAD: dict[str, tuple[str, ...]] = {
    "enabled": ("yes", "no", "on", "1", '"true"'),
    "labels.allow": ("bounty", "['']", f"[{'x' * 51}]", f"[{', '.join('abcdefgh' + str(n) for n in range(101))}]"),
    "labels.deny": ("question", "[[a]]", "[{a: b}]"),
    "currency": ("eth", "usdc", "Play", "play:7"),
    "default_price": ("0", "1", "0.0001", "100%", "0,40", "0.4004", "1.5"),
    "fund_price": ("0.00", "1.00", "90"),
    "maturation.min": ("59s", "367d", "1", "1 h", "1.5h", "0"),
    "maturation.max": ("59m", "3661d", "9999999w"),
    "dispute_window": ("31d", "24", "1440", "24:00"),
    "not_planned": ("fixed", "UNFIXED", "open"),
    "duplicate": ("fixed", "Void"),
    "fee_bps": ("012", "1001", "2.5", "1_000", "'5'", "5%"),
    "insiders": ("disclosed", "none", "Allow"),
    "limits.open_offers": ("0", "10001", "ten"),
    "limits.stake": ("0", "0.0001", "1000000001", "unlimited"),
    "limits.position": ("0", "1.5", "1000000001"),
    "limits.commands_per_hour": ("0", "10001"),
    "limits.cooldown": ("0s", "25h", "5"),
    "limits.account_age_days": ("0", "3661", "30d"),
    "welcome_grant": ("1000001", "0.0001", "none"),
    "replies": ("quiet", "none"),
    "label_rewards": ("1", "off"),
    "badges": ("0", "on"),
}
AS_READ: dict[str, Callable[[Config], object]] = {
    "currency": lambda config: config.terms(7).currency,
    "labels.allow": lambda config: config.allow_labels,
    "labels.deny": lambda config: config.deny_labels,
    "maturation.min": lambda config: config.least_maturation_seconds,
    "maturation.max": lambda config: config.most_maturation_seconds,
    "dispute_window": lambda config: config.dispute_window_seconds,
    "limits.stake": lambda config: config.limits.stake_mills,
    "limits.position": lambda config: config.limits.position_units,
    "limits.cooldown": lambda config: config.limits.cooldown_seconds,
    "welcome_grant": lambda config: config.welcome_grant_mills,
    "replies": lambda config: config.reactions_only,
}
"""Where a key is found in the config if not under its own name."""

KEYS = [key for key, info in fields_of(Rules) if section_of(info) is None]


def file_with(key: str, value: str) -> str:
    """A file that says this and nothing else; a second bound keeps maturations in order."""
    section, _, name = key.rpartition(".")
    other = "  max: 3660d\n" if key == "maturation.min" else "  min: 1m\n" if key == "maturation.max" else ""
    return f"{section}:\n{other}  {name}: {value}\n" if section else f"# what is traded\n{name}: {value}\n"


def read(text: str) -> Config:
    config, problems = read_rules(text.encode())
    assert problems == []
    assert config is not None
    return config


def problems_of(text: str | bytes) -> list[Problem]:
    config, problems = read_rules(text if isinstance(text, bytes) else text.encode())
    assert config is None
    assert problems
    return problems


def value_of(config: Config, key: str) -> object:
    if key in AS_READ:
        return AS_READ[key](config)
    section, _, name = key.rpartition(".")
    return getattr(config.limits if section == "limits" else config, name)


def test_the_tables_above_name_every_key() -> None:
    assert list(GOOD) == KEYS
    assert list(BAD) == KEYS


@pytest.mark.parametrize(("key", "text"), [(key, text) for key in KEYS for text in GOOD[key]])
def test_what_a_key_takes_is_read_from_its_source_text(key: str, text: str) -> None:
    value = value_of(read(file_with(key, text)), key)
    assert value == GOOD[key][text]
    assert type(value) is type(GOOD[key][text])


@pytest.mark.parametrize(("key", "text"), [(key, text) for key in KEYS for text in (*BAD[key], *ANYWHERE)])
def test_anything_else_is_refused_in_its_line_with_what_the_key_takes(key: str, text: str) -> None:
    file = file_with(key, text)
    (problem,) = problems_of(file)
    name = key.rpartition(".")[2]
    assert problem.line == next(n for n, line in enumerate(file.splitlines(), 1) if line.strip().startswith(f"{name}:"))
    assert problem.sentence.startswith(f"`{key}` takes ")


@pytest.mark.parametrize("written", ["priorit\u00e9", "PRIORITE\u0301", "' priorit\u00e9 '", '"priorite\\u0301"'])
def test_labels_are_compared_without_case_blanks_and_the_way_accents_are_written(written: str) -> None:
    config = read(f"labels: {{deny: [{written}]}}\n")
    assert config.deny_labels == {"priorit\u00e9"}
    for label in ("Priorit\u00e9", "priorite\u0301", " priorit\u00e9"):
        assert config.why_not([label], str) is not None
    assert config.why_not(["priorite"], str) is None


@pytest.mark.parametrize("escape", ["\\UFFFFFFFF", "\\U00110000", "\\uD800", "\\0", "\\x07", "\\q", "\\x"])
def test_an_escape_that_makes_no_text_is_a_mistake_in_its_line(escape: str) -> None:
    (problem,) = problems_of(f'enabled: true\nlabels:\n  deny: ["{escape}"]\n')
    assert problem.line == 3


def test_no_number_is_ever_a_float() -> None:
    numbers: list[object] = []

    def gather(value: object) -> None:
        numbers.append(value)
        if dataclasses.is_dataclass(value):
            for name in dataclasses.fields(value):
                gather(getattr(value, name.name))

    gather(read("default_price: 0.40\nwelcome_grant: 0.1\nlimits: {stake: 0.3}\n"))
    assert [value for value in numbers if isinstance(value, float)] == []


def test_an_empty_file_is_the_defaults() -> None:
    for text in ("", "---\n", "# nothing\n", "{}\n", "\ufeff"):
        assert read(text) == Config()
    assert config_of(Rules()) == Config()


def test_the_defaults_are_those_of_the_law() -> None:
    terms = Config().terms(7)
    assert (terms.currency, terms.fee_bps, terms.dispute_window_seconds) == ("play:7", 0, DAY)
    assert (terms.not_planned, terms.duplicate, terms.insiders) == ("UNFIXED", "UNFIXED", "disclose")
    assert (Config().default_price, Config().fund_price, Limits().stake_mills) == (500, 900, None)


def test_a_currency_needs_a_chain_and_the_refusal_says_so() -> None:
    (problem,) = problems_of("currency: usdc\n")
    assert "must be backed by a chain, and there is none yet" in problem.sentence


@pytest.mark.parametrize(
    ("text", "line", "holds"),
    [
        (
            "enabled: true\ndefault_prise: 0.4\n",
            2,
            "`default_prise` is no key of this file; did you mean `default_price`?",
        ),
        (
            "limits:\n  stake: 5\n  open_offer: 3\n",
            3,
            "`open_offer` is no key of `limits`; did you mean `open_offers`?",
        ),
        ("labels:\n  zzz: 1\n", 2, "there are `allow`, `deny`."),
        ("Enabled: true\n", 1, "did you mean `enabled`?"),
        ("enabled: true\nbadges: true\nenabled: false\n", 3, "`enabled` stands here twice."),
        ("limits:\n  stake: 5\n  stake: 6\n", 3, "`stake` stands here twice."),
        ("? {a: 1}\n: 2\n", 1, "A key is a single word."),
        ("? [a]\n: 2\n", 1, "A key is a single word."),
        ("badges: true\n<<: {enabled: false}\n", 2, "This is no key of this file"),
        ("labels: 3\n", 1, "`labels` takes keys of its own: `allow`, `deny`."),
        ("limits: []\n", 1, "`limits` takes keys of its own"),
        ("limits:\n", 1, "`limits` takes keys of its own"),
        ("\nmaturation:\n  min: 3d\n  max: 2d\n", 2, "`maturation.min` is more than `maturation.max`."),
        ("labels:\n  allow: [A]\n  deny: [b, a]\n", 1, "A label cannot be both allowed and denied."),
        ("labels:\n  allow:\n    - a\n    - ''\n", 4, "`labels.allow` takes a list"),
        ("- enabled\n", 1, "The file is a list of keys with their values"),
        ("enabled\n", 1, "The file is a list of keys with their values"),
        ("a: b: c\n", 1, "This is no YAML: mapping values are not allowed here."),
        ("enabled: true\n  badges: true\n", 2, "This is no YAML"),
        ("enabled: true\n\tbadges: true\n", 2, "This is no YAML"),
        ("enabled: [\n", 2, "This is no YAML"),
        ("enabled: true\n---\nbadges: true\n", 2, "The file holds more than one document."),
        ("%YAML 9.9\n---\nenabled: true\n", 1, "This is no YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, holds: str) -> None:
    (problem,) = problems_of(text)
    assert problem.line == line
    assert holds in problem.sentence


def test_everything_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    found = problems_of("fee_bps: 1001\nenabled: yes\nlimits:\n  stake: -1\nx: 1\n")
    assert [problem.line for problem in found] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("raw", "line", "holds"),
    [
        (b"a: &a [1]\nb: *a\n", 1, "Anchors"),
        (b"enabled: &x true\n", 1, "Anchors"),
        (b"&a enabled: true\n", 1, "Anchors"),
        (b"enabled: true\nbadges: *x\n", 2, "Anchors"),
        (b"enabled: !!python/object/apply:os.system [ls]\n", 1, "Tags"),
        (b"fee_bps: !!int '5'\n", 1, "Tags"),
        (b"!x {enabled: true}\n", 1, "Tags"),
        (b"enabled: true\nbadges: \xff\n", 2, "not UTF-8"),
        (b"\xff\xfee\0n\0", 1, "not UTF-8"),
        (b"enabled: true\nbadges: \0\n", 2, "a character that YAML does not allow"),
        (b"enabled: true\n\x1b[2J: 1\n", 2, "a character that YAML does not allow"),
        (b"#" * (64 * 1024 + 1), 1, "larger than 64 kB"),
        (b"a: " + b"[" * 60_000, 1, "nested too deep"),
        (b"{a: " * 15_000, 1, "nested too deep"),
        (b"a:\n" + b"".join(b" " * n + b"- \n" for n in range(300)), 6, "nested too deep"),
        (b"- " * 30_000, 1, "nested too deep"),
        (b"a: [" + b"1," * 30_000 + b"]", 1, "more than 2,000 values"),
        (b"".join(b"k%d: 1\n" % n for n in range(6_000)), 1000, "more than 2,000 values"),
    ],
)
def test_hostile_files_are_refused_before_they_cost_anything(raw: bytes, line: int, holds: str) -> None:
    (problem,) = problems_of(raw)
    assert holds in problem.sentence
    assert abs(problem.line - line) <= 1


def test_a_file_as_long_as_allowed_is_read() -> None:
    text = "enabled: false\n#"
    assert read(text + "x" * (64 * 1024 - len(text))).enabled is False


def test_words_of_the_file_are_not_repeated_unless_they_are_plain() -> None:
    for word in ("'@ann'", "'#7'", "'<b>'", "'a`b'", "ключ", "x" * 41, "'/bugmark offer'"):
        (problem,) = problems_of(f"{word}: 1\n")
        assert problem.sentence.startswith("This is no key of this file")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_is_an_error(raw: bytes) -> None:
    config, problems = read_rules(raw)
    assert (config is None) == bool(problems)
    assert all(1 <= problem.line <= raw.count(b"\n") + raw.count(b"\r") + 600 for problem in problems)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from([key.rpartition(".")[2] for key in KEYS]) | st.text(), inner)
        ),
        max_leaves=20,
    )
)
def test_no_yaml_is_an_error(tree: object) -> None:
    read_rules(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


# -- docs ---------------------------------------------------------------------------------------------------------


def test_the_page_and_the_json_schema_are_those_that_the_schema_prints() -> None:
    again = "run `python -m app.services.rules.schema_docs`"
    assert schema_docs.PAGE.read_text(encoding="utf-8") == schema_docs.render(), again
    assert schema_docs.JSON_SCHEMA.read_text(encoding="utf-8") == schema_docs.json_schema(), again


def test_every_key_is_explained_with_an_example_that_is_right() -> None:
    for key, info in fields_of(Rules):
        assert info.description
        assert f"| `{key}` |" in schema_docs.render()
        for example in info.examples or []:
            read(file_with(key, str(example)))
    assert all(info.examples for _, info in fields_of(Rules) if section_of(info) is None)


def test_the_example_file_of_the_page_is_right() -> None:
    file = schema_docs.render().split("```yaml\n")[1].split("```")[0]
    assert read(file).default_price == 400


def as_editors_read(text: str) -> Any:
    """YAML 1.2, which editors go by, knows no sexagesimal numbers, no dates and no `yes`."""
    kept = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("int", "float", "null")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    class Core(yaml.SafeLoader):
        """What an editor takes a value for."""

    Core.yaml_implicit_resolvers = kept
    Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false|True|False)$"), list("tfTF"))
    return yaml.load(text, Loader=Core)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = json.loads(schema_docs.json_schema())
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("key", KEYS)
def test_an_editor_takes_what_the_app_takes(key: str, validator: jsonschema.Draft202012Validator) -> None:
    for text in GOOD[key]:
        if key == "labels.deny" or (key == "limits.position" and text == "1_000"):
            continue  # labels that look like numbers, and numbers that YAML versions read in two ways
        assert list(validator.iter_errors(as_editors_read(file_with(key, text)))) == [], text


@pytest.mark.parametrize(
    "text", ["x: 1", "enabled: 1", "fee_bps: 1001", "default_price: 1", "currency: eth", "labels: 3"]
)
def test_an_editor_refuses_what_the_app_refuses(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(as_editors_read(text)))


def test_the_defaults_in_the_json_schema_are_right(validator: jsonschema.Draft202012Validator) -> None:
    made = json.loads(schema_docs.json_schema())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema_docs.json_schema()
    defaults = {name: field["default"] for name, field in made["properties"].items()}
    assert list(validator.iter_errors(defaults)) == []
    assert defaults["default_price"] == 0.5
