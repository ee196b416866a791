"""The log lines of a hub's disk, copied into its bucket: three nodes read them there, and `logs_since` is not needed.

Loki's files are named alike in both, but for a chunk's last part, which is base64 on a disk. They pass through this
machine. What the bucket has already is left out, so an interrupted copy is continued by the next.
"""

from __future__ import annotations

import base64
import configparser
import dataclasses
import functools
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from configs import names
from configs.metrics_store import RECEIVE
from configs.services import bucket
from configs.services.loki import DATA, TENANT
from configs.services.spec import Late
from configs.settings import Settings
from localcloud.spaces import S3, S3Error
from tools.bucket_blocks import BucketBlocks
from tools.errors import ToolError
from tools.hub_docker import listing
from tools.hub_move import Move

FOLDER = f"{DATA}/chunks"
PACK = f"cd {FOLDER} && xargs tar -c -f -"
CHUNK = re.compile(rf"{TENANT}/[0-9a-f]+/[A-Za-z0-9+=]+")
INDEX = re.compile(r"index/index_[0-9]+/.+")
BATCH, FILES = 64 * 1024**2, 300  # bytes and files that are read at once
PUTS = 8  # at once
UNLOGGED = ("--log-driver", "none")  # Docker would write what passes, and the key, into a file


@dataclasses.dataclass(frozen=True)
class File:
    """A file of Loki: its path below the folder, its name in the bucket, its size in bytes."""

    path: str
    key: str
    size: int


class Lines:
    """Those of the hub's disk, and the bucket of its stack. The key is read from the file that Loki has."""

    def __init__(self, move: Move, settings: Settings, outputs: Mapping[str, Any]) -> None:
        self._move = move
        found = bucket.file(settings, lambda place: json.dumps(dataclasses.asdict(place)))
        place = bucket.Place(**json.loads(found.render(Late(storage=str(outputs.get("data_bucket", ""))))))
        key = configparser.ConfigParser(interpolation=None)
        key.read_string(
            BucketBlocks(move, settings, outputs).run(f"cat {names.SECRETS}/{bucket.CREDENTIALS}", *UNLOGGED)
        )
        access, secret = key["default"]["aws_access_key_id"], key["default"]["aws_secret_access_key"]
        scheme = "https" if place.secure else "http"
        self._s3, self._bucket = S3(f"{scheme}://{place.endpoint}", place.region, access, secret), place.bucket

    def on_disk(self) -> list[File]:
        """Chunks and index on the hub's disk."""
        listed = self._run(listing(FOLDER)).decode().splitlines()
        return [file for line in listed if (file := _file(line)) is not None]

    def missing(self) -> list[File]:
        """Files of the disk that the bucket has not, or with another size; chunks first, so that no index names a chunk
        that is not there yet."""
        files = self.on_disk()
        if not files:
            return []
        there = {**self._there(f"{TENANT}/"), **self._there("index/")}
        return sorted(
            (file for file in files if there.get(file.key) != file.size), key=lambda file: file.key.startswith("index/")
        )

    def copy(self) -> int:
        """Copy what is missing; the number of files. ToolError if the bucket lacks one afterwards."""
        files = self.missing()
        with ThreadPoolExecutor(PUTS) as pool:
            for batch in batches(files):
                list(pool.map(functools.partial(self._put, self._contents(batch)), batch))
        left = {file.key for file in self.missing()} & {file.key for file in files}
        if left:
            raise ToolError(f"The bucket lacks {len(left)} files of log lines that were copied; run it again.")
        return len(files)

    def forget(self) -> None:
        """Delete them from the disk."""
        self._run(f"rm -rf {FOLDER}", access="rw")

    def _contents(self, batch: Iterable[File]) -> dict[str, bytes]:
        packed = self._run(PACK, "\n".join(file.path for file in batch).encode())
        found: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                if (content := archive.extractfile(member)) is not None:
                    found[member.name] = content.read()
        return found

    def _put(self, contents: Mapping[str, bytes], file: File) -> None:
        self._call("PUT", f"/{self._bucket}/{file.key}", body=contents[file.path])

    def _there(self, prefix: str) -> dict[str, int]:
        """Names and sizes in the bucket."""
        found: dict[str, int] = {}
        query = {"list-type": "2", "prefix": prefix}
        while True:
            page = self._call("GET", f"/{self._bucket}", query).decode()
            for one in re.findall(r"<Contents>(.*?)</Contents>", page, re.DOTALL):
                found[_element(one, "Key")] = int(_element(one, "Size"))
            more = _element(page, "NextContinuationToken")
            if _element(page, "IsTruncated") != "true" or not more:
                return found
            query["continuation-token"] = more

    def _call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
        try:
            return self._s3.call(method, path, query, body=body)
        except (OSError, S3Error) as problem:
            raise ToolError(
                f"The bucket does not answer to this machine, through which log lines are copied: {problem}. "
                "Run it again, where the bucket can be reached"
            ) from problem

    def _run(self, script: str, stdin: bytes = b"", access: str = "ro") -> bytes:
        """A shell script in Thanos' image, which sees the volume of Loki."""
        move = self._move
        image = move.image_of(move.container(RECEIVE))
        return move.sent(
            (
                "run", "--rm", "-i", *move.mark, "--user", "0:0", "--network", "none", "--memory", "1g",
                "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE", "--security-opt", "no-new-privileges", *UNLOGGED,
                "-v", f"{move.prefix}-loki:{DATA}:{access}", "--entrypoint", "sh", image, "-c", script,
            ),
            stdin,
        )  # fmt: skip


def batches(files: Iterable[File]) -> Iterator[list[File]]:
    """In parts of at most FILES files and about BATCH bytes."""
    batch: list[File] = []
    for file in files:
        if batch and (len(batch) == FILES or sum(one.size for one in batch) + file.size > BATCH):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _file(line: str) -> File | None:
    """Of a line with size and path; None for what is neither a chunk nor an index."""
    size, _, path = line.partition(" ")
    name = path.removeprefix("./")
    if CHUNK.fullmatch(name):
        folder, _, last = name.rpartition("/")
        return File(path, f"{folder}/{base64.b64decode(last).decode()}", int(size))
    return File(path, name, int(size)) if INDEX.fullmatch(name) else None


def _element(text: str, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return found[1].replace("&amp;", "&") if found else ""
