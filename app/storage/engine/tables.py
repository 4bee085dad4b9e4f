"""Every table. Ids of users, repositories, issues and installations are GitHub's own numeric ids.

Instants are whole seconds since the epoch (UTC), amounts integers in mills; text columns that end in `_text` hold
canonical JSON.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
)
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _big() -> TypeEngine[int]:
    """A 64-bit integer; SQLite numbers rows by itself only in plain INTEGER keys (64-bit there too)."""
    return BigInteger().with_variant(Integer, "sqlite")


def _serial(name: str = "id") -> Column[int]:
    return Column(name, _big(), primary_key=True, autoincrement=True)


def _github_id(name: str = "id") -> Column[int]:
    return Column(name, _big(), primary_key=True, autoincrement=False)


def _number(name: str, default: int | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=None if default is None else str(default))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _name(name: str) -> Column[str]:
    return Column(name, String(255), nullable=False)


installations = Table(
    "installations",
    metadata,
    _github_id(),
    _number("account_id"),
    _name("account_login"),
    Column("state", String(16), nullable=False),
    _number("changed_at"),
)

repositories = Table(
    "repositories",
    metadata,
    _github_id(),
    Column("installation_id", BigInteger, ForeignKey("installations.id"), nullable=False),
    _number("owner_id"),
    _name("owner_login"),
    _name("name"),
    Column("private", Boolean, nullable=False),
    _number("updated_at", 0),
    Index("ix_repositories_owner_login_name", "owner_login", "name"),
)
Index("ix_repositories_lower_name", func.lower(repositories.c.owner_login), func.lower(repositories.c.name))

former_names = Table(
    "former_names",
    metadata,
    Column("owner_login", String(255), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("repository_id", BigInteger, ForeignKey("repositories.id"), primary_key=True),
    _number("until_at"),
    Index("ix_former_names_repository_id", "repository_id"),
)
"""Names that repositories had, in lower case: an address that somebody wrote down long ago is still theirs."""

users = Table(
    "users",
    metadata,
    _github_id(),
    _name("login"),
    _number("created_at"),
    Column("account_made_at", BigInteger),
    _number("login_at", 0),
)
Index("ix_users_lower_login", func.lower(users.c.login))

configs = Table(
    "configs",
    metadata,
    _github_id("repository_id"),
    _number("owner_id"),
    Column("source", String(16), nullable=False),
    Column("sha", String(64)),
    Column("text", Text, nullable=False),
    Column("good_text", Text, nullable=False),
    Column("problems_text", Text, nullable=False),
    _number("fetched_at"),
    _number("next_fetch_at"),
    Index("ix_configs_next_fetch_at", "next_fetch_at"),
    Index("ix_configs_owner_id", "owner_id"),
)

issues = Table(
    "issues",
    metadata,
    _github_id(),
    Column("repository_id", BigInteger, ForeignKey("repositories.id"), nullable=False),
    _number("number"),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_reason", String(64)),
    Column("closed_at", BigInteger),
    _number("updated_at", 0),
    Column("moved_to", BigInteger),
    Column("labels", Text),
    Column("closed_by", BigInteger),
    Column("author_id", BigInteger),
    Index("ix_issues_repository_id_number", "repository_id", "number"),
)

contracts = Table(
    "contracts",
    metadata,
    _serial(),
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("statement_text", Text, nullable=False),
    Column("statement_hash", String(64), nullable=False),
    Column("kind", String(16), nullable=False, server_default="issue_fixed"),
    _number("round"),
    _number("maturation_at"),
    Column("currency", String(64), nullable=False),
    Column("terms_text", Text, nullable=False),
    Column("terms_hash", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("outcome", String(16)),
    _number("open_interest", 0),
    _number("minted_mills", 0),
    _number("amendment", 0),
    _number("created_at"),
    Column("halted_at", BigInteger),
    Column("halt_reason", String(32)),
    Column("window_opened_at", BigInteger),
    Column("window_ends_at", BigInteger),
    Column("next_look_at", BigInteger),
    Column("settled_at", BigInteger),
    _flag("retry_due"),
    Column("halt_event_at", BigInteger),
    Column("maintainer_halt", Text),
    Column("verdict", String(16)),
    _flag("backed"),
    Column("ruling", String(16)),
    Column("ruling_price", BigInteger),
    _flag("ended_round"),
    _number("looks", 0),
    _number("traded_units", 0),
    _number("version", 1),
    Column("announced_at", BigInteger),
    Column("window_planned_at", BigInteger),
    Column("unanswered_at", BigInteger),
    _number("unanswered_days", 0),
    Column("unanswered_day_at", BigInteger),
    Column("idle_at", BigInteger),
    _flag("by_pull"),
    Column("made_by", BigInteger),
    UniqueConstraint("statement_hash", "maturation_at"),
    CheckConstraint("open_interest >= 0", name="open_interest"),
    CheckConstraint("minted_mills >= 0 AND minted_mills <= 1000 * open_interest", name="minted"),
    Index("ix_contracts_issue_id", "issue_id"),
    Index("ix_contracts_kind_status", "kind", "status"),
    Index("ix_contracts_next_look_at", "next_look_at"),
    Index("ix_contracts_retry_due", "retry_due"),
    sqlite_autoincrement=True,
)

offers = Table(
    "offers",
    metadata,
    _serial(),
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("action", String(4), nullable=False),
    Column("side", String(8), nullable=False),
    _number("price"),
    _number("volume"),
    _number("until_at"),
    Column("now_or_never", Boolean, nullable=False),
    _flag("all_or_none"),
    _flag("post_only"),
    _flag("cancel_on_halt"),
    _flag("pooled"),
    _number("rank", 0),
    _number("units_left"),
    _number("cash_left"),
    _number("filled", 0),
    _number("cancelled", 0),
    Column("state", String(16), nullable=False),
    _number("created_at"),
    CheckConstraint("volume = filled + units_left + cash_left + cancelled", name="volume"),
    CheckConstraint("price BETWEEN 1 AND 999", name="price"),
    Index("ix_offers_contract_id_state", "contract_id", "state"),
    Index("ix_offers_user_id_state", "user_id", "state"),
    Index("ix_offers_state_until_at", "state", "until_at"),
    Index("ix_offers_rank", "rank"),
    sqlite_autoincrement=True,
)

fills = Table(
    "fills",
    metadata,
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), primary_key=True),
    Column("amendment", BigInteger, primary_key=True),
    _number("bid"),
    _number("ask"),
    _number("buyer"),
    _number("seller"),
    _number("newcomer"),
    _number("volume"),
    _number("price"),
    Column("kind", String(8), nullable=False),
    _number("at"),
)

amendments = Table(
    "amendments",
    metadata,
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("kind", String(16), nullable=False),
    _number("open_interest"),
    _number("minted_mills"),
    _number("at"),
    Column("reason", String(16)),
)

positions = Table(
    "positions",
    metadata,
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("side", String(8), primary_key=True),
    _number("free"),
    _number("reserved"),
    _number("cost_mills"),
    _number("pool_units", 0),
    CheckConstraint("free >= 0 AND reserved >= 0 AND cost_mills >= 0", name="not_negative"),
    Index("ix_positions_user_id", "user_id"),
)

net_paid = Table(
    "net_paid",
    metadata,
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    _number("mills"),
    Index("ix_net_paid_user_id", "user_id"),
)

pools = Table(
    "pools",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("currency", String(64), primary_key=True),
    _number("left_mills"),
    CheckConstraint("left_mills >= 0", name="not_negative"),
    Index("ix_pools_currency", "currency"),
)

disputes = Table(
    "disputes",
    metadata,
    _serial(),
    Column("contract_id", BigInteger, ForeignKey("contracts.id"), nullable=False),
    Column("cause", String(32), nullable=False),
    _number("window_opened_at"),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("verdict", String(16), nullable=False),
    _number("bond_mills"),
    Column("reason", Text, nullable=False),
    _number("at"),
    Column("state", String(16), nullable=False),
    Column("ruling", String(16)),
    Column("ruled_by", BigInteger, ForeignKey("users.id")),
    Column("ruling_reason", Text),
    Column("ended_at", BigInteger),
    UniqueConstraint("contract_id", "cause", "window_opened_at"),
    CheckConstraint("bond_mills > 0", name="bond"),
    sqlite_autoincrement=True,
)

joiners = Table(
    "joiners",
    metadata,
    Column("dispute_id", BigInteger, ForeignKey("disputes.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    _number("bond_mills"),
    Column("reason", Text, nullable=False),
    Column("reason_hash", String(64), nullable=False),
    _number("at"),
    CheckConstraint("bond_mills > 0", name="bond"),
)

workers = Table(
    "workers",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    _number("since_at"),
    _number("until_at"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("contract_id", _big(), ForeignKey("contracts.id"), primary_key=True, autoincrement=False),
    _number("closed_at"),
)

last_known = Table(
    "last_known",
    metadata,
    Column("contract_id", _big(), ForeignKey("contracts.id"), primary_key=True, autoincrement=False),
    _number("at"),
    Column("told", Text, nullable=False),
)

insiders = Table(
    "insiders",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("insider", Boolean, nullable=False),
    _number("asked_at"),
)

absences = Table(
    "absences",
    metadata,
    Column("repository_id", _big(), ForeignKey("repositories.id"), primary_key=True, autoincrement=False),
    _number("away_at"),
    Column("back_at", BigInteger),
    _number("unanswered_days", 0),
    Column("unanswered_day_at", BigInteger),
)

balances = Table(
    "balances",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("owner", BigInteger, primary_key=True),
    Column("currency", String(64), primary_key=True),
    _number("amount"),
    CheckConstraint("CASE WHEN kind IN ('issuance', 'bridge') THEN amount <= 0 ELSE amount >= 0 END", name="sign"),
)

grants = Table(
    "grants",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("currency", String(64), primary_key=True),
    _number("untraded_mills"),
    CheckConstraint("untraded_mills >= 0", name="not_negative"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("repository_id", BigInteger, ForeignKey("repositories.id"), primary_key=True),
    Column("mode", String(8), nullable=False),
    Column("mentioned_at", BigInteger),
)

entries = Table(
    "entries",
    metadata,
    _serial(),
    Column("key", String(100), nullable=False, unique=True),
    Column("cause", String(100), nullable=False),
    _number("at"),
    Column("detail", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

postings = Table(
    "postings",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    _number("owner"),
    Column("currency", String(64), nullable=False),
    _number("amount"),
)

seals = Table(
    "seals",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    _number("entries"),
    _number("at"),
)

sealed_entries = Table(
    "sealed_entries",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), primary_key=True),
    Column("seal", BigInteger, ForeignKey("seals.number"), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_sealed_entries_seal", "seal"),
)

commands = Table(
    "commands",
    metadata,
    _serial(),
    Column("channel", String(16), nullable=False, server_default="comment"),
    Column("key", String(128), nullable=False),
    Column("comment_id", BigInteger),
    Column("text_hash", String(64), nullable=False),
    _number("occurrence"),
    Column("text", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    _number("at"),
    Column("done", Boolean, nullable=False),
    Column("answer", Text, nullable=False),
    Column("told_in", String(100)),
    UniqueConstraint("channel", "key"),
    Index("ix_commands_comment_id", "comment_id"),
    Index("ix_commands_told_in", "told_in"),
    Index("ix_commands_user_id_at", "user_id", "at"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    _serial(),
    Column("guid", String(100), nullable=False, unique=True),
    Column("event", String(64), nullable=False),
    Column("lane", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    _number("received_at"),
    Column("state", String(8), nullable=False),
    _number("attempts", 0),
    _number("due_at"),
    Column("lease_until", BigInteger),
    Column("error", Text),
    Index("ix_deliveries_state_id", "state", "id"),
    Index("ix_deliveries_state_lane_id", "state", "lane", "id"),
    Index("ix_deliveries_lease_until", "lease_until"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    _serial(),
    Column("key", String(100), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("issue_id", BigInteger, nullable=False),
    _number("issue_number"),
    Column("body", Text, nullable=False),
    Column("state", String(8), nullable=False),
    _number("version", 1),
    _number("attempts", 0),
    _number("due_at"),
    Column("lease_until", BigInteger),
    Column("remote_id", BigInteger),
    Column("node_id", String(255)),
    Column("user_id", BigInteger),
    Column("error", Text),
    _number("created_at"),
    _number("flow", 0),
    _number("turn", 0),
    Column("comments_before", BigInteger),
    Index("ix_outbox_next", "state", "rank", "turn", "id", "due_at", "installation_id"),
    Index("ix_outbox_flow_state", "flow", "state", "turn"),
    Index("ix_outbox_installation_id_state_kind", "installation_id", "state", "kind"),
    Index("ix_outbox_issue_id_user_id", "issue_id", "user_id"),
    Index("ix_outbox_installation_id_kind_created_at", "installation_id", "kind", "created_at"),
    Index("ix_outbox_lease_until", "lease_until"),
    sqlite_autoincrement=True,
)

budgets = Table(
    "budgets",
    metadata,
    _github_id("installation_id"),
    _number("writes_left"),
    _number("filled_at"),
    _number("write_at", 0),
    _number("create_at", 0),
    _number("saving_until", 0),
    _number("held_until", 0),
    _number("strikes", 0),
    _number("turn", 0),
    _number("since_board", 0),
)

spent = Table(
    "spent",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    _number("creations"),
    _number("points"),
)

rechecks = Table(
    "rechecks",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _number("due_at"),
    Index("ix_rechecks_due_at", "due_at"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("process", String(100), primary_key=True),
    _number("started_at"),
    _number("at"),
    Index("ix_heartbeats_name_at", "name", "at"),
)

restores = Table(
    "restores",
    metadata,
    _serial(),
    _number("known_at"),
    _number("at"),
    Column("entry_id", BigInteger),
    sqlite_autoincrement=True,
)

outages = Table(
    "outages",
    metadata,
    _github_id("began_at"),
    _number("ended_at"),
    Column("fetched_at", BigInteger),
    Column("caught_up_at", BigInteger),
)

marketplace_accounts = Table(
    "marketplace_accounts",
    metadata,
    _github_id("account_id"),
    Column("kind", String(16), nullable=False),
    _name("login"),
    Column("state", String(16), nullable=False),
    _number("plan_id"),
    _name("plan_name"),
    _number("units"),
    Column("billing_cycle", String(16), nullable=False),
    Column("on_free_trial", Boolean, nullable=False),
    Column("free_trial_ends_at", BigInteger),
    Column("next_billing_at", BigInteger),
    _number("effective_at"),
    Column("pending_plan_id", BigInteger),
    Column("pending_plan_name", String(255)),
    Column("pending_units", BigInteger),
    Column("pending_at", BigInteger),
    _number("updated_at"),
)

marketplace_events = Table(
    "marketplace_events",
    metadata,
    Column("guid", String(100), primary_key=True),
    _number("account_id"),
    Column("action", String(32), nullable=False),
    _number("effective_at"),
    _number("received_at"),
    Index("ix_marketplace_events_account_id", "account_id"),
)
