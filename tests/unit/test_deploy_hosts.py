"""ready_host.sh and volume.sh for real, on a host that a test makes up: each of their messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.deploy import COMPOSE, COMPOSE_TESTED
from tests.fixtures.fake_programs import Programs

DOCKER = """
case "$1" in
    version) case "$*" in *Arch*) echo amd64 ;; *) echo 20.10.24+dfsg1 ;; esac ;;
    compose) echo v2.40.3 ;;
    info) echo /var/lib/docker ;;
    network) printf 'bridge\\nhost\\nnone\\nshop_default\\n' ;;
esac
"""
DENIED = """case $1 in compose) echo v2.40.3; exit ;; esac  # needs no engine
echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1"""
DF = "echo 'Filesystem 1024-blocks Used Available Capacity Mounted'; echo '/dev/vda1 9000000 1 {free} 1% /'"

Ready = Callable[..., tuple[int, str, str]]  # what ready_host.sh answers, with other parameters than the usual


@pytest.fixture
def host(tmp_path: Path) -> Programs:
    """A host on which everything is fine, for root."""
    made = Programs(tmp_path)
    made.fake("id", 'case "$1" in -u) echo 0 ;; -un) echo root ;; esac')
    made.fake("docker", DOCKER)
    made.fake("df", DF.format(free=9000 * 1024))
    made.clock()
    return made


@pytest.fixture
def ready(host: Programs) -> Ready:
    (host.folder / "mountinfo").write_text("27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n")

    def run(**given: str) -> tuple[int, str, str]:
        known = {
            "HOST": "web-1",
            "STACK": "fleetwatch",
            "BOOTING": "",
            "INSTALL": "",
            "PATIENCE": "600",
            "MINIMUM": "20.10",
            "COMPOSE": COMPOSE,
            "COMPOSE_TESTED": COMPOSE_TESTED,
            "FILES": f"{host.folder}/files/fleetwatch",
            "DISK": "1500",
            "NETWORKS": "shop_default",
            "FOLDERS": str(host.folder),
            "PORTS": "",
            "LATE_ADDRESS": "",
            "NONLOCAL": str(host.folder / "nonlocal"),
            "MOUNTINFO": str(host.folder / "mountinfo"),
            "BOOT_LOG": str(host.folder / "boot.log"),
        }
        done = host.there("ready_host", **{**known, **given})
        return done.returncode, done.stdout, done.stderr

    return run


def deploy_user(host: Programs, sudo: str = "") -> None:
    """Somebody who is not root. `sudo`: what that program does; without it there is none."""
    host.fake("id", 'case "$1" in -u) echo 1000 ;; -un) echo deploy ;; esac')
    if sudo:
        host.fake("sudo", sudo)


MAY_SUDO = 'shift; [ "$1" = true ] || AS_ROOT=yes "$@"'


def test_a_good_host_is_named_with_its_engine(host: Programs, ready: Ready) -> None:
    assert ready() == (0, "Docker 20.10.24+dfsg1, Compose 2.40.3\n", "")
    assert (host.folder / "files" / "fleetwatch").is_dir()


def test_a_host_without_docker_says_both_ways_out(host: Programs, ready: Ready) -> None:
    (host.bin / "docker").unlink()
    assert ready() == (
        1,
        "",
        "host web-1: expected Docker Engine 20.10 or newer, it is not installed; install it "
        "(https://docs.docker.com/engine/install/) or set hosts.web-1.server.install_docker: true\n",
    )
    assert "or set hub.server.install_docker: true" in ready(HOST="hub")[2], "the hub's own place in the stack file"


def test_an_engine_that_is_too_old_is_told_with_its_version(host: Programs, ready: Ready) -> None:
    host.fake("docker", DOCKER.replace("20.10.24+dfsg1", "19.03.15"))
    assert ready()[2] == (
        "host web-1: expected Docker Engine 20.10 or newer, found 19.03.15; "
        "see https://docs.docker.com/engine/install/\n"
    )


def test_an_engine_that_does_not_answer_is_told_in_its_words(host: Programs, ready: Ready) -> None:
    host.fake("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert ready()[2] == "host web-1: Docker does not answer after 120 s: Cannot connect to the Docker daemon\n"
    assert len(host.calls("sleep")) == 60


def test_a_slow_host_does_not_extend_the_wait_for_its_engine(host: Programs, ready: Ready) -> None:
    host.fake("docker", f"{host.clock()}tick 25; echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert ready()[2] == "host web-1: Docker does not answer after 133 s: Cannot connect to the Docker daemon\n"


def test_a_user_who_may_not_use_docker_is_told_the_way_out(host: Programs, ready: Ready) -> None:
    deploy_user(host)
    host.fake("docker", DENIED)
    assert ready()[2] == (
        "host web-1: user deploy may not use Docker on it, and there is no sudo; run `usermod -aG docker deploy` as "
        "root there, or set hosts.web-1.server.user: root\n"
    )


def test_a_user_who_may_sudo_joins_the_group_of_docker(host: Programs, ready: Ready) -> None:
    deploy_user(host, MAY_SUDO)
    host.fake("docker", f'[ "${{AS_ROOT:-}}" = yes ] || {{ {DENIED}; }}\n{DOCKER}')
    host.fake("usermod")
    host.fake("[", 'test "$@"')
    code, out, err = ready(FOLDERS="")
    assert (code, out) == (0, "Docker 20.10.24+dfsg1, Compose 2.40.3\n"), err
    assert err == "host web-1: deploy may use sudo and was added to the group docker\n"
    assert host.calls("usermod") == ["usermod -aG docker deploy"]


def test_an_engine_that_denies_even_root_does_not_go_round_for_ever(host: Programs, ready: Ready) -> None:
    deploy_user(host, MAY_SUDO)
    host.fake("docker", DENIED)
    host.fake("usermod")
    assert "Docker does not answer after 120 s: permission denied" in ready()[2]
    assert len(host.calls("usermod")) == 1


def test_a_folder_that_cannot_be_written_is_told_with_the_way_out(host: Programs, ready: Ready) -> None:
    deploy_user(host)
    (host.folder / "files").write_text("in the way")
    files = f"{host.folder}/files/fleetwatch"
    assert ready()[2] == (
        f"host web-1: deploy cannot write to {files}, and there is no sudo; make it (`install -d -o deploy {files}` as "
        "root), set hosts.web-1.server.files to a folder that deploy can make, or set hosts.web-1.server.user: root\n"
    )


def test_with_sudo_the_folder_is_made_for_the_user(host: Programs, ready: Ready) -> None:
    deploy_user(host, MAY_SUDO)
    (host.folder / "files").write_text("in the way")
    host.fake("install")
    assert ready(FOLDERS="")[0] == 0
    assert host.calls("install") == [f"install -d -o deploy {host.folder}/files/fleetwatch"]


def test_a_full_disk_is_told_with_both_numbers(host: Programs, ready: Ready) -> None:
    host.fake("df", DF.format(free=800 * 1024))
    assert ready()[2] == (
        "host web-1: expected 1500 MB of free disk where Docker keeps its data (/var/lib/docker), 800 MB are free; "
        "`docker system df` on it shows what Docker uses\n"
    )


@pytest.mark.parametrize(("there", "known"), [("shop_default\\nblog", "shop_default, blog"), ("", "none")])
def test_a_network_that_the_host_does_not_have_is_reported(
    host: Programs, ready: Ready, there: str, known: str
) -> None:
    host.fake("docker", DOCKER.replace("shop_default", there))
    assert ready(NETWORKS="shop")[2] == (
        f"host web-1: hosts.web-1.networks: expected a Docker network of that host ({known}), got shop; "
        "`docker network create shop` on it makes it\n"
    )


def test_a_log_folder_that_is_missing_is_reported(ready: Ready) -> None:
    assert ready(FOLDERS="/nowhere/nginx")[2] == (
        "host web-1: hosts.web-1.logs: expected the folder /nowhere/nginx on that host, it does not exist\n"
    )


LISTENING = "  0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n"


def test_a_taken_port_is_told_unless_it_is_ours(host: Programs, ready: Ready) -> None:
    host.fake("cat", f"printf '{LISTENING.strip()}'")
    assert ready(HOST="hub", PORTS="443\n80", NETWORKS="")[2] == (
        "host hub: hub.ports: expected port 443 to be free on that host, another program listens on it "
        "(`ss -ltnp` shows which)\n"
    )
    assert ready(HOST="hub", PORTS="80\n4430", NETWORKS="")[0] == 0, "another port is free"
    host.fake("docker", DOCKER.replace("esac", "ps) echo 0123abc ;;\nesac"))
    assert ready(HOST="hub", PORTS="443\n80", NETWORKS="")[0] == 0, "the hub that runs there already"


@pytest.mark.parametrize("code", [0, 2])
def test_the_first_boot_is_waited_for(host: Programs, ready: Ready, code: int) -> None:
    host.fake("cloud-init", f"exit {code}")
    assert ready(BOOTING="yes")[0] == 0, "2: done, with something that could be recovered from"
    assert host.calls("cloud-init") == ["cloud-init status --wait"]


def test_a_server_of_others_is_not_asked_about_its_first_boot(host: Programs, ready: Ready) -> None:
    host.fake("cloud-init", "exit 1")
    assert ready()[0] == 0


def test_a_first_boot_that_failed_shows_the_end_of_its_log(host: Programs, ready: Ready) -> None:
    host.fake("cloud-init", "exit 1")
    host.fake("tail", "echo 'installing Docker failed 5 times'")
    assert ready(BOOTING="yes")[2] == (
        "host web-1: its first boot (cloud-init) failed; the end of /var/log/cloud-init-output.log:\n"
        "installing Docker failed 5 times\n"
    )


WARNED = "Docker Engine is the distribution's (26.1.5) instead of 29 from Docker's own repository, because it is away"


def test_the_engine_that_a_first_boot_had_to_take_is_reported(host: Programs, ready: Ready) -> None:
    host.fake("cloud-init")
    (host.folder / "boot.log").write_text(f"fleetwatch: warning: {WARNED}\nfleetwatch: first boot done\n" * 2)
    assert ready(BOOTING="yes")[::2] == (0, f"host web-1: warning: {WARNED}\n")
    assert ready()[2] == "", "the log of a server's first boot is not ours"


def test_the_engine_that_an_installation_had_to_take_is_reported(host: Programs, ready: Ready) -> None:
    (host.folder / "docker").write_text((host.bin / "docker").read_text())
    (host.bin / "docker").unlink()
    host.fake("apt-get")
    host.fake("service")
    install = f'cat "{host.folder}/docker" > "{host.bin}/docker"; chmod 755 "{host.bin}/docker"; '
    code, _, err = ready(INSTALL=f'{install}echo "fleetwatch: warning: {WARNED}"')
    assert (code, err.splitlines()[1:]) == (0, [f"host web-1: warning: {WARNED}"])


def test_a_first_boot_that_takes_too_long_is_told(host: Programs, ready: Ready) -> None:
    host.fake("cloud-init", "exec /bin/sleep 5")
    said = ready(BOOTING="yes", PATIENCE="0.2")[2]
    assert said.startswith("host web-1: its first boot (cloud-init) is not done after 0.2 s; ")
