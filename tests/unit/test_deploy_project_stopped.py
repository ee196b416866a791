"""project.sh where a run before it, or one beside it, did not come to its end; and containers that do not run well."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path

import pytest

from tests.fixtures.fake_compose import AGENT, NEW, OLD, Host, Role, deployed

RELOAD = "exec fw-agent reload"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return deployed(tmp_path, OLD)


def _until(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} was not reached"
        time.sleep(0.01)


def _reloads(host: Host) -> list[str]:
    return [call for call in host.calls() if call.startswith(RELOAD)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_while_it_checks_leaves_everything(host: Host, how: signal.Signals) -> None:
    host.answer("run", ': > "$ANSWERS/checking"; sleep 0.5')
    process, before = host.begin(NEW), host.files()
    _until(host.answers / "checking")
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode != 0, "an interrupted run is no success"
    assert host.files() == before
    if how == signal.SIGTERM:
        assert not (host.base / "edge.next").exists(), "what it had begun is taken away"
    host.answer("run", "")
    assert host.deploy(NEW).returncode == 0
    assert host.files()["agent/config/a.yml"] == "changed\n", "the next run goes on"
    assert not (host.base / "edge.next").exists()


def test_a_run_that_is_killed_between_move_and_reload_is_finished_by_the_next(host: Host) -> None:
    host.answer("up", ': > "$ANSWERS/starting"; sleep 1')
    process = host.begin(NEW)
    _until(host.answers / "starting")
    process.kill()
    process.communicate(timeout=30)
    assert host.files()["agent/config/a.yml"] == "changed\n"
    assert (host.base / "edge.pending").read_text() == "agent/config/a.yml\n"
    assert _reloads(host) == []
    (host.answers / "up").unlink()
    (host.base / "edge.applied").write_text("4000000000\n")
    done = host.deploy(NEW)
    assert done.returncode == 0, done.stderr
    assert _reloads(host) == [f"{RELOAD} a.yml"], "nothing changed, but the process still has the old files"
    assert not (host.base / "edge.pending").exists()
    assert "applied at 4000000000\n" not in done.stdout, "the gate would take data from before the reload for a proof"
    host.deploy(NEW)
    assert len(_reloads(host)) == 1, "and then it is done"


def test_a_failed_reload_is_done_again_by_the_next_run(host: Host) -> None:
    host.answer("exec", '[ "$3" != reload ] || { echo "no such process"; exit 1; }')
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "no such process" in done.stderr
    assert "host web-1: fw-agent: reloading the new files failed (output above); the next update" in done.stderr
    host.answer("exec", "")
    assert host.deploy(NEW).returncode == 0
    assert len(_reloads(host)) == 2


def test_a_list_of_files_to_read_that_cannot_be_written_changes_nothing(host: Host) -> None:
    (host.base / "edge.pending").mkdir()
    before = host.files()
    done = host.deploy(NEW)
    assert done.returncode != 0
    assert host.files() == before, "what is moved and in no list would never be read"


def test_an_unhealthy_container_gets_the_files_that_may_heal_it(host: Host) -> None:
    """Its health is not waited for before they are read."""
    host.put("agent", "State.Health.Status", "unhealthy")
    host.answer(
        "exec",
        'case "$2 $3" in "fw-agent reload") : > "$ANSWERS/read" ;; fw-agent*) [ -e "$ANSWERS/read" ] || exit 1 ;; esac',
    )
    done = host.deploy(NEW)
    assert done.returncode == 0, done.stderr
    assert host.get("agent", "State.Health.Status") == "healthy"


def test_a_container_that_does_not_become_healthy_shows_its_log(host: Host) -> None:
    host.answer("exec", "exit 1")
    host.answer("logs", 'echo "panic: bad flag"; exit 0')
    done = host.deploy({**OLD, "agent": Role("prom:1", "v2", AGENT.files, AGENT.secrets)})
    assert done.returncode == 1
    assert "panic: bad flag" in done.stderr
    assert "host web-1: fw-agent did not become healthy within 2 s; it is running, exit code 0, its log" in done.stderr


def test_a_start_that_fails_shows_the_reason_of_compose(host: Host) -> None:
    host.answer("up", 'echo "Error response from daemon: Conflict. The container name is in use" >&2; exit 1')
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert f"host web-1: Docker Compose could not start what is in {host.live}: Error response from" in done.stderr


@pytest.mark.parametrize("status", ["exited", "created", "paused"])
def test_a_container_that_does_not_run_runs_again(host: Host, status: str) -> None:
    host.put("agent", "State.Status", status)
    before = host.get("agent", "Id")
    done = host.deploy(OLD)
    assert done.returncode == 0, done.stderr
    assert (host.get("agent", "State.Status"), host.get("agent", "Id")) == ("running", before)


@pytest.mark.parametrize("gone", ["agent/config", "agent/secrets", "hosts"])
def test_what_is_mounted_and_was_removed_by_hand_costs_a_restart(host: Host, gone: str) -> None:
    """The running container's mount leads to the old one, where no file of ours is any more."""
    top = {"hosts": "127.0.0.1 localhost\n"}
    host.deploy(OLD, top=top)
    calls, other = len(host.calls()), host.get("cadvisor", "State.StartedAt")
    path = host.live / gone
    for inner in [*path.rglob("*")] if path.is_dir() else []:
        inner.unlink()
    path.rmdir() if path.is_dir() else path.unlink()
    done = host.deploy(OLD, top=top)
    assert done.returncode == 0, done.stderr
    assert path.exists()
    assert [call for call in host.calls()[calls:] if call.startswith("restart")] == ["restart fw-agent"]
    assert host.get("cadvisor", "State.StartedAt") == other
    calls = len(host.calls())
    host.deploy(OLD, top=top)
    assert not [call for call in host.calls()[calls:] if call.startswith("restart")]


def test_a_hosts_file_stays_the_mounted_one(host: Host) -> None:
    host.deploy(OLD, top={"hosts": "10.0.0.1 hub\n"})
    inode = (host.live / "hosts").stat().st_ino
    host.deploy(OLD, top={"hosts": "10.0.0.2 hub\n"})
    assert (host.live / "hosts").read_text() == "10.0.0.2 hub\n"
    assert (host.live / "hosts").stat().st_ino == inode, "a mount keeps pointing to the old file"


def test_a_lock_that_another_run_holds_is_waited_for(host: Host) -> None:
    """And the files that the other one is about to check stay where they are."""
    (host.base / "edge.next").mkdir()
    (host.base / "edge.next" / "of-the-other").touch()
    lock = os.open(host.base / "edge.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    before, calls = host.files(), len(host.calls())
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert done.stderr == (
        f"host web-1: another update of this host did not end within 1 s (`fuser {host.base}/edge.lock` there shows "
        "its process); run the update again\n"
    )
    assert (host.files(), host.calls()[calls:]) == (before, [])
    assert (host.base / "edge.next" / "of-the-other").exists(), "it belongs to the update that runs"
    os.close(lock)
    assert host.deploy(NEW).returncode == 0


def test_two_updates_at_once_end_one_after_the_other(host: Host) -> None:
    host.answer("run", "sleep 0.3")
    patient = host.whole(NEW, [], PATIENCE="30")
    first, second = (host.begin_whole(patient, host.input(NEW)) for _ in range(2))
    for process in (first, second):
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
    assert len(_reloads(host)) == 1, "the second found everything done"
