"""The rendered dashboards: complete, distinct, without overlap, the same bytes for the same input.

promtool checks the expressions in test_panels.py, with the file from `expressions_as_rules()`.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields
from itertools import combinations
from typing import Any

import pytest
import yaml

from configs.dashboards import render
from configs.dashboards.model import Column, Graph, Stat
from configs.rules.exporters import JOBS
from configs.services import grafana_files
from tests.fixtures.full import full

Board = dict[str, Any]
_DATA_SOURCES = yaml.safe_load(grafana_files.data_sources(full()))["datasources"]
SOURCES = {source["uid"]: source["type"] for source in _DATA_SOURCES}
# What Grafana puts in, with values of the kind it puts in.
BUILTINS = {"__rate_interval": "60s", "__interval": "15s", "__range": "3600s", "__auto": "15s"}
BOARDS: dict[str, Board] = {name: json.loads(text) for name, text in render(full()).items()}


def _panels(*types: str) -> list[Any]:
    """(dashboard, panel) of every panel of these types, by default of all but rows."""
    return [
        pytest.param(board, panel, id=f"{name.removesuffix('.json')}/{panel['title']}")
        for name, board in BOARDS.items()
        for panel in board["panels"]
        if (panel["type"] in types if types else panel["type"] != "row")
    ]


PANELS = _panels()


def variables(board: Board) -> set[str]:
    return {variable["name"] for variable in board["templating"]["list"]}


def filled(board: Board, text: str) -> str:
    """The expression with every known variable replaced; unknown ones stay and are found by a test."""
    values = {name: ".+" for name in variables(board)} | BUILTINS
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match.group(1), match.group(0)), text)


def expressions(uid: str) -> list[tuple[str, str]]:
    """(dashboard and panel, filled expression) of one data source."""
    found = []
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                if target["datasource"]["uid"] == uid:
                    found.append((f"{name}: {panel['title']}", filled(board, target["expr"])))
    return found


def expressions_as_rules() -> str:
    """A rule file with every PromQL expression, for `promtool check rules`."""
    rules = [{"record": f"panel:{n}", "expr": expr} for n, (_, expr) in enumerate(expressions("prometheus"))]
    return yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}, width=1000)


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert render(full()) == render(full())


def test_file_names_are_the_uids_and_uids_are_distinct() -> None:
    uids = [board["uid"] for board in BOARDS.values()]
    assert [f"{uid}.json" for uid in uids] == list(BOARDS)
    assert len(set(uids)) == len(uids)
    wanted = {"fleet", "hosts", "containers", "logs", "hub", "postgres", "timescale", "http", "probes", *JOBS}
    assert {uid.removeprefix("fleetwatch-") for uid in uids} == wanted


def test_titles_are_distinct() -> None:
    titles = [board["title"] for board in BOARDS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_every_panel_has_a_description_and_a_provisioned_source(board: Board, panel: Board) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert SOURCES[panel["datasource"]["uid"]] == panel["datasource"]["type"], "a data source that is provisioned"
    assert panel["targets"], "a panel without a query is never filled"
    refs = [target["refId"] for target in panel["targets"]]
    assert len(set(refs)) == len(refs)
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_every_value_has_a_unit(board: Board, panel: Board) -> None:
    if panel["type"] in {"stat", "timeseries"}:
        assert panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] == "table":
        with_unit = {
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            if any(one["id"] == "unit" and one["value"] for one in override["properties"])
        }
        _, organize = panel["transformations"]
        named = organize["options"]["renameByName"]
        assert with_unit == {heading for name, heading in named.items() if name.startswith("Value")}


@pytest.mark.parametrize("kind", [Stat, Graph, Column])
def test_unit_has_no_default(kind: Any) -> None:
    """With a default, no test could find a missing unit."""
    (unit,) = [one for one in fields(kind) if one.name == "unit"]
    assert unit.default is MISSING
    assert unit.default_factory is MISSING


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_every_variable_that_a_query_uses_exists(board: Board, panel: Board) -> None:
    for target in panel["targets"]:
        # `$` also ends an anchored pattern, and `$1` is a group of label_replace: only names count.
        assert not re.findall(r"\$\{?[A-Za-z_]\w*", filled(board, target["expr"])), target["expr"]


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_panels_filter_by_the_selected_hosts(board: Board, panel: Board) -> None:
    about_the_hub = board["uid"] == "fleetwatch-hub"
    for target in panel["targets"]:
        # `$host|` takes what is about no host as well.
        assert about_the_hub or re.search(r'=~"\$host\|?"', target["expr"]), target["expr"]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_fill_the_grid_without_overlap(board: Board) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    for place in places:
        assert place["w"] > 0
        assert place["x"] + place["w"] <= 24
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (a, b)
    for y in {place["y"] for place in places}:
        assert sum(place["w"] for place in places if place["y"] == y) == 24


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panel_ids_are_distinct(board: Board) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_dashboard_starts_with_environment_and_host_set_to_all(board: Board) -> None:
    listed = board["templating"]["list"]
    assert [variable["name"] for variable in listed[:2]] == ["env", "host"]
    for variable in listed:
        if variable["type"] != "textbox":
            assert variable["multi"]
            assert variable["includeAll"]
            assert variable["allValue"] in {".+", ".*"}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_variable_uses_only_those_before_it(board: Board) -> None:
    before: set[str] = set()
    for variable in board["templating"]["list"]:
        used = set(re.findall(r"\$(\w+)", json.dumps(variable.get("query", ""))))
        assert used <= before, variable["name"]
        before.add(variable["name"])


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_links_lead_to_dashboards_and_variables_that_exist(board: Board) -> None:
    known = {b["uid"]: variables(b) for b in BOARDS.values()}
    for url in re.findall(r'"url": "([^"]*)"', json.dumps(board)):
        uid, _, query = url.removeprefix("/d/").partition("?")
        assert uid in known
        assert set(re.findall(r"var-(\w+)=", query)) <= known[uid]
        assert "${__url_time_range}" in query, "a link must keep the time range"
        assert query.startswith("${env:queryparam}&"), "a link must keep the environment"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_dashboards_link_to_each_other_and_keep_time_range_and_host(board: Board) -> None:
    every = {name: set(other["tags"]) for name, other in BOARDS.items()}
    assert all(link["keepTime"] for link in board["links"])
    led = [{name for name, tags in every.items() if set(link["tags"]) <= tags} for link in board["links"]]
    assert set.union(*led) == set(BOARDS)
    assert sum(map(len, led)) == len(BOARDS), "once each"
    with_choice = set.union(*(to for link, to in zip(board["links"], led, strict=True) if link["includeVars"]))
    some = {f"fleetwatch-{name}.json" for name in ("postgres", "timescale", "http", "probes", *JOBS)}
    assert with_choice == set(BOARDS) - some, "a host without a database or a service has nothing on those"


def test_variables_have_one_meaning_on_all_dashboards() -> None:
    titles: dict[str, set[str]] = {}
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            titles.setdefault(variable["name"], set()).add(variable["label"])
    assert {name: found for name, found in titles.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("board", "panel"), _panels("table"))
def test_table_overrides_refer_to_renamed_columns(board: Board, panel: Board) -> None:
    merge, organize = panel["transformations"]
    headings = set(organize["options"]["renameByName"].values())
    overridden = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert merge["id"] == "merge"
    assert overridden <= headings
    assert all(rule["displayName"] in headings for rule in panel["options"]["sortBy"])


def test_the_rule_file_has_every_expression() -> None:
    rules = yaml.safe_load(expressions_as_rules())["groups"][0]["rules"]
    assert len(rules) == len(expressions("prometheus")) > 40
    assert all(expr.count("(") == expr.count(")") for _, expr in expressions("prometheus"))
