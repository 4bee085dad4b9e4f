"""the market in full: conditions of offers, pools, what an entry did

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FLAGS = ("all_or_none", "post_only", "cancel_on_halt", "pooled")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def upgrade() -> None:
    _offers()
    op.add_column("positions", _number("pool_units"))
    op.add_column("entries", sa.Column("detail", sa.Text(), server_default="", nullable=False))
    op.add_column("contracts", sa.Column("kind", sa.String(16), server_default="issue_fixed", nullable=False))
    op.add_column("contracts", _flag("retry_due"))
    op.create_index("ix_contracts_kind_status", "contracts", ["kind", "status"])
    op.create_table(
        "pools",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=64), nullable=False),
        sa.Column("left_mills", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_mills >= 0", name=op.f("ck_pools_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pools_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "currency", name=op.f("pk_pools")),
    )
    _places()
    _configs()
    _people()
    _life()


def _offers() -> None:
    """Every offer's place in the book was that of its number."""
    for name in FLAGS:
        op.add_column("offers", _flag(name))
    op.add_column("offers", _number("rank"))
    op.execute("UPDATE offers SET rank = id")
    checks = (
        sa.CheckConstraint("volume = filled + units_left + cash_left + cancelled", name=op.f("ck_offers_volume")),
        sa.CheckConstraint("price BETWEEN 1 AND 999", name=op.f("ck_offers_price")),
    )
    with op.batch_alter_table("offers", table_args=checks, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("state", type_=sa.String(length=16), existing_type=sa.String(length=8))
    op.create_index("ix_offers_rank", "offers", ["rank"])


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _life() -> None:
    """Halts by maintainers, verdicts, disputes; who is an insider; where the App is not installed."""
    for name in ("halt_event_at", "ruling_price"):
        op.add_column("contracts", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("verdict", "ruling"):
        op.add_column("contracts", sa.Column(name, sa.String(length=16), nullable=True))
    op.add_column("contracts", sa.Column("maintainer_halt", sa.Text(), nullable=True))
    for name in ("backed", "ended_round"):
        op.add_column("contracts", _flag(name))
    op.execute(_KNOWN_OF_WINDOWS)
    op.create_table(
        "disputes",
        sa.Column("id", _big(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("window_opened_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("bond_mills", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ruling", sa.String(length=16), nullable=True),
        sa.Column("ruled_by", sa.BigInteger(), nullable=True),
        sa.Column("ruling_reason", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("bond_mills > 0", name=op.f("ck_disputes_bond")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_disputes_contract_id_contracts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_disputes_user_id_users")),
        sa.ForeignKeyConstraint(["ruled_by"], ["users.id"], name=op.f("fk_disputes_ruled_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint(
            "contract_id", "cause", "window_opened_at", name=op.f("uq_disputes_contract_id_cause_window_opened_at")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "set_aside",
        sa.Column("contract_id", _big(), autoincrement=False, nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_set_aside_contract_id_contracts")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_set_aside")),
    )
    op.create_table(
        "insiders",
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("insider", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_insiders_issue_id_issues")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_insiders_user_id_users")),
        sa.PrimaryKeyConstraint("issue_id", "user_id", name=op.f("pk_insiders")),
    )
    op.create_table(
        "absences",
        sa.Column("repository_id", _big(), autoincrement=False, nullable=False),
        sa.Column("away_at", sa.BigInteger(), nullable=False),
        sa.Column("back_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name=op.f("fk_absences_repository_id_repositories")
        ),
        sa.PrimaryKeyConstraint("repository_id", name=op.f("pk_absences")),
    )


_KNOWN_OF_WINDOWS = """
UPDATE contracts SET
    halt_event_at = window_opened_at,
    verdict = CASE halt_reason WHEN 'closed' THEN 'FIXED' WHEN 'matured' THEN 'UNFIXED' WHEN 'gone' THEN 'VOID' END,
    ended_round = (outcome = 'FIXED' AND outcome IS NOT NULL)
"""
"""What the windows that run now have announced, and which rounds are over."""


def _places() -> None:
    """As of when GitHub told it; where a transferred issue went."""
    op.add_column("repositories", _number("updated_at"))
    op.add_column("issues", _number("updated_at"))
    op.add_column("issues", sa.Column("moved_to", sa.BigInteger(), nullable=True))


def _configs() -> None:
    """What `.github/bugmark.yml` says, by repository."""
    op.create_table(
        "configs",
        sa.Column(
            "repository_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("good_text", sa.Text(), nullable=False),
        sa.Column("problems_text", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.Column("next_fetch_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", name=op.f("pk_configs")),
    )
    op.create_index("ix_configs_next_fetch_at", "configs", ["next_fetch_at"])
    op.create_index("ix_configs_owner_id", "configs", ["owner_id"])


def _people() -> None:
    """Grants that were not traded yet; who wants fewer mentions; how old an account is on GitHub."""
    op.add_column("users", sa.Column("account_made_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "grants",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=64), nullable=False),
        sa.Column("untraded_mills", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("untraded_mills >= 0", name=op.f("ck_grants_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "currency", name=op.f("pk_grants")),
    )
    op.execute(_UNTRADED)
    op.create_table(
        "mutes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("mentioned_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mutes_user_id_users")),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name=op.f("fk_mutes_repository_id_repositories")
        ),
        sa.PrimaryKeyConstraint("user_id", "repository_id", name=op.f("pk_mutes")),
    )


_UNTRADED = """
INSERT INTO grants (user_id, currency, untraded_mills)
SELECT granted.owner, granted.currency,
    CASE WHEN granted.amount > coalesce(paid.amount, 0) THEN granted.amount - coalesce(paid.amount, 0) ELSE 0 END
FROM (
    SELECT p.owner, p.currency, sum(p.amount) AS amount FROM postings p JOIN entries e ON e.id = p.entry_id
    WHERE p.kind = 'free' AND e.key LIKE 'grant:%' GROUP BY p.owner, p.currency
) granted
LEFT JOIN (
    SELECT p.owner, p.currency, -sum(p.amount) AS amount FROM postings p JOIN entries e ON e.id = p.entry_id
    WHERE p.kind IN ('free', 'reserve') AND p.amount < 0 AND e.key LIKE 'fill:%' GROUP BY p.owner, p.currency
) paid ON paid.owner = granted.owner AND paid.currency = granted.currency
"""
"""A grant less what its owner has paid in fills since."""
