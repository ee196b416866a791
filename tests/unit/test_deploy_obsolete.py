"""files.sh for real, with a fake docker: a secret is removed although the old configuration names it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from configs.deploy import bundle
from tests.fixtures.service_files import Service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


class TestASecretThatTheOldConfigurationNames:
    """The secrets of a service are deployed before its configuration."""

    OLD, NEW = {"ca.pem": "ca\n", "password": "1\n"}, {"password": "2\n"}

    @pytest.fixture
    def caddy(self, service: Service) -> Service:
        """A process that reads nothing while its configuration names a secret that is gone."""
        secrets, config = service.live.parent / "secrets", service.live / "main.yml"
        service.answer(
            "kill", f'if grep -qs ca.pem "{config}" && [ ! -e "{secrets}/ca.pem" ]; then echo "no ca.pem"; exit 1; fi'
        )
        assert self.secrets(service, self.OLD).returncode == 0
        assert self.config(service, "ca.pem\n").returncode == 0
        return service

    @staticmethod
    def secrets(service: Service, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
        folder = str(service.live.parent / "secrets")
        return service.run("files", bundle(files), **service.parameters() | {"DIR": folder})

    @staticmethod
    def config(service: Service, text: str) -> subprocess.CompletedProcess[str]:
        return service.run("files", bundle({"main.yml": text}), **service.parameters())

    @staticmethod
    def kept(service: Service) -> dict[str, str]:
        folder = service.live.parent / "secrets"
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}

    def test_is_removed_with_the_new_configuration(self, caddy: Service) -> None:
        done = self.secrets(caddy, self.NEW)
        assert done.returncode == 0, done.stderr
        assert self.kept(caddy) == self.NEW | {"ca.pem": "ca\n"}, "the process goes on with what it has"
        assert self.config(caddy, "other\n").returncode == 0
        assert self.kept(caddy) == self.NEW
        left = {path.name for path in caddy.live.parent.iterdir()}
        assert left == {"secrets", "secrets.applied", "config", "config.applied"}

    def test_is_removed_at_once_if_nothing_names_it(self, caddy: Service) -> None:
        assert self.config(caddy, "other\n").returncode == 0
        assert self.secrets(caddy, self.NEW).returncode == 0
        assert self.kept(caddy) == self.NEW

    def test_is_no_excuse_for_another_fault(self, caddy: Service) -> None:
        caddy.answer("kill", 'echo "port 443 is taken"; exit 1')
        done = self.secrets(caddy, self.NEW)
        assert done.returncode == 1
        assert "port 443 is taken" in done.stderr
        caddy.answer("kill", "")
        assert self.secrets(caddy, self.NEW).returncode == 0, "the next run goes on"
        assert self.kept(caddy) == self.NEW
        assert self.config(caddy, "other\n").returncode == 0
        assert self.kept(caddy) == self.NEW

    def test_of_a_subfolder_with_a_space_is_removed_too(self, service: Service) -> None:
        name = "of a node/ca.pem"
        gone = service.live.parent / "secrets" / name
        service.answer("kill", f'if grep -qs ca.pem "{service.live}/main.yml" && [ ! -e "{gone}" ]; then exit 1; fi')
        assert self.secrets(service, self.NEW | {name: "ca\n"}).returncode == 0
        assert self.config(service, f"{name}\n").returncode == 0
        assert self.secrets(service, self.NEW).returncode == 0
        assert self.kept(service) == self.NEW | {name: "ca\n"}
        assert self.config(service, "other\n").returncode == 0
        assert self.kept(service) == self.NEW

    def test_is_no_excuse_for_one_that_it_does_not_name(self, caddy: Service) -> None:
        """The password of a host that was removed would stay valid: its configuration does not change."""
        assert self.config(caddy, "import *\n").returncode == 0
        once = caddy.folder / "once"
        caddy.answer("kill", f'if mkdir "{once}" 2> /dev/null; then echo "no answer"; exit 1; fi')
        done = self.secrets(caddy, self.NEW)
        assert done.returncode == 1
        assert "no answer" in done.stderr
        assert self.kept(caddy) == self.NEW
        assert self.secrets(caddy, self.NEW).returncode == 0, "the next run goes on"

    def test_that_comes_back_stays(self, caddy: Service) -> None:
        """The update is taken back before the new configuration was deployed."""
        assert self.secrets(caddy, self.NEW).returncode == 0
        assert self.secrets(caddy, self.OLD).returncode == 0
        assert self.config(caddy, "ca.pem\nmore\n").returncode == 0
        assert self.kept(caddy) == self.OLD
