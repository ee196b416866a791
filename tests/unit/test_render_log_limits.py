"""The limits of a host's log agent, rendered: lines per second, and what Loki refuses for good."""

from __future__ import annotations

import re
from typing import Any

import yaml

from configs.settings import Settings, load
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, small


def _logs(**logs: Any) -> Settings:
    return load(small(hosts={"hub": {"logs": logs}}), SOURCE)


def test_a_429_is_final_so_that_one_stream_does_not_stop_the_hosts_queue() -> None:
    (client,) = yaml.safe_load(rendering.promtail_config(_logs(), "hub"))["clients"]
    assert client["drop_rate_limited_batches"] is True
    assert re.search(r"^\t\tretry_on_http_429\s+= false$", rendering.alloy_config(_logs(), "hub"), re.MULTILINE)


def test_a_log_agent_reads_slower_above_the_line_rate_and_drops_nothing() -> None:
    settings = _logs(line_rate=123)
    limits = yaml.safe_load(rendering.promtail_config(settings, "hub"))["limits_config"]
    assert {key: value for key, value in limits.items() if key.startswith("readline_")} == {
        "readline_rate_enabled": True, "readline_rate": 123, "readline_burst": 123, "readline_rate_drop": False
    }  # fmt: skip
    text = rendering.alloy_config(settings, "hub")
    stage = re.search(r'loki\.process "line_rate" \{.*?stage\.limit \{(.*?)\}', text, re.DOTALL)
    assert stage is not None
    assert dict(re.findall(r"(\w+)\s+= (\w+)", stage[1])) == {"rate": "123", "burst": "123", "drop": "false"}


def test_every_source_of_alloy_passes_the_line_rate() -> None:
    settings = _logs(files={"a": {"path": "/srv/a.log"}}, journal=True)
    receivers = re.findall(r"forward_to\s+= \[(\S+)\.receiver\]", rendering.alloy_config(settings, "hub"))
    assert receivers.count("loki.write.hub") == 1, "of the line rate alone"
    assert receivers.count("loki.process.line_rate") == 3, "containers, the file, the journal"
