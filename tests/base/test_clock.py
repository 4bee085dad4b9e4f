from __future__ import annotations

from pathlib import Path

import pytest

from app.base.clock import FileOffsetClock, SystemClock, clock_from


class Fixed:
    def now(self) -> int:
        return 1_000


def test_a_missing_or_empty_file_moves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = FileOffsetClock(file, Fixed())
    assert clock.now() == 1_000
    file.write_text("\n")
    assert clock.now() == 1_000


def test_the_offset_is_read_again_each_time(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = FileOffsetClock(file, Fixed())
    file.write_text("86400\n")
    assert clock.now() == 87_400
    file.write_text("-10")
    assert clock.now() == 990


@pytest.mark.parametrize("text", ["soon", "1.5", "1e3"])
def test_what_is_not_a_whole_number_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "offset"
    file.write_text(text)
    with pytest.raises(ValueError, match="invalid literal"):
        FileOffsetClock(file, Fixed()).now()


def test_the_setting_names_the_clock(tmp_path: Path) -> None:
    file = tmp_path / "off:set"
    file.write_text("7")
    moved = clock_from(f"file:{file}")
    assert isinstance(moved, FileOffsetClock)
    assert moved.now() - SystemClock().now() in (7, 8)
    assert isinstance(clock_from("system"), SystemClock)
