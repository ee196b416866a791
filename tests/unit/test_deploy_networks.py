"""Lists in shell variables, for real: ready_host.sh takes each line of a list as one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_programs import Programs
from tests.unit.test_deploy_hosts import DOCKER as ENGINE
from tests.unit.test_deploy_hosts import Ready, ready

__all__ = ["ready"]  # a fixture


@pytest.fixture
def host(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    return made


def _engine(host: Programs) -> None:
    host.fake("id", 'case "$1" in -u) echo 0 ;; -un) echo root ;; esac')
    host.fake("df", "echo 'Filesystem 1024-blocks Used Available'; echo '/dev/vda1 9 1 9000000 1% /'")
    host.fake("docker", ENGINE)


def test_a_log_folder_with_a_space_or_a_star_in_its_name_is_one_folder(host: Programs, ready: Ready) -> None:
    _engine(host)
    folders = [host.folder / name for name in ("my app", "*", "$(touch x)")]
    for folder in folders:
        folder.mkdir()
    assert ready(FOLDERS="\n".join(map(str, folders))) == (0, "Docker 20.10.24+dfsg1, Compose 2.40.3\n", "")
    folders[0].rmdir()
    assert ready(FOLDERS="\n".join(map(str, folders)))[2] == (
        f"host web-1: hosts.web-1.logs: expected the folder {host.folder}/my app on that host, it does not exist\n"
    )


def test_every_network_of_the_list_is_looked_for(host: Programs, ready: Ready) -> None:
    _engine(host)
    host.fake("docker", ENGINE.replace("shop_default", "shop_default\\nblog"))
    assert ready(NETWORKS="shop_default\nblog")[0] == 0
    assert "got shop-2;" in ready(NETWORKS="shop_default\nshop-2\nblog")[2]
