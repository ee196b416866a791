"""docker_packages.sh for real, with apt's programs made up: what it installs from where, on which system."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_apt import FINGERPRINT, KEY, TOOLS, VENDOR, System


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


SOURCE, PINS, UPDATES = (
    "sources.list.d/fleetwatch-docker.list", "preferences.d/fleetwatch-docker", "apt.conf.d/52fleetwatch-updates",
)  # fmt: skip
ALWAYS = ["iptables", "apparmor", "ca-certificates"]
DEBIAN_13 = "docker.io 26.1.5+dfsg1-9, docker-cli 26.1.5+dfsg1-9, docker-compose 2.26.1-4"
UBUNTU = "docker.io 27.5.1-0ubuntu3, docker-compose 1.29.2-6, docker-compose-v2 2.33.0+ds1-0ubuntu1"
DEBIAN_12 = "docker.io 20.10.24+dfsg1-1, docker-compose 1:1.29.2-3"


@pytest.mark.parametrize(
    ("candidates", "release", "code"),
    [(DEBIAN_13, "debian", "trixie"), (DEBIAN_12, "debian", "bookworm"), (UBUNTU, "ubuntu", "noble")],
)
def test_engine_and_compose_come_from_dockers_own_repository(
    system: System, candidates: str, release: str, code: str
) -> None:
    system.begin(candidates, f'ID={release}\nVERSION_CODENAME="{code}"\n')
    assert system.run() == (0, "")
    assert system.installed() == [*TOOLS, *VENDOR, *ALWAYS, "unattended-upgrades"]
    url = f"https://download.docker.com/linux/{release}"
    assert system.calls("curl") == [f"{KEY.format(system.folder)} {url}/gpg"]
    keyring = f"{system.folder}/etc/apt/keyrings/fleetwatch-docker.asc"
    assert system.file(SOURCE) == f"deb [arch=amd64 signed-by={keyring}] {url} {code} stable\n"
    assert system.warnings == []


def test_pins_take_one_major_version_and_nothing_else_from_the_repository(system: System) -> None:
    system.begin(DEBIAN_13)
    assert system.run() == (0, "")
    entries = [dict(line.split(": ") for line in part.splitlines()) for part in (system.file(PINS) or "").split("\n\n")]
    assert [(entry["Package"].split()[0], entry["Pin"], entry["Pin-Priority"]) for entry in entries] == [
        ("docker-ce", "version 5:29.*", "900"),
        ("docker-ce", "origin download.docker.com", "-1"),
        ("containerd.io", "origin download.docker.com", "500"),
        ("*", "origin download.docker.com", "-1"),
    ]


def test_engine_is_held_and_security_updates_are_on(system: System) -> None:
    system.begin(DEBIAN_13)
    assert system.run() == (0, "")
    assert system.held() == VENDOR[:3], "an unattended upgrade of these restarts every container"
    periodic = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
    assert system.file(UPDATES) == periodic


def test_decision_about_security_updates_that_is_there_stays(system: System) -> None:
    system.begin(DEBIAN_13)
    system.fake("apt-config", "echo 'APT::Periodic::Unattended-Upgrade \"0\";'")
    assert system.run() == (0, "")
    assert system.file(UPDATES) is None


def test_missing_package_for_security_updates_is_a_warning(system: System) -> None:
    system.begin(DEBIAN_13)
    (system.folder / "unavailable").write_text("unattended-upgrades")
    assert system.run() == (0, "")
    assert system.warnings == [
        "the package unattended-upgrades could not be installed: security updates of the system are not installed by "
        "themselves"
    ]


URL = "https://download.docker.com/linux/debian"
REASONS = {
    "unreachable": f"{URL}/gpg could not be fetched (curl: (6) Could not resolve host: download.docker.com)",
    "another key": f"{URL}/gpg is not Docker's key (expected the fingerprint {FINGERPRINT}, got {'A' * 40})",
    "a second key": f"{URL}/gpg is not Docker's key (expected the fingerprint {FINGERPRINT}, got 2 keys)",
    "a page": f"{URL}/gpg is not Docker's key (expected the fingerprint {FINGERPRINT}, got 0 keys)",
    "another system": f"{URL} has no packages for debian trixie",
}


def _broken(system: System, how: str) -> None:
    match how:
        case "unreachable":
            system.unreachable()
        case "another key":
            system.fake("curl", system.key("A" * 40))
        case "a second key":
            system.fake("curl", system.key(f"{FINGERPRINT}\\nmore"))
        case "a page":
            system.fake("curl", system.key("page"))
        case _:
            (system.folder / "served").write_text("")


@pytest.mark.parametrize("how", REASONS)
def test_distributions_engine_where_the_repository_cannot_be_used(system: System, how: str) -> None:
    system.begin(DEBIAN_13)
    _broken(system, how)
    assert system.run() == (0, "")
    assert system.installed() == [*TOOLS, "docker.io", "docker-cli", "docker-compose", *ALWAYS, "unattended-upgrades"]
    assert system.warnings == [
        "Docker Engine is the distribution's (26.1.5+dfsg1-9) instead of 29 from Docker's own repository, because "
        + REASONS[how]
    ]
    assert system.of_docker() == [], "else every later update of apt would report it"
    assert system.held() == ["docker.io"]
    assert system.file(UPDATES)


def test_ubuntus_compose_v2_comes_with_ubuntus_engine(system: System) -> None:
    system.begin(UBUNTU, "ID=ubuntu\nVERSION_CODENAME=noble\n")
    system.unreachable()
    assert system.run() == (0, "")
    assert system.installed() == [*TOOLS, "docker.io", "docker-compose-v2", *ALWAYS, "unattended-upgrades"]


def test_distribution_without_compose_v2_is_an_error(system: System) -> None:
    system.begin(DEBIAN_12)
    system.unreachable()
    assert system.run() == (
        1,
        f"Docker's own repository cannot be used, because {REASONS['unreachable']}, and no package of the distribution "
        "has Docker Compose 2.24.1 or newer; install both by hand (https://docs.docker.com/engine/install/)",
    )
    assert "docker.io" not in system.installed(), "an engine without Compose is of no use"


def test_major_version_that_the_repository_does_not_have_is_an_error(system: System) -> None:
    system.begin(DEBIAN_13)
    (system.folder / "served").write_text("")
    (system.folder / "offers").write_text(
        "docker-ce 5:28.5.2-1~debian.13~trixie\ndocker-ce 5:30.0.1-1~debian.13~trixie\n"
    )
    assert system.run() == (
        1,
        "Docker's repository has no Docker Engine 29 for debian trixie (it has 28 30); set docker.major in the stack "
        "file to one of them",
    )
    assert system.of_docker() == []


def test_repository_that_somebody_set_up_is_used_as_it_is(system: System) -> None:
    system.begin(f"{DEBIAN_13}, docker-ce 5:29.0.1-1, docker-compose-plugin 5.0.0-1~debian.13~trixie")
    (system.folder / "etc/apt/sources.list.d/docker.list").write_text(f"deb [signed-by=/own.asc] {URL} trixie stable\n")
    assert system.run() == (0, "")
    assert system.installed() == [*VENDOR, *ALWAYS, "unattended-upgrades"]
    assert not system.calls("curl")
    assert system.file(SOURCE) is None, "apt refuses two keys for one source"
    assert "Package: *" not in (system.file(PINS) or ""), "they use its other packages too"


def test_engine_that_is_there_gets_compose_alone(system: System) -> None:
    system.begin(DEBIAN_13)
    system.engine()
    assert system.run() == (0, "")
    assert system.installed() == ["docker-compose", "unattended-upgrades"]


def test_engine_of_debian_12_gets_docker_compose_plugin_alone(system: System) -> None:
    system.begin(DEBIAN_12)
    system.engine()
    assert system.run() == (0, "")
    assert system.installed() == [*TOOLS, "docker-compose-plugin", "unattended-upgrades"]


def test_nothing_is_installed_where_both_are_there(system: System) -> None:
    system.begin(DEBIAN_13)
    system.engine()
    (system.folder / "installed").write_text("docker-compose\ndocker.io\n")
    assert system.run() == (0, "")
    assert not system.calls("apt-get")
    assert system.held() == ["docker.io"], "its upgrade would restart every container"
    assert system.file(UPDATES) is None, "without the package the setting would do nothing"


def test_security_updates_are_switched_on_at_the_first_boot_of_an_image_with_docker(system: System) -> None:
    system.begin(DEBIAN_13)
    system.engine()
    (system.folder / "installed").write_text("docker-compose\ndocker.io\nunattended-upgrades\n")
    assert system.run() == (0, "")
    assert not system.calls("apt-get")
    assert "Unattended-Upgrade" in (system.file(UPDATES) or "")


def test_engine_without_compose_and_repository_is_an_error(system: System) -> None:
    system.begin(DEBIAN_12)
    system.engine()
    system.unreachable()
    code, last = system.run()
    assert code == 1
    assert last.startswith(
        "no package has Docker Compose 2.24.1 or newer, and Docker's own repository cannot be used, "
    )
    assert system.of_docker() == []


def test_compose_that_does_not_answer_is_an_error(system: System) -> None:
    system.begin(DEBIAN_13)
    system.unreachable()
    system.fake("docker", "echo v2.10.0")
    assert system.run() == (
        1,
        "docker-compose was installed, but `docker compose version --short` answers 'v2.10.0'; "
        "expected 2.24.1 or newer",
    )
