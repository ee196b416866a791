"""The commands in the runbooks: their metrics exist, their panels exist, and they answer the question above them."""

from __future__ import annotations

import re

import pytest

from configs import names, rules, services
from configs.dashboards import boards
from configs.rules.model import Alert, expression
from configs.settings.hub import PUBLIC_PORTS
from tests.fixtures.docs import Block, blocks
from tests.fixtures.docs import queries as queries_in
from tests.fixtures.full import full
from tests.fixtures.stackfiles import CASES
from tools import alert_docs
from tools.doctor import queries, selectors

BLOCKS = [block for block in blocks() if block.page.startswith("docs/runbooks/")]
PAGES = {name: (alert_docs.PAGE.parent / "runbooks" / f"{name}.md").read_text() for name in alert_docs.alerts_by_name()}
# Metrics that no rule and no dashboard uses, and where their names come from.
ELSEWHERE = {
    "promtail_docker_target_entries_total",  # Promtail 3.7.8, clients/pkg/promtail/targets/docker/metrics.go
    "loki_source_docker_target_entries_total",  # Alloy's documentation of loki.source.docker
    "fleetwatch_sql_scrape_seconds",  # the SQL exporter's own, configs/services/sql_exporter.py
    "scrape_samples_post_metric_relabeling",  # Prometheus itself, of every scrape
    "probe_http_duration_seconds",  # the blackbox exporter's own, by the phase of a request
}


def _commands(name: str) -> str:
    return "".join(block.text for block in BLOCKS if block.page == f"docs/runbooks/{name}.md")


def _known() -> set[str]:
    """Every identifier of every expression, including metric names, and the names of recording rules."""
    settings = full()
    asked = [question.expr for question in queries.panel_queries(boards(settings))]
    for rule in (rule for group in rules.groups(settings) for rule in group.rules):
        asked += [expression(settings, rule)] if isinstance(rule, Alert) else [rule.name, rule.expr]
    return {word for expr in asked for word in re.findall(r"[a-zA-Z_:][\w:]*", expr)}


def _metrics(block: Block) -> set[str]:
    found = set()
    for address, query in queries_in(block):
        for metric in selectors.metric_names(query) if "/loki/" not in address else ():
            found |= set(re.findall(r'"(.*)"', metric)[0].split("|")) if metric.startswith("{") else {metric}
    return found


def test_metrics_in_runbooks_exist() -> None:
    named = {metric: block.place for block in BLOCKS for metric in _metrics(block)}
    assert len(named) > 10, "the queries were not read"
    known = _known() | ELSEWHERE
    assert {metric: place for metric, place in named.items() if metric not in known} == {}


def test_runbooks_with_promtail_mention_alloy() -> None:
    of_one = [name for name, page in PAGES.items() if "fleetwatch-promtail" in page and "fleetwatch-alloy" not in page]
    assert not of_one, "with `logs.agent: alloy` there is no such container"


def test_containers_in_runbooks_exist() -> None:
    """Capitals stand for what the reader fills in: the whole name, or that of a server in the stack file."""
    settings = [make() for make in CASES.values()] + alert_docs.all_example_settings()
    roles = {role for one in settings for host in one.edges for role in services.roles(one, host)}
    there = {*roles, "JOB", *(f"{role.partition('-')[0]}-SERVER" for role in roles if "-" in role)}
    named = {role: name for name, page in PAGES.items() for role in re.findall(r"fleetwatch-([\w-]*\w)", page)}
    assert {"agent", "thanos-receive", "redis-SERVER"} <= set(named)
    assert {role: name for role, name in named.items() if role not in there} == {}


def test_runbooks_with_prometheus_mention_thanos() -> None:
    of_one = [
        name for name, page in PAGES.items() if "fleetwatch-prometheus" in page and "fleetwatch-thanos" not in page
    ]
    assert not of_one, "a hub in a bucket has no such container"


def test_runbooks_with_queries_state_how_to_reach_another_hub() -> None:
    queried = {name: set(re.findall(r"curl .*127\.0\.0\.1:(\d+)", _commands(name))) for name in PAGES}
    assert sum(map(bool, queried.values())) > 30
    for name in (name for name, ports in queried.items() if ports):
        assert queried[name] == {"8482"}, f"{name}: the query side is at 8482"
        assert "`make tunnel STACK=prod PORT=8482`" in PAGES[name], name


def test_a_container_is_queried_by_its_address() -> None:
    """`localhost` may be ::1 there, where vmagent and Thanos do not listen."""
    assert [name for name in PAGES if "http://localhost" in _commands(name)] == []


def test_panels_in_runbooks_exist() -> None:
    there = {(board.title, panel.title) for board in boards(full()) for row in board.rows for panel in row.panels}
    named = {
        (board, panel, name)
        for name, page in PAGES.items()
        for panel, board in re.findall(r'Panel "([^"]+)"\s+of\s+the\s+dashboard\s+([A-Z]\w+(?: health)?)', page)
    }
    assert len(named) >= 4
    assert {one for one in named if one[:2] not in there} == set()
    vague = [name for name, page in PAGES.items() if re.search(r"Dashboard [A-Z]\w+,", page)]
    assert not vague, 'say which: Panel "..." of the dashboard ...'


@pytest.mark.parametrize(
    "name", [name for name, one in alert_docs.alerts_by_name().items() if "mountpoint" in one.summary]
)
def test_disk_searches_use_the_mountpoint_of_the_message(name: str) -> None:
    if name in ("DiskUsed", "ReadOnlyFilesystem"):  # the system's own disk, the kernel's log
        return
    assert "MOUNTPOINT" in _commands(name)
    assert not re.findall(r"(?:find|du)\b[^\n|]* /(?: |\n)", _commands(name)), "the search ends at the edge of /"


def test_silent_host_runbook_checks_both_push_endpoints() -> None:
    commands = _commands("HostSilent")
    assert f"https://HUB{names.METRICS_PUSH}" in commands
    assert f"http://{names.NO_DOMAIN}:{PUBLIC_PORTS['push']}{names.METRICS_PUSH}" in commands, "the endpoint in the VPC"


def test_silent_host_runbook_checks_the_caddy_of_a_hub_node() -> None:
    """A node's agent pushes through it alone, so no other alert can say that it is down."""
    assert "docker ps -a --filter name=fleetwatch-caddy" in _commands("HostSilent")


def test_streams_runbook_counts_label_values() -> None:
    assert "count(count by (container) (" in _commands("StreamsMany")


@pytest.mark.parametrize("name", ["LogLinesLost", "LokiDiscards"])
def test_top_log_sources_are_queried_from_loki(name: str) -> None:
    assert "bytes_over_time" in _commands(name)
    assert "docker stats" not in _commands(name), "it knows nothing of log lines"


@pytest.mark.parametrize("name", PAGES)
def test_growth_is_shown_by_a_range_of_values(name: str) -> None:
    for block in (block for block in BLOCKS if block.page == f"docs/runbooks/{name}.md"):
        asks = "\n".join(PAGES[name].splitlines()[: block.line - 1]).strip().split("\n\n")[-1]
        if re.search(r"\bgr[eo]w\b", asks) and queries_in(block):
            assert all("[" in query for _, query in queries_in(block)), f"{block.place}: {asks}"


@pytest.mark.parametrize("name", ["HubDiskFilling", "RetentionNotReached"])
def test_retention_is_queried_from_the_hub(name: str) -> None:
    """The preview says what the settings need only where a volume could be too small: not of a hub on this machine."""
    assert "make preview" not in _commands(name)
    assert "prometheus_tsdb_retention_limit_bytes" in _commands(name)


def test_http_errors_runbook_states_the_delay() -> None:
    assert "for five minutes" in PAGES["HttpErrors"]
    assert "seven minutes" not in PAGES["HttpErrors"]


def test_refused_writes_are_read_where_they_are_counted() -> None:
    commands = _commands("NodeAlone")
    assert "thanos_receive_(replications|forward_requests)_total" in commands
    assert "docker logs --since 15m fleetwatch-thanos-receive" not in commands, "it logs no refused write as a warning"


def test_lost_node_is_made_again_by_rebuild() -> None:
    assert "made again by `make rebuild HOST=hub-b`" in PAGES["NodesApart"]


def test_second_certificate_authority_is_that_of_one_hub() -> None:
    assert "that of one hub also at a second authority" in PAGES["CertificateExpires"], "a cluster has one issuer"


def test_foreign_host_is_found_by_its_connections() -> None:
    assert "netstat" in _commands("ForeignHost")
    assert "docker logs" not in _commands("ForeignHost"), "Caddy does not log a push that it accepted"


def test_rejected_configuration_is_compared_and_repaired() -> None:
    assert "make drift" in _commands("ConfigNotRead"), "an update detects an edited file, and a refresh does not"
    assert "fleetwatch-promtail" not in PAGES["ConfigNotRead"], "a log agent is restarted, it has no failed reload"


def test_column_of_both_views_is_qualified() -> None:
    assert ", job_stats.next_start FROM" in _commands("TimescaleAggregateLag"), "PostgreSQL refuses an ambiguous name"


def test_ports_of_nodes_are_tried_by_bash() -> None:
    """A minimal Debian has no `nc`, and BusyBox' has no -z."""
    assert [name for name in PAGES if re.search(r"\bnc -\w*z", _commands(name))] == []
    assert "/dev/tcp/" in _commands("NodeAlone")
