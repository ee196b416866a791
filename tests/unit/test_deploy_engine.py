"""engine.sh and ready_host.sh for real: engines that cannot run an edge, hosts on which something is measured wrongly,
and a hub that starts before its private address."""

from __future__ import annotations

import re

import pytest

from configs import engines
from tests.fixtures.fake_programs import Programs
from tests.unit.test_deploy_hosts import DF, DOCKER, Ready, host, ready

__all__ = ["host", "ready"]  # fixtures


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("name=rootless", "expected a Docker Engine that runs as root, this one is rootless"),
        ("name=userns", r"expected a Docker Engine without user namespaces \(userns-remap\)"),
    ],
)
def test_an_engine_that_cannot_run_an_edge_is_refused(host: Programs, ready: Ready, options: str, reason: str) -> None:
    known = f'case "$*" in *SecurityOptions*) echo \'["name=seccomp,profile=builtin","{options}"]\'; exit ;; esac'
    host.fake("docker", known + DOCKER)
    code, out, err = ready()
    assert (code, out) == (1, "")
    assert re.match(f"host web-1: {reason}", err)
    assert not (host.folder / "files").exists(), "nothing was put there"


def test_docker_data_on_another_disk_is_named_with_what_measures_it(host: Programs, ready: Ready) -> None:
    host.fake("docker", DOCKER.replace("/var/lib/docker", "/data/docker"))
    host.fake("df", DF.format(free=9000 * 1024).replace("1% /", "1% /data"))
    assert ready() == (
        0,
        "Docker 20.10.24+dfsg1, Compose 2.40.3\n",
        "host web-1: warning: Docker keeps its data in /data/docker, on the file system /data: the alert "
        "AgentBufferFilling looks at the system's disk instead (VolumeFull covers /data)\n",
    )


def test_a_hub_publishes_its_port_before_its_private_address_is_there(host: Programs, ready: Ready) -> None:
    """Docker does not start a container again whose port could not be published at a boot."""
    setting, now = host.folder / "60-fw.conf", host.folder / "nonlocal"
    now.write_text("0\n")
    assert ready()[2] == ""
    assert now.read_text() == "0\n", "other hosts are left alone"
    for there, value in ((False, "0\n"), (True, "0\n"), (True, "1\n")):
        assert setting.exists() == there
        now.write_text(value)
        assert ready(LATE_ADDRESS=str(setting))[::2] == (0, "")
        assert setting.read_text() == "# before: 0\nnet.ipv4.ip_nonlocal_bind = 1\n"
        assert now.read_text() == "1\n"
    setting.unlink()
    (host.folder / "60-other.conf").write_text("# before: 0\nnet.ipv4.ip_nonlocal_bind = 1\n")
    ready(LATE_ADDRESS=str(setting))
    assert setting.read_text().startswith("# before: 0\n"), "before any stack on this host"
    (host.folder / "60-other.conf").unlink()
    setting.unlink()
    ready(LATE_ADDRESS=str(setting))
    assert setting.read_text().startswith("# before: 1\n"), "somebody else switched it on"


def test_a_hub_whose_setting_cannot_be_written_is_named(host: Programs, ready: Ready) -> None:
    (host.folder / "nonlocal").write_text("0\n")
    code, _, err = ready(LATE_ADDRESS=str(host.folder / "none" / "60-fw.conf"))
    assert code == 0
    assert err.startswith("host web-1: warning: at a boot its private address may come after Docker, which then does")
    assert "`docker start fleetwatch-caddy` does" in err


@pytest.mark.parametrize("option", ["", "master:26 "])
def test_a_host_with_private_mounts_is_named(host: Programs, ready: Ready, option: str) -> None:
    """A mount that only receives passes nothing on either."""
    (host.folder / "mountinfo").write_text(f"27 1 254:0 / / rw,relatime {option}- ext4 /dev/vda rw\n")
    code, _, err = ready()
    assert code == 0
    assert err.startswith("host web-1: warning: its mounts are private, so the containers see a disk that is mounted")
    assert "`mount --make-rshared /` before Docker starts" in err


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("20.10.9", "its seccomp profile"),
        ("28.2.2", "after a reload of firewalld"),
        ("20.10.24+dfsg1", None),
        ("28.3.3", None),
        ("29.7.2", None),
    ],
)
def test_an_engine_that_is_known_to_be_bad_is_used_with_a_warning(
    host: Programs, ready: Ready, version: str, reason: str | None
) -> None:
    host.fake("docker", DOCKER.replace("20.10.24+dfsg1", version))
    code, out, err = ready()
    assert (code, out) == (0, f"Docker {version}, Compose 2.40.3\n")
    assert err.startswith(f"host web-1: warning: Docker Engine {version}: {reason}") if reason else err == ""
    assert len(err.splitlines()) == len(engines.warnings(version)), "the table says the same to `make up`"


ARM64 = DOCKER.replace("echo amd64", "echo arm64")
MADE = {"LOCAL_IMAGES": "fleetwatch.local/caddy:1\nfleetwatch.local/loki:1", "MADE_FOR": "amd64"}


def test_images_that_were_made_for_another_processor_are_refused(host: Programs, ready: Ready) -> None:
    host.fake("docker", ARM64)
    code, out, err = ready(**MADE)
    assert (code, out) == (1, "")
    assert err == (
        "host web-1: its processor is arm64, but images of this stack were made for amd64 on the machine that runs the "
        "program, because it reaches no registry (fleetwatch.local/caddy:1, ...); run the program where the vendors' "
        "images can be pulled, which exist for amd64 arm64, or use a host with amd64\n"
    )
    assert not (host.folder / "files").exists(), "nothing was put there"
    assert ready()[0] == 0, "the vendors' images exist for it"
    assert ready(**{**MADE, "MADE_FOR": "arm64"})[0] == 0


def test_a_processor_without_images_is_refused(host: Programs, ready: Ready) -> None:
    host.fake("docker", DOCKER.replace("echo amd64", "echo riscv64"))
    assert ready()[2] == (
        "host web-1: expected a processor of one of amd64 arm64, for which the pinned images exist, this one is "
        "riscv64\n"
    )
