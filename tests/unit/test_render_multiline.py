"""Which containers' lines are joined, as rendered; tests/rendered/test_log_lines.py joins them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from configs.settings import Settings, load
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, small


def _stages(settings: Settings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(rendering.promtail_config(settings, "hub"))["scrape_configs"][0][
        "pipeline_stages"
    ]
    return found


def test_multiline_is_set_per_container_before_project_and_all_others_have_the_usual_rule() -> None:
    logs = {
        "multiline": [
            {"project": "shop", "first_line": "^=="},
            {"container": "worker", "first_line": "^--"},
            {"container": "raw", "join": False},
        ]
    }
    stages = _stages(load(small(hosts={"hub": {"logs": logs}}), SOURCE))
    matches = [stage["match"] for stage in stages if "match" in stage]
    joined = {one["selector"]: one["stages"] for one in matches if "multiline" in str(one["stages"])}
    *given, usual = joined
    assert given == [
        '{job="docker",container="worker"}',
        '{job="docker",container!="worker",container!="raw",compose_project="shop"}',
    ]
    assert usual.startswith('{job="docker",container!="worker",container!="raw",compose_project!="shop",container!~"')
    assert [stages[0]["multiline"]["firstline"] for stages in list(joined.values())[:2]] == ["^--", "^=="]


def test_an_own_container_whose_events_have_one_line_waits_for_no_other() -> None:
    """Each pass over a container costs CPU also while it writes nothing."""
    stages = _stages(full())
    (usual,) = (s["match"]["selector"] for s in stages if "multiline" in str(s.get("match", {}).get("stages")))
    own = re.search(r'container!~"(.*)"', usual)
    assert own
    names = own[1].split("|")
    assert {"fleetwatch-promtail", "fleetwatch-node-exporter", "fleetwatch-loki"} <= set(names)
    assert not {"fleetwatch-ask", "fleetwatch-ask-database", "shop-web-1"} & set(names), (
        "these have events of many lines"
    )
