"""An issue that was transferred may come back under its old number, with another id

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ISSUES = sa.Table(
    "issues",
    sa.MetaData(),
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        autoincrement=False,
        nullable=False,
    ),
    sa.Column(
        "repository_id",
        sa.BigInteger(),
        sa.ForeignKey("repositories.id", name="fk_issues_repository_id_repositories"),
        nullable=False,
    ),
    sa.Column("number", sa.BigInteger(), nullable=False),
    sa.Column("title", sa.Text(), nullable=False),
    sa.Column("state", sa.String(length=16), nullable=False),
    sa.Column("state_reason", sa.String(length=64)),
    sa.Column("closed_at", sa.BigInteger()),
    sa.Column("updated_at", sa.BigInteger(), nullable=False, server_default="0"),
    sa.Column("moved_to", sa.BigInteger()),
    sa.PrimaryKeyConstraint("id", name="pk_issues"),
    sa.UniqueConstraint("repository_id", "number", name="uq_issues_repository_id_number"),
)
"""As it was: SQLite makes the table anew."""


def upgrade() -> None:
    with op.batch_alter_table("issues", copy_from=ISSUES) as batch:
        batch.drop_constraint(op.f("uq_issues_repository_id_number"), type_="unique")
        batch.create_index("ix_issues_repository_id_number", ["repository_id", "number"])
