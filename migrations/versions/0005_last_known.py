"""What GitHub's last answer told of a contract

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of contracts that wait for a verdict nothing is known yet: each learns it by its next look."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "last_known",
        sa.Column("contract_id", big, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_last_known_contract_id_contracts")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_last_known")),
    )
    op.execute(
        "UPDATE contracts SET next_look_at = maturation_at"
        " WHERE status <> 'SETTLED' AND halted_at < maturation_at AND next_look_at > maturation_at"
    )
