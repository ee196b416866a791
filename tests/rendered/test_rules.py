"""Each alert of configs/rules with `promtool test rules`: when it must fire, and when it must be silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import rules
from configs.settings import Settings, load
from tests.fixtures.full import small

SITE = "https://monitor.example.com"
HERE = {"env": "test", "host": "hub"}
AGENT = 'up{job="agent",env="test",host="hub",instance="localhost:9090"}'
DROPPED = 'promtail_dropped_entries_total{env="test",host="hub",reason="ingester_error"}'
DISK = '{job="node",env="test",host="hub",mountpoint="/",fstype="ext4"}'
AVAILABLE, SIZE = f"node_filesystem_avail_bytes{DISK}", f"node_filesystem_size_bytes{DISK}"
# 15 s apart, as the agent's own job is: 40 samples are ten minutes.
STEADY = {AGENT: "1x400"}


def _settings(**edge: Any) -> Settings:
    return load(small(env="test", hosts={"hub": edge}), "stacks/Pulumi.test.yaml")


def _fires(tool: Any, folder: Path, series: dict[str, str], alert: str, at: str, settings: Settings) -> list[Any]:
    """The label sets with which `alert` fires at `at`, as promtool tells them."""
    for name, text in rules.files(settings, SITE).items():
        (folder / name).write_text(text)
    test = {
        "rule_files": sorted(rules.files(settings, SITE)),
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": key, "values": values} for key, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump(test))
    done = tool("promtool")("test", "rules", path)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return []
    assert "exp:[" in said.replace("exp: [", "exp:["), f"promtool failed for another reason:\n{said}"
    got = said.split("got:", 1)[1]
    return [line for line in got.splitlines() if "Labels:" in line]


FIRING = {
    "Watchdog": ({}, "1m"),
    "DiskUsed": ({AVAILABLE: "5x400", SIZE: "100x400"}, "10m"),
    "HostSilent when a host never sent": ({}, "3m"),
    "HostSilent when a host stopped": ({AGENT: "1x40 stale"}, "14m"),
    "TargetDown": ({**STEADY, 'up{job="node",env="test",host="hub",instance="x"}': "0x400"}, "5m"),
    "SamplesLost after a gap shorter than the look-back": ({AGENT: "1x40 _x12 1x100"}, "20m"),
    "SamplesLost after a long gap": ({AGENT: "1x40 _x60 1x100"}, "30m"),
    "ConfigNotRead": (
        {'prometheus_config_last_reload_successful{env="test",host="hub",job="agent"}': "1x8 0x40"},
        "5m",
    ),
    "LogLinesLost": ({DROPPED: "0x20 5x100"}, "10m"),
    "LogLinesLost of Alloy": ({'loki_write_dropped_entries_total{env="test",host="hub"}': "0x20 5x100"}, "10m"),
}
SILENT = {
    "DiskUsed": ({AVAILABLE: "50x400", SIZE: "100x400"}, "10m"),
    "HostSilent": (STEADY, "30m"),
    "HostSilent during a short pause": ({AGENT: "1x40 _x8 1x100"}, "12m"),
    "TargetDown": (STEADY, "30m"),
    "TargetDown for a restart": ({'up{job="node",env="test",host="hub"}': "1x20 0x4 1x100"}, "6m15s"),
    "ConfigNotRead": ({'prometheus_config_last_reload_successful{env="test",host="hub",job="agent"}': "1x400"}, "30m"),
    "SamplesLost": (STEADY, "90m"),
    "SamplesLost once an hour has passed": ({AGENT: "1x40 _x12 1x400"}, "80m"),
    "SamplesLost for a host that is still away": ({AGENT: "1x40 _x100"}, "14m"),
    "LogLinesLost": ({DROPPED: "7x100"}, "20m"),
}


@pytest.mark.parametrize("case", FIRING)
def test_it_fires(case: str, tool, tmp_path: Path) -> None:
    series, at = FIRING[case]
    assert _fires(tool, tmp_path, series, case.split()[0], at, _settings()), f"{case}: nobody would have been told"


@pytest.mark.parametrize("case", SILENT)
def test_it_is_silent(case: str, tool, tmp_path: Path) -> None:
    series, at = SILENT[case]
    fired = _fires(tool, tmp_path, series, case.split()[0], at, _settings())
    assert not fired, f"{case}: an alert for nothing: {fired}"


def test_samples_lost_is_silent_when_the_agent_is_scraped_rarely(tool, tmp_path: Path) -> None:
    slow = _settings(scrape={"agents": "2m"})
    series = {AGENT: "1 " + "_ _ _ _ _ _ _ 1 " * 60}
    fired = _fires(tool, tmp_path, series, "SamplesLost", "50m", slow)
    assert not fired, "a scrape interval that the settings allow must not look like a loss"


def test_every_alert_has_a_firing_and_a_silent_case() -> None:
    groups = [group for text in rules.files(_settings(), SITE).values() for group in yaml.safe_load(text)["groups"]]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    assert alerts == {case.split()[0] for case in FIRING}, "each alert needs a case in which it fires"
    assert alerts - {"Watchdog"} == {case.split()[0] for case in SILENT}, "each alert but the watchdog can be silent"


def test_every_alert_says_what_is_wrong_and_where() -> None:
    groups = [group for text in rules.files(_settings(), SITE).values() for group in yaml.safe_load(text)["groups"]]
    for rule in (rule for group in groups for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("none", "warning", "critical"), f"{rule['alert']}: unknown severity"
        assert {"summary", "description"} <= set(rule["annotations"]), f"{rule['alert']}: a person must understand it"
