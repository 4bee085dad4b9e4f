"""The file of credentials: its owner's alone, whole or not at all, never written over, and read back as it was."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.base.credentials import CannotKeep, Credentials, FileKeeper, read
from app.base.settings import Settings, SettingsError
from tests.base.test_settings import GOOD, KEY

FOUND = Credentials(4711, "BugMark", "https://github.com/apps/bugmark", "Iv1", "hush-client", KEY, "hush-hook")
REST = {name: GOOD[name] for name in ("BUGMARK_DATABASE_URL", "BUGMARK_PUBLIC_URL")}


def problems(path: Path, **more: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({**REST, "BUGMARK_CREDENTIALS_FILE": str(path), **more})
    return caught.value.problems


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    old = os.umask(0)
    try:
        FileKeeper(path).keep(FOUND)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    settings = Settings.from_environment({**REST, "BUGMARK_CREDENTIALS_FILE": str(path)})
    assert (settings.app_id, settings.webhook_secrets) == ("4711", ("hush-hook",))
    assert settings.private_key.strip() == KEY.strip()
    assert "hush" not in repr(FOUND) and "PRIVATE" not in repr(FOUND)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.symlink_to(tmp_path / "nowhere")
    for attempt in (FileKeeper(path).check, lambda: FileKeeper(path).keep(FOUND)):
        with pytest.raises(CannotKeep):
            attempt()
    assert [found.name for found in tmp_path.iterdir()] == ["credentials"]


def test_a_folder_that_is_not_there_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(CannotKeep, match="cannot be written: No such file"):
        FileKeeper(tmp_path / "none" / "credentials").check()


@contextmanager
def files_of_at_most(most_bytes: int) -> Iterator[None]:
    """Stands for a disk with that much room: longer files are written in part, then fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_known_at_the_check_and_no_part_of_a_secret_is_left(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    for attempt in (FileKeeper(path).check, lambda: FileKeeper(path).keep(FOUND)):
        with files_of_at_most(512), pytest.raises(CannotKeep, match="cannot be written: File too large"):
            attempt()
        assert list(tmp_path.iterdir()) == []
    FileKeeper(path).check()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_hard_links_is_known_at_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(made: str, name: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), made, None, name)

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "credentials"
    for attempt in (FileKeeper(path).check, lambda: FileKeeper(path).keep(FOUND)):
        with pytest.raises(CannotKeep, match="Its folder must be able to hold hard links"):
            attempt()
        assert list(tmp_path.iterdir()) == []


def test_what_fails_once_the_file_is_there_does_not_lose_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks make no folder durable, some folders let nothing be removed."""
    fsync = os.fsync

    def files_alone(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(handle)

    def unlink(_path: str) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fsync", files_alone)
    monkeypatch.setattr(os, "unlink", unlink)
    path = tmp_path / "credentials"
    with capture_logs() as lines:
        assert FileKeeper(path).keep(FOUND) == f"the file {path}"
    assert path.read_text() == FOUND.lines()
    assert [line["event"] for line in lines] == ["temporary file left behind", "folder not made durable"]
    assert "hush" not in str(lines)


def test_nothing_may_be_said_twice(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    FileKeeper(path).keep(FOUND)
    told = "BUGMARK_APP_ID is set, and stands in the file of BUGMARK_CREDENTIALS_FILE too: once is enough."
    assert problems(path, BUGMARK_APP_ID="1") == (told,)
    assert problems(path, BUGMARK_PRIVATE_KEY_FILE="x") == (
        "Set exactly one of BUGMARK_PRIVATE_KEY and BUGMARK_PRIVATE_KEY_FILE.",
    )


@pytest.mark.parametrize("text", ["hush\n", "BUGMARK_APP_ID=1\nBUGMARK_APP_ID=2\n", "PATH=hush\n", "hush\u2028é\n"])
def test_a_file_that_is_none_is_named_without_being_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.write_text(text)
    told = problems(path)
    assert told[0].startswith("BUGMARK_CREDENTIALS_FILE names a file")
    assert "hush" not in "".join(told)


def test_comments_and_empty_lines_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("# of ann\n\nBUGMARK_WEBHOOK_SECRET=old, new\n")
    assert read(str(path)) == {"BUGMARK_WEBHOOK_SECRET": "old, new"}
