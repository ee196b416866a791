"""The metrics side, rendered: agent, Prometheus, Alertmanager, exporters. Parsed again, and saying what it must."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from configs import rules
from configs.services import agent, alertmanager, node_exporter, postgres_exporter, prometheus
from configs.services.alertmanager.kinds import AWS_PROFILES
from configs.settings import Settings, load
from configs.units import parse_duration
from tests.fixtures import rendering
from tests.fixtures.full import DATABASE_PASSWORD, ROOT, SECRETS, SOURCE, STORAGE, full, in_bucket, small
from tests.fixtures.relabelling import relabelled
from tests.fixtures.stackfiles import CASES

GATEWAY = "10.213.77.1"


def _agent(settings: Settings, host: str = "hub") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(rendering.agent_config(settings, host))
    return found


def _jobs(settings: Settings, host: str = "hub") -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in _agent(settings, host)["scrape_configs"]}


def _with(**hub: Any) -> Settings:
    return load(small(hub={"local": {}, **hub}), SOURCE)


@pytest.mark.parametrize("case", CASES)
def test_equal_settings_give_equal_bytes(case: str) -> None:
    def render(settings: Settings) -> list[str]:
        hosts = [rendering.agent_config(settings, host) for host in settings.hosts]
        return [
            *hosts,
            rendering.prometheus_config(settings),
            alertmanager.config(settings),
            *rules.files(settings, "https://monitor.example.com").values(),
        ]

    assert render(CASES[case]()) == render(CASES[case]()), "an update would reload what did not change"


def test_every_agent_says_where_its_data_comes_from() -> None:
    for host in full().hosts:
        assert _agent(full(), host)["global"]["external_labels"] == {"env": "full", "host": host}


def test_an_internet_edge_pushes_with_its_own_password_over_tls_1_3() -> None:
    settings = full()
    (write,) = _agent(settings)["remote_write"]
    assert write["url"] == f"https://{settings.hub.domain}/api/v1/write"
    assert write["basic_auth"] == {"username": "hub", "password_file": "/run/secrets/fleetwatch/password"}, (
        "the password is a file: this one is plain"
    )
    assert write["tls_config"]["min_version"] == "TLS13"
    assert write["queue_config"]["retry_on_http_429"] is True, "a busy hub must not cost samples"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (full(), "io.prometheus.write.v2.Request"),
        (in_bucket(), "prometheus.WriteRequest"),
        (_with(storage={**STORAGE, "kind": "single"}), "prometheus.WriteRequest"),  # before its move to the bucket
    ],
    ids=["disk", "bucket", "bucket prepared"],
)
def test_remote_write_is_2_0_unless_thanos_takes_it(settings: Settings, message: str) -> None:
    (write,) = _agent(settings)["remote_write"]
    assert write["protobuf_message"] == message


def test_a_private_edge_pushes_without_a_password() -> None:
    (write,) = _agent(full(), "web-1")["remote_write"]
    assert not {"basic_auth", "tls_config"} & set(write), "without TLS the password could be read on the way"


def test_scrapes_follow_the_settings() -> None:
    jobs = _jobs(full())
    assert (jobs["node"]["scrape_interval"], jobs["cadvisor"]["scrape_interval"]) == ("15s", "10s")
    assert jobs["node"]["static_configs"] == [
        {"targets": [f"{GATEWAY}:9100"], "labels": {"env": "full", "host": "hub"}}
    ], "labels of the target win over those of a metric"
    assert jobs["slow"]["scrape_interval"] == jobs["slow"]["scrape_timeout"] == "5s", (
        "a timeout is never the longer one"
    )
    assert (jobs["slow"]["metrics_path"], jobs["shop"]["metrics_path"]) == ("/m", "/metrics")
    assert [c["labels"]["database"] for c in jobs["postgres"]["static_configs"]] == ["main", "other"]


def test_only_the_hubs_own_edge_asks_the_hub() -> None:
    hub_jobs = {"prometheus", "loki", "grafana", "caddy", "alertmanager"}
    assert hub_jobs <= set(_jobs(full(), "hub"))
    assert not hub_jobs & set(_jobs(full(), "web-1"))
    assert "alloy" in _jobs(full(), "web-1"), "the log agent that was chosen is the one that is asked"


def test_containers_keep_the_labels_of_the_design_and_no_ids() -> None:
    rules_of = _jobs(full())["cadvisor"]["metric_relabel_configs"]
    assert {rule["target_label"] for rule in rules_of if "target_label" in rule} == {
        "container", "compose_project", "compose_service", "service", "cgroup"
    }  # fmt: skip
    assert {rule["regex"] for rule in rules_of if rule.get("action") == "labeldrop"} == {
        "name|image|container_label_.*", "id"
    }, "ids and images are of high cardinality"  # fmt: skip


ID = "4c9" + "0d" * 30 + "e"


@pytest.mark.parametrize(
    ("name", "cgroup", "kept"),
    [
        ("shop-db", f"/docker/{ID}", {"container": "shop-db"}),
        ("shop-db", f"/system.slice/docker-{ID}.scope", {"container": "shop-db"}),  # where systemd makes the groups
        ("", f"/docker/{ID}", {"cgroup": f"/docker/{ID}"}),
        ("", f"/system.slice/docker-{ID}.scope", {"cgroup": f"/system.slice/docker-{ID}.scope"}),
        ("", "/", {}),
        ("", "/docker", None),
        ("", "/system.slice/ssh.service", None),
        ("", "/user.slice", None),
    ],
)
def test_a_container_is_known_by_its_name_one_without_by_its_group_and_other_groups_are_left_out(
    name: str, cgroup: str, kept: dict[str, str] | None
) -> None:
    rules_of = _jobs(full())["cadvisor"]["metric_relabel_configs"]
    assert relabelled({"name": name, "id": cgroup, "image": "x"}, rules_of) == kept


def test_a_container_of_ours_has_no_labels_of_compose() -> None:
    """An edge of ours is a Compose project too, but none of the user's."""
    rules_of = _jobs(full())["cadvisor"]["metric_relabel_configs"]
    compose = {"container_label_com_docker_compose_project": "shop", "container_label_com_docker_compose_service": "db"}
    shop = {"name": "shop-db", "id": f"/docker/{ID}", **compose}
    users = {"container": "shop-db", "compose_project": "shop", "compose_service": "db"}
    assert relabelled(shop, rules_of) == users
    assert relabelled({**shop, "container_label_fleetwatch_stack": "shop"}, rules_of) == {"container": "shop-db"}


def test_the_outage_budget_sets_the_log_ahead_and_the_hubs_window() -> None:
    settings = _with(outage_budget="36h")
    flags = dict(word.split("=", 1) for word in agent.command(settings) if "=" in word)
    assert parse_duration(flags["--storage.agent.retention.max-time"]) >= 36 * 3600
    assert flags["--storage.agent.retention.min-time"] != flags["--storage.agent.retention.max-time"]
    tsdb = yaml.safe_load(rendering.prometheus_config(settings))["storage"]["tsdb"]
    assert parse_duration(tsdb["out_of_order_time_window"]) >= 36 * 3600, "else the backlog is refused on arrival"


def test_agent_keeps_as_much_of_the_budget_as_documented() -> None:
    """The truncation of Prometheus' tsdb/agent/db.go, for an edge that fills one segment between two of them."""
    budget, between, segments, kept = 36.0, 36 * 2 / 3, [0], []
    for _ in range(50):
        first, active = segments[0], segments[-1]
        segments.append(active + 1)  # the agent begins a new segment at each truncation
        last = first + (active - 1 - first) * 2 // 3
        if last > first:
            segments = [number for number in segments if number > last]
        kept.append((len(segments) - 1) * between / budget)
    flags = dict(word.split("=", 1) for word in agent.command(_with(outage_budget="36h")) if "=" in word)
    assert parse_duration(flags["--storage.agent.wal-truncate-frequency"]) == between * 3600
    assert min(kept[10:]) == pytest.approx(4 / 3)
    page = " ".join((ROOT / "docs" / "no-data-lost.md").read_text().split())
    assert "a smaller edge, which writes one, keeps one and a third" in page


def test_retention_is_by_time_and_by_size_and_can_change_without_a_restart() -> None:
    settings = _with(retention={"metrics": "1y", "logs": "30d", "metrics_size": "7GB"})
    assert yaml.safe_load(rendering.prometheus_config(settings))["storage"]["tsdb"]["retention"] == {
        "time": "365d",
        "size": "7GB",
    }
    assert not [word for word in prometheus.command(settings) if "retention" in word]
    assert "--web.enable-remote-write-receiver" in prometheus.command(settings)


def test_every_receiver_reads_its_secret_from_a_file() -> None:
    text = alertmanager.config(full())
    assert not [secret for secret in SECRETS.values() if secret in text], "the configuration is shown in previews"
    files = alertmanager.secrets(full())
    assert {"chat-slack-url", "hook-webhook-url", "mail-email-password", "pager-pagerduty-routing-key"} <= set(files)
    # AWS's library reads its file by the profile that the configuration names.
    assert {name for name in files if f"/run/secrets/fleetwatch/{name}" not in text} == {AWS_PROFILES}
    assert "profile: team\n" in text
    assert files[AWS_PROFILES].startswith("[team]\naws_access_key_id = key-of-")


def test_alerts_go_to_the_default_and_the_watchdog_to_its_own() -> None:
    route = yaml.safe_load(alertmanager.config(full()))["route"]
    assert route["receiver"] == "chat"
    assert route["routes"][0]["receiver"] == "hook"
    assert route["repeat_interval"] == "2h"
    quiet = yaml.safe_load(alertmanager.config(_with()))
    assert quiet["route"]["receiver"] == "nobody"
    assert quiet["receivers"] == [{"name": "nobody"}], "without receivers alerts are seen in Grafana only"


def test_every_host_has_an_alert_for_its_silence() -> None:
    (group,) = yaml.safe_load(rules.files(full(), "https://monitor.example.com")["pipeline.yml"])["groups"]
    silent = [rule["labels"]["host"] for rule in group["rules"] if rule["alert"] == "HostSilent"]
    assert silent == ["hub", "web-1"]


def test_odd_characters_in_a_dsn_survive() -> None:
    dsn = full().edges["hub"].postgres["main"].dsn.get_secret_value()
    files = postgres_exporter.connection_files(dsn)
    assert files["password"] == DATABASE_PASSWORD
    assert files["user"] == "watch"
    parts = urlsplit("//" + files["uri"])
    assert (parts.hostname, parts.port, parts.path) == ("db", 5433, "/shop")
    assert parse_qs(parts.query) == {
        "sslmode": ["disable"], "connect_timeout": ["5"], "statement_timeout": ["10000"]
    }  # fmt: skip
    assert DATABASE_PASSWORD not in files["uri"]


@pytest.mark.parametrize(
    ("dsn", "begins"),
    [
        ("postgresql://u:p@[fd00::1]/d", "[fd00::1]:5432/d?sslmode=require&"),
        ("postgresql://u:p@shop-db/d", "shop-db:5432/d?sslmode=disable&connect_timeout=5&"),
        ("postgresql://u:p@db.example.com/d", "db.example.com:5432/d?sslmode=require&"),
        ("postgres://u@h/my%20db?sslmode=require", "h:5432/my%20db?sslmode=require&"),
        (
            "postgresql://u:p@h/d?connect_timeout=1&statement_timeout=2",
            "h:5432/d?connect_timeout=1&statement_timeout=2",
        ),
    ],
)
def test_a_dsn_becomes_the_exporters_files(dsn: str, begins: str) -> None:
    assert postgres_exporter.connection_files(dsn)["uri"].startswith(begins)


def test_the_exporters_arguments_hold_no_secret_and_no_public_address() -> None:
    words = [*postgres_exporter.environment(), *postgres_exporter.command(), *node_exporter.command(GATEWAY)]
    assert all(word.split("=", 1)[1].startswith("/run/secrets/") for word in postgres_exporter.environment())
    assert f"--web.listen-address={GATEWAY}:9100" in words
    accepted = {"hub.1": "$2a$y", "hub": "$2a$x"}
    assert yaml.safe_load(node_exporter.web(accepted))["basic_auth_users"] == accepted
