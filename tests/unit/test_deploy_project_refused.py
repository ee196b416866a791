"""project.sh with images, files, disks and projects that it cannot use: everything stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_compose import AGENT, NEW, OLD, Host, Role, deployed


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return deployed(tmp_path, OLD)


def test_a_present_image_is_never_pulled(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.has("prom:1")
    host.has("cadvisor:1")
    assert host.deploy(OLD).returncode == 0
    assert "pull" not in host.since(0)


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
    assert not {"run", "up"} & set(host.since(calls))
    assert not (host.base / "edge.next").exists()
    assert not list((host.folder / "tmp").iterdir()), "nothing is left behind"


def test_a_pull_that_fails_is_noticed_on_a_full_disk(host: Host) -> None:
    """Where even its message cannot be kept."""
    host.answer("pull", 'rm -rf "$TMPDIR"/tmp.*; exit 1')
    calls = len(host.calls())
    done = host.deploy({**OLD, "agent": Role("prom:2", "v1", AGENT.files, AGENT.secrets)})
    assert done.returncode == 1
    assert "could not be pulled" in done.stderr
    assert "up" not in host.since(calls)


def test_an_image_that_only_the_program_has_is_never_pulled(host: Host) -> None:
    image = "fleetwatch.local/prometheus:3-offline"
    calls = len(host.calls())
    done = host.deploy({**OLD, "agent": Role(image, "v1", AGENT.files, AGENT.secrets)})
    assert done.returncode == 1
    assert f"the image {image} (agent) is not there and could not be pulled: no registry has it" in done.stderr
    assert f"`docker save {image} | ssh" in done.stderr
    assert host.since(calls) == []
    host.has(image)
    assert host.deploy({**OLD, "agent": Role(image, "v1", AGENT.files, AGENT.secrets)}).returncode == 0


def test_two_roles_with_one_image_pull_it_once(tmp_path: Path) -> None:
    host = Host(tmp_path)
    roles = {"postgres-a": Role("exporter:1"), "postgres-b": Role("exporter:1")}
    assert host.deploy(roles).returncode == 0
    assert host.since(0).count("pull") == 1


def test_a_refused_file_leaves_everything_and_shows_the_tools_message(host: Host) -> None:
    host.answer("run", 'cat "$(echo "$3" | cut -d: -f1)/a.yml"; echo "line 3: unknown field nonsense"; exit 3')
    before, calls = host.files(), len(host.calls())
    done = host.deploy(NEW)
    assert done.returncode == 1
    assert "changed\nline 3: unknown field nonsense" in done.stderr, "the check saw the new files"
    assert "host web-1: fw-agent: prom:1 rejects its configuration (output above). Nothing was changed" in done.stderr
    assert host.files() == before
    assert host.since(calls) == ["run"]
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
    assert host.since(calls) == ["pull", "run"]


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
    done = host.deploy({**NEW, "agent": Role("prom:2", files={"a.yml": "changed\n"}, secrets=AGENT.secrets)})
    assert done.returncode == 1
    assert "Docker Compose rejects compose.yaml: services.agent: additional property x. Nothing was" in done.stderr
    assert (host.files(), "up" in host.since(calls)) == (before, False)


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
    assert host.since(calls) == []
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
    assert found.stdout == f"folder {host.live}: gone\n"
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
    assert host.since(calls) == [], "`up --remove-orphans` would have removed it"
