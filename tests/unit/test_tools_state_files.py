"""Files of a state that a kill or a power cut left half-written: read again, or said; nothing is thrown away."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tools import state_files
from tools.errors import ToolError

WHOLE, BEFORE = b'{"version": 3, "checkpoint": {}}', b'{"version": 3}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".pulumi" / "stacks" / "fleetwatch"
    made.mkdir(parents=True)
    (made / "prod.json").write_bytes(WHOLE)
    (made / "prod.json.bak").write_bytes(BEFORE)
    return made


@pytest.mark.parametrize("name", ["prod.json.attrs", "prod.json.bak.attrs", "../../meta.yaml.attrs"])
@pytest.mark.parametrize("cut", [b"", b'{"user.content_type'])
def test_a_sidecar_that_was_cut_short_is_removed(folder: Path, tmp_path: Path, name: str, cut: bytes) -> None:
    (folder / name).write_bytes(cut)
    state_files.mend(tmp_path, "prod")
    assert not (folder / name).exists()
    assert (folder / "prod.json").read_bytes() == WHOLE


def test_what_is_whole_or_of_another_stack_stays(folder: Path, tmp_path: Path) -> None:
    kept = {"prod.json.attrs": b'{"md5": ""}', "production.json.attrs": b"", "production.json": b""}
    for name, text in kept.items():
        (folder / name).write_bytes(text)
    state_files.mend(tmp_path, "prod")
    assert {name: (folder / name).read_bytes() for name in kept} == kept


@pytest.mark.parametrize("packed", [False, True])
def test_a_state_that_was_cut_short_is_replaced_by_the_previous_one(
    folder: Path, tmp_path: Path, packed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folder / "prod.json"
    before = BEFORE
    if packed:
        place.unlink()
        place = folder / "prod.json.gz"
        before = gzip.compress(BEFORE)
        (folder / "prod.json.gz.bak").write_bytes(before)
    cut = (gzip.compress(WHOLE) if packed else WHOLE)[:-9]
    place.write_bytes(cut)
    state_files.mend(tmp_path, "prod")
    assert place.read_bytes() == before
    assert place.with_name(f"{place.name}.broken").read_bytes() == cut
    assert "cut short" in capsys.readouterr().out


def test_without_a_copy_it_is_said_and_nothing_is_touched(folder: Path, tmp_path: Path) -> None:
    (folder / "prod.json").write_bytes(b"")
    (folder / "prod.json.bak").unlink()
    with pytest.raises(ToolError, match=r"cannot be read .*prod\.json.*Put back a backup"):
        state_files.mend(tmp_path, "prod")
    assert (folder / "prod.json").read_bytes() == b""


def test_a_lock_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    lock = tmp_path / ".pulumi" / "locks" / "organization" / "fleetwatch" / "prod" / "1.json"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"")
    with pytest.raises(ToolError, match=r"1\.json.*ARGS=cancel"):
        state_files.clear_dead_lock(tmp_path, "prod")
