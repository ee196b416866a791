"""The doctor's judgement, against a small hub: what is data, what is empty, what is declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from configs import dashboards
from configs import rules as described
from configs.dashboards.model import LOKI, Dashboard, Graph, Lacking, Logs, Query, Row, Stat, Variable, env_and_host
from configs.rules.model import Alert, Group, Record
from configs.settings import load
from tests.fixtures.fake_hub import FakeHub, healthy_hub
from tests.fixtures.full import small
from tools.doctor import command, report, rules, short_lived
from tools.doctor.verdicts import Verdict
from tools.hubclient import HubClient

SETTINGS = load(small(env="test"), "stacks/Pulumi.test.yaml")
CONTAINER = Variable(name="container", title="", selector='seen{host=~"$host"}', label="container")
LEVEL = Variable(name="level", title="", values=("error", "fatal"), all_value=".*")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """One hub with one host, two containers and a line."""
    with healthy_hub() as made:
        yield made


def _found(
    hub: FakeHub,
    monkeypatch: pytest.MonkeyPatch,
    *panels: Any,
    rules: tuple[Alert | Record, ...] = (),
) -> report.Findings:
    """Of a board and rules that a test makes up, in the place of the program's own."""
    board = Dashboard(
        name="b",
        title="B",
        description="",
        variables=(*env_and_host("up"), CONTAINER, LEVEL),
        rows=(Row(panels=panels),),
    )
    monkeypatch.setattr(command, "boards", lambda _: (board,))
    monkeypatch.setattr(described, "groups", lambda _: [Group(name="g", rules=rules)])
    monkeypatch.setattr(described, "alerts", lambda _: [one for one in rules if isinstance(one, Alert)])
    hub.rules = [{"name": one.name, "health": "ok"} for one in rules]
    return command.examine(HubClient(hub.base), SETTINGS)


def _graph(expr: str, empty: str = "", source: str = "prometheus") -> Graph:
    return Graph(title="p", description="x.", unit="none", source=source, queries=(Query(expr=expr, empty=empty),))


def _one(found: report.Findings) -> Verdict:
    (verdict,) = found.verdicts
    return verdict


def test_a_query_with_data_is_well(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(hub, monkeypatch, _graph('held{env=~"$env",host=~"$host",container=~"$container"}'))
    assert (_one(found).state, _one(found).empty) == ("ok", ())
    assert _one(found).cases == 1 + 1 + 1 + 2, "All, the environment, the host, two containers"
    assert not found.faults


def test_a_query_that_cannot_have_data_is_empty(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(hub, monkeypatch, _graph('hold{env=~"$env",host=~"$host"}'))
    assert (_one(found).state, _one(found).empty) == ("EMPTY", ("All",))
    assert found.faults == 1
    said = report.as_text(found)
    assert "b / p: All" in said
    assert "1 fault found." in said


def test_a_query_that_is_empty_for_one_value_alone_names_it(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    expr = 'limited{host=~"$host",container=~"$container"}'
    assert _one(_found(hub, monkeypatch, _graph(expr))).empty == ("host=hub, container=b",)
    declared = _one(_found(hub, monkeypatch, _graph(expr, "why; test_x")))
    assert (declared.state, declared.declared) == ("declared", "why; test_x")


def test_what_the_answer_for_all_shows_is_not_asked_again(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    _found(hub, monkeypatch, _graph('limited{host=~"$host",container=~"$container"}'))
    asked = [expr for expr in hub.asked if expr.startswith("limited")]
    assert len([expr for expr in asked if 'container=~"a"' in expr]) == 0, asked
    assert len([expr for expr in asked if 'container=~"b"' in expr]) == 2, "asked, and once more with finer steps"
    hub.asked.clear()
    _found(hub, monkeypatch, _graph('sum(held{host=~"$host",container=~"$container"})'))
    asked = [expr for expr in hub.asked if expr.startswith("sum(held")]
    assert len([expr for expr in asked if 'container=~"a"' in expr]) == 1, "a sum does not tell whose it is"


def test_hosts_that_lack_what_a_query_needs_are_excused(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host excuses itself by its own metric: one that has the thing and no series is a fault."""
    for host in ("old", "new", "odd"):
        hub.has("up", host=host, job="node", instance="1")
    hub.has("pressure", host="new")
    hub.has("collected", 0, host="old")
    hub.has("collected", 0, host="hub")
    lacking = Lacking(hosts='collected{host=~"$host"} == 0', reason="no pressure information")
    query = Query(expr='pressure{host=~"$host"}', lacking=lacking)
    graph = Graph(title="p", description="x.", unit="none", queries=(query,))
    verdict = _one(_found(hub, monkeypatch, graph))
    assert (verdict.state, verdict.empty) == ("EMPTY", ("host=odd",)), "it does not report that it lacks anything"
    hub.has("pressure", host="odd")
    verdict = _one(_found(hub, monkeypatch, graph))
    assert (verdict.state, verdict.declared) == ("declared", "no pressure information")
    assert verdict.empty == ("host=hub", "host=old")


def test_a_container_that_ran_for_less_than_a_minute_is_excused(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    expr = 'limited{host=~"$host",container=~"$container"}'
    monkeypatch.setattr(short_lived, "query", lambda host, name: f'short{{host="{host}",container="{name}"}}')
    hub.has("short", host="hub", container="a")
    assert _one(_found(hub, monkeypatch, _graph(expr))).state == "EMPTY", "another container"
    hub.has("short", host="hub", container="b")
    verdict = _one(_found(hub, monkeypatch, _graph(expr)))
    assert (verdict.state, verdict.declared) == ("declared", short_lived.REASON)
    assert verdict.empty == ("host=hub, container=b",)


def test_a_query_declared_empty_that_has_data_is_simply_well(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _one(_found(hub, monkeypatch, _graph("sum(held{})", "why; test_x"))).state == "ok"


def test_a_series_of_nan_alone_is_no_data(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.has("broken", float("nan"), host="hub")
    stat = Stat(title="p", description="x.", unit="none", query=Query(expr="broken{}"))
    assert _one(_found(hub, monkeypatch, stat)).state == "EMPTY"


def test_a_zero_proves_nothing_about_what_it_counts(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    misspelt = _one(_found(hub, monkeypatch, _graph('count(helt{host=~"$host"}) or vector(0)')))
    assert (misspelt.state, misspelt.empty) == ("EMPTY", ("behind its zero: helt",))
    none_of_them = _graph('count(held{host=~"$host",container="none"}) or vector(0)')
    assert _one(_found(hub, monkeypatch, none_of_them)).state == "ok", "the metric is there, none is a true answer"


def test_a_refused_query_fails_with_the_servers_words(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.refuse = {"held": "parse error: unexpected end of input"}
    for source in ("prometheus", LOKI):
        verdict = _one(_found(hub, monkeypatch, _graph("held{", source=source)))
        assert (verdict.state, verdict.error) == ("failed", "parse error: unexpected end of input")


def test_a_variable_that_the_server_refuses_is_a_fault_of_what_uses_it(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.refuse = {"group by (env, host, container) (timestamp(seen": "bad selector"}
    verdict = _one(_found(hub, monkeypatch, _graph('held{container=~"$container"}')))
    assert (verdict.state, verdict.error) == ("failed", "the values of a variable: bad selector")


def test_an_alert_that_cannot_be_taken_apart_is_a_fault(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Alert(name="A", expr="held{} >> 9", summary="", description="")
    verdict = _one(_found(hub, monkeypatch, rules=(odd,)))
    assert verdict.state == "failed"
    assert verdict.error.startswith("the expression cannot be parsed:")


def test_a_level_that_nobody_writes_is_not_judged(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Logs(title="l", description="x.", expr='{host=~"$host",level=~"$level"}')
    found = _found(hub, monkeypatch, lines)
    assert _one(found).state == "ok", f"`fatal` is a choice, not a value that there is: {_one(found)}"


def test_many_hosts_are_not_asked_for_one_by_one(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        hub.has("up", host=f"h{number}", job="node", instance="1")
        for name in "abcdefghij":
            hub.has("seen", host=f"h{number}", container=name)
            hub.has("held", host=f"h{number}", container=name)
    of = 'held{env=~"$env",host=~"$host",container=~"$container"}'
    before = len(hub.asked)
    _found(hub, monkeypatch, *(_graph(of) for _ in range(20)))
    assert len(hub.asked) - before < 60, "each query once, the variables, and what is asked of hosts"
    before = len(hub.asked)
    found = _found(hub, monkeypatch, _graph(f"sum({of})"))
    assert len(hub.asked) - before < 300, "a sum for every host, and for five containers of each"
    assert "were left out" in " ".join(found.notes)


def test_an_alert_is_judged_by_what_it_looks_at(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def alert(expr: str, **more: Any) -> Alert:
        return Alert(name="A", expr=expr, summary="", description="", **more)

    assert _one(_found(hub, monkeypatch, rules=(alert("held{} > 9"),))).state == "ok", "it need not fire"
    missing = _one(_found(hub, monkeypatch, rules=(alert('held{} / halt{a="b"} > 9'),)))
    assert (missing.state, missing.empty) == ("EMPTY", ('halt{a="b"}',))
    assert _one(_found(hub, monkeypatch, rules=(alert("halt > 1", empty="why"),))).state == "declared"
    in_logs = alert('sum(rate({job="docker"} |~ "x" [5m])) > 1', logs=True)
    assert _one(_found(hub, monkeypatch, rules=(in_logs,))).state == "ok"
    no_logs = alert('sum(rate({job="dokker"} [5m])) > 1', logs=True)
    assert _one(_found(hub, monkeypatch, rules=(no_logs,))).empty == ('{job="dokker"}',)


def test_what_a_recording_rule_makes_must_be_there(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Record(name="host:held", expr="sum(held{})")
    assert _one(_found(hub, monkeypatch, rules=(rule,))).state == "EMPTY"
    hub.has("host:held", host="hub")
    assert _one(_found(hub, monkeypatch, rules=(rule,))).state == "ok"


def test_a_rule_that_the_hub_does_not_have_or_cannot_evaluate_is_said(hub: FakeHub) -> None:
    listed = [rules.Rule("alert A", "A", "1", "", ()), rules.Rule("alert B", "B", "1", "", ())]
    hub.rules = [{"name": "B", "health": "err", "lastError": "many-to-many matching"}]
    said = rules.not_loaded(HubClient(hub.base), listed)
    assert "rule A: the hub's Prometheus does not have it" in said[0]
    assert said[1] == "rule B: its last evaluation failed: many-to-many matching"


def test_json_has_everything_and_no_secret_stands_in_the_settings(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(report.as_json(_found(hub, monkeypatch, _graph("sum(held{})"))))
    assert found["counts"] == {"ok": 1, "declared": 0, "EMPTY": 0, "failed": 0}
    assert found["hosts"][0]["host"] == "hub"
    assert found["hosts"][0]["series"]["node"] == 7
    assert found["hosts"][0]["streams"] == 1
    assert found["requests"] == len(hub.asked), "the number that is said is the number that was asked"


def test_the_boards_of_the_program_are_what_is_asked() -> None:
    assert vars(command)["boards"] is dashboards.boards
