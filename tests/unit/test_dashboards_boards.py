"""Which dashboards exist for which stack file, their links, and which panels may be empty."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from configs import rules
from configs.dashboards import boards, render
from configs.dashboards.hub import certificate
from configs.dashboards.model import SOME_HOSTS, Column, Graph, Logs, Panel, Query, Stat, Table
from configs.rules.model import expression as rule_expression
from configs.services import grafana_files
from configs.settings import Settings, load
from tests.fixtures import fleets
from tests.fixtures.full import full, small

DSN = {"dsn": "postgresql://watch:secret@db/shop"}
ALWAYS = {"fleet", "hosts", "containers", "logs", "hub"}
APP = {"shop": {"target": "shop:8000", "http": {}}}


def _settings(**hosts: Any) -> Settings:
    return load(small(hosts=hosts), "stacks/Pulumi.test.yaml")


def _names(settings: Settings) -> set[str]:
    return {board.name for board in boards(settings)}


def _json(settings: Settings, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(settings)[f"fleetwatch-{name}.json"])
    return found


@pytest.mark.parametrize(
    ("edge", "more"),
    [
        ({}, set()),
        ({"apps": {"shop": {"target": "shop:8000"}}}, set()),
        ({"apps": APP}, {"http"}),
        ({"postgres": {"main": DSN}}, {"postgres", "timescale"}),
    ],
)
def test_dashboards_exist_only_for_services_in_the_stack_file(edge: dict[str, Any], more: set[str]) -> None:
    assert _names(_settings(hub=edge)) == ALWAYS | more


def test_no_link_leads_to_a_missing_dashboard() -> None:
    settings = _settings(hub={})
    for name, text in render(settings).items():
        led_to = set(re.findall(r"/d/fleetwatch-(\w+)", text))
        assert led_to <= ALWAYS, name
        assert "pg_up" not in text, f"{name} asks about databases where there is none"


def _columns(board: dict[str, Any]) -> list[str]:
    (table,) = [panel for panel in board["panels"] if panel["title"] == "Host overview"]
    return list(table["transformations"][1]["options"]["renameByName"].values())


@pytest.mark.parametrize("name", ["fleet", "hosts"])
def test_databases_column_links_hosts_to_their_databases(name: str) -> None:
    assert "Databases" not in _columns(_json(_settings(hub={}), name))
    board = _json(_settings(hub={"postgres": {"main": DSN}}), name)
    (table,) = [panel for panel in board["panels"] if panel["title"] == "Host overview"]
    mine = [one for one in table["fieldConfig"]["overrides"] if one["matcher"]["options"] == "Databases"]
    ((link,),) = [item["value"] for one in mine for item in one["properties"] if item["id"] == "links"]
    assert link["url"].startswith("/d/fleetwatch-postgres?${env:queryparam}&var-host=")
    named = table["transformations"][1]["options"]["renameByName"]
    (letter,) = [value.removeprefix("Value #") for value, heading in named.items() if heading == "Databases"]
    (target,) = [target for target in table["targets"] if target["refId"] == letter]
    assert target["expr"].startswith("count by (env, host) (pg_up{"), "a host without a database has no value"


def test_every_host_of_the_stack_file_has_a_series_and_an_abandoned_one_has_none() -> None:
    server = {"address": "203.0.113.8"}
    named = {"web-1": {"droplet": {}}, "old-1": {"server": server, "abandoned": True}}
    settings = load(fleets.hosts(**named), fleets.SOURCE)
    (rule,) = yaml.safe_load(rules.files(settings, "")["fleet.yml"])["groups"][0]["rules"]
    assert rule["record"] == "fleetwatch:host_expected"
    assert set(re.findall(r'"host", "([\w-]+)"', rule["expr"])) == {"hub", "web-1"}
    assert set(re.findall(r'"env", "([\w-]+)"', rule["expr"])) == {settings.env}


def test_adding_a_host_changes_no_dashboard() -> None:
    assert render(_settings(hub={})) == render(_settings(hub={}, **{"web-1": {"local": {"docker": "unix:///x"}}}))


def test_links_lead_from_host_to_containers_to_logs_and_keep_the_time_range() -> None:
    fleet, hosts, containers = (json.dumps(_json(full(), name)) for name in ("fleet", "hosts", "containers"))
    here = "?${env:queryparam}&var-host=${__data.fields.Host}&${__url_time_range}"
    assert f"/d/fleetwatch-hosts{here}" in fleet
    assert f"/d/fleetwatch-containers{here}" in hosts
    logs = (
        "/d/fleetwatch-logs?${env:queryparam}&var-host=${__data.fields.Host}&var-container=${__data.fields.Container}"
    )
    assert logs + "&${__url_time_range}" in containers


def test_certificate_age_looks_back_beyond_dashboard_range() -> None:
    age, failed, events = certificate.row(full()).panels
    assert isinstance(age, Stat)
    assert isinstance(failed, Stat)
    (expires,) = [alert for alert in rules.alerts(full()) if alert.name == "CertificateExpires"]
    (filters,) = re.findall(r"\{.*?\}( .*?) \[", rule_expression(full(), expires))
    assert filters in failed.query.expr, "the panel has the filters of the alert"
    drawn = {panel["title"]: panel for panel in _json(full(), "hub")["panels"]}
    assert drawn[age.title]["targets"][0]["queryType"] == "instant"
    assert " [30d]" in age.query.expr
    assert drawn[events.title]["timeFrom"] == "7d"
    assert "timeFrom" not in drawn["Log streams"], "other panels keep the range of the dashboard"


def _links(board: str, table: str) -> tuple[str, dict[str, str]]:
    """The description of the table, and the URLs of its links by column."""
    (panel,) = [one for one in _json(full(), board)["panels"] if one["title"] == table]
    overrides = panel["fieldConfig"]["overrides"]
    pairs = [(one["matcher"]["options"], item) for one in overrides for item in one["properties"]]
    return panel["description"], {name: item["value"][0]["url"] for name, item in pairs if item["id"] == "links"}


def test_table_descriptions_match_their_links() -> None:
    here = "/d/fleetwatch-logs?${env:queryparam}&var-host=${__data.fields.Host}&"
    description, links = _links("http", "Service overview")
    assert "service to the logs of its host" in description
    assert links["Service"] == here + "${__url_time_range}"
    description, links = _links("logs", "Top log sources")
    assert "job to its lines on this host" in description, "files and the journal have no container"
    assert links["Job"] == here + "var-job=${__data.fields.Job}&${__url_time_range}"
    assert links["Container"] == here + "var-container=${__data.fields.Container}&${__url_time_range}"


def test_columns_that_not_every_host_has_are_declared_empty() -> None:
    """Otherwise `make doctor` reports a fault for every host without a database."""
    seen = set()
    for board in boards(full()):
        if board.coverage == SOME_HOSTS:
            continue
        for panel in (panel for row in board.rows for panel in row.panels):
            for one in _asked(panel):
                if re.search("pg_up|http_requests_total", one.expr) and "or vector(0)" not in one.expr:
                    seen.add(f"{board.name} / {getattr(one, 'title', panel.title)}")
                    assert one.empty, f"{board.name} / {panel.title}"
    assert seen == {"fleet / Databases", "fleet / Requests", "hosts / Databases", "hub / Requests to the assistant"}


def _asked(panel: Panel) -> list[Query | Column | Logs]:
    if isinstance(panel, Graph):
        return list(panel.queries)
    if isinstance(panel, Table):
        return list(panel.columns)
    assert isinstance(panel, Stat | Logs)
    return [panel.query if isinstance(panel, Stat) else panel]


def test_declared_empty_panels_have_a_short_no_value_text() -> None:
    count = 0
    for board in boards(full()):
        drawn = [panel for panel in _json(full(), board.name)["panels"] if panel["type"] != "row"]
        for panel, shown in zip((panel for row in board.rows for panel in row.panels), drawn, strict=True):
            may = all(one.empty or getattr(one, "lacking", None) for one in _asked(panel))
            assert bool(panel.no_value) == may, f"{board.name} / {panel.title}: replace `No data` by a reason"
            if may:
                count += 1
                assert shown["fieldConfig"]["defaults"]["noValue"] == panel.no_value
                assert len(panel.no_value) <= 40, "a panel is narrow"
    assert count > 20


def test_empty_cells_of_a_table_with_rows_stay_blank() -> None:
    (table,) = [panel for panel in _json(full(), "fleet")["panels"]
                if (panel["title"], panel["type"]) == ("Alert list", "table")]  # fmt: skip
    blank = [one["matcher"]["options"] for one in table["fieldConfig"]["overrides"]
             if {"id": "noValue", "value": ""} in one["properties"]]  # fmt: skip
    assert blank == ["Alert", "Severity", "Host", "Container", "Count"], "an alert about the fleet has no host"


@pytest.mark.parametrize("name", sorted(render(full())))
def test_every_dashboard_marks_deployments(name: str) -> None:
    (mark,) = json.loads(render(full())[name])["annotations"]["list"]
    sources = {source["uid"] for source in yaml.safe_load(grafana_files.data_sources(full()))["datasources"]}
    assert mark["enable"]
    assert mark["datasource"]["uid"] in sources
    assert mark["expr"] == '{job="fleetwatch-changes",env=~"$env",host=~"$host"}'


@pytest.mark.parametrize("name", sorted(render(full())))
def test_panels_have_a_minimum_size(name: str) -> None:
    for panel in json.loads(render(full())[name])["panels"]:
        place = panel["gridPos"]
        if panel["type"] == "stat":
            assert (place["w"], place["h"]) >= (3, 3), panel["title"]
        if panel["type"] in {"timeseries", "table", "logs"}:
            assert place["w"] >= 6, f"{panel['title']}: too narrow for its axis and legend"
            assert place["h"] >= 6, panel["title"]


def test_apps_with_the_same_metric_names_share_a_query() -> None:
    other = {"requests": "answers_total", "status": "code", "duration": "answer_seconds"}
    apps = {**APP, "blog": {"target": "b:1", "http": {}}, "odd": {"target": "o:1", "http": other}}
    text = json.dumps(_json(_settings(hub={"apps": {**apps, "plain": {"target": "p:1"}}}), "http"))
    assert 'http_requests_total{job=~\\"blog|shop\\"' in text
    assert 'answers_total{job=~\\"odd\\"' in text
    assert "{{code}}" in text
    assert "plain" not in text, "an app without `http:` is not shown"


def test_panels_about_the_hub_are_about_all_its_nodes() -> None:
    boards_of_nodes = json.dumps(_json(fleets.cluster(), "hub")).replace("\\", "")
    nodes = 'host=~"hub|hub-b|hub-c"'
    assert 'host="hub"' not in boards_of_nodes
    assert f'{{job="fleetwatch-audit",{nodes}}}' in boards_of_nodes
    assert f'max by (host, mountpoint) (1 - node_filesystem_avail_bytes{{job="node",{nodes},' in boards_of_nodes
    assert f'min by (host, mountpoint) (clamp_max(node_filesystem_avail_bytes{{job="node",{nodes},' in boards_of_nodes
    assert 'max by (host) (loki_ingester_wal_disk_usage_percent{job="loki"})' in boards_of_nodes
    assert "min by (job) (up{" in boards_of_nodes, "a node where one is down is not hidden by the others"
    one = json.dumps(_json(_settings(hub={}), "hub")).replace("\\", "")
    assert 'job="fleetwatch-audit",host="hub"}' in one
    assert "(host, mountpoint)" not in one
    assert "max by (job) (up{" in one
