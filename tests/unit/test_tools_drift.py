"""`make drift`, with commands of a state that run here instead of on hosts."""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.deployed_state import CONTAINER, Deployed, command, host, secret, state
from tools import deployed, drift, pulumi_state
from tools.comment import drift as issue
from tools.comment import records
from tools.errors import ToolError


def step(op: str, kind: str, name: str, *why: str) -> dict[str, Any]:
    return {"op": op, "urn": f"urn:pulumi:t::fleetwatch::{kind}::{name}", "diffReasons": list(why)}


def test_clean_hosts_exit_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift.report(Deployed(state(host(tmp_path, "a"), host(tmp_path, "b")))) == 0
    out = capsys.readouterr().out
    assert "a: as deployed" in out
    assert "b: as deployed" in out
    assert "Nothing differs" in out


def test_drift_exits_with_1_and_names_each_difference_and_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = state(host(tmp_path, "a"), host(tmp_path, "b", "file /x: edited\ncontainer fw-agent: missing\n"))
    assert drift.report(Deployed(made)) == 1
    out = capsys.readouterr().out
    assert "b: 2 difference(s)" in out
    assert "\nb\n  file /x: edited\n  container fw-agent: missing\n" in out
    assert "`make up STACK=t` puts back what differs (b)." in out


def test_a_dead_host_exits_with_2_with_its_reason_and_the_others_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = command("b-project", "b", 'echo "host b: no SSH connection to b: timed out" >&2; exit 255')
    never = command("b-other", "b", f"touch {tmp_path}/never")
    assert drift.report(Deployed(state(host(tmp_path, "a", "file /x: gone\n"), dead, never))) == 2
    out = capsys.readouterr().out
    assert "NOT COMPARED: no SSH connection to b: timed out" in out
    assert "file /x: gone" in out
    assert not (tmp_path / "never").exists(), "each further command would wait for the dead host again"


def test_a_host_that_answers_too_late_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = command("b-project", "b", f"(sleep 2; touch {tmp_path}/late) & sleep 30")
    (one,) = deployed.comparing(state(slow))["b"]
    begun = time.monotonic()
    answer = deployed.run(one, "drift", {"PATH": "/usr/bin:/bin"}, limit=0.5)
    assert time.monotonic() - begun < 1.9
    assert answer.reason == "no answer within 0 s"
    assert not answer.reached
    time.sleep(2)
    assert not (tmp_path / "late").exists()


def test_hosts_are_compared_at_once(tmp_path: Path) -> None:
    made = state(*(command(f"h{n}-project", f"h{n}", "sleep 0.5") for n in range(10)))
    begun = time.monotonic()
    found = drift.ask(made, [f"h{n}" for n in range(10)], {"PATH": "/usr/bin:/bin"})
    assert time.monotonic() - begun < 3
    assert [one.host for one in found] == [f"h{n}" for n in range(10)]


def test_a_secret_goes_to_stdin_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = 'read -r found; [ "$found" = "hunter""22" ] && ! env | grep -q "hunter[2]2"'
    made = state(command("a-project", "a", script, inputs={"stdin": secret("hunter22\n")}))
    assert drift.report(Deployed(made)) == 0
    assert "hunter22" not in capsys.readouterr().out
    assert "hunter22" not in repr(deployed.comparing(made))


def test_a_state_without_its_secrets_is_refused() -> None:
    sealed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
    with pytest.raises(ToolError, match="without its secrets"):
        deployed.comparing(state(command("a-project", "a", inputs={"stdin": sealed})))


def test_only_marked_commands_are_run_and_none_of_an_abandoned_host(tmp_path: Path) -> None:
    other = command("a-ready", "a", f"touch {tmp_path}/ran", compares=False)
    left = command("b-project", "b", f"touch {tmp_path}/ran", retainOnDelete=True)
    going = command("c-project", "c", f"touch {tmp_path}/ran", delete=True)
    made = state(host(tmp_path, "a"), other, left, going)
    assert set(deployed.comparing(made)) == {"a"}
    assert drift.report(Deployed(made)) == 0
    assert not (tmp_path / "ran").exists()


def test_one_host_can_be_compared_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = state(host(tmp_path, "a", "file /x: gone\n"), host(tmp_path, "b", "file /y: gone\n"))
    assert drift.report(Deployed(made, ToolError("the engine runs only for all")), "b") == 1
    out = capsys.readouterr().out
    assert "/y" in out
    assert "/x" not in out
    with pytest.raises(ToolError, match="HOST=c: expected a host that is up \\(a, b\\)"):
        drift.report(Deployed(made), "c")


def test_a_stack_that_is_not_up_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drift, "open_stack", lambda _: Deployed(state()))
    assert drift._drift(argparse.Namespace(host="")) == 2
    assert "not up; `make up STACK=t`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        (
            [
                step("create", CONTAINER, "hub-loki"),
                step("update", deployed.COMMAND, "hub-ca"),
            ],
            ["Container hub-loki: missing"],
        ),
        (
            [step("replace", CONTAINER, "hub-loki", "memory")],
            ["Container hub-loki: changed (memory)"],
        ),
        ([step("update", "digitalocean:index/firewall:Firewall", "web", "tags")], ["Firewall web: changed (tags)"]),
        (
            [step("update", deployed.COMMAND, "a-project", "environment")],
            ["a-project: the stack file was changed and not deployed (environment)"],
        ),
        ([step("same", CONTAINER, "hub-loki")], []),
    ],
)
def test_the_engine_compares_the_hub_and_the_cloud(steps: list[dict[str, Any]], lines: list[str]) -> None:
    assert drift.engine_lines({"steps": steps}) == lines


def test_what_the_engine_cannot_compare_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift.report(Deployed(state(host(tmp_path, "a")), ToolError("Pulumi failed: 401 from DigitalOcean"))) == 2
    assert "hub and cloud\n  NOT COMPARED: 401 from DigitalOcean" in capsys.readouterr().out


def test_a_state_in_a_folder_is_read_as_pulumi_exports_it(tmp_path: Path) -> None:
    place = tmp_path / ".pulumi" / "stacks" / "fleetwatch"
    place.mkdir(parents=True)
    latest = {
        "resources": [{"type": "pulumi:pulumi:Stack", "outputs": {"query": "http://x"}}],
        "pending_operations": [1],
    }
    kept = json.dumps({"version": 3, "checkpoint": {"stack": "t", "latest": latest}})
    (place / "t.json").write_text(kept)
    found = pulumi_state.read(tmp_path, "t")
    assert found == {"version": 3, "deployment": latest}
    assert found is not None
    assert pulumi_state.outputs(found) == {"query": "http://x"}
    assert pulumi_state.pending(found) == [1]
    (place / "t.json").unlink()
    (place / "t.json.gz").write_bytes(gzip.compress(kept.encode()))
    assert pulumi_state.read(tmp_path, "t") == found
    (place / "t.json.gz").write_bytes(b"no state")
    assert pulumi_state.read(tmp_path, "t") is None
    assert pulumi_state.read(tmp_path, "other") is None


def test_the_issue_about_drift_names_what_differs_on_hosts_and_hosts_that_do_not_answer(tmp_path: Path) -> None:
    hosts = [
        {"host": "a", "lines": ["file /x: gone"], "reason": "", "reached": True},
        {"host": "b", "lines": [], "reason": "no SSH connection", "reached": False},
        {"host": "c", "lines": [], "reason": "", "reached": True},
    ]

    def written(drift_of: list[dict[str, Any]]) -> Any:
        content: dict[str, Any] = {"stack": "t", "problem": None, "preview": {"steps": []}, "drift": drift_of}
        (tmp_path / "t.preview.json").write_text(json.dumps(content))
        return issue.body(records.read_records(tmp_path))

    text = written(hosts)
    assert "- `a`: `file /x: gone`" in text
    assert "- `b` was not compared: no SSH connection" in text
    assert "`c`" not in text
    assert written(hosts[2:]) is None
    assert written(hosts[1:]) is not None, "a host that nobody can look at is no clean host"
