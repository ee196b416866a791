"""ready_host.sh for real: Docker Compose on the host, and the installation of what is missing."""

from __future__ import annotations

import pytest

from tests.fixtures.fake_programs import Programs
from tests.unit.test_deploy_hosts import DOCKER, Ready, deploy_user, host, ready

__all__ = ["host", "ready"]  # fixtures


def test_a_droplet_without_docker_points_to_its_first_boot(host: Programs, ready: Ready) -> None:
    (host.bin / "docker").unlink()
    assert ready(BOOTING="yes")[2] == (
        "host web-1: expected Docker Engine 20.10 or newer, it is not installed; its first boot was to install it, "
        "/var/log/cloud-init-output.log on it shows why it did not\n"
    )


def test_docker_is_installed_where_that_is_asked_for(host: Programs, ready: Ready) -> None:
    (host.bin / "docker").rename(host.folder / "later")
    host.fake("service")
    code, out, err = ready(INSTALL=f"echo noise; /bin/cp {host.folder}/later {host.bin}/docker", FOLDERS="")
    assert (code, err) == (
        1,
        "host web-1: install_docker supports apt only; expected Docker Engine 20.10 or newer, it is not installed; "
        "install it by hand (https://docs.docker.com/engine/install/)\n",
    )
    host.fake("apt-get")
    code, out, err = ready(INSTALL=f"echo noise; /bin/cp {host.folder}/later {host.bin}/docker")
    assert (code, out) == (0, "Docker 20.10.24+dfsg1, Compose 2.40.3\n"), err
    assert err == "host web-1: installing Docker and Compose with apt, where missing\n"
    assert host.calls("service") == ["service docker start"]


def test_an_installation_that_fails_says_its_last_lines(host: Programs, ready: Ready) -> None:
    (host.bin / "docker").unlink()
    host.fake("apt-get")
    code, _, err = ready(INSTALL="echo 'E: Unable to locate package docker.io' >&2; exit 100")
    assert code == 1
    assert err.endswith("host web-1: installing Docker failed: E: Unable to locate package docker.io\n")


def test_an_installation_needs_root(host: Programs, ready: Ready) -> None:
    (host.bin / "docker").unlink()
    deploy_user(host, sudo="echo 'sudo: a password is required' >&2; exit 1")
    assert ready(INSTALL="true")[2] == (
        "host web-1: install_docker needs root on it, and sudo wants a password from deploy; add the line "
        "`deploy ALL=(ALL) NOPASSWD: ALL` there (`visudo -f /etc/sudoers.d/deploy`), or set "
        "hosts.web-1.server.user: root\n"
    )


def _compose(host: Programs, answer: str) -> None:
    host.fake("docker", DOCKER.replace("echo v2.40.3", answer))


NO_PLUGIN = "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1"
WANTED = "host web-1: expected Docker Compose 2.24.1 or newer (`docker compose version`), found"


@pytest.mark.parametrize(
    ("answer", "found"),
    [(NO_PLUGIN, "none"), ("echo 2.24.0", "2.24.0"), ("echo v2.3.3", "2.3.3"), ("echo 2.24.0+ds1", "2.24.0+ds1")],
)
def test_missing_or_old_compose_is_refused_with_both_ways_out(
    host: Programs, ready: Ready, answer: str, found: str
) -> None:
    _compose(host, answer)
    assert ready() == (
        1,
        "",
        f"{WANTED} {found}; install it (https://docs.docker.com/compose/install/linux/) or set "
        "hosts.web-1.server.install_docker: true\n",
    )
    assert not (host.folder / "files").exists(), "nothing of ours before the host is ready"


def test_compose_v1_is_named(host: Programs, ready: Ready) -> None:
    _compose(host, NO_PLUGIN)
    host.fake("docker-compose", "echo 1.29.2")
    assert ready()[2].startswith(f"{WANTED} the program docker-compose alone, not the plugin; install it")


def test_a_droplet_without_compose_points_to_its_first_boot(host: Programs, ready: Ready) -> None:
    _compose(host, NO_PLUGIN)
    assert ready(BOOTING="yes")[2] == (
        f"{WANTED} none; its first boot was to install it, /var/log/cloud-init-output.log on it shows why it did not\n"
    )


@pytest.mark.parametrize("version", ["2.24.1", "2.24.6+ds1", "2.26.1-4", "v2.40.3", "5.7.1"])
def test_tested_compose_is_taken_without_a_word(host: Programs, ready: Ready, version: str) -> None:
    _compose(host, f"echo {version}")
    assert ready() == (0, f"Docker 20.10.24+dfsg1, Compose {version.removeprefix('v')}\n", "")


@pytest.mark.parametrize("version", ["6.0.0", "10.1.0", "dev"])
def test_newer_compose_is_taken_with_a_warning(host: Programs, ready: Ready, version: str) -> None:
    _compose(host, f"echo {version}")
    code, _, err = ready()
    assert (code, err) == (0, f"host web-1: Docker Compose {version} was not tested; tested are 2.24.1 to 5.x\n")


def test_missing_compose_alone_is_installed(host: Programs, ready: Ready) -> None:
    _compose(host, f"[ -e $STATE/plugin ] || {{ {NO_PLUGIN}; }}; echo 2.26.1-4")
    host.fake("apt-get")
    host.fake("service")
    code, out, err = ready(INSTALL=f"echo > {host.folder}/plugin")
    assert (code, out) == (0, "Docker 20.10.24+dfsg1, Compose 2.26.1-4\n"), err
    assert err == "host web-1: installing Docker and Compose with apt, where missing\n"
    assert host.calls("service") == [], "the engine runs already"


def test_a_plugin_that_hides_the_installed_one_is_reported(host: Programs, ready: Ready) -> None:
    _compose(host, "echo 2.10.0")
    host.fake("apt-get")
    assert ready(INSTALL="true")[2].endswith(
        "host web-1: expected Docker Compose 2.24.1 or newer after its installation, found 2.10.0; `docker info` on it "
        "shows the path of the plugin that comes first\n"
    )
