"""Names are looked up in any case and have an instant; what is leased and what is to be sent next have an index

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("login_at", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_users_lower_login", "users", [sa.text("lower(login)")])
    op.create_index(
        "ix_repositories_lower_name", "repositories", [sa.text("lower(owner_login)"), sa.text("lower(name)")]
    )
    op.create_index("ix_deliveries_lease_until", "deliveries", ["lease_until"])
    op.drop_index("ix_outbox_state_due_at", "outbox")
    op.create_index("ix_outbox_next", "outbox", ["state", "rank", "id", "due_at", "installation_id"])
