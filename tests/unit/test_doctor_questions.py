"""The doctor's questions: what is taken from the descriptions, how variables are filled, what alerts ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from configs import rules as described
from configs.dashboards import boards
from configs.dashboards.model import LOKI, Dashboard, Graph, Query, Row, Stat, Variable, env_and_host
from configs.dashboards.model import PROMETHEUS as METRICS
from configs.rules.model import Alert
from tests.fixtures.fake_hub import FakeHub, fake_hub
from tests.fixtures.full import full
from tools.doctor import queries, rules, selectors
from tools.doctor.variables import PER_HOST, Choices, filled
from tools.hubclient import HubClient

EVERY = queries.panel_queries(boards(full()))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as made:
        yield made


def test_every_expression_of_every_board_is_asked() -> None:
    import json

    from configs.dashboards import render

    targets = [
        target["expr"]
        for text in render(full()).values()
        for panel in json.loads(text)["panels"]
        for target in panel.get("targets", [])
    ]
    assert len(targets) > 80
    assert sorted(targets) == sorted(question.expr for question in EVERY), "the doctor would not see some of these"


def test_places_are_distinct_so_that_a_finding_leads_to_its_query() -> None:
    places = [question.place for question in EVERY]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("question", EVERY, ids=lambda question: question.place)
def test_no_variable_of_grafana_is_left(question: queries.PanelQuery) -> None:
    for case in ({}, {"host": "web-1", "container": "a.b"}):
        assert not re.findall(r"\$\{?[a-zA-Z_]\w*", filled(question.expr, question.variables, case)), question.expr


def test_a_value_is_a_pattern_in_a_string_so_its_backslashes_are_doubled() -> None:
    container = Variable(name="container", title="", selector="x", label="container")
    assert filled('x{c=~"$container"}', (container,), {"container": "a.b-c"}) == 'x{c=~"a\\\\.b-c"}'
    assert filled('x{c=~"$container"}', (container,), {}) == 'x{c=~".+"}'
    assert filled("rate(x[$__rate_interval]) + x[${__range_s}s:]", (), {}) == "rate(x[60s]) + x[3600s:]"


def _board(*asked: Query, variables: tuple[Variable, ...] = ()) -> list[queries.PanelQuery]:
    panel = Graph(title="p", description="x.", unit="none", queries=asked)
    board = Dashboard(
        name="b", title="B", description="", variables=(*env_and_host("up"), *variables), rows=(Row(panels=(panel,)),)
    )
    return queries.panel_queries([board])


def test_every_value_is_a_case_on_its_own_host(hub: FakeHub) -> None:
    for host in ("a", "b", "c"):
        hub.has("up", host=host)
        for number in range(PER_HOST + 2):
            hub.has("seen", host=host, container=f"{host}-{number}")
    container = Variable(name="container", title="", selector='seen{host=~"$host"}', label="container")
    (question,) = _board(Query(expr='x{host=~"$host",container=~"$container"}'), variables=(container,))
    choices = Choices(HubClient(hub.base), 1e9)
    cases = choices.cases(question)
    assert cases[0] == {}, "All comes first"
    assert [case for case in cases if set(case) == {"host"}] == [{"host": host} for host in "abc"]
    of_b = [case["container"] for case in cases if case.get("host") == "b" and "container" in case]
    assert of_b == [f"b-{number}" for number in range(PER_HOST + 2)], "each on its own host"
    assert choices.requests == 2, "once per selector"


def test_value_with_fewer_samples_than_a_rate_needs_is_no_case(hub: FakeHub) -> None:
    """A container that went while its agent was down has no mark of its end."""
    hub.has("seen", host="a", container="there")
    container = Variable(name="container", title="", selector="seen", label="container")
    for interval, since in ((0, 955), (120, 640)):
        (question,) = _board(Query(expr='x{container=~"$container"}'), variables=(container,))
        Choices(HubClient(hub.base), 1000.0).cases(replace(question, interval=interval))
        assert hub.asked[-1] == f"group by (env, host, container) (timestamp(seen) >= {since}.000)"


def test_a_variable_that_a_query_does_not_use_makes_no_case(hub: FakeHub) -> None:
    hub.has("up", host="a")
    (question,) = _board(Query(expr="sum(x)"))
    assert Choices(HubClient(hub.base), 1e9).cases(question) == [{}]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ('1 - a{x="y"} / (b{x="y"} > 0) > 0.9', ['a{x="y"}', 'b{x="y"}']),
        ('sum by (h) (increase({__name__=~"p|q"}[15m])) > 0', ['{__name__=~"p|q"}']),
        ('count_over_time((time() - timestamp(up{j="a"}) > 60)[1h:15s]) * 15 > 0 and up{j="a"} < 3', ['up{j="a"}']),
        ('rate(x{a=~"b\\\\.c\\"d"}[5m] offset 1h) > 0', ['x{a=~"b\\\\.c\\"d"}']),
        ("absent(up) or vector(1)", ["up"]),
        ("vector(1)", []),
    ],
)
def test_what_an_alert_asks_for(expr: str, found: list[str]) -> None:
    assert selectors.promql_selectors(expr) == found


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ('sum(rate({a="b"} | level="error" |~ `{x}` [5m])) > 1', ['{a="b"}']),
        ('{a="}", b=~`c{2}`} | json | line_format "{{.msg}}"', ['{a="}", b=~`c{2}`}']),
        ('count_over_time({a="b"}[1h]) / count_over_time({c="d"}[1h])', ['{a="b"}', '{c="d"}']),
    ],
)
def test_what_a_log_query_asks_for(expr: str, found: list[str]) -> None:
    assert selectors.logql_selectors(expr) == found


def test_own_state_of_an_alert_is_no_data_that_it_needs() -> None:
    listed = {rule.name: rule for rule in rules.described_rules(full())}
    for name in ("ConfigNotRead", "ReadOnlyFilesystem", "LogsSilent"):
        assert "ALERTS{" in listed[name].expr
        assert not [one for one in listed[name].inputs if one.startswith("ALERTS")]
        assert listed[name].inputs


def test_a_zero_that_stands_in_for_data_is_known_from_one_in_a_string() -> None:
    assert selectors.has_zero("count(x) or vector(0)")
    assert not selectors.has_zero('count(x{a="b or vector(0)"})')
    assert selectors.metric_names('a{b="c"} + rate({__name__=~"d|e",f="g"}[1m])') == ["a", '{__name__=~"d|e"}']


def test_every_rule_is_asked_about() -> None:
    listed = rules.described_rules(full())
    names = {one.name for group in described.groups(full()) for one in group.rules}
    assert {rule.name for rule in listed} >= names
    blind = [rule.name for rule in listed if not rule.inputs]
    assert blind == ["Watchdog"], "an alert that looks at nothing cannot be judged"


def test_a_stat_and_its_source_are_taken_as_they_are() -> None:
    stat = Stat(title="s", description="x.", unit="none", source=LOKI, query=Query(expr="1", empty="why"))
    board = Dashboard(name="b", title="B", description="", variables=(), rows=(Row(panels=(stat,)),))
    (question,) = queries.panel_queries([board])
    assert (question.place, question.source, question.form, question.empty) == ("b / s", LOKI, "instant", "why")
    assert METRICS != LOKI
    assert Alert(name="A", expr="1", summary="", description="").empty == ""
