"""The fleet, eighth part too: the preview comment of changes that need a cloud has the engine's own numbers."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.integration.fleet import Fleet
from tools.comment import changes, records, warnings

pytestmark = pytest.mark.xdist_group("fleet")

OPS = {"create": "added", "update": "changed", "replace": "replaced", "delete": "removed"}
# What is changed, and what has to be loud about it.
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "host added": ({"hosts": {"web-9": {"droplet": {"size": "s-1vcpu-1gb"}}}}, ""),
    "host removed": ({"hosts": {"database": None}}, "database-agent"),
    "hub resized": ({"hub": {"droplet": {"size": "s-8vcpu-16gb"}}}, "hub-droplet"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_comment_has_the_numbers_of_the_engine(fleet: Fleet, name: str) -> None:
    change, loud = CHANGES[name]
    folder = fleet.home / name.replace(" ", "-")
    with fleet.meanwhile(change):
        done = fleet.tool("record", str(folder / f"{fleet.name}.preview.json"))
        assert done.returncode == 0, done.stdout[-4000:]
        said = fleet.tool("pulumi", "preview", "--json").stdout
    summary: dict[str, int] = json.loads(said[said.index("{") :])["changeSummary"]
    planned = {OPS[op]: number for op, number in summary.items() if op in OPS}
    (record,) = records.read_records(folder)
    found = changes.planned_changes(record)
    assert planned, "the change was to change something"
    assert Counter(one.action for one in found) == planned == changes.counts(record)
    warned = {word for line in warnings.warnings(found) for word in re.findall(r"`([^`]+)`", line)}
    assert (loud in warned) if loud else not warned, warned
