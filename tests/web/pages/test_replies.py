"""The page of a reply: what was recorded, as safe HTML, and nothing of private repositories."""

from __future__ import annotations

import pytest

from app.storage.queues.stored_replies import Answer
from app.web.pages.replies import rendered
from tests.web.conftest import Client, Database

REPLY = """🚀 **Bought 50 FIXED** for 20.00.

| a | b |
| - | - |
| 1 | 2 |

<details><summary>The book</summary>

```text
ask 0.40
```

</details>

<sub>Receipt r1</sub>"""


async def test_a_recorded_reply_is_shown(client: Client, database: Database) -> None:
    database.answers[12] = Answer(12, "adam", REPLY, "ann", "tool", 5)
    response = await client.get("/replies/12")
    page = await response.text()
    assert response.status == 200
    assert "<strong>Bought 50 FIXED</strong>" in page and "<td>1</td>" in page and "ask 0.40" in page
    assert "<strong>The book</strong>" in page and "Receipt r1" in page and "sub&gt;" not in page
    assert 'href="https://github.com/ann/tool/issues/5#issuecomment-12"' in page
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["13", "0", "x", "012", "9999999999999999999", "12/x", ""])
async def test_what_is_not_known_is_not_found(client: Client, database: Database, path: str) -> None:
    database.answers[12] = Answer(12, "adam", REPLY, "ann", "tool", 5)
    assert (await client.get(f"/replies/{path}")).status == 404


def test_nothing_in_a_reply_becomes_script_or_leads_outside_by_itself() -> None:
    shown = rendered("<script>x</script> <img src=x onerror=y> [a](javascript:x) ![b](https://evil.example/x.png)")
    assert "<script" not in shown and "<img" not in shown and 'javascript:x"' not in shown
