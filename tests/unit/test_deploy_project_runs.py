"""project.sh for real, with a fake Docker and Compose: runs that were stopped, repairs, networks of the user, drift."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.fake_compose import Host, Role

AGENT = Role("prom:1", files={"a.yml": "one\n"}, secrets={"password": "planted-s3cret\n"})
OLD = {"agent": AGENT, "cadvisor": Role("cadvisor:1")}
NEW = {**OLD, "agent": Role("prom:1", files={"a.yml": "changed\n"}, secrets=AGENT.secrets)}
AWAY = "exec fw-agent reload"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    done = made.deploy(OLD)
    assert done.returncode == 0, done.stderr
    return made


def _until(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} was not reached"
        time.sleep(0.01)


def _reloads(host: Host) -> list[str]:
    return [call for call in host.calls() if call.startswith(AWAY)]


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
    (host.base / "edge.applied").write_text("1000\n")
    done = host.deploy(NEW)
    assert done.returncode == 0, done.stderr
    assert _reloads(host) == [f"{AWAY} a.yml"], "nothing changed, but the process still has the old files"
    assert not (host.base / "edge.pending").exists()
    assert "applied at 1000\n" not in done.stdout, "the gate would take data from before the reload for a proof"
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
    first, second = host.begin(NEW), host.begin(NEW)
    for process in (first, second):
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
    assert len(_reloads(host)) == 1, "the second found everything done"


def test_networks_are_joined_and_left_but_never_our_own(host: Host) -> None:
    host.networks("fw-edge", "fw-hub", "shop", "blog", "my net")
    started = host.get("agent", "State.StartedAt")
    assert host.deploy(OLD, networks=["my net", "shop"]).returncode == 0
    assert host.joined("agent") == ["fw-edge", "my net", "shop"]
    assert host.joined("cadvisor") == ["fw-edge"]
    (host.answers / "containers" / "fw-agent" / "networks").write_text(
        "id-fw-edge fw-edge\nid-fw-hub fw-hub\nid-my_net my net\nid-blog blog\n"
    )
    assert host.deploy(OLD, networks=["shop"]).returncode == 0
    assert host.joined("agent") == ["fw-edge", "fw-hub", "shop"]
    assert host.get("agent", "State.StartedAt") == started, "without a restart"


@pytest.mark.parametrize("network", ["my net", "*", "a;touch x", "$(touch x)", "-x"])
def test_a_network_is_one_argument_whatever_its_name(host: Host, network: str) -> None:
    host.networks("fw-edge", network)
    assert host.deploy(OLD, networks=[network]).returncode == 0
    assert host.calls()[-1 - host.calls()[::-1].index(f"network connect -- {network} fw-agent")]
    assert host.joined("agent") == ["fw-edge", network]
    assert host.deploy(OLD).returncode == 0
    assert host.joined("agent") == ["fw-edge"], "left as one"
    assert f"network disconnect -- {network} fw-agent" in host.calls()


def test_networks_that_are_joined_already_are_left_alone(host: Host) -> None:
    host.networks("fw-edge", "shop")
    host.deploy(OLD, networks=["shop"])
    calls = len(host.calls())
    host.deploy(OLD, networks=["shop"])
    assert not [call for call in host.calls()[calls:] if call.startswith(("network connect", "network disconnect"))]


def test_a_network_that_is_gone_is_a_warning_and_the_others_are_joined(host: Host) -> None:
    host.networks("fw-edge", "shop")
    done = host.deploy(OLD, networks=["gone", "shop"])
    assert done.returncode == 0, "it is no reason to be without the rest"
    assert done.stderr == (
        "host web-1: warning: hosts.web-1.networks: the Docker network gone does not exist there now; `make up` joins "
        "it once it does\n"
    )
    assert host.joined("agent") == ["fw-edge", "shop"]
    host.networks("fw-edge", "shop", "gone")
    assert host.deploy(OLD, networks=["gone", "shop"]).stderr == ""
    assert host.joined("agent") == ["fw-edge", "shop", "gone"]


def test_a_network_that_cannot_be_joined_is_named_with_the_reason(host: Host) -> None:
    host.networks("fw-edge", "shop")
    host.answer("network", '[ "$2" != connect ] || { echo "Error response from daemon: pool is full" >&2; exit 1; }')
    done = host.deploy(OLD, networks=["shop"])
    assert done.returncode == 1
    assert done.stderr == (
        "host web-1: hosts.web-1.networks: fw-agent cannot join the Docker network shop: "
        "Error response from daemon: pool is full\n"
    )


@pytest.mark.parametrize(
    ("status", "was", "left"),
    [
        ("exited", "id-shop shop", False),  # made again: another id under the same name
        ("exited", "id-gone gone", True),
        ("created", " gone", True),  # before its first start it knows the name only
        ("created", " shop", False),
    ],
)
def test_a_stopped_container_leaves_a_network_that_would_keep_it_from_starting(
    host: Host, status: str, was: str, left: bool
) -> None:
    host.networks("fw-edge", "shop")
    if status == "exited" and not left:
        (host.answers / "networks").write_text("id-fw-edge fw-edge\nid-shop-2 shop\n")
        left = True
    host.put("agent", "State.Status", status)
    (host.answers / "containers" / "fw-agent" / "networks").write_text(f"id-fw-edge fw-edge\n{was}\n")
    calls, name = len(host.calls()), was.partition(" ")[2]
    assert host.deploy(OLD, networks=["shop"]).returncode == 0
    disconnect = f"network disconnect -f -- {name} fw-agent"
    made = host.calls()[calls:]
    assert (disconnect in made) is left
    if left:
        up = next(number for number, call in enumerate(made) if " up " in call)
        assert made.index(disconnect) < up, "before it is started"
    assert host.joined("agent") == ["fw-edge", "shop"]


DRIFT: dict[str, tuple[Callable[[Host], object], str]] = {
    "edited": (lambda h: (h.live / "agent/config/a.yml").write_text("x\n"), "file {live}/agent/config/a.yml: edited"),
    "gone": (lambda h: (h.live / "agent/secrets/password").unlink(), "file {live}/agent/secrets/password: gone"),
    "not ours": (lambda h: (h.live / "agent/config/own.yml").write_text("x\n"),
                 "file {live}/agent/config/own.yml: not ours"),
    "not read": (lambda h: (h.base / "edge.pending").write_text("agent/config/a.yml\n"),
                 "files that were not read yet: agent/config/a.yml "),
    "stopped": (lambda h: h.put("agent", "State.Status", "exited"), "container fw-agent: exited"),
    "another image": (lambda h: (h.put("agent", "Image", "sha256:x"), h.put("agent", "Config.Image", "prom:0")),
                      "container fw-agent: another image (prom:0, sha256:x)"),
    "another definition": (lambda h: h.put("agent", "definition", "v0"),
                           "container fw-agent: another definition than the update gave it"),
    "network": (lambda h: h.networks("fw-edge", "shop"), "container fw-agent: not in the network shop"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRIFT)
def test_drift_is_printed_and_nothing_is_changed(host: Host, kind: str) -> None:
    change, line = DRIFT[kind]
    assert host.deploy(OLD, action="drift", networks=["shop"]).stdout == ""
    change(host)
    before = host.tree()
    found = host.deploy(OLD, action="drift", networks=["shop"])
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [line.format(live=host.live).rstrip("\n")]
    assert host.tree() == before, "it only looks"


def test_drift_names_a_missing_and_a_foreign_container(host: Host) -> None:
    (host.answers / "containers" / "fw-agent").rename(host.answers / "containers" / "extra")
    (host.answers / "containers" / "extra" / "label.service").write_text("extra\n")
    before = host.tree()
    found = host.deploy(OLD, action="drift")
    assert found.stdout == "container fw-agent: missing\ncontainer extra: not ours, in our Compose project\n"
    assert host.tree() == before


def test_drift_shows_no_content(host: Host) -> None:
    (host.live / "agent/secrets/password").write_text("another-s3cret\n")
    found = host.deploy(OLD, action="drift")
    assert "s3cret" not in found.stdout + found.stderr + "\n".join(host.calls())


@pytest.mark.parametrize("kind", [kind for kind in DRIFT if kind not in ("another image", "another definition")])
def test_an_update_puts_back_what_drifted(host: Host, kind: str) -> None:
    DRIFT[kind][0](host)
    done = host.deploy(OLD, networks=["shop"] if kind == "network" else [])
    assert done.returncode == 0, done.stderr
    assert host.deploy(OLD, action="drift", networks=["shop"] if kind == "network" else []).stdout == ""


@pytest.mark.parametrize("kind", ["another image", "another definition"])
def test_a_repair_makes_containers_again_that_were_changed_by_hand(host: Host, kind: str) -> None:
    DRIFT[kind][0](host)
    before, other = host.get("agent", "Id"), host.get("cadvisor", "Id")
    calls = len(host.calls())
    done = host.deploy(OLD, action="repair")
    assert done.returncode == 0, done.stderr
    made = [call for call in host.calls()[calls:] if call.split()[0] in ("stop", "rm")]
    assert made == ["stop fw-agent", "rm -f -v fw-agent"], "stopped first, so that it writes what it holds"
    assert host.get("agent", "Id") != before
    assert host.get("cadvisor", "Id") == other
    assert host.deploy(OLD, action="drift").stdout == ""


def test_a_repair_without_a_difference_makes_nothing_again(host: Host) -> None:
    calls = len(host.calls())
    assert host.deploy(OLD, action="repair").returncode == 0
    assert not [call for call in host.calls()[calls:] if call.split()[0] in ("stop", "rm")]


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
