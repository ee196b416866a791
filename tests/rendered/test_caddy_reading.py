"""The rendered file in a running Caddy: what the reading side serves and refuses, and what reaches its log."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from configs import names
from configs.services.caddy import reading
from tests.fixtures.hubs import own
from tests.integration.rig import docker
from tests.rendered.caddy_street import PUSHER, Client, Street, own_caddy

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("caddy")]
LISTENERS = {
    "loopback": (names.CADDY_QUERY_PORT, f"127.0.0.1:{names.CADDY_QUERY_PORT}"),
    "Grafana": (names.CADDY_SOURCES_PORT, f"fleetwatch-caddy:{names.CADDY_SOURCES_PORT}"),
}
SERVED = {
    "prometheus": (
        "GET /", "GET /api/v1/query?query=up", "POST /api/v1/query", "POST /api/v1/query_range", "POST /api/v1/series",
        "POST /api/v1/labels", "GET /api/v1/label/host/values", "GET /api/v1/rules", "GET /api/v1/alerts",
        "GET /api/v1/targets", "GET /api/v1/status/tsdb", "GET /-/healthy", "HEAD /-/ready", "GET /metrics",
        "GET /api/v1/status/buildinfo",
    ),
    "loki": (
        "GET /loki/api/v1/query_range?query=x", "POST /loki/api/v1/query_range", "GET /loki/api/v1/labels",
        "GET /loki/api/v1/series", "GET /loki/api/v1/index/volume", "GET /loki/api/v1/tail", "GET /loki/api/v1/rules",
        "GET /prometheus/api/v1/rules", "GET /prometheus/api/v1/alerts", "GET /api/prom/rules",
    ),
    "alertmanager": (
        "GET /alertmanager/", "GET /alertmanager/api/v2/alerts", "GET /alertmanager/api/v2/silences",
        "POST /alertmanager/api/v2/silences", "DELETE /alertmanager/api/v2/silence/8a5f",
    ),
}  # fmt: skip
# Everything that changes state in Prometheus 3.15, Loki 3.7 and Alertmanager 0.34, and tricks to reach it.
REFUSED = (
    "POST /api/v1/write", "POST /api/v1/otlp/v1/metrics", "POST /api/v1/admin/tsdb/snapshot",
    "PUT /api/v1/admin/tsdb/delete_series", "GET /api/v1/admin/tsdb/clean_tombstones", "POST /-/reload", "PUT /-/quit",
    "GET /-/quit", "DELETE /api/v1/series", "POST /api/v1/anything", "GET /debug/pprof/profile",
    "POST /loki/api/v1/push", "POST /otlp/v1/logs", "POST /loki/api/v1/delete", "PUT /loki/api/v1/delete",
    "DELETE /loki/api/v1/delete", "GET /loki/api/v1/delete", "POST /loki/api/v1/rules/mine",
    "DELETE /loki/api/v1/rules/mine", "DELETE /loki/api/v1/rules/mine/group", "POST /api/prom/push",
    "POST /api/prom/rules/mine", "DELETE /api/prom/rules/mine", "POST /flush", "POST /ingester/shutdown",
    "POST /ingester/prepare_shutdown", "DELETE /ingester/prepare_shutdown", "POST /ring", "POST /distributor/ring",
    "POST /ruler/ring", "POST /compactor/ring", "POST /log_level", "POST /loki/api/v1/anything",
    "POST /alertmanager/api/v2/alerts", "POST /alertmanager/-/reload", "GET /alertmanager/-/reload",
    "DELETE /alertmanager/api/v2/silences", "PUT /alertmanager/api/v2/silences", "GET /alertmanager/debug/pprof/heap",
    "POST /alertmanager/api/v2/silences/../alerts", "POST /alertmanager/api/v2/silences%2f..%2falerts",
    "DELETE /alertmanager/api/v2/silence/../../../loki/api/v1/delete", "POST /loki/api/v1/query/../delete",
    "POST /loki/api/v1/query%2f..%2fdelete", "POST //loki/api/v1/delete", "POST /api/v1/query/../admin/tsdb/snapshot",
    "PATCH /", "OPTIONS /api/v1/write", "PROPFIND /loki/api/v1/delete",
)  # fmt: skip
# A GET of these changes Loki, so none of them may reach it. Prometheus, to which they lead, has no such paths.
NOT_LOKI = (
    "/flush", "/ingester/shutdown", "/ingester/prepare_shutdown", "/ingester/prepare_partition_downscale",
    "/loki/../flush", "/loki/api/v1/query/../../../../flush", "/loki/%2e%2e/flush", "/loki/..%2fingester/shutdown",
    "/api/prom/../../flush", "/prometheus/../ingester/shutdown", "/LOKI/../flush",
)  # fmt: skip
SECRET = "s3cret-in-a-link"  # pragma: allowlist secret


@pytest.fixture(scope="module")
def hub_caddy(street: Street, ca: str) -> Client:
    return own_caddy(street, "reading", own(access=[street.subnet]))


@pytest.fixture(params=LISTENERS)
def listener(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Port and host name."""
    return LISTENERS[request.param]


def test_reads_and_silences_are_served(hub_caddy: Client, listener: tuple[int, str]) -> None:
    for role, requests in SERVED.items():
        for method, path in (request.split() for request in requests):
            got = hub_caddy.raw(*listener, method, path)
            assert got == (200, "" if method == "HEAD" else role), f"{method} {path}"


@pytest.mark.parametrize("request_line", REFUSED)
def test_what_changes_state_is_refused(hub_caddy: Client, listener: tuple[int, str], request_line: str) -> None:
    assert hub_caddy.raw(*listener, *request_line.split()) == (403, reading.REFUSED)


@pytest.mark.parametrize("path", NOT_LOKI)
def test_loki_is_reached_below_its_api_alone(hub_caddy: Client, listener: tuple[int, str], path: str) -> None:
    assert hub_caddy.raw(*listener, "GET", path)[1] != "loki"


def test_the_reading_side_answers_to_its_own_names_alone(hub_caddy: Client, listener: tuple[int, str]) -> None:
    for host in ("attacker.example", hub_caddy.address):
        assert hub_caddy.raw(listener[0], host, "GET", "/api/v1/query?query=up") == (404, "")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/plugins/x", "/%6detrics", "//metrics", "/METRICS"])
def test_metrics_of_grafana_are_not_public(hub_caddy: Client, path: str) -> None:
    assert hub_caddy.ask("GET", path).status_code == 404
    assert hub_caddy.ask("GET", "/api/health").text == "grafana"


def test_no_secret_of_a_url_or_header_reaches_the_log(street: Street, hub_caddy: Client) -> None:
    """Neither by access logs nor by the log of failed requests, of which the second Caddy has all."""
    failing = own_caddy(street, "failing", replace(own(), prefix="down"))
    for client in (hub_caddy, failing):
        for path in (
            f"/login/github?code={SECRET}&state={SECRET}",
            f"/user/password/reset?code={SECRET}#{SECRET}",
            f"/invite/{SECRET}",
            f"/api/user/invite/{SECRET}?x={SECRET}",
            f"/api/org/invites/{SECRET}/revoke",
            f"/dashboard/snapshot/{SECRET}",
            f"/api/snapshots-delete/{SECRET}",
            f"/Public-Dashboards/{SECRET}?orgId=1",
            f"/api/public/dashboards/{SECRET}/panels/1/query",
            f"/metrics?{SECRET}",
        ):
            client.ask("GET", path, headers={"Referer": f"https://hub{path}", "X-Api-Key": SECRET})
            client.plain("GET", path, headers={"Referer": f"https://hub{path}"})
            client.ask("POST", f"/loki/api/v1/push?{SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
            client.ask("POST", f"/api/v1/write?{SECRET}", auth=PUSHER)
            client.raw(names.CADDY_PUSH_PORT, "hub", "GET", path)
            client.raw(*LISTENERS["loopback"], "GET", path)
        log = docker("logs", client.container)
        requests = [one for one in map(json.loads, log.splitlines()) if "request" in one]
        assert {one["request"]["uri"] for one in requests} >= {"/login/github?REDACTED", "/invite/REDACTED"}
        assert {"http.log.access", "http.log.error"} & {".".join(one["logger"].split(".")[:3]) for one in requests}
        assert SECRET not in log
        assert not [one for one in requests if "headers" in one["request"] or "resp_headers" in one]
    assert "http.log.error" in docker("logs", failing.container), "no request failed"
