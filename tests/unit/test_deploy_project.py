"""project.sh for real, with a fake Docker and Compose: an edge becomes what comes in, or stays as it was."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.fixtures.fake_compose import Host, Role

AGENT = Role("prom:1", files={"a.yml": "one\n", "targets/b.yml": "two\n"}, secrets={"password": "planted-s3cret\n"})
OLD = {"agent": AGENT, "cadvisor": Role("cadvisor:1")}
NEW = {**OLD, "agent": Role("prom:1", files={"a.yml": "changed\n"}, secrets=AGENT.secrets)}
STEP = re.compile(r"^(pull|run|compose .*\bup|exec \S+ reload|exec|network connect|restart|rm)\b")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    done = made.deploy(OLD)
    assert done.returncode == 0, done.stderr
    return made


def _since(host: Host, before: int) -> list[str]:
    """What was done, without what was only looked at."""
    found = [STEP.match(call) for call in host.calls()[before:]]
    return [re.sub(r"^compose .*", "up", one[1]) for one in found if one]


def test_the_first_run_pulls_checks_starts_and_waits_in_this_order(tmp_path: Path) -> None:
    host = Host(tmp_path)
    done = host.deploy(OLD, networks=["shop"])
    assert done.returncode == 0, done.stderr
    assert _since(host, 0) == ["pull", "pull", "run", "up", "exec", "exec"]
    assert host.files() == {
        "compose.yaml": "agent prom:1 v1\ncadvisor cadvisor:1 v1\n",
        "agent/config/a.yml": "one\n", "agent/config/targets/b.yml": "two\n",
        "agent/secrets/password": "planted-s3cret\n",
    }  # fmt: skip
    assert re.fullmatch(r"applied at \d+\nseen at \d+\nchanged agent cadvisor\n", done.stdout)


def test_files_are_closed_to_others_but_readable_inside(host: Host) -> None:
    modes = {
        str(path.relative_to(host.folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (host.base, *host.live.rglob("*"))
    }
    assert modes.pop("base") == 0o700, "the base keeps other users out"
    assert set(modes.values()) == {0o644, 0o755}, "a container's user, who is not ours, must read what is mounted"


def test_no_content_is_in_any_argument(host: Host) -> None:
    assert "planted-s3cret" not in "\n".join(host.calls())


def test_a_second_run_changes_nothing(host: Host) -> None:
    before, inode = len(host.calls()), (host.live / "agent/config/a.yml").stat().st_ino
    containers = (host.get("agent", "Id"), host.get("agent", "State.StartedAt"))
    applied = (host.base / "edge.applied").read_text()
    (host.base / "edge.applied").write_text("4000000000\n")
    done = host.deploy(OLD)
    assert done.returncode == 0, done.stderr
    assert _since(host, before) == ["up"], "Compose finds nothing to do; no check, no reload, nothing pulled"
    assert (host.live / "agent/config/a.yml").stat().st_ino == inode
    assert (host.get("agent", "Id"), host.get("agent", "State.StartedAt")) == containers
    assert applied.strip().isdigit()
    assert done.stdout.startswith("applied at 4000000000\n"), "the gate would wait for a line that nobody writes"


def test_a_changed_file_is_checked_moved_and_reloaded(host: Host) -> None:
    before, started = len(host.calls()), host.get("agent", "State.StartedAt")
    (host.base / "edge.applied").write_text("1000\n")
    done = host.deploy(NEW)
    assert done.returncode == 0, done.stderr
    assert _since(host, before) == ["run", "up", "exec fw-agent reload"]
    assert host.calls()[-1 - [c.startswith("exec fw-agent reload") for c in host.calls()[::-1]].index(True)] == (
        "exec fw-agent reload a.yml targets/b.yml"
    ), "what changed and what was removed, without the folder in front"
    assert host.files()["agent/config/a.yml"] == "changed\n"
    assert not (host.live / "agent/config/targets").exists(), "a file that is not there any more is removed"
    assert host.get("agent", "State.StartedAt") == started, "a file reloads, it does not restart"
    assert "applied at 1000\n" not in done.stdout
    assert not (host.base / "edge.pending").exists()


def test_a_changed_definition_makes_only_that_container_again_and_reloads_nothing(host: Host) -> None:
    before = len(host.calls())
    other, mine = host.get("cadvisor", "Id"), host.get("agent", "Id")
    agent = Role("prom:1", "v2", NEW["agent"].files, AGENT.secrets)
    assert host.deploy({**OLD, "agent": agent}).returncode == 0
    assert _since(host, before) == ["run", "up", "exec"], "it has read its files at its start"
    assert (host.get("cadvisor", "Id") == other, host.get("agent", "Id") == mine) == (True, False)


def test_a_role_that_is_gone_goes_with_its_files(host: Host) -> None:
    assert host.deploy({"cadvisor": OLD["cadvisor"]}, text=host.input({"cadvisor": OLD["cadvisor"]})).returncode == 0
    assert host.get("agent", "Id") == ""
    assert list(host.files()) == ["compose.yaml"]
    assert [path.name for path in host.live.iterdir()] == ["compose.yaml"], "no empty folder is left"


def test_a_present_image_is_never_pulled(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.has("prom:1")
    host.has("cadvisor:1")
    assert host.deploy(OLD).returncode == 0
    assert "pull" not in _since(host, 0)


@pytest.mark.parametrize("first", [True, False], ids=["first run", "later"])
def test_a_failed_pull_names_image_reason_and_way_out_and_changes_nothing(tmp_path: Path, first: bool) -> None:
    host = Host(tmp_path)
    if not first:
        host.deploy(OLD)
    host.answer("pull", 'echo "Error response from daemon: manifest for $3 not found" >&2; exit 1')
    roles = {**NEW, "agent": Role("registry.example.com/prom:2", "v1", NEW["agent"].files, AGENT.secrets)}
    before, files, calls = host.get("agent", "Id"), host.files(), len(host.calls())
    done = host.deploy(roles)
    assert done.returncode == 1
    assert (
        "host web-1: the image registry.example.com/prom:2 (agent) is not there and could not be pulled: "
        "Error response from daemon: manifest for registry.example.com/prom:2 not found. "
        "Check `images.agent` in the stack file, and on that host `docker pull registry.example.com/prom:2`"
    ) in done.stderr
    assert "nothing was changed, what ran before still runs" in done.stderr
    assert "configuration" not in done.stderr, "it is no fault of a file"
    assert (host.get("agent", "Id"), host.files()) == (before, files)
    assert not {"run", "up"} & set(_since(host, calls))
    assert not (host.base / "edge.next").exists()
    assert not list((host.folder / "tmp").iterdir()), "nothing is left behind"


def test_a_pull_that_fails_is_noticed_on_a_full_disk(host: Host) -> None:
    """Where even its message cannot be kept."""
    host.answer("pull", 'rm -rf "$TMPDIR"/tmp.*; exit 1')
    calls = len(host.calls())
    done = host.deploy({**OLD, "agent": Role("prom:2", "v1", AGENT.files, AGENT.secrets)})
    assert done.returncode == 1
    assert "could not be pulled" in done.stderr
    assert "up" not in _since(host, calls)


def test_an_image_that_only_the_program_has_is_never_pulled(host: Host) -> None:
    image = "fleetwatch.local/prometheus:3-offline"
    calls = len(host.calls())
    done = host.deploy({**OLD, "agent": Role(image, "v1", AGENT.files, AGENT.secrets)})
    assert done.returncode == 1
    assert f"the image {image} (agent) is not there and could not be pulled: no registry has it" in done.stderr
    assert f"`docker save {image} | ssh" in done.stderr
    assert _since(host, calls) == []
    host.has(image)
    assert host.deploy({**OLD, "agent": Role(image, "v1", AGENT.files, AGENT.secrets)}).returncode == 0


def test_two_roles_with_one_image_pull_it_once(tmp_path: Path) -> None:
    host = Host(tmp_path)
    roles = {"postgres-a": Role("exporter:1"), "postgres-b": Role("exporter:1")}
    assert host.deploy(roles).returncode == 0
    assert _since(host, 0).count("pull") == 1


def test_a_refused_file_leaves_everything_and_shows_the_tools_message(host: Host) -> None:
    host.answer("run", 'cat "$(echo "$3" | cut -d: -f1)/a.yml"; echo "line 3: unknown field nonsense"; exit 3')
    before, calls = host.files(), len(host.calls())
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "changed\nline 3: unknown field nonsense" in done.stderr, "the check saw the new files"
    assert "host web-1: fw-agent: prom:1 rejects its configuration (output above). Nothing was changed" in done.stderr
    assert host.files() == before
    assert _since(host, calls) == ["run"]
    host.answer("run", "")
    assert host.deploy(NEW).returncode == 0, "a good one is taken afterwards"


def test_another_image_is_checked_with_the_files_that_are_there(host: Host) -> None:
    host.answer("run", 'case "$*" in *prom:2*) echo "prom 2 knows no field x"; exit 1 ;; esac')
    before, calls, mine = host.files(), len(host.calls()), host.get("agent", "Id")
    roles = {**OLD, "agent": Role("prom:2", "v1", AGENT.files, AGENT.secrets)}
    done = host.deploy(roles)
    assert done.returncode == 1
    assert "fw-agent: prom:2 rejects its configuration" in done.stderr
    assert (host.files(), host.get("agent", "Id")) == (before, mine)
    assert _since(host, calls) == ["pull", "run"]


@pytest.mark.parametrize("code", [125, 126, 127])
def test_a_check_that_cannot_run_is_no_refusal(host: Host, code: int) -> None:
    host.answer("run", f'echo "docker: no space left on device" >&2; exit {code}')
    before = host.files()
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "docker: no space left on device" in done.stderr
    assert "fw-agent: the check of its configuration could not be run" in done.stderr
    assert "rejects" not in done.stderr
    assert host.files() == before


def test_a_compose_file_that_compose_refuses_changes_nothing(host: Host) -> None:
    host.answer("config", 'echo "services.agent: additional property x" >&2; exit 15')
    before, calls = host.files(), len(host.calls())
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "Docker Compose rejects compose.yaml: services.agent: additional property x. Nothing was" in done.stderr
    assert (host.files(), "up" in _since(host, calls)) == (before, False)


def test_input_that_ends_early_changes_nothing(host: Host) -> None:
    before, whole = host.files(), host.input(NEW)
    for length in (0, len(whole) // 2, len(whole) - 2):
        done = host.deploy(NEW, text=whole[:length])
        assert done.returncode == 1, f"an engine that died after {length} characters must not empty a folder"
        assert "the input with the new files was cut short, nothing was changed" in done.stderr
        assert host.files() == before


def _program(host: Host, name: str, shell: str) -> None:
    path = host.folder / name
    path.write_text(f"#!/bin/sh\n{shell}\n")
    path.chmod(0o755)


FULL = "No space left on device"
FULL_DISK = {
    "awk": ("awk", f'cat > /dev/null; echo "awk: write failure ({FULL})" >&2; exit 2', FULL),
    "an awk that does not notice": (
        "awk",
        '/usr/bin/awk "$@"; for f in "$DIR.next/agent/config"/*.yml; do : > "$f"; done',
        "is the disk full?",
    ),
    "mkdir": ("mkdir", f'case "$*" in *.next) echo "mkdir: {FULL}" >&2; exit 1 ;; esac; exec /bin/mkdir "$@"', FULL),
    "touch": ("touch", f'echo "touch: {FULL}" >&2; exit 1', "its folder cannot be written, nothing was changed"),
}


@pytest.mark.parametrize(("name", "shell", "message"), FULL_DISK.values(), ids=FULL_DISK)
def test_a_full_disk_changes_nothing(host: Host, name: str, shell: str, message: str) -> None:
    before, calls = host.files(), len(host.calls())
    _program(host, name, f'DIR="{host.live}"\n{shell}')
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert message in done.stderr
    assert "nothing was changed" in done.stderr
    assert done.stderr.startswith("host web-1: ")
    assert host.files() == before
    assert _since(host, calls) == []
    (host.folder / name).unlink()
    assert host.deploy(NEW).returncode == 0


def test_a_folder_that_is_gone_is_not_taken_for_the_home_folder(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    home = host.folder / "home"
    home.mkdir()
    (home / "diary").write_text("mine\n")
    monkeypatch.chdir(home)
    for path in sorted(host.live.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    host.live.rmdir()
    found = host.deploy(OLD, action="drift")
    assert "diary" not in found.stdout
    assert f"file {host.live}/compose.yaml: gone\n" in found.stdout
    assert host.deploy(OLD).returncode == 0
    assert (home / "diary").exists()


def test_docker_that_does_not_answer_is_named(host: Host) -> None:
    host.answer("version", 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    before = host.files()
    for action in ("", "drift"):
        done = host.deploy(NEW, action=action)
        assert done.returncode == 1
        assert "host web-1: Docker does not answer, nothing was changed: Cannot connect to the Docker" in done.stderr
        assert done.stdout == "", "not a list of containers that are missing"
        assert host.files() == before


def test_somebody_elses_project_of_the_same_name_is_left_alone(host: Host) -> None:
    (host.answers / "containers" / "shop-db").mkdir()
    (host.answers / "containers" / "shop-db" / "label.stack").write_text("\n")
    (host.answers / "containers" / "shop-db" / "label.service").write_text("db\n")
    before, calls = host.files(), len(host.calls())
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "host web-1: a Compose project on it has the name fw too (shop-db); choose another `prefix`" in done.stderr
    assert host.files() == before
    assert _since(host, calls) == [], "`up --remove-orphans` would have removed it"
