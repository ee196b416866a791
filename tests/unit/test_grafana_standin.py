"""The Grafana stand-in against data sources played by this test: who gets in, what passes through, what is drawn."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import yaml

from configs.dashboards import render
from localcloud.standins.grafana.config import load_config
from localcloud.standins.grafana.provisioning import Store
from localcloud.standins.grafana.server import Server
from tests.fixtures.full import full

PASSWORD = "not-a-real-password"
BASIC = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
EVIL = "<script>alert(1)</script>"


class FakeSource(BaseHTTPRequestHandler):
    """Prometheus and Loki in one: a known answer per expression, everything asked is remembered."""

    asked: list[tuple[str, str, dict[str, list[str]], dict[str, str]]]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        params = parse_qs(url.query) | parse_qs(body)
        self.asked.append((self.command, url.path, params, dict(self.headers.items())))
        status, data = self._answer(url.path, (params.get("query") or [""])[0], params)
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def _answer(self, path: str, query: str, params: dict[str, list[str]]) -> tuple[int, Any]:
        if "/label/" in path:
            return 200, {"status": "success", "data": ["web-1", "db-1"]}
        if query == "broken(":
            return 400, {"status": "error", "error": "parse error: unclosed left parenthesis"}
        if "nothing" in query:
            return 200, {"status": "success", "data": {"resultType": "vector", "result": []}}
        labels = {"host": "web-1", "env": "test"}
        if query.startswith("{"):
            stream = {
                "stream": labels | {"detected_level": "error"},
                "values": [["1700000000000000000", f"boom {EVIL}"]],
            }
            if "changes" in query:
                stream["values"] = [[str(int(params["end"][0]) - 60 * 10**9), f"web-1 was changed {EVIL}"]]
            return 200, {"status": "success", "data": {"resultType": "streams", "result": [stream]}}
        if path.endswith("query_range"):
            end, step = float(params["end"][0]), float(params["step"][0])
            points = [[end - 2 * step, "1"], [end - step, "2"], [end, "3"]]
            return 200, {
                "status": "success",
                "data": {"resultType": "matrix", "result": [{"metric": labels, "values": points}]},
            }
        row = {"metric": labels, "value": [1700000000, "0.425"]}
        return 200, {"status": "success", "data": {"resultType": "vector", "result": [row]}}

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(server: ThreadingHTTPServer) -> int:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return int(server.server_address[1])


def panel(number: int, kind: str, expr: str, source: str = "prometheus", **more: Any) -> dict[str, Any]:
    target = {"refId": "A", "expr": expr, "instant": kind not in {"timeseries", "logs"}, "legendFormat": "{{host}}"}
    place = {"x": 0, "y": number * 4, "w": 12, "h": 4}
    return {
        "id": number, "type": kind, "title": f"panel {number}", "gridPos": place,
        "datasource": {"type": source, "uid": source}, "targets": [target], **more,
    }  # fmt: skip


CHANGES = {
    "name": "Changes",
    "enable": True,
    "datasource": {"uid": "loki"},
    "expr": '{job="fleetwatch-changes",host=~"$host"}',
}


def board() -> dict[str, Any]:
    percent: dict[str, Any] = {"fieldConfig": {"defaults": {"unit": "percentunit"}, "overrides": []}}
    none: dict[str, Any] = {"fieldConfig": {"defaults": {"noValue": "none < here"}, "overrides": []}}
    host = {"name": "host", "type": "query", "multi": True, "includeAll": True, "allValue": ".+",
            "datasource": {"uid": "prometheus"}, "query": {"query": "label_values(up, host)"}}  # fmt: skip
    return {
        "uid": "test-board", "title": "Test board", "tags": ["fleetwatch"],
        "templating": {"list": [host]},
        "annotations": {"list": [CHANGES]},
        "panels": [
            panel(1, "timeseries", 'graph{host=~"$host"}'),
            panel(2, "stat", "share", **percent),
            panel(3, "table", "share", **percent),
            panel(4, "logs", '{host=~"$host"}', "loki"),
            panel(5, "stat", "nothing"),
            *(panel(10 + n, kind, "nothing", **none) for n, kind in enumerate(("stat", "timeseries", "table"))),
            panel(6, "stat", "broken("),
            panel(13, "logs", '{from="far back"}', "loki") | {"timeFrom": "7d"},
            panel(7, "heatmap", "share"),
            panel(8, "gauge", "share", **percent),
            panel(9, "bargauge", "share", **percent),
        ],
    }  # fmt: skip


def write_files(folder: Path, port: int) -> dict[str, str]:
    """grafana.ini and provisioning as the real Grafana would get them; returns the environment."""
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "grafana.ini").write_text(
        "[server]\nhttp_addr = 127.0.0.1\nhttp_port = 0\nroot_url = https://monitor.example.com/\n"
        f"[security]\nadmin_user = admin\nadmin_password = $__file{{{folder}/password}}\n"
    )
    url = f"http://127.0.0.1:{port}"
    prometheus = {"name": "Prometheus", "uid": "prometheus", "type": "prometheus", "url": url, "isDefault": True}
    alertmanager = {"name": "Alertmanager", "uid": "alertmanager", "type": "alertmanager", "url": url}
    loki = {"name": "Loki", "uid": "loki", "type": "loki", "url": url, "basicAuth": True, "basicAuthUser": "reader"}
    loki |= {"jsonData": {"httpHeaderName1": "X-Key"}, "secureJsonData": {"httpHeaderValue1": "source-key"}}
    provider = {"name": "fleetwatch", "type": "file", "options": {"path": str(folder / "boards")}}
    files = {
        "provisioning/datasources/all.yaml": {"apiVersion": 1, "datasources": [prometheus, loki, alertmanager]},
        "provisioning/dashboards/all.yaml": {"apiVersion": 1, "providers": [provider]},
        "boards/test.json": board(),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(content) if name.endswith("yaml") else json.dumps(content))
    return {"GF_PATHS_CONFIG": str(folder / "grafana.ini"), "GF_PATHS_PROVISIONING": str(folder / "provisioning")}


class Client:
    """Requests to the stand-in, with basic auth unless told otherwise."""

    def __init__(self, port: int, asked: list[Any], folder: Path) -> None:
        self.port, self.asked, self.folder = port, asked, folder

    def send(self, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        given = {"Authorization": BASIC} | {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, body=body or None, headers={k: v for k, v in given.items() if v})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, dict(answer.getheaders())

    def json(self, path: str) -> Any:
        status, text, _ = self.send(path)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture
def grafana(tmp_path: Path) -> Iterator[Client]:
    asked: list[Any] = []
    source = ThreadingHTTPServer(("127.0.0.1", 0), type("Source", (FakeSource,), {"asked": asked}))
    env = write_files(tmp_path, serve(source))
    config = load_config({**env, "GF_SERVER_ROUTER_LOGGING": "true"})
    server = Server(config, Store(config.provisioning, env))
    yield Client(serve(server), asked, tmp_path)
    for one in (server, source):
        one.shutdown()
        one.server_close()


def test_health_and_metrics_need_no_login_and_say_what_this_is(grafana: Client) -> None:
    status, text, _ = grafana.send("/api/health", Authorization="")
    assert (status, json.loads(text)["database"], json.loads(text)["version"]) == (200, "ok", "stand-in")
    status, text, _ = grafana.send("/metrics", Authorization="")
    assert status == 200
    assert "grafana_standin_datasources 3.0" in text
    assert "grafana_build_info" not in text
    assert 'grafana_http_request_duration_seconds_count{handler="/api/health",method="GET",status_code="200"} 1' in text


@pytest.mark.parametrize("path", ["user", "datasources", "datasources/proxy/uid/prometheus/api/v1/query"])
def test_the_api_refuses_whoever_has_no_password(grafana: Client, path: str) -> None:
    wrong = "Basic " + base64.b64encode(b"admin:wrong").decode()
    for header in ("", wrong, "Basic %%%", "Bearer x"):
        assert grafana.send(f"/api/{path}", Authorization=header)[0] == 401
    assert not grafana.asked, "nothing may reach a data source without a login"


def test_a_page_leads_to_the_login_and_back(grafana: Client) -> None:
    status, _, headers = grafana.send("/d/test-board/?from=now-6h", Authorization="")
    assert (status, headers["Location"]) == (302, "/login?redirect=%2Fd%2Ftest-board%2F%3Ffrom%3Dnow-6h")
    form = urlencode({"user": "admin", "password": PASSWORD, "redirect": "/d/test-board/?from=now-6h"})
    status, _, headers = grafana.send("/login", "POST", form, Authorization="")
    assert (status, headers["Location"]) == (302, "/d/test-board/?from=now-6h")
    cookie = headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Secure"))
    session = cookie.split(";")[0]
    assert grafana.send("/api/user", Authorization="", Cookie=session)[0] == 200
    grafana.send("/logout", "POST", Authorization="", Cookie=session)
    assert grafana.send("/api/user", Authorization="", Cookie=session)[0] == 401


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_a_login_never_leads_to_another_site(grafana: Client, target: str) -> None:
    form = urlencode({"user": "admin", "password": PASSWORD, "redirect": target})
    assert grafana.send("/login", "POST", form, Authorization="")[2]["Location"] == "/"


def test_a_refused_login_is_logged_without_what_was_typed(grafana: Client, capsys: pytest.CaptureFixture[str]) -> None:
    form = urlencode({"user": "admin", "password": "typed-secret"})
    status, text, _ = grafana.send("/login", "POST", form, Authorization="")
    logged = capsys.readouterr().out
    assert status == 401
    assert "Invalid username or password" in text
    assert "login refused" in logged
    assert "typed-secret" not in logged + text


def test_requests_are_logged_with_their_user(grafana: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, as the settings say, except those that Grafana never logs."""
    grafana.send("/api/health", Authorization="")
    grafana.send("/api/user")
    grafana.send("/api/user?secret", Authorization="", Referer="https://hub/")
    # A line is written after the answer, by the thread of its request: wait for both, in either order.
    logged: list[str] = []
    end = time.monotonic() + 10
    while len(logged) < 2 and time.monotonic() < end:
        logged += [line for line in capsys.readouterr().out.splitlines() if "Request Completed" in line]
        time.sleep(0.05)
    accepted, refused = sorted(logged, key=lambda line: "status=401" in line)
    assert "uname=admin" in accepted
    assert "method=GET path=/api/user status=200" in accepted
    assert "uname=admin" not in refused
    assert "status=401" in refused
    assert "secret" not in refused


def test_a_form_of_another_site_is_refused(grafana: Client) -> None:
    form = urlencode({"user": "admin", "password": PASSWORD})
    status, _, headers = grafana.send("/login", "POST", form, Authorization="", Origin="https://evil.example")
    assert status == 401
    assert "Set-Cookie" not in headers
    path = "/api/datasources/proxy/uid/prometheus/api/v1/query"
    assert grafana.send(path, "POST", "query=up", Origin="https://evil.example")[0] == 403


def test_the_proxy_passes_on_queries_with_the_sources_own_credentials(grafana: Client) -> None:
    path = "/api/datasources/proxy/uid/loki/loki/api/v1/query"
    status, text, _ = grafana.send(path + "?query=share", Cookie="grafana_session=mine")
    assert (status, json.loads(text)["data"]["result"][0]["value"][1]) == (200, "0.425")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert grafana.send(path.replace("loki/loki", "prometheus"), "POST", "query=share", **form)[0] == 200
    (_, got_path, params, headers), (method, _, posted, other) = grafana.asked
    assert (got_path, params["query"]) == ("/loki/api/v1/query", ["share"])
    assert headers["X-Key"] == "source-key"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"reader:").decode()
    assert "Cookie" not in headers
    assert (method, posted["query"]) == ("POST", ["share"])
    assert "Authorization" not in other, "the admin's password must not reach a data source"


def test_the_proxy_changes_nothing_and_knows_its_sources(grafana: Client) -> None:
    base = "/api/datasources/proxy/uid/"
    assert grafana.send(base + "prometheus/api/v1/admin/tsdb/delete_series", "POST", "match[]=up")[0] == 403
    assert grafana.send(base + "prometheus/../../etc")[0] == 400
    assert grafana.send(base + "other/api/v1/query")[0] == 404
    assert not grafana.asked


def test_the_api_answers_in_grafanas_shapes_and_keeps_secrets(grafana: Client) -> None:
    sources = {source["uid"]: source for source in grafana.json("/api/datasources")}
    assert set(sources) == {"prometheus", "loki", "alertmanager"}
    assert sources["prometheus"]["isDefault"]
    assert "source-key" not in json.dumps(sources)
    assert grafana.json("/api/datasources/uid/loki")["url"].startswith("http://127.0.0.1")
    assert grafana.json("/api/datasources/uid/prometheus/health")["status"] == "OK"
    assert [hit["uid"] for hit in grafana.json("/api/search?type=dash-db")] == ["test-board"]
    assert grafana.json("/api/dashboards/uid/test-board")["dashboard"] == board()
    assert grafana.json("/api/user")["login"] == "admin"
    assert grafana.json("/api/org")["id"] == 1
    assert grafana.send("/api/dashboards/uid/none")[0] == 404


def test_a_dashboard_shows_values_of_live_queries(grafana: Client) -> None:
    status, page, headers = grafana.send("/d/test-board/?from=now-1h&to=now")
    sections = {part.split('"')[0]: part for part in page.split('data-panel="')[1:]}
    assert status == 200
    assert "Grafana stand-in — not Grafana" in page
    assert "<polyline" in sections["1"]
    assert "web-1" in sections["1"]
    for number in ("2", "3", "8", "9"):
        assert "42.5%" in sections[number]
    assert "boom &lt;script&gt;" in sections["4"]
    assert EVIL not in page
    assert "No data" in sections["5"]
    for number in ("10", "11", "12"):
        assert "none &lt; here" in sections[number], "the dashboard's own words for nothing"
        assert "No data" not in sections[number]
    assert "unclosed left parenthesis" in sections["6"]
    assert "does not draw panels of type heatmap" in sections["7"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_changes_are_marked_on_every_graph_and_on_nothing_else(grafana: Client) -> None:
    page = grafana.send("/d/test-board/?from=now-1h&to=now&var-host=web-1")[1]
    assert page.count('class="mark"') == 1, "one graph, one change"
    assert "<title>web-1 was changed &lt;script&gt;" in page
    asked = [q for _, _, params, _ in grafana.asked for q in params.get("query", []) if "changes" in q]
    assert asked == ['{job="fleetwatch-changes",host=~"web-1"}']


def test_a_panel_with_a_time_of_its_own_is_asked_for_that_time(grafana: Client) -> None:
    page = grafana.send("/d/test-board/?from=now-1h&to=now")[1]
    (asked,) = [params for _, _, params, _ in grafana.asked if '{from="far back"}' in params.get("query", [])]
    assert int(asked["end"][0]) - int(asked["start"][0]) == 7 * 86400 * 10**9
    assert "Last 7d" in page


def test_variables_are_filled_from_the_source_and_put_into_queries(grafana: Client) -> None:
    page = grafana.send("/d/test-board/")[1]
    assert 'value="db-1"' in page
    grafana.send("/d/test-board/?var-host=web-1&var-host=db.1")
    queries = [q for _, _, params, _ in grafana.asked for q in params.get("query", []) if q.startswith("graph")]
    assert queries == ['graph{host=~".+"}', 'graph{host=~"(web-1|db\\\\.1)"}']


def test_a_senseless_time_range_is_named_not_echoed_raw(grafana: Client) -> None:
    status, page, _ = grafana.send("/d/test-board/?from=%3Cb%3E")
    assert status == 400
    assert "expected now" in page
    assert "<b>" not in page


def test_new_dashboards_are_taken_and_broken_ones_are_not(grafana: Client) -> None:
    file = grafana.folder / "boards/test.json"
    file.write_text(json.dumps(board() | {"title": "Renamed"}))
    assert grafana.send("/api/admin/provisioning/dashboards/reload", "POST")[0] == 200
    file.write_text("{")
    status, text, _ = grafana.send("/api/admin/provisioning/dashboards/reload", "POST")
    assert status == 500
    assert str(file) in text
    assert [hit["title"] for hit in grafana.json("/api/search")] == ["Renamed"]


def test_a_dead_source_is_said_in_the_panel_and_on_the_first_page(tmp_path: Path) -> None:
    dead = ThreadingHTTPServer(("127.0.0.1", 0), FakeSource)
    port = int(dead.server_address[1])
    dead.server_close()
    env = write_files(tmp_path, port)
    config = load_config({**env, "GF_SERVER_ROUTER_LOGGING": "true"})
    server = Server(config, Store(config.provisioning, env))
    client = Client(serve(server), [], tmp_path)
    assert "Prometheus does not answer" in client.send("/d/test-board/")[1]
    assert "Loki does not answer" in client.send("/")[1]
    assert client.send("/api/datasources/proxy/uid/prometheus/api/v1/query?query=up")[0] == 502
    server.shutdown()
    server.server_close()


def test_the_projects_own_dashboards_are_drawn_without_a_gap_in_the_reader(grafana: Client) -> None:
    for name, text in render(full()).items():
        (grafana.folder / "boards" / name).write_text(text)
    grafana.send("/api/admin/provisioning/dashboards/reload", "POST")
    for name in render(full()):
        status, page, _ = grafana.send(f"/d/{name.removesuffix('.json')}/")
        assert status == 200
        assert 'class="problem"' not in page, name
