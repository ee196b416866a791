"""A droplet that a cut-off run was making: the next run asks the account before it makes one of the same name."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from unittest import mock

import pytest

from components import cloud_api
from components.cloud_api import CloudError
from tools import orphans, pulumi_command, pulumi_state, stack_secrets
from tools.errors import ToolError

PARENT = "urn:pulumi:prod::fleetwatch::fleetwatch:index:Droplet::web-1"
URN = f"urn:pulumi:prod::fleetwatch::fleetwatch:index:Droplet${orphans.DROPLET}::web-1-droplet"
NAME = "fleetwatch-prod-web-1"


def cut_off(*ids: str, operation: str = "creating", kind: str = orphans.DROPLET) -> dict[str, Any]:
    """A state that knows droplets with these ids, and has one operation under way."""
    inputs = {"name": NAME}
    resource = {"urn": URN, "custom": True, "type": kind, "parent": PARENT, "inputs": inputs}
    known = [{"type": orphans.DROPLET, "id": number, "inputs": inputs} for number in ids]
    return {"deployment": {"resources": known, "pending_operations": [{"type": operation, "resource": resource}]}}


def look(monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], *there: str) -> None:
    """Look at this state while the account has droplets of the name with these ids, and another one."""

    def droplets(config: Any, env: Any) -> dict[str, list[str]]:
        assert (config, env) == ({"digitalocean:token": "its own"}, {"PATH": "/bin"})
        return {"shop-1": ["7"], **({NAME: list(there)} if there else {})}

    monkeypatch.setattr(cloud_api, "droplets", droplets)
    orphans.refuse(state, "prod", lambda: {"digitalocean:token": "its own"}, {"PATH": "/bin"})


def test_one_that_only_the_account_knows_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match=f"would create it twice:\n  - {NAME}, id 42: ") as refused:
        look(monkeypatch, cut_off("41"), "41", "42")
    said = str(refused.value)
    assert "id 41" not in said, "that one is in the state"
    words = f"import {orphans.DROPLET} web-1-droplet 42 --parent host={PARENT}"
    assert f'make pulumi STACK=prod ARGS="{words}' in said, "the way into the state, ready to be run"
    assert "delete the droplet in DigitalOcean's control panel" in said
    assert "If another run is creating it now, wait" in said, "without a lock here it looks the same"


@pytest.mark.parametrize(
    ("state", "there"),
    [(cut_off(), ()), (cut_off("42"), ("42",)), (cut_off(operation="updating"), ("42",))],
    ids=["never made", "imported since", "changed in place"],
)
def test_a_run_goes_on_where_none_is_left_over(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], there: tuple[str, ...]
) -> None:
    look(monkeypatch, state, *there)


@pytest.mark.parametrize("state", [{}, {"deployment": {}}, cut_off(kind="docker:index/container:Container")])
def test_without_such_a_cut_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]) -> None:
    monkeypatch.setattr(cloud_api, "droplets", lambda *_: pytest.fail("the account was asked"))
    orphans.refuse(state, "prod", lambda: pytest.fail("the secrets were read"), {})


def test_an_account_that_cannot_be_asked_stops_the_run_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise CloudError("api.digitalocean.com cannot be reached")

    monkeypatch.setattr(cloud_api, "droplets", refused)
    with pytest.raises(ToolError, match=f"created droplet {NAME}, .*cannot be reached.*might create it twice"):
        orphans.refuse(cut_off(), "prod", dict, {})


@pytest.mark.parametrize(
    "kind",
    [
        orphans.DROPLET,
        "digitalocean:index/reservedIp:ReservedIp",
        "command:local:Command",  # an edge's project: it continues what it began
        "random:index/randomPassword:RandomPassword",
    ],
)
def test_the_note_is_dropped_and_what_was_not_looked_for_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    given: list[str] = []

    def run(argv: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        given.append(options["input"])
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    pulumi_state.clear_pending(cut_off(kind=kind), "prod", None, ["pulumi"], {})
    assert json.loads(given[0])["deployment"]["pending_operations"] == []
    assert ("may or may not" in capsys.readouterr().out) == kind.endswith("ReservedIp")


def test_the_ways_out_are_not_refused_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = mock.Mock()
    pulumi_command.run_pulumi(stack, ["import", orphans.DROPLET])
    monkeypatch.setattr("sys.stdin", mock.Mock(**{"isatty.return_value": False, "read.return_value": "dop_v1_x"}))
    stack_secrets.set_from_input(stack, "digitalocean:token")
    assert stack.select.call_args_list == [mock.call(repair=False)] * 2
    pulumi_command.run_pulumi(stack, ["preview"])
    assert stack.select.call_args == mock.call(repair=True)
