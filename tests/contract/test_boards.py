"""What a person sees of every dashboard at 1366 pixels: whole tables, whole legends, different names of series."""

from __future__ import annotations

import re
from typing import Any

import pytest

from configs import names, rules
from configs.dashboards import boards, layout
from configs.dashboards.json_model import dashboard
from configs.dashboards.model import LOKI, MOST_SERIES, NOT_SHOWN, PROMETHEUS, Graph, Query, Stat, Table
from configs.rules.model import Alert, Record, expression
from tests.contract.result_labels import NONE, UNKNOWN, result_labels
from tests.fixtures.fleets import cluster
from tests.fixtures.full import full
from tests.unit.test_dashboards import expressions
from tools.doctor import queries

SETTINGS = full()
BOARDS = boards(SETTINGS)
# A hub of three nodes has panels that no other has, and other queries and columns in some.
CLUSTER = cluster()
EVERY = [*(("", board) for board in BOARDS), *(("cluster/", board) for board in boards(CLUSTER))]
# Of at most three hosts: the nodes of one hub.
OF_NODES = names.matcher(CLUSTER.hub.hosts)
# Of one value in a fleet: the stack file has one `env`.
FIXED = {"env"}
# Labels with as many values on a host as its user likes.
OPEN = {
    "application_name",
    "container",
    "datname",
    "hypertable",
    "job",
    "job_id",
    "server",
    "mountpoint",
    "probe",
    "slot",
    "view",
}
# Values that are no names: paths inside of a container, addresses, bounds of buckets.
NO_NAMES = {"rule_group", "filename", "instance", "le", "id"}
# Grafana's short forms that nobody reads: c/s, p/s, wr/s, rd/s, io/s, evt/s, mess/s.
RIDDLES = {"cps", "pps", "wps", "rps", "iops", "eps", "mps", "cpm", "opm", "wpm", "rpm", "mpm"}


def _panels(kind: type[Any]) -> list[Any]:
    """(panel, its JSON) of every panel of a kind."""
    found = []
    for where, board in EVERY:
        drawn = [panel for panel in dashboard(board)["panels"] if panel["type"] != "row"]
        declared = [panel for row in board.rows for panel in row.panels]
        for panel, shown in zip(declared, drawn, strict=True):
            if isinstance(panel, kind):
                found.append(pytest.param(panel, shown, id=f"{where}{board.name}/{panel.title}"))
    return found


GRAPHS, STATS, TABLES = _panels(Graph), _panels(Stat), _panels(Table)


def _labels(panel: Graph | Stat | Table, query: Any) -> frozenset[str]:
    """With numbers in the place of Grafana's variables for time, which the parser does not know."""
    return result_labels(re.sub(r"\$__\w+", "1m", query.expr), panel.source)


def _in_legend(query: Query) -> set[str]:
    return set(re.findall(r"\{\{(\w+)\}\}", query.legend))


# --- alerts


def _alert_selectors() -> list[tuple[str, str]]:
    """(place, selector) of every use of ALERTS on a dashboard and in a rule."""
    places = expressions(PROMETHEUS) + [
        (rule.name, rule.expr if isinstance(rule, Record) else expression(SETTINGS, rule))
        for rule in [*(rule for group in rules.groups(SETTINGS) for rule in group.rules), *rules.alerts(SETTINGS)]
        if isinstance(rule, (Alert, Record))
    ]
    return [(place, selector) for place, expr in places for selector in re.findall(r"\bALERTS(?:\{[^}]*\})?", expr)]


def test_counts_and_lists_of_alerts_leave_out_the_watchdog() -> None:
    """It always fires, and has the host `hub`: a count with it is never 0."""
    found = _alert_selectors()
    assert len({place for place, _ in found if place.endswith((": Firing alerts", ": Alert list"))}) == 4
    wrong = [one for one in found if not re.search(r'alertname(="\w+"|!="Watchdog")', one[1])]
    assert not wrong, "firing_alerts() of model.py is without it"


# --- tables


@pytest.mark.parametrize(("table", "shown"), TABLES)
def test_all_columns_of_a_table_are_visible_at_1366_pixels(table: Table, shown: dict[str, Any]) -> None:
    """As Grafana computes widths: `width`, else `minWidth`, else 150 pixels. The rest is behind a scroll bar."""
    widths: dict[str, dict[str, int]] = {}
    for override in shown["fieldConfig"]["overrides"]:
        for item in override["properties"]:
            if item["id"] in {"custom.width", "custom.minWidth"}:
                widths.setdefault(override["matcher"]["options"], {})[item["id"]] = item["value"]
    headings = list(shown["transformations"][1]["options"]["renameByName"].values())
    columns = {name: max(0, *widths.get(name, {"": 150}).values()) for name in headings}
    available = layout.available(shown["gridPos"]["w"])
    assert sum(columns.values()) <= available, f"{sum(columns.values())} of {available} pixels: {columns}"
    cut = {name: width for name, width in columns.items() if width < len(name) * layout.CHARACTER}
    assert not cut, "a heading does not fit its column"


def test_a_column_without_a_width_takes_150_pixels() -> None:
    """Seven of them do not fit a page, so the test above can fail."""
    assert 7 * 150 > layout.available(layout.COLUMNS) > 900
    assert layout.available(8) < 330


@pytest.mark.parametrize(("table", "shown"), TABLES)
def test_a_table_is_as_high_as_the_rows_it_is_made_for(table: Table, shown: dict[str, Any]) -> None:
    assert 3 <= table.rows <= 10, "fewer are not read as a table, more leave a page white"
    pixels = shown["gridPos"]["h"] * (layout.UNIT + layout.GAP) - layout.GAP
    needed = layout.PANEL_HEAD + layout.PANEL_FRAME + layout.TABLE_ROW * (table.rows + 1)
    assert 0 <= pixels - needed < 2 * layout.TABLE_ROW


@pytest.mark.parametrize(("table", "shown"), TABLES)
def test_a_table_has_a_column_for_every_label_of_its_values(table: Table, shown: dict[str, Any]) -> None:
    for column in table.columns:
        assert _labels(table, column) == frozenset(table.labels), column.title
    hidden = {label for label, title in table.labels.items() if title == NOT_SHOWN}
    assert hidden <= FIXED, "rows that differ by it look alike"
    excluded = shown["transformations"][1]["options"]["excludeByName"]
    assert {name for name, off in excluded.items() if off} == {"Time", *hidden}


def test_a_fleet_has_one_environment() -> None:
    assert isinstance(SETTINGS.env, str)
    assert len(SETTINGS.edges) > 1
    assert not any(hasattr(edge, "env") for edge in SETTINGS.edges.values())


# --- graphs and stats


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_legends_carry_every_label_that_distinguishes_series(graph: Graph, shown: dict[str, Any]) -> None:
    for query in graph.queries:
        labels = _labels(graph, query)
        assert UNKNOWN.isdisjoint(labels), f"aggregate `by` what the legend shows: {query.expr}"
        assert labels - FIXED == _in_legend(query), f"{query.legend!r} of {query.expr}"
        assert query.legend, "a series without a legend is named by its expression"
        assert NO_NAMES.isdisjoint(labels)


@pytest.mark.parametrize(("stat", "shown"), STATS)
def test_a_stat_of_several_series_names_them(stat: Stat, shown: dict[str, Any]) -> None:
    labels = _labels(stat, stat.query)
    assert UNKNOWN.isdisjoint(labels), stat.query.expr
    assert labels - FIXED == _in_legend(stat.query)
    assert stat.show_names == (labels != NONE)


def test_series_of_hosts_with_equal_databases_have_different_names() -> None:
    (lag,) = [param.values[0] for param in GRAPHS if param.id == "postgres/Replication lag (time)"]
    (query,) = lag.queries
    named = {query.legend.replace("{{host}}", host).replace("{{database}}", "main") for host in ("db-1", "db-2")}
    assert len(named) == 2


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_graphs_of_what_may_be_many_are_limited_and_sorted(graph: Graph, shown: dict[str, Any]) -> None:
    limited = f"topk({MOST_SERIES}, "
    for query in graph.queries:
        labels = _labels(graph, query)
        many = "host" in labels and bool(OPEN & labels) and OF_NODES not in query.expr
        assert (limited in query.expr) == many, query.expr
    legend = shown["options"]["legend"]
    assert (legend["displayMode"], legend["sortBy"], legend["sortDesc"]) == ("table", "Max", True)
    assert "max" in legend["calcs"], "Grafana sorts by a figure that the legend has"
    assert (f"The {MOST_SERIES} series" in shown["description"]) == any(limited in q.expr for q in graph.queries)


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_no_row_of_a_legend_is_cut(graph: Graph, shown: dict[str, Any]) -> None:
    if shown["options"]["legend"]["placement"] == "right":
        assert shown["gridPos"]["w"] == layout.COLUMNS
        return
    rows = layout.legend_rows(shown["gridPos"]["h"])
    assert rows >= 3
    assert rows % 1 < 0.2, f"{rows:.2f} rows of the legend are visible"


def test_a_height_of_eight_cuts_the_third_row() -> None:
    assert 2.3 < layout.legend_rows(8) < 2.7


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_an_axis_of_zeros_has_a_bound(graph: Graph, shown: dict[str, Any]) -> None:
    defaults = shown["fieldConfig"]["defaults"]
    assert defaults["min"] == 0
    top = defaults.get("max") or defaults["custom"]["axisSoftMax"]
    assert 0 < top <= 1024, "Grafana draws zeros on an axis to 100"
    assert graph.unit != "percentunit" or top <= 1


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_areas_do_not_cover_each_other(graph: Graph, shown: dict[str, Any]) -> None:
    custom = shown["fieldConfig"]["defaults"]["custom"]
    single = len(graph.queries) == 1 and not _in_legend(graph.queries[0])
    covering = custom["fillOpacity"] > 0 and custom["stacking"]["mode"] == "none" and custom["drawStyle"] == "line"
    assert not covering or single


@pytest.mark.parametrize(("graph", "shown"), GRAPHS)
def test_bars_and_lines_of_logs_are_at_least_a_minute_apart(graph: Graph, shown: dict[str, Any]) -> None:
    needles = graph.source == LOKI or shown["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars"
    assert shown.get("interval", "") == ("1m" if needles else "")


def test_units_are_readable() -> None:
    for where, board in EVERY:
        for panel in (panel for row in board.rows for panel in row.panels):
            for one in (panel, *getattr(panel, "columns", ())):
                assert getattr(one, "unit", "") not in RIDDLES, f"{where}{board.name} / {panel.title}"


def test_every_query_is_covered() -> None:
    """Of a kind of panel that is added later too."""
    known = {str(param.id) for param in (*GRAPHS, *STATS, *TABLES)}
    known = {one for one in known if not one.startswith("cluster/")}
    shown = {"/".join(one.place.split(" / ")[:2]) for one in queries.panel_queries(BOARDS) if one.form != "lines"}
    assert shown == known
