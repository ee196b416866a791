"""cAdvisor names the containers of a Docker Engine 28, wherever this keeps its images and whenever it starts.

Docker 29 keeps images in containerd unless asked otherwise; cAdvisor then needs containerd's socket when it starts.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.image_store import SYSTEM, Engine, machine
from tests.integration.rig import eventually
from tools import setup

IN_CONTAINERD = "io.containerd.snapshotter.v1"


@pytest.fixture
def engine(chain: setup.ToolChain) -> Iterator[Engine]:
    images = {image.key: image.ref for image in chain.images}
    with machine(images["engine"], images["cadvisor"]) as made:
        yield made


def test_names_with_system_containerd(engine: Engine) -> None:
    engine.containerd()
    engine.dockerd(image_store=True, options=f"--containerd {SYSTEM}")
    assert IN_CONTAINERD in engine.store()
    engine.cadvisor()
    engine.expect_names()


def test_names_with_containerd_of_dockerd(engine: Engine) -> None:
    engine.dockerd(image_store=True)
    assert IN_CONTAINERD in engine.store()
    assert engine.inside("ls /run/docker/containerd/containerd.sock")
    engine.cadvisor()
    engine.expect_names()


def test_names_with_images_outside_containerd(engine: Engine) -> None:
    engine.containerd()
    engine.dockerd(image_store=False, options=f"--containerd {SYSTEM} --data-root /var/lib/containerd/docker")
    assert IN_CONTAINERD not in engine.store()
    engine.cadvisor()
    engine.expect_names()


def test_names_return_after_slow_start(engine: Engine) -> None:
    """The socket comes after cAdvisor has started: it registers Docker once, at its start."""
    engine.containerd()
    engine.dockerd(image_store=True, options=f"--containerd {SYSTEM}")
    engine.inside(f"mv {SYSTEM} /run/late.sock")
    engine.cadvisor()
    _without_names(engine)
    engine.inside(f"mv /run/late.sock {SYSTEM}")
    engine.expect_names()


def test_names_with_containerd_in_another_place_beside_an_idle_one(engine: Engine) -> None:
    """The first socket that cAdvisor gets answers, but knows none of Docker's containers."""
    elsewhere = "/run/elsewhere/containerd.sock"
    engine.containerd(data="/var/lib/docker/idle")
    engine.containerd(elsewhere)
    engine.dockerd(image_store=True, options=f"--containerd {elsewhere}")
    engine.cadvisor()
    _without_names(engine)
    engine.expect_names(patience=60)
    assert f"containerd socket /rootfs{SYSTEM}" in engine.log()


def _without_names(engine: Engine) -> None:
    eventually("cAdvisor to answer", lambda: engine.names() is not None, 30)
    assert engine.names() == set()
    assert not engine.healthy()
