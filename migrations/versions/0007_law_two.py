"""what law 2, fair sending and receipts of every channel keep

Revision: 0007, after 0006
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator

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


IDLE = """
UPDATE contracts SET idle_at = created_at WHERE open_interest = 0 AND NOT EXISTS (
    SELECT 1 FROM offers WHERE offers.contract_id = contracts.id AND offers.state IN ('LIVE', 'SUSPENDED')
)
"""
"""Contracts in which nobody held or offered anything by then; since when is not known."""


def upgrade() -> None:
    _net_paid()
    _contracts()
    _joiners()
    _workers()
    _heartbeats()
    _restores()
    _outages()
    _receipts()
    _turns()
    _former_names()
    _for_research()
    _count_net_paid()


UNSETTLED = "SELECT id FROM contracts WHERE status <> 'SETTLED' AND amendment > 0 ORDER BY id"
TRADED = """
SELECT buyer AS user_id, price, SUM(volume) AS volume FROM fills WHERE contract_id = :id GROUP BY buyer, price
UNION ALL
SELECT seller, 1000 - price, SUM(volume) FROM fills WHERE contract_id = :id GROUP BY seller, price
"""
HELD = "SELECT user_id, SUM(free + reserved) AS units FROM positions WHERE contract_id = :id GROUP BY user_id"
TOLD_AT_ONCE = 500


def _count_net_paid() -> None:
    """What everybody has paid into contracts that are not settled is counted, and told in the journal.

    Fills and positions say it. Whoever gains FIXED exposure pays its price for each unit and gets a token back for each
    UNFIXED unit that was sold, and the other way round; a redeemed pair brings a token. Of the units traded those are
    not held any more that were sold, as many that were bought before, and both units of each pair: half of what is
    missing is the tokens that came back.
    """
    found = list(_counted())
    if not found:
        return
    op.bulk_insert(
        sa.table("net_paid", *(sa.column(name) for name in ("contract_id", "user_id", "mills"))),
        [dict(zip(("contract_id", "user_id", "mills"), row, strict=True)) for row in found],
    )
    parts = [found[start : start + TOLD_AT_ONCE] for start in range(0, len(found), TOLD_AT_ONCE)]
    op.bulk_insert(
        sa.table("entries", *(sa.column(name) for name in ("key", "cause", "at", "detail"))),
        [
            {
                "key": f"upgrade:0007:{number}",
                "cause": "upgrade",
                "at": int(time.time()),
                "detail": json.dumps([["net_paid", *row] for row in part], separators=(",", ":")),
            }
            for number, part in enumerate(parts, 1)
        ],
    )


def _counted() -> Iterator[tuple[int, int, int]]:
    """(contract, user, mills); products are made here, since SQL's numbers end sooner."""
    database = op.get_bind()
    for contract in list(database.execute(sa.text(UNSETTLED)).scalars()):
        paid: dict[int, int] = defaultdict(int)
        gone: dict[int, int] = defaultdict(int)
        for row in database.execute(sa.text(TRADED), {"id": contract}):
            paid[row.user_id] += row.price * int(row.volume)
            gone[row.user_id] += int(row.volume)
        for row in database.execute(sa.text(HELD), {"id": contract}):
            gone[row.user_id] -= int(row.units)
        for user in sorted(paid):
            mills = paid[user] - 500 * gone[user]
            if mills:
                yield contract, user, mills


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
    op.add_column("contracts", _instant("window_planned_at"))
    op.add_column("contracts", _instant("unanswered_at"))
    op.add_column("contracts", _number("unanswered_days", 0))
    op.add_column("contracts", _instant("unanswered_day_at"))
    op.add_column("contracts", _instant("idle_at"))
    op.add_column("contracts", sa.Column("by_pull", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("contracts", sa.Column("made_by", sa.BigInteger(), nullable=True))
    op.execute(IDLE)
    op.execute("UPDATE contracts SET announced_at = window_opened_at WHERE window_ends_at IS NOT NULL")
    op.add_column("absences", _number("unanswered_days", 0))
    op.add_column("absences", _instant("unanswered_day_at"))
    if op.get_bind().dialect.name == "sqlite":
        _never_numbered_again()


def _never_numbered_again() -> None:
    """The number of a contract that was taken back is not given to the next one; SQLite makes the table anew."""
    with op.batch_alter_table(
        "contracts",
        recreate="always",
        reflect_kwargs={"resolve_fks": False},  # of the tables it points to nothing is read
        table_kwargs={"sqlite_autoincrement": True},
    ):
        pass


def _joiners() -> None:
    op.create_table(
        "joiners",
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _number("bond_mills"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_hash", sa.String(length=64), nullable=False),
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


def _restores() -> None:
    op.create_table(
        "restores",
        sa.Column("id", _big(), nullable=False),
        _number("known_at"),
        _number("at"),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
        sqlite_autoincrement=True,
    )


def _outages() -> None:
    op.create_table(
        "outages",
        sa.Column("began_at", _big(), autoincrement=False, nullable=False),
        _number("ended_at"),
        _instant("fetched_at"),
        _instant("caught_up_at"),
        sa.PrimaryKeyConstraint("began_at", name=op.f("pk_outages")),
    )


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
    _told_in()


def _told_in() -> None:
    """The reply that tells of a command. What is older than a day counts as told; the rest does if there is a reply.

    `comments_before`: the comments above a reply that later commands of its user share, NULL: none shares it.
    """
    op.add_column("commands", sa.Column("told_in", sa.String(100), nullable=True))
    op.add_column("outbox", sa.Column("comments_before", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE commands SET told_in = 'reply:' || comment_id"
        " WHERE at < (SELECT MAX(at) FROM commands) - 86400"
        " OR EXISTS (SELECT 1 FROM outbox WHERE outbox.key = 'reply:' || commands.comment_id)"
    )
    op.create_index("ix_commands_told_in", "commands", ["told_in"])


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


def _for_research() -> None:
    """An issue's labels (canonical JSON) and closer, and why trade was halted or goes on, for the export."""
    op.add_column("issues", sa.Column("labels", sa.Text(), nullable=True))
    op.add_column("issues", _instant("closed_by"))
    op.add_column("amendments", sa.Column("reason", sa.String(length=16), nullable=True))
