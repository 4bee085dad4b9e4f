"""what law 2, fair sending and receipts of every channel keep

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=None if default is None else str(default), nullable=False)


def _instant(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


COMMANDS = sa.Table(
    "commands",
    sa.MetaData(),
    sa.Column("id", _big(), autoincrement=True, nullable=False),
    sa.Column("comment_id", sa.BigInteger(), nullable=False),
    sa.Column("text_hash", sa.String(length=64), nullable=False),
    sa.Column("occurrence", sa.BigInteger(), nullable=False),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", name="fk_commands_user_id_users"), nullable=False),
    sa.Column(
        "issue_id", sa.BigInteger(), sa.ForeignKey("issues.id", name="fk_commands_issue_id_issues"), nullable=False
    ),
    sa.Column("at", sa.BigInteger(), nullable=False),
    sa.Column("done", sa.Boolean(), nullable=False),
    sa.Column("answer", sa.Text(), nullable=False),
    sa.Column("channel", sa.String(16), server_default="comment", nullable=False),
    sa.Column("key", sa.String(128), nullable=True),
    sa.PrimaryKeyConstraint("id", name="pk_commands"),
    sa.UniqueConstraint("comment_id", "text_hash", "occurrence", name="uq_commands_comment_id_text_hash_occurrence"),
    sa.Index("ix_commands_user_id_at", "user_id", "at"),
    sqlite_autoincrement=True,
)
"""As it was: SQLite makes the table anew."""


def upgrade() -> None:
    _net_paid()
    _contracts()
    _joiners()
    _workers()
    _heartbeats()
    _receipts()
    _turns()
    _former_names()


def _net_paid() -> None:
    op.create_table(
        "net_paid",
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _number("mills"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_net_paid_contract_id_contracts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_net_paid_user_id_users")),
        sa.PrimaryKeyConstraint("contract_id", "user_id", name=op.f("pk_net_paid")),
    )
    op.create_index("ix_net_paid_user_id", "net_paid", ["user_id"])


def _contracts() -> None:
    """A version for whoever remembers a contract; when a window was announced; asks that found no answer; sleep."""
    op.add_column("contracts", _number("version", 1))
    op.add_column("contracts", _instant("announced_at"))
    op.add_column("contracts", _instant("unanswered_at"))
    op.add_column("contracts", _number("unanswered_days", 0))
    op.add_column("contracts", _instant("unanswered_day_at"))
    op.add_column("contracts", _instant("idle_at"))
    op.add_column("absences", _number("unanswered_days", 0))
    op.add_column("absences", _instant("unanswered_day_at"))


def _joiners() -> None:
    op.create_table(
        "joiners",
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _number("bond_mills"),
        sa.Column("reason", sa.Text(), nullable=False),
        _number("at"),
        sa.CheckConstraint("bond_mills > 0", name=op.f("ck_joiners_bond")),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name=op.f("fk_joiners_dispute_id_disputes")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_joiners_user_id_users")),
        sa.PrimaryKeyConstraint("dispute_id", "user_id", name=op.f("pk_joiners")),
    )


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _number("since_at"),
        _number("until_at"),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_workers_issue_id_issues")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_workers_user_id_users")),
        sa.PrimaryKeyConstraint("issue_id", "user_id", name=op.f("pk_workers")),
    )


def _heartbeats() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=100), nullable=False),
        _number("started_at"),
        _number("at"),
        sa.PrimaryKeyConstraint("name", "process", name=op.f("pk_heartbeats")),
    )
    op.create_index("ix_heartbeats_name_at", "heartbeats", ["name", "at"])


def _receipts() -> None:
    """A receipt belongs to a channel and a key; `comment_id` stays for readers of the last release."""
    op.add_column("commands", sa.Column("channel", sa.String(16), server_default="comment", nullable=False))
    op.add_column("commands", sa.Column("key", sa.String(128), nullable=True))
    op.execute("UPDATE commands SET key = comment_id || ':' || text_hash || ':' || occurrence")
    with op.batch_alter_table("commands", copy_from=COMMANDS) as batch:
        batch.alter_column("key", existing_type=sa.String(128), nullable=False)
        batch.alter_column("comment_id", existing_type=sa.BigInteger(), nullable=True)
        batch.drop_constraint(op.f("uq_commands_comment_id_text_hash_occurrence"), type_="unique")
        batch.create_unique_constraint(op.f("uq_commands_channel_key"), ["channel", "key"])
        batch.create_index("ix_commands_comment_id", ["comment_id"])


def _turns() -> None:
    """People and issues take turns in the outbox; announcements leave first, reactions with the replies."""
    for name in ("flow", "turn"):
        op.add_column("outbox", _number(name, 0))
    for name in ("turn", "since_board"):
        op.add_column("budgets", _number(name, 0))
    op.execute("UPDATE outbox SET flow = CASE WHEN kind = 'notice' THEN -issue_id ELSE COALESCE(user_id, 0) END")
    op.execute(
        "UPDATE outbox SET rank = CASE WHEN kind = 'notice' THEN 0 ELSE 1 END WHERE kind IN ('notice', 'reaction')"
    )
    op.drop_index("ix_outbox_next", "outbox")
    op.create_index("ix_outbox_next", "outbox", ["state", "rank", "turn", "id", "due_at", "installation_id"])
    op.create_index("ix_outbox_flow_state", "outbox", ["flow", "state", "turn"])
    op.create_index("ix_outbox_installation_id_state_kind", "outbox", ["installation_id", "state", "kind"])


def _former_names() -> None:
    op.create_table(
        "former_names",
        sa.Column("owner_login", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        _number("until_at"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name=op.f("fk_former_names_repository_id_repositories")
        ),
        sa.PrimaryKeyConstraint("owner_login", "name", "repository_id", name=op.f("pk_former_names")),
    )
    op.create_index("ix_former_names_repository_id", "former_names", ["repository_id"])
