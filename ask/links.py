"""Addresses that lead on: Grafana's Explore, the dashboard, the runbook."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from ask.compose import Query

SOURCES = {"promql": "prometheus", "logql": "loki"}
MARGIN = 1800.0


def explore(site: str, query: Query) -> str:
    """Grafana's Explore with the query (its URL schema 1)."""
    source = {"type": SOURCES[query.language], "uid": SOURCES[query.language]}
    instant = query.start == query.end and query.form != "lines"
    one: dict[str, object] = {"refId": "A", "datasource": source, "expr": query.text, "editorMode": "code"}
    one |= {"queryType": "instant" if instant else "range"} if query.language == "logql" else {}
    one |= {"instant": instant, "range": True} if query.language == "promql" else {}
    start = query.start - MARGIN if instant else query.start
    span = {"from": str(round(start * 1000)), "to": str(round(query.end * 1000))}
    panes = {"ask": {"datasource": source["uid"], "queries": [one], "range": span}}
    parameters = {"schemaVersion": "1", "panes": json.dumps(panes, separators=(",", ":")), "orgId": "1"}
    return f"{site.rstrip('/')}/explore?{urlencode(parameters, quote_via=quote)}"


def board(site: str, uid: str, host: str, start: float, end: float) -> str:
    """A dashboard at the time of the answer."""
    span = {"from": str(round(min(start, end - MARGIN) * 1000)), "to": str(round(end * 1000))}
    chosen = {"var-host": host} if host else {}
    return f"{site.rstrip('/')}/d/{uid}?{urlencode({**chosen, **span}, quote_via=quote)}"
