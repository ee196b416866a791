"""`make rebuild` of a machine that the cloud no longer has."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from configs.settings import Settings
from tests.fixtures.full import in_bucket
from tools import replacement
from tools.errors import ToolError
from tools.stack import Stack

HUB = "urn:pulumi:prod::fleetwatch::fleetwatch:index:Host$digitalocean:index/droplet:Droplet::hub-droplet"
DISK = "urn:pulumi:prod::fleetwatch::fleetwatch:index:Host$digitalocean:index/volume:Volume::hub-volume"


class StandIn(Stack):
    """A stack whose engine finds `left` at the cloud."""

    def __init__(self, left: list[str]) -> None:
        self.left, self.asked = left, list[tuple[str, ...]]()
        self.state = {"deployment": {"resources": [{"urn": HUB, "type": replacement.DROPLET}]}}

    def quiet(self, *arguments: str, stdin: str | None = None) -> str:
        self.asked.append(arguments)
        return ""

    def read_state(self) -> dict[str, Any]:
        return {"deployment": {"resources": [{"urn": urn} for urn in self.left]}}

    def run(self, *arguments: str, shown: object = None) -> int:
        self.asked.append(arguments)
        return 0


@pytest.mark.parametrize(
    ("left", "gone"),
    [([HUB, DISK], []), ([HUB], ["hub-volume"]), ([], ["hub-droplet", "hub-volume"])],
    ids=["both there", "no volume", "neither"],
)
def test_only_what_is_named_is_looked_for(left: list[str], gone: list[str]) -> None:
    stack = StandIn(left)
    assert replacement.lost(stack, [HUB, DISK]) == gone
    assert stack.asked == [("refresh", "--yes", "--skip-preview", "--target", HUB, "--target", DISK)]


@pytest.mark.parametrize("there", [True, False])
def test_what_is_gone_is_not_replaced_but_made(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    stack = StandIn([])
    monkeypatch.setattr(replacement, "report_status", lambda _: True)
    assert replacement.replace(stack, replacement.DROPLET, "hub-droplet", "Replacing", there=there) == 0
    assert ("--replace" in stack.asked[0], HUB in stack.asked[0]) == (there, there)


def test_a_stack_file_with_fewer_nodes_removes_none_by_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stored(StandIn):
        def prepare(self, check: bool = True) -> dict[str, Any]:
            return {}

        def select(self, repair: bool = True) -> None:
            outputs = {"query": "x", "storage": "cluster"}
            self.state = {"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]}}

        def settings(self) -> Settings:
            return in_bucket()

    stack = Stored([])
    monkeypatch.setattr(replacement, "open_stack", lambda _: stack)
    with pytest.raises(ToolError, match="run `make grow TO=bucket`"):
        replacement._rebuild(argparse.Namespace(host="hub-b"))
    assert not stack.asked
