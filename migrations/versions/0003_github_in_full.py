"""GitHub in full: what is asked and sent, and how much was traded

Revision: 0003, after 0002
"""

import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


TOLD_AT_ONCE = 500
GRANTS = "SELECT user_id, currency, untraded_mills FROM grants ORDER BY user_id, currency"
MADE = "SELECT id, issue_id, created_at FROM contracts ORDER BY id"
UNTOUCHED = """
SELECT id, status, outcome, open_interest, minted_mills, amendment, maturation_at, round, terms_hash, statement_hash
FROM contracts WHERE amendment = 0 AND NOT EXISTS (SELECT 1 FROM offers WHERE offers.contract_id = contracts.id)
ORDER BY id
"""


def _telling() -> None:
    """Grants, threads of contracts and contracts without offers were not told in the journal until now."""
    found = op.get_bind()
    kinds = (("grant", GRANTS), ("made", MADE), ("contract", UNTOUCHED))
    told = [[kind, *row] for kind, query in kinds for row in found.execute(sa.text(query))]
    parts = [told[start : start + TOLD_AT_ONCE] for start in range(0, len(told), TOLD_AT_ONCE)]
    entries = sa.table("entries", *(sa.column(name) for name in ("key", "cause", "at", "detail")))
    rows = [
        {
            "key": f"upgrade:0003:{number}",
            "cause": "upgrade",
            "at": int(time.time()),
            "detail": json.dumps(part, separators=(",", ":")),
        }
        for number, part in enumerate(parts, 1)
    ]
    if rows:
        op.bulk_insert(entries, rows)


def upgrade() -> None:
    _sending()
    _contracts()
    _telling()
    _rechecks()
    _marketplace()


def _rechecks() -> None:
    """When GitHub is asked again about what is known of it, though no event said that anything changed.

    And the first delivery of each lane is found by one pass over an index, however many wait behind it.
    """
    op.create_table(
        "rechecks",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_rechecks")),
    )
    op.create_index("ix_rechecks_due_at", "rechecks", ["due_at"])
    op.drop_index("ix_deliveries_lane_state", "deliveries")
    op.create_index("ix_deliveries_state_lane_id", "deliveries", ["state", "lane", "id"])


def _contracts() -> None:
    """What was filled until now is counted once."""
    op.add_column("contracts", _number("looks"))
    op.add_column("contracts", _number("traded_units"))
    op.execute(
        "UPDATE contracts SET traded_units ="
        " COALESCE((SELECT SUM(volume) FROM fills WHERE fills.contract_id = contracts.id), 0)"
    )
    op.create_index("ix_contracts_retry_due", "contracts", ["retry_due"])
    op.create_index("ix_pools_currency", "pools", ["currency"])
    op.create_index("ix_commands_user_id_at", "commands", ["user_id", "at"])


def _sending() -> None:
    """Whom a reply answers, what GraphQL calls it, and what each installation has used of GitHub's limits."""
    op.add_column("outbox", sa.Column("node_id", sa.String(length=255), nullable=True))
    op.add_column("outbox", sa.Column("user_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_outbox_issue_id_user_id", "outbox", ["issue_id", "user_id"])
    kinds = ["installation_id", "kind", "created_at"]
    op.create_index("ix_outbox_installation_id_kind_created_at", "outbox", kinds)
    op.create_index("ix_outbox_lease_until", "outbox", ["lease_until"])
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "budgets",
        sa.Column("installation_id", big, autoincrement=False, nullable=False),
        sa.Column("writes_left", sa.BigInteger(), nullable=False),
        sa.Column("filled_at", sa.BigInteger(), nullable=False),
        *[_number(name) for name in ("write_at", "create_at", "saving_until", "held_until", "strikes")],
        sa.PrimaryKeyConstraint("installation_id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "spent",
        sa.Column("installation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("creations", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "at", name=op.f("pk_spent")),
    )


def _marketplace() -> None:
    """Who bought what on GitHub's Marketplace, and which of its webhooks were read."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "marketplace_accounts",
        sa.Column("account_id", big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("login", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_name", sa.String(length=255), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("billing_cycle", sa.String(length=16), nullable=False),
        sa.Column("on_free_trial", sa.Boolean(), nullable=False),
        sa.Column("free_trial_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("next_billing_at", sa.BigInteger(), nullable=True),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("pending_plan_id", sa.BigInteger(), nullable=True),
        sa.Column("pending_plan_name", sa.String(length=255), nullable=True),
        sa.Column("pending_units", sa.BigInteger(), nullable=True),
        sa.Column("pending_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_marketplace_accounts")),
    )
    op.create_table(
        "marketplace_events",
        sa.Column("guid", sa.String(length=100), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guid", name=op.f("pk_marketplace_events")),
    )
    op.create_index("ix_marketplace_events_account_id", "marketplace_events", ["account_id"])
