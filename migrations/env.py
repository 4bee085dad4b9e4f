"""Alembic's entry: runs the migrations on the database whose url the app hands over."""

import asyncio

from alembic import context
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.storage.engine.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    handed_out = _handed_out(connection)
    with context.begin_transaction():
        context.run_migrations()
        _keep(connection, handed_out)


def _handed_out(connection: Connection) -> dict[str, int]:
    """The last number of each table on SQLite, which forgets it where a migration makes the table anew."""
    if connection.dialect.name != "sqlite" or not inspect(connection).has_table("alembic_version"):
        return {}
    return {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}


def _keep(connection: Connection, handed_out: dict[str, int]) -> None:
    there = set(inspect(connection).get_table_names())
    for name, number in handed_out.items():
        told = {"name": name, "number": number}
        found = connection.execute(text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :name"), told)
        if not found.rowcount and name in there:
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), told)


async def _main() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_main())
