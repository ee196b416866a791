"""Addresses that lead to Grafana's Explore, and the tenant of requests to the stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml

from ask import links
from ask.client import Hub
from ask.compose import Query
from ask.service import config
from tests.ask.seed import AT
from tests.ask.stage import Stores

COMPOSE = Path(__file__).parents[2] / "ask" / "compose.yaml"


def _pane(query: Query) -> dict[str, Any]:
    """The one pane of the address."""
    address = urlsplit(links.explore("https://hub.test/", query))
    parameters = parse_qs(address.query)
    assert (address.scheme, address.netloc, address.path) == ("https", "hub.test", "/explore")
    assert (parameters["schemaVersion"], parameters["orgId"]) == (["1"], ["1"])
    (pane,) = json.loads(parameters["panes"][0]).values()
    assert isinstance(pane, dict)
    return pane


def _span(start: float, end: float) -> dict[str, str]:
    return {"from": str(round(start * 1000)), "to": str(round(end * 1000))}


LOGS = '{host="web-1"} |= "50% & more"'


@pytest.mark.parametrize(
    ("query", "start", "kind"),
    [
        (Query(LOGS, "logql", AT - 3600, AT, "lines"), AT - 3600, {"queryType": "range"}),
        (Query(LOGS, "logql", AT, AT, "lines"), AT, {"queryType": "range"}),
        (Query(f"sum(count_over_time({LOGS}[1h]))", "logql", AT, AT), AT - links.MARGIN, {"queryType": "instant"}),
        (Query("node_load1", "promql", AT - 7200, AT, "series"), AT - 7200, {"instant": False, "range": True}),
        (Query("node_load1", "promql", AT, AT), AT - links.MARGIN, {"instant": True, "range": True}),
    ],
    ids=["lines", "lines at once", "count of lines", "range", "instant"],
)
def test_explore_has_the_query_and_its_range(query: Query, start: float, kind: dict[str, object]) -> None:
    pane = _pane(query)
    source = {"promql": "prometheus", "logql": "loki"}[query.language]
    one = {"refId": "A", "datasource": {"type": source, "uid": source}, "expr": query.text, "editorMode": "code"}
    assert pane == {"datasource": source, "queries": [one | kind], "range": _span(start, AT)}


@pytest.mark.parametrize(("tenant", "loki_tenant"), [("metrics-of-a", "logs-of-a"), (None, "logs-of-a"), ("", "")])
def test_each_store_has_its_tenant(tenant: str | None, loki_tenant: str | None) -> None:
    seen: dict[str, str | None] = {}
    stores = Stores()

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.path] = request.headers.get("X-Scope-OrgID")
        return stores(request)

    made = Hub("http://mimir.test/prometheus", "http://loki.test", tenant=tenant, loki_tenant=loki_tenant)
    made.transport(httpx.MockTransport(answer))
    made.instant("up", AT)
    made.instant('sum(count_over_time({a="b"}[1h]))', AT, logs=True)
    assert seen == {"/prometheus/api/v1/query": tenant or None, "/loki/api/v1/query": loki_tenant or None}


def test_compose_file_has_settings_for_the_tenants() -> None:
    text = yaml.safe_load(COMPOSE.read_text())["configs"]["settings"]["content"]
    found = yaml.safe_load(text)
    assert found["prometheus"].pop("tenant") == "${PROMETHEUS_TENANT:-}"
    assert found["loki"].pop("tenant") == "${LOKI_TENANT:-}"
    assert config.Source(url="http://mimir.test", tenant="").tenant == ""
