"""What `make up` does about differences: with commands of a state that run here instead of on hosts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.deployed_state import Deployed, command, host, state
from tools import custom_check, deployed, drift, pull_everywhere, repair, storage_change, up
from tools.errors import ToolError
from tools.pulumi_process import streamed
from tools.stack import Stack


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def compared(stack: Stack) -> repair.Comparison:
    made = repair.Comparison(stack)
    made.found()
    return made


def test_up_runs_the_commands_of_a_host_that_differs_again(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Deployed(state(host(tmp_path, "a"), host(tmp_path, "b", "file /x: gone\n")))
    assert repair.repair(stack, compared(stack)) == []
    assert log.read_text() == "repair b-project\n", "the host that is as deployed is left alone"
    out = capsys.readouterr().out
    assert "host b: differs from what was deployed" in out
    assert "file /x: gone" in out
    assert drift.report(stack) == 0


def test_up_makes_a_host_ready_whose_folder_is_gone(tmp_path: Path, log: Path) -> None:
    ready = command("a-ready", "a", compares=False, environment={"LOG": str(log), "DIFFERS": ""})
    for lines, ran in (
        ("folder /x: gone\n", "repair a-ready\nrepair a-project\n"),
        ("file /x: gone\n", "repair a-project\n"),
    ):
        log.unlink(missing_ok=True)
        stack = Deployed(state(ready, host(tmp_path, "a", lines)))
        assert repair.repair(stack, compared(stack)) == []
        assert log.read_text() == ran


def test_up_repairs_a_host_whose_docker_is_gone(tmp_path: Path, log: Path) -> None:
    ready = command("a-ready", "a", compares=False, environment={"LOG": str(log), "DIFFERS": ""})
    broken = command("a-project", "a", f'[ "$ACTION" = repair ] || exit 127; echo ran >> {log}')
    stack = Deployed(state(ready, broken))
    assert repair.repair(stack, compared(stack)) == []
    assert log.read_text() == "repair a-ready\nran\n"


def test_up_names_a_dead_host_and_goes_on(tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dead = command("a-project", "a", 'echo "host a: no SSH connection" >&2; exit 255')
    stack = Deployed(state(dead, host(tmp_path, "b", "file /x: gone\n")))
    assert repair.repair(stack, compared(stack)) == []
    assert log.read_text() == "repair b-project\n"
    assert "host a: not compared with what was deployed: no SSH connection" in capsys.readouterr().out


def test_up_names_a_host_once_that_the_engine_could_not_reach(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = [command(f"{one}-project", one, f'echo "host {one}: no SSH connection" >&2; exit 255') for one in "ab"]
    engine = "    host a: no SSH connection to root@203.0.113.7 port 22 (ssh.timeout: 10 s): timed out"

    class Up(Deployed):
        def select(self, repair: bool = True) -> None:
            """As `up` does."""

        def run(self, *arguments: str, shown: Callable[[str], None] | None = None) -> int:
            return streamed(["sh", "-c", f"echo '{engine}'; exit 1"], self.env, self.name, shown)

    monkeypatch.setattr(up, "_deployed_images", lambda _: {})
    monkeypatch.setattr(pull_everywhere, "pull", lambda _: None)
    monkeypatch.setattr(custom_check, "require", lambda _: None)
    monkeypatch.setattr(storage_change, "require", lambda *_: None)
    with pytest.raises(ToolError, match="pulumi up failed"):
        up.up(Up(state(*dead, host(tmp_path, "c", "file /x: gone\n"))))
    out = capsys.readouterr().out
    assert out.count("host a:") == 1
    assert out.count("host b: not compared with what was deployed: no SSH connection") == 1
    assert log.read_text() == "repair c-project\n"


def test_up_shows_what_a_repair_warns_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "there"
    warns = f'if [ "$ACTION" = drift ]; then [ -e {there} ] || echo "container a: exited"; exit; fi; touch {there}'
    said = "host a: warning: hosts.a.networks: the Docker network shop does not exist there now"
    stack = Deployed(state(command("a-project", "a", f'{warns}; echo "{said}" >&2; echo other >&2')))
    assert repair.repair(stack, compared(stack)) == []
    out = capsys.readouterr().out
    assert said in out
    assert "other" not in out


def test_up_reports_a_repair_that_fails(tmp_path: Path) -> None:
    script = '[ "$ACTION" = drift ] && echo "file /x: gone" || { echo "host a: no space left" >&2; exit 1; }'
    stack = Deployed(state(command("a-project", "a", script)))
    problems = repair.repair(stack, compared(stack))
    assert problems == ["host a: no space left"]
    assert "host a: no space left" in repair.failures(problems)


def test_up_compares_nothing_on_a_first_run() -> None:
    class Empty(Deployed):
        def export_clear(self) -> dict[str, Any]:
            raise AssertionError("there is no state to read")

    stack = Empty({})
    assert repair.repair(stack, repair.Comparison(stack)) == []


def test_up_leaves_a_host_alone_that_the_update_removed(tmp_path: Path, log: Path) -> None:
    stack = Deployed(state(host(tmp_path, "a", "file /x: gone\n")))
    before = compared(stack)
    stack.state = state()
    assert repair.repair(stack, before) == []
    assert not log.exists()


def test_what_an_update_changed_is_not_shown_as_drift(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison runs beside the engine: it may see the host before, during or after its change."""
    stack = Deployed(state(host(tmp_path, "a", "file /x: edited\n")))
    before = compared(stack)
    stack.state = state({**host(tmp_path, "a"), "modified": "2"})
    assert repair.repair(stack, before) == []
    assert "differs" not in capsys.readouterr().out
    assert log.read_text() == "repair a-project\n", "it may have differed before, and running it again is harmless"


def test_an_interruption_ends_the_comparison_and_begins_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployed, "_RUNNING", deployed._Running())
    slow = command("a-project", "a", f"touch {tmp_path}/one; sleep 20")
    second = command("a-other", "a", f"touch {tmp_path}/two")
    stack = Deployed(state(slow, second))
    begun = time.monotonic()

    def interrupted() -> None:
        with repair.Comparison(stack) as comparison:
            while not (tmp_path / "one").exists():
                time.sleep(0.05)
            made.append(comparison)
            raise KeyboardInterrupt

    made: list[repair.Comparison] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    made[0].found()
    assert time.monotonic() - begun < 10
    assert not (tmp_path / "two").exists()
