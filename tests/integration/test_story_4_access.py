"""The story, fourth part: which ports are open, and to whom."""

from __future__ import annotations

import json
import re
import secrets
import socket
import ssl
import subprocess
import time

import httpx
import pytest

from tests.integration.rig import docker, eventually
from tests.integration.story import NAME, Story

pytestmark = pytest.mark.xdist_group("story")
METRICS, LOGS = "/api/v1/write", "/loki/api/v1/push"


def _line(story: Story, token: str) -> dict[str, object]:
    stream = {"env": "test", "host": "hub", "job": "by-hand"}
    return {"streams": [{"stream": stream, "values": [[str(time.time_ns()), f"by hand {token}"]]}]}


def test_only_caddy_has_published_ports_and_all_are_on_the_loopback(story: Story) -> None:
    label = f"label=fleetwatch.stack={story.rig.prefix}"
    shown = docker("ps", "--filter", label, "--format", "{{.Names}}\t{{.Ports}}").splitlines()
    published = {name: ports for name, _, ports in (line.partition("\t") for line in shown) if "->" in ports}
    assert set(published) == {story.rig.container("caddy")}, f"published ports: {published}"
    mapped = [part.strip() for part in published.popitem()[1].split(",") if "->" in part]
    assert all(part.startswith("127.0.0.1:") for part in mapped), mapped
    assert sorted(int(part.split(":")[1].split("->")[0]) for part in mapped) == sorted(story.rig.ports.values())


def test_the_kernel_says_the_same_about_who_listens_where(story: Story) -> None:
    heard = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    listening = [line.split()[3].rsplit(":", 1) for line in heard.splitlines()]
    for name, port in story.rig.ports.items():
        assert {at for at, p in listening if p == str(port)} == {"127.0.0.1"}, f"port {name} ({port}): {listening}"
    assert not {at for at, p in listening if p == "9100"} & {"0.0.0.0", "*", "[::]"}, "the node exporter is open to all"


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_pushing_needs_the_hosts_own_password(story: Story, path: str) -> None:
    assert story.https("POST", path).status_code == 401, "without a password"
    assert story.https("POST", path, ("hub", "wrong")).status_code == 401, "with a wrong password"
    assert story.https("POST", path, ("other", story.pusher()[1])).status_code == 401, "with another name"
    assert story.https("POST", path, story.admin()).status_code == 401, "with the password of Grafana's admin"


def test_a_push_with_the_hosts_password_over_https_arrives(story: Story) -> None:
    token = secrets.token_hex(8)
    got = story.https("POST", LOGS, story.pusher(), json=_line(story, token))
    assert got.status_code == 204, f"{got.status_code} {got.text}"
    eventually("the pushed line", lambda: story.lines(f'{{job="by-hand"}} |= "{token}"'), 30)


def test_the_push_listener_takes_a_push_without_tls_and_without_a_password(story: Story) -> None:
    token = secrets.token_hex(8)
    got = story.plain("POST", "push", LOGS, json=_line(story, token))
    assert got.status_code == 204, f"{got.status_code} {got.text}"
    eventually("the pushed line", lambda: story.lines(f'{{job="by-hand"}} |= "{token}"'), 30)


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/query?query=up", "/loki/api/v1/labels", "/api/health"])
def test_the_push_listener_knows_nothing_but_pushing(story: Story, path: str) -> None:
    assert story.plain("GET", "push", path).status_code == 404, path
    assert story.plain("POST", "push", path).status_code == 404, path


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_a_push_endpoint_takes_posts_only(story: Story, path: str) -> None:
    assert story.plain("GET", "push", path).status_code == 405
    assert story.https("GET", path, story.pusher()).status_code == 405


def test_the_query_api_is_not_on_the_public_door(story: Story) -> None:
    for path in ("/api/v1/query?query=up", "/loki/api/v1/labels", "/alertmanager/api/v2/alerts"):
        for auth in (None, story.pusher()):
            status = story.https("GET", path, auth).status_code
            assert status in (302, 401, 404), f"{path} answers {status} to {'a host' if auth else 'anybody'}"
        assert "result" not in story.https("GET", path, story.admin()).text, f"{path} answers with data"


CHANGES = (
    METRICS, LOGS, "/loki/api/v1/delete", "/api/v1/otlp/v1/metrics", "/flush", "/ingester/shutdown", "/-/reload",
    "/api/v1/admin/tsdb/snapshot", "/alertmanager/api/v2/alerts", "/alertmanager/-/reload",
)  # fmt: skip


@pytest.mark.parametrize("path", CHANGES)
def test_the_query_side_takes_neither_data_nor_alerts_nor_reloads(story: Story, path: str) -> None:
    assert story.plain("POST", "query", path, content=b"x").status_code == 403


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("source", ["loki", "alertmanager"])
def test_nor_do_grafanas_data_sources(story: Story, source: str, path: str) -> None:
    """Grafana itself restricts POST for Prometheus only."""
    below = path.removeprefix("/alertmanager")
    got = story.https("POST", f"/api/datasources/proxy/uid/{source}{below}", story.admin(), content=b"x")
    assert got.status_code in (400, 403), f"{got.status_code} {got.text[:200]}"
    if source == "loki":
        for method in ("GET", "POST"):
            url = f"/api/datasources/proxy/uid/loki/loki/%2e%2e{path}"
            assert story.https(method, url, story.admin()).status_code >= 400, f"{method} {path}"


def test_loki_deletes_nothing_on_request(story: Story) -> None:
    """From the hub's network, where nothing stands in front of it."""
    name = f"{story.rig.prefix}-prometheus"
    url = f"http://{story.rig.prefix}-loki:3100/loki/api/v1/delete"
    words = ["wget", "-q", "-O", "-", "--post-data", "query={job=~%22.%2B%22}&start=0", url]
    refused = subprocess.run(["docker", "exec", name, *words], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0
    assert "403" in refused.stderr, refused.stderr


def test_the_metrics_of_grafana_are_not_public(story: Story) -> None:
    assert story.https("GET", "/metrics").status_code == 404
    assert story.https("GET", "/metrics", story.admin()).status_code == 404


def test_the_query_side_answers_for_all_three(story: Story) -> None:
    for path in ("/api/v1/query?query=up", "/loki/api/v1/labels", "/alertmanager/api/v2/status"):
        assert story.plain("GET", "query", path).status_code == 200, path


def test_http_is_sent_to_the_https_port_whatever_is_asked(story: Story) -> None:
    for method, path in (("GET", "/d/hosts?var-host=hub"), ("POST", METRICS)):
        got = story.plain(method, "http", path)
        assert got.status_code == 308, f"{method} {path}: {got.status_code}"
        assert got.headers["location"] == f"https://{NAME}:{story.rig.ports['https']}{path}"


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_a_body_over_the_limit_is_refused(story: Story, path: str) -> None:
    body = b"x" * (33 * 1024**2)  # hub.body_limit is 32MB
    assert story.plain("POST", "push", path, content=body).status_code == 413


def test_tls_1_2_is_refused(story: Story) -> None:
    context = story.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused = pytest.raises(ssl.SSLError, match="(?i)protocol.version")
    with socket.create_connection(("127.0.0.1", story.rig.ports["https"]), 10) as raw, refused:
        context.wrap_socket(raw, server_hostname=NAME)


def test_grafana_takes_neither_a_hosts_password_nor_none(story: Story) -> None:
    for auth in (story.pusher(), ("admin", story.pusher()[1]), ("admin", "admin"), None):
        assert story.https("GET", "/api/datasources", auth).status_code == 401, f"as {auth and auth[0]}"


def test_the_node_exporter_answers_the_agent_alone(story: Story) -> None:
    subnet = story.rig.config["hosts"]["hub"]["subnet"]
    gateway = re.sub(r"\.0/24$", ".1", subnet)
    with httpx.Client(trust_env=False, timeout=10) as client:
        assert client.get(f"http://{gateway}:9100/metrics").status_code == 401, "without a password"
        assert client.get(f"http://{gateway}:9100/metrics", auth=("hub", "x")).status_code == 401, "with a wrong one"
        assert client.get(f"http://{gateway}:9100/metrics", auth=story.pusher()).status_code == 401, "the push password"
        got = client.get(f"http://{gateway}:9100/metrics", auth=story.scraper())
    assert got.status_code == 200, "with the host's password"
    assert "node_uname_info" in got.text


def test_no_container_of_ours_is_privileged_or_without_limits(story: Story) -> None:
    for one in json.loads(docker("inspect", *story.our_containers())):
        name, host = one["Name"], one["HostConfig"]
        assert not host["Privileged"], name
        assert host["CapDrop"] == ["ALL"], f"{name}: {host['CapDrop']}"
        assert "no-new-privileges" in " ".join(host["SecurityOpt"]), name
        assert host["Memory"] > 0, f"{name} has no memory limit"
        assert host["NanoCpus"] > 0 or host["CpuQuota"] > 0, f"{name} has no CPU limit"
        assert host["LogConfig"]["Config"].get("max-size"), f"{name}: its log is not rotated"
