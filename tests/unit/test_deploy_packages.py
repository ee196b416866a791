"""docker_packages.sh for real, with apt's programs made up: what it installs from where, on which system."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from configs.deploy import COMPOSE, script
from tests.fixtures.fake_programs import Programs

# What apt-cache knows is in the file `candidates`, one "package version" a line; installed packages are in `installed`.
APT_CACHE = """
version=$(awk -v name="$2" '$1 == name { print $2 }' "$STATE/candidates")
printf '%s:\\n  Installed: (none)\\n  Candidate: %s\\n' "$2" "${version:-(none)}"
"""
APT_GET = """
case " $* " in
    *' update '*) [ ! -e "$STATE/etc/apt/sources.list.d/fleetwatch-docker.list" ] || . "$STATE/served" ;;
    *' install '*) for word in "$@"; do echo "$word" >> "$STATE/installed"; done ;;
esac
"""
DPKG = """
case $1 in
    --print-architecture) echo amd64 ;;
    --compare-versions)
        case $2 in *:*) exit ;; esac # an epoch is more than none
        [ "$(printf '%s\\n%s\\n' "$4" "$2" | sort -V | head -n 1)" = "$4" ]
        ;;
esac
"""
DOCKER = 'grep -q ^docker-compose "$STATE/installed" && echo v2.40.3'
VENDOR = ["docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"]
SERVED = "".join(f"echo {name} 5:29.0.1-1 >> $STATE/candidates\n" for name in VENDOR[:3])
SERVED += "echo docker-compose-plugin 2.40.3-1~debian.12~bookworm >> $STATE/candidates\n"
KEY = "curl -fsSL --retry 3 --max-time 60 -o {0}/etc/apt/keyrings/fleetwatch-docker.asc"


class System(Programs):
    """A Debian or Ubuntu without Docker, for root."""

    def begin(self, candidates: str, release: str = "ID=debian\nVERSION_CODENAME=bookworm\n") -> None:
        (self.folder / "etc" / "apt" / "sources.list.d").mkdir(parents=True)
        (self.folder / "etc" / "os-release").write_text(release)
        (self.folder / "candidates").write_text(candidates.replace(", ", "\n") + "\n")
        (self.folder / "installed").touch()
        (self.folder / "served").write_text(SERVED)
        for name, answer in {
            "apt-cache": APT_CACHE, "apt-get": APT_GET, "dpkg": DPKG, "docker": DOCKER, "service": "",
            "curl": 'for place in "$@"; do [ "${was:-}" != -o ] || echo key > "$place"; was=$place; done',
        }.items():  # fmt: skip
            self.fake(name, answer)

    def run(self) -> tuple[int, str]:
        """The script's exit code and its last line on stderr."""
        text = script("docker_packages", COMPOSE=COMPOSE).replace("/etc/", f"{self.folder}/etc/")
        done = subprocess.run(["/bin/sh", "-c", text], env=self.env, capture_output=True, text=True, timeout=30)
        return done.returncode, (done.stderr.splitlines() or [""])[-1]

    def installed(self) -> list[str]:
        options = {"-q", "-y", "-o", "install", "--no-install-recommends", "DPkg::Lock::Timeout=300"}
        return [word for word in (self.folder / "installed").read_text().split() if word not in options]

    def engine(self) -> None:
        self.fake("dockerd")

    def sources(self) -> list[str]:
        files = [path for path in (self.folder / "etc" / "apt").rglob("*") if path.is_file()]
        return [path.read_text() for path in sorted(files)]


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


ALWAYS = ["iptables", "apparmor", "ca-certificates"]
DEBIAN_13 = "docker.io 26.1.5+dfsg1-9, docker-cli 26.1.5+dfsg1-9, docker-compose 2.26.1-4"
UBUNTU = "docker.io 27.5.1-0ubuntu3, docker-compose 1.29.2-6, docker-compose-v2 2.33.0+ds1-0ubuntu1"
DEBIAN_12 = "docker.io 20.10.24+dfsg1-1, docker-compose 1:1.29.2-3"
BOTH = f"{DEBIAN_13}, docker-ce 5:29.0.1-1, docker-compose-plugin 5.0.0-1~debian.13~trixie"


@pytest.mark.parametrize(
    ("candidates", "packages"),
    [
        (DEBIAN_13, ["docker.io", "docker-cli", "docker-compose"]),
        (UBUNTU, ["docker.io", "docker-compose-v2"]),
        (BOTH, VENDOR),
    ],
    ids=["debian-13", "ubuntu", "docker"],
)
def test_packages_of_a_bare_system(system: System, candidates: str, packages: list[str]) -> None:
    system.begin(candidates)
    assert system.run() == (0, "")
    assert system.installed() == [*packages, *ALWAYS]
    assert not system.calls("curl"), "apt has everything"
    assert system.sources() == []


@pytest.mark.parametrize(("release", "code"), [("debian", "bookworm"), ("ubuntu", "jammy")])
def test_docker_repository_where_apt_has_no_compose_v2(system: System, release: str, code: str) -> None:
    system.begin(DEBIAN_12, f'ID={release}\nVERSION_CODENAME="{code}"\n')
    assert system.run() == (0, "")
    assert system.installed() == ["ca-certificates", "curl", *VENDOR, *ALWAYS]
    url = f"https://download.docker.com/linux/{release}"
    assert system.calls("curl") == [f"{KEY.format(system.folder)} {url}/gpg"]
    keyring = f"{system.folder}/etc/apt/keyrings/fleetwatch-docker.asc"
    assert system.sources() == ["key\n", f"deb [arch=amd64 signed-by={keyring}] {url} {code} stable\n"]


def test_engine_that_is_there_gets_compose_alone(system: System) -> None:
    system.begin(DEBIAN_13)
    system.engine()
    assert system.run() == (0, "")
    assert system.installed() == ["docker-compose"]


def test_engine_of_debian_12_gets_docker_compose_plugin_alone(system: System) -> None:
    system.begin(DEBIAN_12)
    system.engine()
    assert system.run() == (0, "")
    assert system.installed() == ["ca-certificates", "curl", "docker-compose-plugin"]


def test_nothing_is_installed_where_both_are_there(system: System) -> None:
    system.begin(DEBIAN_13)
    system.engine()
    (system.folder / "installed").write_text("docker-compose\n")
    assert system.run() == (0, "")
    assert not system.calls("apt")


UNSERVED = (
    "no package has Docker Compose 2.24.1 or newer, and Docker's repository (download.docker.com) does not serve this "
    "system; install both by hand (https://docs.docker.com/engine/install/)"
)


@pytest.mark.parametrize("broken", ["unreachable", "another system"])
def test_repository_that_does_not_help_is_removed_again(system: System, broken: str) -> None:
    system.begin(DEBIAN_12)
    if broken == "unreachable":
        system.fake("curl", "exit 6")
    else:
        (system.folder / "served").write_text("")
    assert system.run() == (1, UNSERVED)
    assert system.sources() == []
    assert "docker.io" not in system.installed(), "an engine without Compose is of no use"


def test_compose_that_does_not_answer_is_an_error(system: System) -> None:
    system.begin(DEBIAN_13)
    system.fake("docker", "echo v2.10.0")
    assert system.run() == (
        1,
        "docker-compose was installed, but `docker compose version --short` answers 'v2.10.0'; "
        "expected 2.24.1 or newer",
    )
