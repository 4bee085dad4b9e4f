"""The pages' HTML: text goes in escaped, unless its type says that it is HTML already. No scripts anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from aiohttp import web

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --paper: #fff; --box: #f6f8fa; --line: #d1d9e0;
  --link: #0969da; --act: #1f883d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f6fc; --soft: #9198a1; --paper: #0d1117; --box: #151b23;
  --line: #3d444d; --link: #4493f8; --act: #238636; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code, pre, textarea, input { font: .9rem/1.5 ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; }
code { background: var(--box); border-radius: 4px; padding: .1em .35em; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
  overflow-x: auto; }
pre code { padding: 0; background: none; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .35rem .7rem; text-align: left; vertical-align: top; }
th { background: var(--box); }
form { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem 1rem; }
form.bare { background: none; border: 0; padding: 0; }
label { display: block; margin: .75rem 0 0; font-weight: 600; }
label.tick { font-weight: 400; }
input[type=text], input[type=password], textarea { display: block; width: 100%; margin-top: .25rem;
  padding: .45rem .6rem; background: var(--paper); color: var(--ink); border: 1px solid var(--line);
  border-radius: 6px; }
button { margin-top: 1rem; padding: .5rem 1.1rem; font: inherit; font-weight: 600; color: #fff; background: var(--act);
  border: 0; border-radius: 6px; cursor: pointer; }
.soft { color: var(--soft); }
.bad { border-left: 4px solid var(--bad); padding-left: .9rem; }
nav { color: var(--soft); }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def fill(template: str, /, **values: object) -> Html:
    """The template with its `{names}` filled in, escaped unless they are Html."""
    made = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(template.format_map(made))


def policy(forms: Iterable[str] = ()) -> str:
    """Content security policy: a page shows itself in its own style and sends forms to these origins."""
    targets = " ".join(forms) or "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action {targets}; "
        "frame-ancestors 'none'"
    )


def page(title: str, body: Html, *, status: int = 200, forms: Iterable[str] = (), keep: bool = False) -> web.Response:
    """A whole page. `forms` are the origins its forms lead to, redirects included; `keep`: anybody may keep it."""
    text = fill(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>{title} · BugMark</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        title=title,
        style=Html(STYLE),
        body=body,
    )
    headers = {
        "Content-Security-Policy": policy(forms),
        "Cache-Control": "public, max-age=300" if keep else "no-store",
    }
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=headers)
