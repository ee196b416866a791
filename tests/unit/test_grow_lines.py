"""Log lines of a hub's disk on their way into the bucket: which files, under which names, and what is left out."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from configs.settings import load
from localcloud.spaces import S3
from tests.fixtures.fleets import CLUSTER, HUB, fleet
from tools import grow_lines
from tools.errors import ToolError
from tools.grow_lines import File, Lines

NAME = "1a22a5b26fd:1a22a62c436:a231f287"
CHUNK = f"fake/dd0a027e26c0e80a/{base64.b64encode(NAME.encode()).decode()}"
INDEX = "index/index_20787/fake/1796007426-compactor.tsdb.gz"
KEY = "[default]\naws_access_key_id = k\naws_secret_access_key = s3cret\n"


class Hub:
    """A Move on a folder of this machine."""

    prefix, mark = "fleetwatch", ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def container(self, role: str) -> str:
        return role

    def image_of(self, container: str) -> str:
        return container

    def sent(self, words: Sequence[str], stdin: bytes = b"") -> bytes:
        script = words[-1].replace(grow_lines.FOLDER, str(self.folder / "chunks"))
        return subprocess.run(["sh", "-c", script], input=stdin, capture_output=True, check=True).stdout


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The bucket, which gives one name at a time."""
    found: dict[str, bytes] = {}

    def call(_self: S3, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
        if method == "PUT":
            found[path.removeprefix("/acme/")] = body
            return b""
        assert query is not None
        names = sorted(name for name in found if name.startswith(query["prefix"]))
        at = int(query.get("continuation-token", "0"))
        more = f"<NextContinuationToken>{at + 1}</NextContinuationToken>" if at + 1 < len(names) else ""
        page = [f"<Contents><Key>{name}</Key><Size>{len(found[name])}</Size></Contents>" for name in names[at : at + 1]]
        return f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{''.join(page)}".encode()

    monkeypatch.setattr(S3, "call", call)
    monkeypatch.setattr(grow_lines, "BucketBlocks", lambda *_: SimpleNamespace(run=lambda *_: KEY))
    return found


def _lines(folder: Path) -> Lines:
    settings = load(fleet({**HUB, "storage": {"kind": "bucket", "bucket": CLUSTER["bucket"]}}), "test")
    move: Any = Hub(folder)
    return Lines(move, settings, {})


def _write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / "chunks" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "chunks" / path).write_text(path)


def test_chunks_and_index_are_copied_under_the_buckets_names(tmp_path: Path, stored: dict[str, bytes]) -> None:
    _write(tmp_path, CHUNK, INDEX, "index/delete_requests/delete_requests.gz", "loki_cluster_seed.json")
    lines = _lines(tmp_path)
    assert [file.path for file in lines.missing()] == [f"./{CHUNK}", f"./{INDEX}"], "the index comes last"
    assert lines.copy() == 2
    assert stored == {f"fake/dd0a027e26c0e80a/{NAME}": CHUNK.encode(), INDEX: INDEX.encode()}


def test_what_the_bucket_has_is_left_out(tmp_path: Path, stored: dict[str, bytes]) -> None:
    others = [CHUNK.replace("dd0a", f"dd{number:02x}") for number in range(5)]
    _write(tmp_path, CHUNK, INDEX, *others)
    lines = _lines(tmp_path)
    assert lines.copy() == 7
    assert lines.copy() == 0
    stored[INDEX] = b"half"
    assert [file.key for file in lines.missing()] == [INDEX]


def test_a_hub_without_lines_on_its_disk_does_not_read_the_bucket(
    tmp_path: Path, stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _lines(tmp_path)
    monkeypatch.setattr(S3, "call", None)
    assert lines.copy() == 0
    assert not stored


def test_a_bucket_that_this_machine_does_not_reach_is_a_sentence(
    tmp_path: Path, stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, CHUNK)
    lines = _lines(tmp_path)

    def refuse(*_: object, body: bytes = b"") -> bytes:
        raise OSError("Name or service not known")

    monkeypatch.setattr(S3, "call", refuse)
    with pytest.raises(ToolError, match="The bucket does not answer to this machine.*: Name or service") as caught:
        lines.missing()
    assert "s3cret" not in str(caught.value)


def test_lines_are_deleted_from_the_disk_on_request_alone(tmp_path: Path, stored: dict[str, bytes]) -> None:
    _write(tmp_path, CHUNK)
    lines = _lines(tmp_path)
    lines.copy()
    assert (tmp_path / "chunks" / CHUNK).exists()
    lines.forget()
    assert not (tmp_path / "chunks").exists()
    assert not lines.on_disk()


def test_files_are_read_in_parts() -> None:
    files = [File(str(number), str(number), grow_lines.BATCH // 3) for number in range(7)]
    assert [len(batch) for batch in grow_lines.batches(files)] == [3, 3, 1]
    small = [File(str(number), str(number), 1) for number in range(grow_lines.FILES + 1)]
    assert [len(batch) for batch in grow_lines.batches(small)] == [grow_lines.FILES, 1]
    assert not list(grow_lines.batches([]))
