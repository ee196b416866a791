"""The assistant's image on a hub elsewhere: its reference, who builds it, and how it gets there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from configs.settings import Settings, load
from tests.fixtures import fleets
from tests.fixtures.fake_programs import Programs
from tests.fixtures.full import SOURCE, small
from tools import own_images
from tools.errors import ToolError

IMAGE = "fleetwatch.local/ask:1"
BRING = {"HOST": "hub", "IMAGE": IMAGE, "KEY": "ask"}


def _fleet(**sections: Any) -> Settings:
    return load(fleets.fleet({**fleets.HUB, "ask": {}}, **sections), SOURCE)


def test_reference_is_derived_from_the_checkout_for_a_hub_elsewhere_alone() -> None:
    (key,) = found = own_images.references(_fleet())
    assert key == "ask"
    assert found == own_images.references(_fleet()), "on every machine"
    assert not own_images.references(load(fleets.fleet(fleets.HUB), SOURCE))
    assert not own_images.references(load(small(hub={"local": {}, "ask": {}}), SOURCE))
    assert not own_images.references(_fleet(images={"ask": "registry.example.com/ask:1"}))
    assert not own_images.references(None)


def test_build_needs_a_docker_engine_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_images, "try_output", lambda *_a, **_k: None)
    with pytest.raises(ToolError, match="is built by this machine's Docker, which does not answer: start it, or name"):
        own_images.build(_fleet())
    own_images.build(load(fleets.fleet(fleets.HUB), SOURCE))


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    (made.bin / "gzip").symlink_to(str(shutil.which("gzip")))
    made.fake("docker", 'case "$1 $2" in "image inspect") [ -e "$STATE/here" ] ;; save*) echo "layers of $2" ;; esac')
    return made


def _bring(programs: Programs, there: str) -> tuple[int, str, str]:
    loaded = programs.folder / "loaded"
    done = programs.here("bring", **BRING, LOOK=f"echo {there}", LOAD=f"cat > {loaded}; echo Loaded")
    return done.returncode, done.stderr, loaded.read_bytes()[:2].hex() if loaded.exists() else ""


def test_image_that_is_there_is_not_copied(programs: Programs) -> None:
    assert _bring(programs, "yes") == (0, "", "")


def test_image_is_copied_compressed(programs: Programs) -> None:
    (programs.folder / "here").touch()
    assert _bring(programs, "no") == (0, f"host hub: copying the image {IMAGE}\n", "1f8b")


def test_image_that_is_nowhere_is_one_sentence(programs: Programs) -> None:
    code, said, loaded = _bring(programs, "no")
    assert (code, loaded) == (1, "")
    assert said.startswith(
        f"host hub: the image {IMAGE} is neither there nor in this machine's Docker, and no registry"
    )
