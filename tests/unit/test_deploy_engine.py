"""engine.sh and ready_host.sh for real: engines that cannot run an edge, hosts on which something is measured wrongly,
and a hub that starts before its private address."""

from __future__ import annotations

import re

import pytest

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
