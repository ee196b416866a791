"""Durations in rendered files, in units that the field's reader knows.

Go's time.ParseDuration knows no days; the durations of Prometheus (model.Duration) may have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from configs.services import agent, alertmanager, loki, sql_exporter
from configs.settings import Settings, load
from configs.units import go_duration, parse_duration, prometheus_duration
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, raw

GO = re.compile(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+")
PROMETHEUS = re.compile(r"(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")  # common/model/time.go
DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|ms|s|m|h|d|w|y))+")
ALLOY_ATTRIBUTE = re.compile(r'^\s*(\w+)\s*=\s*"([^"\n]*)"$', re.MULTILINE)


@pytest.fixture(params=["24h", "1d", "36h", "7d", "90m"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """The full stack with the journal on, at this outage budget."""
    sections = raw()
    sections["hub"]["outage_budget"] = request.param
    assert all(host["logs"]["journal"] for host in sections["hosts"].values())
    return load(sections, SOURCE)


def _durations(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, value) of every value in a YAML document that is a duration in some unit."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _durations(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for value in tree:
            yield from _durations(value, path)
    elif isinstance(tree, str) and DURATION.fullmatch(tree):
        yield path, tree


def _go_parses(durations: dict[str, str]) -> None:
    assert {path: value for path, value in durations.items() if not GO.fullmatch(value)} == {}


def _prometheus_parses(durations: dict[str, str]) -> None:
    assert {path: value for path, value in durations.items() if not PROMETHEUS.fullmatch(value)} == {}


def test_go_parses_every_duration_of_promtail(settings: Settings) -> None:
    found = dict(_durations(yaml.safe_load(rendering.promtail_config(settings, "hub"))))
    assert "scrape_configs.journal.max_age" in found
    _go_parses(found)


def test_go_parses_every_duration_of_alloy(settings: Settings) -> None:
    attributes = dict(ALLOY_ATTRIBUTE.findall(rendering.alloy_config(settings, "web-1")))
    found = {key: value for key, value in attributes.items() if DURATION.fullmatch(value)}
    assert {"max_age", "batch_wait", "refresh_interval"} <= set(found)
    _go_parses(found)


def test_go_parses_every_duration_of_sql_exporter(settings: Settings) -> None:
    found = dict(_durations(yaml.safe_load(sql_exporter.secret(settings.edges["hub"]))))
    assert "global.scrape_timeout" in found
    _go_parses(found)


def test_go_parses_loki_durations_outside_limits(settings: Settings) -> None:
    tree = yaml.safe_load(loki.config(settings))
    limits = dict(_durations(tree.pop("limits_config")))
    of_prometheus = {"retention_period", "reject_old_samples_max_age", "split_instant_metric_queries_by_interval"}
    assert set(limits) == of_prometheus, "model.Duration, all of them"
    _prometheus_parses(limits)
    _go_parses(dict(_durations(tree)))


def test_prometheus_parses_its_durations(settings: Settings) -> None:
    for text in (
        rendering.prometheus_config(settings),
        rendering.agent_config(settings, "hub"),
        alertmanager.config(settings),
    ):
        found = dict(_durations(yaml.safe_load(text)))
        assert found
        _prometheus_parses(found)
    flags = dict(word.split("=", 1) for word in agent.command(settings) if word.startswith("--storage.agent."))
    flags.pop("--storage.agent.path")
    assert len(flags) == 3
    _prometheus_parses(flags)


@pytest.mark.parametrize("seconds", [1, 59, 60, 3600, 5400, 43200, 86400, 90000, 90061, 31536000])
def test_both_forms_keep_the_value(seconds: int) -> None:
    assert parse_duration(go_duration(seconds)) == seconds
    assert GO.fullmatch(go_duration(seconds))
    assert parse_duration(prometheus_duration(seconds)) == seconds
