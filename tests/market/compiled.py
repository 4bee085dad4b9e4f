"""`pytest -p tests.market.compiled`: the market's tests on the build in BUGMARK_CORE (scripts/compile_core.py)."""

from __future__ import annotations

import os
from pathlib import Path

from app.base import compiled

compiled.use(Path(os.environ["BUGMARK_CORE"]))
if compiled.core() != "compiled":
    raise RuntimeError("the tests would run on the sources")
