"""HTML of a view. Jinja2 with autoescape: every value of a question, a label, a log line or a name is text."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ask.page import chart
from ask.page.view import Failure, SignIn, View

FOLDER = Path(__file__).parent
ROOT = "/ask/"  # where the page is, for what is shown at any path
STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
LINKS = {"explore": "Open in Grafana Explore", "board": "Open the dashboard", "runbook": "Read the runbook"}
ENGINES = {
    "deterministic": "without a language model",
    "derived": "derived from the metric's name",
    "model": "query proposed by a language model",
}
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # without a referrer, a browser sends `Origin: null` with the page's own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(view: View) -> str:
    """The page of a user who is signed in."""
    return _environment().get_template("page.html").render(view=view)


def sign_in(view: SignIn) -> str:
    """The page to sign in."""
    return _environment().get_template("sign_in.html").render(view=view)


def failure(view: Failure) -> str:
    """The page that stands for one that cannot be shown."""
    return _environment().get_template("failure.html").render(view=view, root=ROOT)


def version(name: str) -> str:
    """Of a static file, by its content: a browser keeps it until it changes."""
    return hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:12]


def address(link: str) -> str:
    """A link that leads to a page; empty for anything else, such as `javascript:`."""
    return link if urlsplit(link).scheme in {"http", "https"} or link.startswith("/") else ""


def links(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """The links of an answer with their texts."""
    return [(text, address(found[name])) for name, text in LINKS.items() if address(found.get(name, ""))]


def moment(at: float) -> str:
    """A time as people read it."""
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S}"


def shares(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Each row with the length of its bar, in percent of the longest; 0 if they cannot be compared."""
    values = [float(one["value"]) for one in rows]
    most = max(values, default=0.0)
    comparable = len(rows) > 1 and most > 0 and all(0 <= one < math.inf for one in values)
    return [(one, round(100 * (float(one["value"]) / most)) if comparable else 0) for one in rows]


def drawn(answer: Mapping[str, Any]) -> Markup:
    """The chart of an answer."""
    return chart.svg(answer["title"], answer["series"], answer["unit"], answer["start"], answer["end"])


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "links": links, "shares": shares, "chart": drawn, "legend": chart.legend}
    made.filters["lines"] = str.splitlines
    made.globals |= {"ENGINES": ENGINES, "static": {name: f"static/{name}?v={version(name)}" for name in STATIC}}
    made.globals["root"] = ""
    return made
