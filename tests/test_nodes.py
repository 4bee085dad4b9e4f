"""A test that misses the Node packages tells its reader what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nodes import NO_NODE

ROOT = Path(__file__).resolve().parent.parent
CONFTEST = "from tests.nodes import pytest_make_collect_report, pytest_runtest_makereport\n"
READS = (
    "from pathlib import Path\nTEXT = Path('node_modules/@octokit/none.json').read_text()\ndef test_it(): assert TEXT\n"
)
READS_LATER = "from pathlib import Path\ndef test_it(): assert Path('node_modules/@octokit/none.json').read_text()\n"
FAILS_OTHERWISE = "from pathlib import Path\ndef test_it(): assert Path('nothing.json').read_text()\n"


def said(folder: Path, test: str) -> str:
    """The output of pytest for a folder with this one test."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_one.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode
    return done.stdout


@pytest.mark.parametrize("test", [READS, READS_LATER])
def test_missing_node_packages_are_told_in_a_sentence(tmp_path: Path, test: str) -> None:
    output = said(tmp_path, test)
    assert NO_NODE in output
    assert "Traceback" not in output


def test_another_missing_file_stays_what_it_is(tmp_path: Path) -> None:
    output = said(tmp_path, FAILS_OTHERWISE)
    assert NO_NODE not in output
    assert "nothing.json" in output
