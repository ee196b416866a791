"""A panel of a job that is scraped slowly has a range with enough samples, for any interval of the job."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from configs import dashboards
from configs.dashboards import intervals
from configs.services import grafana_files, scrape_jobs
from configs.settings import Settings, load
from tests.fixtures.full import SOURCE, full, raw

SLOW = 120  # seconds


def _slow() -> Settings:
    """Every job of every host at two minutes."""
    sections = raw()
    for host in sections["hosts"].values():
        host["scrape"] = dict.fromkeys(
            ("node", "cadvisor", "postgres", "sql", "probes", "exporters", "agents", "hub"), f"{SLOW}s"
        )
        for app in host.get("apps", {}).values():
            app["interval"] = f"{SLOW}s"
    return load(sections, SOURCE)


def _rates(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    """Every query with `$__rate_interval`, by dashboard and panel, as Grafana gets it."""
    return [
        (f"{board['title']}: {panel['title']}", target)
        for board in map(json.loads, dashboards.render(settings).values())
        for panel in board["panels"]
        for target in panel.get("targets", [])
        if "$__rate_interval" in target["expr"]
    ]


SETTINGS = _slow()
RATES = _rates(SETTINGS)


def test_every_job_of_the_example_is_slow() -> None:
    assert set(intervals.job_intervals(SETTINGS).values()) == {SLOW}
    assert len(RATES) > 30


@pytest.mark.parametrize(("place", "target"), RATES, ids=[f"{n}-{place}" for n, (place, _) in enumerate(RATES)])
def test_the_interval_of_a_query_is_that_of_its_job(place: str, target: dict[str, Any]) -> None:
    assert re.search(r'job=~?"', target["expr"]), f"{place}: without a job its interval is unknown"
    assert target.get("interval") == f"{SLOW}s", f"{place}: 4 x {intervals.SOURCE} s hold no two samples"


def test_the_longest_interval_of_any_host_decides() -> None:
    jobs = {"sql": 60, "node": 15, "shop-1": 30}
    assert intervals.of_expression('rate(x{job="sql"}[$__rate_interval])', jobs) == 60
    assert intervals.of_expression('x{job="node"}', jobs) == 0, "that of the data source is long enough"
    assert intervals.of_expression('x{job=~"node|shop-1",a="b"} / y{job="sql"}', jobs) == 60
    assert intervals.of_expression('x{exported_job="sql",job="node"}', jobs) == 0
    assert intervals.of_expression("x", jobs) == 0


def test_the_interval_of_the_data_source_is_the_one_that_is_compared_with() -> None:
    sources = yaml.safe_load(grafana_files.data_sources(full()))["datasources"]
    assert [one["jsonData"]["timeInterval"] for one in sources if one["uid"] == "prometheus"] == [
        f"{intervals.SOURCE}s"
    ]


def test_jobs_of_all_hosts_are_known() -> None:
    assert {job for host in SETTINGS.edges for job in scrape_jobs(SETTINGS, host)} == set(
        intervals.job_intervals(SETTINGS)
    )
