"""Tests that read GitHub's own payloads and API description say so where these Node packages are not installed."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest

NO_NODE = (
    "This test reads GitHub's own payloads or API description, which come as Node packages that are not installed: "
    "`make test` installs them, and Node too where it is missing; `make quick` runs the tests that need neither."
)
AnyReport = TypeVar("AnyReport", pytest.TestReport, pytest.CollectReport)


def _explained(report: AnyReport) -> AnyReport:
    text = str(report.longrepr) if report.failed else ""
    if "FileNotFoundError" in text and "node_modules" in text:
        report.longrepr = NO_NODE
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _explained((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _explained((yield))
