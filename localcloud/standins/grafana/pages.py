"""Whole pages: log-in, the list of what is provisioned, and a dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from . import BANNER, NAME
from .annotations import marks
from .panels import Page, render
from .provisioning import Dashboard, Store
from .sources import health
from .style import CSS
from .timerange import TimeRange, parse_range
from .variables import ALL, Variable, interpolate, resolve

RANGES = ("now-5m", "now-15m", "now-1h", "now-3h", "now-6h", "now-24h", "now-7d", "now-30d")
REFRESHES = ("", "10s", "30s", "1m", "5m")
Params = Mapping[str, Sequence[str]]


def layout(title: str, body: str, head: str = "") -> str:
    """The frame of every page, with the notice that this is not Grafana."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - {NAME}</title>'
        f'<meta name="viewport" content="width=device-width">{head}<style>{CSS}</style></head>'
        f'<body><div class="banner">{escape(BANNER)}</div>{body}</body></html>'
    )


def login(problem: str, target: str) -> str:
    notice = f'<p class="problem">{escape(problem)}</p>' if problem else ""
    form = (
        '<form class="login" method="post" action="/login"><h2>Log in</h2>' + notice +
        f'<input type="hidden" name="redirect" value="{escape(target)}">'
        '<label>User<input name="user" autocomplete="username" autofocus></label>'
        '<label>Password<input name="password" type="password" autocomplete="current-password"></label>'
        "<button>Log in</button></form>"
    )  # fmt: skip
    return layout("Log in", form)


def _header(title: str, links: str, user: str) -> str:
    out = '<form method="post" action="/logout"><button class="quiet">Log out</button></form>'
    return (
        f'<header><a href="/">Home</a><h1>{escape(title)}</h1><span class="grow"></span>{links}'
        f"<span>{escape(user)}</span>{out}</header>"
    )


def home(store: Store, user: str) -> str:
    """Dashboards, and the data sources with a fresh health check of each."""
    boards = "".join(
        f'<tr><td><a href="/d/{quote(board.uid)}/">{escape(board.title)}</a></td>'
        f"<td>{escape(board.folder)}</td><td>{escape(str(board.json.get('description') or ''))}</td></tr>"
        for board in store.dashboards.values()
    )
    sources = list(store.sources.values())
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(health, sources))
    rows = "".join(
        f"<tr><td>{escape(source.name)}{' (default)' if source.default else ''}</td><td>{escape(source.type)}</td>"
        f'<td>{escape(source.uid)}</td><td class="{"ok" if ok else "bad"}">{escape(message)}</td></tr>'
        for source, (ok, message) in zip(sources, answers, strict=True)
    )
    body = (
        "<main class=plain><h2>Dashboards</h2>"
        f"<table><tr><th>Title</th><th>Folder</th><th>Shows</th></tr>{boards}</table><h2>Data sources</h2>"
        f"<table><tr><th>Name</th><th>Type</th><th>uid</th><th>Health</th></tr>{rows}</table></main>"
    )
    return layout("Home", _header("Dashboards", "", user) + body)


def _option(value: str, text: str, chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if chosen else ""}>{escape(text)}</option>'


def _control(variable: Variable) -> str:
    name, title = f"var-{escape(variable.name)}", f"<span>{escape(variable.label)}</span>"
    if variable.hidden:
        return "".join(f'<input type="hidden" name="{name}" value="{escape(v)}">' for v in variable.chosen)
    if variable.problem:
        return f'<label title="{escape(variable.problem)}">{title}<b class="bad">{escape(variable.problem)}</b></label>'
    if variable.kind == "textbox":
        return f'<label>{title}<input type="text" name="{name}" value="{escape("".join(variable.chosen))}"></label>'
    choices = [(ALL, "All")] if variable.include_all else []
    choices += [(value, value) for value in dict.fromkeys([*variable.options, *variable.chosen]) if value != ALL]
    if not variable.multi:
        options = "".join(_option(value, text, value in variable.chosen) for value, text in choices)
        return f'<label>{title}<select name="{name}">{options}</select></label>'
    boxes = "".join(
        f'<label><input type="checkbox" name="{name}" value="{escape(value)}"'
        f"{' checked' if value in variable.chosen else ''}> {escape(text)}</label>"
        for value, text in choices
    )
    shown = escape(variable.text("text")[:60]) or "none"
    return f'<details><summary>{title}<b>{shown}</b></summary><div class="menu">{boxes}</div></details>'


def _controls(variables: Mapping[str, Variable], span: TimeRange, refresh: str) -> str:
    ranges = dict.fromkeys([*RANGES, span.raw_from])
    froms = "".join(_option(r, r.replace("now-", "last "), r == span.raw_from) for r in ranges)
    times = "".join(_option(r, r or "off", r == refresh) for r in dict.fromkeys([*REFRESHES, refresh]))
    return (
        '<form class="bar-vars" method="get">' + "".join(_control(v) for v in variables.values())
        + f'<label><span>Range</span><select name="from">{froms}</select></label>'
        + f'<input type="hidden" name="to" value="{escape(span.raw_to)}">'
        + f'<label><span>Refresh</span><select name="refresh">{times}</select></label><button>Apply</button></form>'
    )  # fmt: skip


def _query(variables: Mapping[str, Variable], span: TimeRange, keep_time: bool, keep_vars: bool) -> str:
    pairs = [("from", span.raw_from), ("to", span.raw_to)] if keep_time else []
    if keep_vars:
        pairs += [(f"var-{v.name}", value) for v in variables.values() for value in v.chosen]
    return urlencode(pairs)


def _links(board: Dashboard, store: Store, variables: Mapping[str, Variable], span: TimeRange) -> str:
    """Dashboard links; those by tag lead to the other dashboards of that tag."""
    out = []
    for link in board.json.get("links") or []:
        query = _query(variables, span, bool(link.get("keepTime")), bool(link.get("includeVars")))
        if link.get("type") == "dashboards":
            tags = set(link.get("tags") or [])
            others = [b for b in store.dashboards.values() if tags <= set(b.tags) and b.uid != board.uid]
            out += [f'<a href="/d/{quote(b.uid)}/?{escape(query)}">{escape(b.title)}</a>' for b in others]
        elif str(link.get("url") or "").startswith(("/", "http://", "https://")):
            out.append(f'<a href="{escape(str(link["url"]))}">{escape(str(link.get("title") or "link"))}</a>')
    return " ".join(out)


def _flat(panels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Panels of collapsed rows too: the reader has nothing to fold."""
    return [p for panel in panels for p in (panel, *_flat(panel.get("panels") or []))]


def dashboard(board: Dashboard, params: Params, store: Store, user: str) -> str:
    """Every panel, from live queries. Raises BadRange for a time range that makes no sense."""
    default = board.json.get("time") or {}
    first = {key: (params.get(key) or [""])[0] for key in ("from", "to", "refresh")}
    span = parse_range(first["from"] or default.get("from") or "now-1h", first["to"] or default.get("to") or "now")
    refresh = first["refresh"] if "refresh" in params else str(board.json.get("refresh") or "")
    variables = resolve(board, params, store, span)
    extra = {
        "__url_time_range": urlencode({"from": span.raw_from, "to": span.raw_to}),
        "__all_variables": _query(variables, span, False, True),
    }
    noted, result = marks(board, store, span, variables)
    page = Page(store, span, variables, lambda text: interpolate(text, variables, extra, "text"), noted)
    with ThreadPoolExecutor(max_workers=6) as pool:
        panels = list(pool.map(lambda panel: render(panel, page), _flat(board.json["panels"])))
    problems = "".join(f'<p class="problem">{escape(text)}</p>' for text in result.problems)
    every = {"10s": 10, "30s": 30, "1m": 60, "5m": 300}.get(refresh)
    head = f'<meta http-equiv="refresh" content="{every}">' if every else ""
    top = _header(board.title, _links(board, store, variables, span), user) + _controls(variables, span, refresh)
    return layout(board.title, f'{top}{problems}<main class="grid">{"".join(panels)}</main>', head)
