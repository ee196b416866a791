"""files.sh for real, with a fake docker: the files of a service are replaced whole, or not at all."""

from __future__ import annotations

import signal
import stat
import time
from pathlib import Path

import pytest

from configs.deploy import bundle
from tests.fixtures.service_files import Service

OLD = {"main.yml": "old\n", "rules/a.yml": "a\n"}
NEW = {"main.yml": "new\n", "rules/b.yml": "b\n"}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_files_are_written_closed_to_others_but_readable_inside(service: Service) -> None:
    done = service.deploy(OLD)
    assert done.returncode == 0, done.stderr
    assert service.files() == OLD
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (service.folder / "base", *service.live.rglob("*"))
    }
    assert modes == {"base": 0o700, "main.yml": 0o644, "rules": 0o755, "a.yml": 0o644}, (
        "the base keeps other users out; a container's user, who is not ours, must read what is mounted"
    )
    assert done.stdout.startswith("applied at "), "the gate compares with this time"


def test_a_file_may_hold_anything_but_a_line_of_the_bundle(service: Service) -> None:
    odd = {"odd.yml": "a'b\"c $HOME `id` \\n %s\n\n  ==> not a header\n\ttab \u00e9\n"}
    service.deploy(odd)
    assert service.files() == odd
    with pytest.raises(ValueError, match="odd.yml: a line of the form"):
        bundle({"odd.yml": "==> passwd <==\n"})


def test_a_changed_and_a_removed_file_are_checked_first_and_reloaded_once(service: Service) -> None:
    service.deploy(OLD)
    before = len(service.calls())
    assert service.deploy(NEW).returncode == 0
    assert service.files() == NEW, "a file that is not there any more is removed"
    words = [call.split()[0] for call in service.calls()[before:] if not call.startswith("inspect")]
    assert words == ["run", "kill"], "checked, moved, and told once, not once per file"


def test_a_second_run_does_nothing(service: Service) -> None:
    service.deploy(OLD)
    before, inode = service.reloads(), (service.live / "main.yml").stat().st_ino
    done = service.deploy(OLD)
    assert done.returncode == 0
    assert service.reloads() == before, "what did not change is not read again"
    assert (service.live / "main.yml").stat().st_ino == inode
    assert sum(call.startswith("run") for call in service.calls()) == 1, "nor checked again"


def test_a_change_puts_back_what_was_edited_or_removed_by_hand(service: Service) -> None:
    """What the pages advise: the engine does not read the files, so that only a run with a change looks at them."""
    service.deploy(OLD)
    (service.live / "main.yml").write_text("edited\n")
    (service.live / "rules" / "a.yml").unlink()
    assert service.deploy({**OLD, "other.yml": "changed\n"}).returncode == 0
    assert service.files() == {**OLD, "other.yml": "changed\n"}


def test_a_refused_file_leaves_the_old_ones_and_says_the_tools_words(service: Service) -> None:
    service.deploy(OLD)
    before = service.reloads()
    service.answer("run", 'echo "line 3: unknown field nonsense"; exit 3')
    done = service.deploy(NEW)
    assert done.returncode == 1
    assert "line 3: unknown field nonsense" in done.stderr, "the tool knows what is wrong"
    assert (
        "fw-svc: image rejects the new configuration (output above); the previous one stays in place and running"
        in done.stderr
    )
    assert service.files() == OLD
    assert service.reloads() == before
    service.answer("run", "")
    assert service.deploy(NEW).returncode == 0, "a good one is taken afterwards"
    assert service.files() == NEW


@pytest.mark.parametrize("code", [125, 126, 127])
def test_a_check_that_cannot_run_is_no_rejection(service: Service, code: int) -> None:
    service.deploy(OLD)
    service.answer("run", f'echo "docker: exec format error" >&2; exit {code}')
    done = service.deploy(NEW)
    assert done.returncode == 1
    assert "docker: exec format error" in done.stderr
    assert "fw-svc: the check of its configuration could not be run (Docker's message above)" in done.stderr
    assert "rejects" not in done.stderr
    assert service.files() == OLD


def test_the_check_sees_the_new_files(service: Service) -> None:
    service.deploy(OLD)
    service.answer("run", f'cat "{service.live}.next/main.yml"; exit 1')
    assert "new" in service.deploy(NEW).stderr


def test_a_failed_reload_is_done_again_by_the_next_run(service: Service) -> None:
    service.answer("kill", 'echo "no such process"; exit 1')
    done = service.deploy(OLD)
    assert done.returncode == 1
    assert "no such process" in done.stderr
    assert "the next `make up` tries again" in done.stderr
    assert service.reloads() == 1
    service.answer("kill", "")
    assert service.deploy(OLD).returncode == 0
    assert service.reloads() == 2, "nothing changed, but the process still has the old files"
    service.deploy(OLD)
    assert service.reloads() == 2, "and then it is done"


def test_what_has_to_be_read_is_named_to_the_reload(service: Service) -> None:
    parameters = service.parameters() | {"RELOAD": "docker told $pending_files"}
    service.run("files", bundle(OLD), **parameters)
    assert service.calls()[-1] == "told main.yml rules/a.yml"


@pytest.mark.parametrize("state", ["restarting", "exited", "paused"])
def test_a_container_that_does_not_run_is_started_with_the_new_files(service: Service, state: str) -> None:
    service.answer("inspect", f"echo {state}")
    assert service.deploy(OLD).returncode == 0
    assert service.calls()[-1] == "restart fw-svc", "it may have stopped because of the old files"


def test_before_there_is_a_container_nothing_is_reloaded(service: Service) -> None:
    service.answer("inspect", 'echo "No such container" >&2; exit 1')
    assert service.deploy(OLD).returncode == 0
    assert service.reloads() == 0
    left = {path.name for path in service.live.parent.glob("config.*")}
    assert left <= {"config.applied"}, "nothing is left beside the live files"


def test_no_content_is_in_any_argument(service: Service) -> None:
    done = service.deploy({"password": "planted-s3cret\n"})
    assert "planted-s3cret" not in "\n".join(service.calls()) + done.stdout + done.stderr


def test_an_interrupted_run_leaves_the_live_files_whole(service: Service) -> None:
    service.deploy(OLD)
    service.answer("run", ': > "$ANSWERS/checking"; sleep 0.5')
    process = service.start("files", bundle(NEW), **service.parameters())
    while not (service.answers / "checking").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode != 0, "an interrupted run is no success"
    assert service.files() == OLD
    left = {path.name for path in service.live.parent.glob("config.*")}
    assert left <= {"config.applied"}, "what it had begun is taken away"
    service.answer("run", "")
    assert service.deploy(NEW).returncode == 0
    assert service.files() == NEW, "the next run goes on"


def test_input_that_ends_early_changes_nothing(service: Service) -> None:
    service.deploy(OLD)
    whole = bundle(NEW)
    for length in (0, len(whole) // 2, len(whole) - 2):
        done = service.run("files", whole[:length], **service.parameters())
        assert done.returncode == 1, f"an engine that died after {length} characters must not empty a folder"
        assert "was cut short" in done.stderr
        assert service.files() == OLD


def test_removing_takes_the_service_and_then_the_hosts_folder(service: Service) -> None:
    service.deploy(OLD)
    other = service.parameters() | {"DIR": str(service.folder / "base" / "other" / "config")}
    service.run("files", bundle(OLD), **other)
    for parameters, left in ((service.parameters(), True), (other, False)):
        folders = {key: parameters[key] for key in ("BASE", "DIR")}
        assert service.run("remove", **folders).returncode == 0
        assert (service.folder / "base").exists() is left, "the last service takes the folder with it"
    assert service.run("remove", **folders).returncode == 0, "removing what is gone is fine"


def test_a_run_without_a_change_keeps_the_time_of_the_last_one(service: Service) -> None:
    service.deploy({"a.yml": "1\n"})
    (service.live.parent / "config.applied").write_text("1000\n")
    assert service.deploy({"a.yml": "1\n"}).stdout == "applied at 1000\n", (
        "the gate would wait for a line that nobody writes"
    )
    assert service.deploy({"a.yml": "2\n"}).stdout != "applied at 1000\n"
