"""project.sh for real, with a fake Docker and Compose: an edge becomes what comes in."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.fixtures.fake_compose import Host, Role, deployed

AGENT = Role("prom:1", files={"a.yml": "one\n", "targets/b.yml": "two\n"}, secrets={"password": "planted-s3cret\n"})
OLD = {"agent": AGENT, "cadvisor": Role("cadvisor:1")}
NEW = {**OLD, "agent": Role("prom:1", files={"a.yml": "changed\n"}, secrets=AGENT.secrets)}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return deployed(tmp_path, OLD)


def test_the_first_run_pulls_checks_starts_and_waits_in_this_order(tmp_path: Path) -> None:
    host = Host(tmp_path)
    done = host.deploy(OLD, networks=["shop"])
    assert done.returncode == 0, done.stderr
    assert host.since(0) == ["pull", "pull", "run", "up", "exec", "exec"]
    assert host.files() == {
        "compose.yaml": "agent prom:1 v1\ncadvisor cadvisor:1 v1\n",
        "agent/config/a.yml": "one\n", "agent/config/targets/b.yml": "two\n",
        "agent/secrets/password": "planted-s3cret\n",
    }  # fmt: skip
    assert re.fullmatch(r"applied at \d+\nscraped at 77\nseen at 77\nchanged agent cadvisor\n", done.stdout)


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
    assert host.since(before) == ["up"], "Compose finds nothing to do; no check, no reload, nothing pulled"
    assert (host.live / "agent/config/a.yml").stat().st_ino == inode
    assert (host.get("agent", "Id"), host.get("agent", "State.StartedAt")) == containers
    assert applied.strip().isdigit()
    assert done.stdout.startswith("applied at 4000000000\n"), "the gate would wait for a line that nobody writes"


def test_a_changed_file_is_checked_moved_and_reloaded(host: Host) -> None:
    before, started = len(host.calls()), host.get("agent", "State.StartedAt")
    (host.base / "edge.applied").write_text("4000000000\n")
    done = host.deploy(NEW)
    assert done.returncode == 0, done.stderr
    assert host.since(before) == ["run", "up", "exec fw-agent reload"]
    assert host.calls()[-1 - [c.startswith("exec fw-agent reload") for c in host.calls()[::-1]].index(True)] == (
        "exec fw-agent reload a.yml targets/b.yml"
    ), "what changed and what was removed, without the folder in front"
    assert host.files()["agent/config/a.yml"] == "changed\n"
    assert not (host.live / "agent/config/targets").exists(), "a file that is not there any more is removed"
    assert host.get("agent", "State.StartedAt") == started, "a file reloads, it does not restart"
    assert "applied at 4000000000\n" not in done.stdout
    assert not (host.base / "edge.pending").exists()


def test_a_changed_definition_makes_only_that_container_again_and_reloads_nothing(host: Host) -> None:
    before = len(host.calls())
    other, mine = host.get("cadvisor", "Id"), host.get("agent", "Id")
    agent = Role("prom:1", "v2", NEW["agent"].files, AGENT.secrets)
    assert host.deploy({**OLD, "agent": agent}).returncode == 0
    assert host.since(before) == ["run", "up", "exec"], "it has read its files at its start"
    assert (host.get("cadvisor", "Id") == other, host.get("agent", "Id") == mine) == (True, False)


def test_a_role_that_is_gone_goes_with_its_files(host: Host) -> None:
    assert host.deploy({"cadvisor": OLD["cadvisor"]}, text=host.input({"cadvisor": OLD["cadvisor"]})).returncode == 0
    assert host.get("agent", "Id") == ""
    assert list(host.files()) == ["compose.yaml"]
    assert [path.name for path in host.live.iterdir()] == ["compose.yaml"], "no empty folder is left"


def test_composes_own_variables_of_a_users_shell_do_not_matter(host: Host) -> None:
    host.env |= {"COMPOSE_PROJECT_NAME": "other", "COMPOSE_IGNORE_ORPHANS": "true", "COMPOSE_PROFILES": "x"}
    host.answer("up", 'env | grep "^COMPOSE_" > "$ANSWERS/seen"')
    assert host.deploy(OLD).returncode == 0
    assert (host.answers / "seen").read_text() == "COMPOSE_PROJECT_NAME=other\n"
    up = next(call for call in reversed(host.calls()) if " up " in call)
    assert " -p fw " in up, "stronger than that variable"


def test_removing_takes_containers_networks_files_and_data_if_wanted(host: Host) -> None:
    host.answer("ps", "echo id1 id2; exit 0")
    host.answer("network", '[ "$2" != ls ] || { echo id3; exit 0; }')
    host.answer("volume", '[ "$2" != ls ] || { echo id4; exit 0; }')
    place = {"BASE": str(host.base), "DIR": str(host.live), "PREFIX": "fw"}
    calls = len(host.calls())
    assert host.run("remove_project", VOLUMES="", **place).returncode == 0
    ours = "--filter label=com.docker.compose.project=fw --filter label=fleetwatch.stack=fw"
    assert host.calls()[calls:] == [
        f"ps -aq {ours}", "stop id1 id2", "rm -f -v id1 id2", f"network ls -q {ours}", "network rm id3",
    ]  # fmt: skip
    assert not host.base.exists()
    assert host.run("remove_project", VOLUMES="yes", **place).returncode == 0, "removing what is gone is fine"
    assert host.calls()[-2:] == [f"volume ls -q {ours}", "volume rm id4"]


def test_removing_the_edge_keeps_what_the_hub_has_beside_it(host: Host) -> None:
    (host.base / "caddy").mkdir()
    place = {"BASE": str(host.base), "DIR": str(host.live), "PREFIX": "fw"}
    host.answer("ps", "exit 0")
    host.answer("network", "exit 0")
    assert host.run("remove_project", VOLUMES="", **place).returncode == 0
    assert [path.name for path in host.base.iterdir()] == ["caddy"]


def _proofs(host: Host, before: int) -> list[str]:
    """What the calls from this number on prove of the targets, in order."""
    names = ("scrape_first", "scrape_apps_again", "begin_trial", "read_targets", "report_trial")
    return [call for call in host.calls()[before:] if call.split()[0] in names]


def test_apps_are_tried_after_a_new_agent_has_its_network_for_good(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.deploy(OLD).returncode == 0
    assert _proofs(host, 0) == ["scrape_first", "begin_trial", "read_targets slow", "report_trial"]


def test_apps_are_tried_beside_the_other_checks_where_the_agent_changed_alone(host: Host) -> None:
    before = len(host.calls())
    assert host.deploy(NEW).returncode == 0
    assert _proofs(host, before) == ["begin_trial", "scrape_apps_again", "read_targets all", "report_trial"]
    before = len(host.calls())
    assert host.deploy({**NEW, "cadvisor": Role("cadvisor:2")}).returncode == 0
    assert _proofs(host, before) == ["read_targets all"]
