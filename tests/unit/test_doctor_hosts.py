"""The doctor's look at hosts, and its exit codes, against a small hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import dashboards
from configs import rules as described
from configs.settings import load
from configs.settings.secrets import is_secret_path
from tests.fixtures import full
from tests.fixtures.fake_hub import FakeHub, healthy_hub
from tests.fixtures.full import small
from tools import agent_targets
from tools.doctor import command, hosts, queries
from tools.doctor.querier import Querier
from tools.hubclient import HubClient
from tools.stack import Stack

SETTINGS = load(small(env="test"), "stacks/Pulumi.test.yaml")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with healthy_hub() as made:
        yield made


class _Stack(Stack):
    """One whose hub is where the test says."""

    address = ""

    def outputs(self, secrets: bool = False) -> dict[str, Any]:
        assert not secrets, "the doctor needs no secret"
        return {"query": self.address, "hosts": {"hub": {}}}


def _stack(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("FLEETWATCH_STATE", str(folder))
    file = folder / "Pulumi.test.yaml"
    hosts_of_it = {"hub": {"postgres": {"main": {"dsn": {"secure": "v1:abc:def"}}}}}
    file.write_text(yaml.safe_dump({"config": {"fleetwatch:hub": {"local": {}}, "fleetwatch:hosts": hosts_of_it}}))
    stack = _Stack("test", file, {})
    stack.address = address
    return stack


def test_exit_codes_and_that_a_hub_which_is_away_is_one_sentence(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "boards", lambda _: ())
    monkeypatch.setattr(described, "groups", lambda _: [])
    monkeypatch.setattr(described, "alerts", lambda _: [])
    hub.has("up", host="hub", job="postgres", instance="p")
    hub.has("up", host="hub", job="sql", instance="s")
    stack = _stack(tmp_path, hub.base, monkeypatch)
    assert command.doctor(lambda: stack, as_json=True) == command.WELL
    assert json.loads(capsys.readouterr().out)["faults"] == 0, "stdout is JSON and nothing else"
    hub.series = [one for one in hub.series if one[0].get("job") != "node"]
    assert command.doctor(lambda: stack, as_json=False) == command.FAULTS
    assert "hub: no sample of job node" in capsys.readouterr().out
    away = _stack(tmp_path, "http://127.0.0.1:9", monkeypatch)
    assert command.doctor(lambda: away, as_json=True) == command.NOT_ASKED
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"fleetwatch: The hub does not answer at http://127.0.0.1:9: .*\n", err), err


def test_a_mistaken_stack_file_is_said_and_nothing_is_asked(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = _stack(tmp_path, hub.base, monkeypatch)
    stack.file.write_text("config:\n  fleetwatch:hosts: {hub: {colour: red}}\n  fleetwatch:hub: {local: {}}\n")
    assert command.doctor(lambda: stack, as_json=False) == command.NOT_ASKED
    assert "hosts.hub.colour" in capsys.readouterr().err
    assert hub.asked == []


def test_settings_are_read_without_any_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def sealed(value: Any, path: str = "") -> Any:
        if isinstance(value, dict):
            return {key: sealed(inner, f"{path}.{key}".lstrip(".")) for key, inner in value.items()}
        return {"secure": "v1:a:b"} if is_secret_path(path) else value

    stack = _stack(tmp_path, "", monkeypatch)
    raw = full.without_web_1(full.raw())
    stack.file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{k}": v for k, v in sealed(raw).items()}}))
    assert "secure" in stack.file.read_text()
    read = command.settings_of(stack)
    assert {place.place for place in queries.panel_queries(dashboards.boards(read))} == {
        place.place for place in queries.panel_queries(dashboards.boards(load(raw, full.SOURCE)))
    }, "nothing fell away because a secret was not read"


def _wrong(hub: FakeHub) -> list[str]:
    (one,) = hosts.examine(Querier(HubClient(hub.base), hosts.hub_time(HubClient(hub.base))), SETTINGS)
    return one.wrong


def test_a_host_that_is_well_has_no_sentence(hub: FakeHub) -> None:
    assert _wrong(hub) == []


def test_a_host_that_sends_nothing_is_said_with_what_to_do(hub: FakeHub) -> None:
    hub.sample_age = 200
    (said,) = [one for one in _wrong(hub) if "no metric" in one]
    assert "hub: no metrics for 200 s" in said
    assert "docker logs fleetwatch-agent" in said
    hub.series = []
    assert any("no metrics in a day" in one for one in _wrong(hub))


def test_a_target_that_is_down_is_named(hub: FakeHub) -> None:
    hub.series = [
        (labels, 0.0 if labels["job"] == "promtail" else value) for labels, value in hub.series if "job" in labels
    ]
    assert [one.split(".")[0] for one in _wrong(hub)] == ["hub: target down: job promtail at promtail:1"]


@pytest.mark.parametrize(
    ("errors", "shown"),
    [
        ({("promtail", "promtail:1"): "http://promtail:1/metrics: EOF"}, "(http://promtail:1/metrics: EOF)"),
        (agent_targets.Unreadable("ssh: timed out"), "(the agent does not answer: ssh: timed out)"),
    ],
)
def test_a_target_that_is_down_is_explained_by_its_agent(
    hub: FakeHub, errors: agent_targets.Errors | agent_targets.Unreadable, shown: str
) -> None:
    hub.series = [
        (labels, 0.0 if labels["job"] == "promtail" else value) for labels, value in hub.series if "job" in labels
    ]
    client = HubClient(hub.base)
    querier = Querier(client, hosts.hub_time(client))
    (report,) = hosts.examine(querier, SETTINGS, lambda names: dict.fromkeys(names, errors))
    assert report.wrong[0].startswith(f"hub: target down: job promtail at promtail:1 {shown}. On the host: ")


def test_a_host_without_log_lines_is_said(hub: FakeHub) -> None:
    hub.streams = []
    (said,) = _wrong(hub)
    assert "no log line in a day" in said
    assert "docker logs fleetwatch-promtail" in said


def test_a_clock_that_is_ahead_is_seen_though_its_samples_are_from_later(hub: FakeHub) -> None:
    hub.sample_age = -100
    assert any("its clock is ahead of the hub's by at least 100 s" in one for one in _wrong(hub)), _wrong(hub)
    hub.sample_age = 40
    assert any("its clock is behind the hub's by at least" in one for one in _wrong(hub))


def test_each_target_narrows_the_clock_down() -> None:
    ages = {("h", "node", "1"): 3.0, ("h", "cadvisor", "2"): 9.0}
    assert hosts.clock(ages, {"node": 15, "cadvisor": 10}) == (-3.0, 6.0)
    assert hosts.clock({}, {}) is None
