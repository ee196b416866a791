"""The blocks of metrics in a stack's bucket, listed and copied by Thanos' own program on the hub."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from configs import names
from configs.images import resolve
from configs.metrics_store import RECEIVE
from configs.services import bucket
from configs.services.spec import Late
from configs.settings import Settings
from tools.hub_docker import IMAGE
from tools.hub_move import Move

LEVELS = 1000  # more than any block is compacted


@dataclass(frozen=True)
class Block:
    """`begin` and `end` in seconds, `size` in bytes, `resolution` in seconds between two samples; 0: as they came."""

    name: str
    begin: float
    end: float
    size: int
    resolution: int


class BucketBlocks:
    """Those that are not about to be deleted. The key is the file that Loki has; it is in no argument."""

    def __init__(self, move: Move, settings: Settings, outputs: Mapping[str, Any]) -> None:
        self._move = move
        running = move.inspected("inspect", "--type", "container", "-f", IMAGE, move.container(RECEIVE))
        self._image = running.strip() if running else resolve(settings.images)["thanos"]
        self._config = bucket.file(settings, bucket.objstore).render(Late(storage=str(outputs.get("data_bucket", ""))))

    def run(self, script: str, *options: str) -> str:
        """A shell script in Thanos' image on the hub's network, with the bucket's key; its output."""
        move = self._move
        keys = move.mounted(move.container("loki"), names.SECRETS)
        return move.docker(
            "run", "--rm", *move.mark, "--user", "0:0", "--network", names.hub_network(move.prefix), "--memory", "1g",
            "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE", "--cap-add", "CHOWN", "--cap-add", "FOWNER",
            "--security-opt", "no-new-privileges", "-v", f"{keys}:{names.SECRETS}:ro", "-e", *bucket.ENVIRONMENT,
            *options, "--entrypoint", "sh", self._image, "-ec", script,
        )  # fmt: skip

    def listed(self) -> list[Block]:
        """The oldest first."""
        words = ("thanos", "tools", "bucket", "ls", "--exclude-delete", "--output=json", "--log.level=error")
        answer = self.run(shlex.join([*words, f"--objstore.config={self._config}"]))
        return sorted(map(_block, documents(answer)), key=lambda block: block.begin)

    def copied(self, volume: str, at: str, folder: str, since: float) -> None:
        """Copy the raw blocks with samples after `since` into a folder of a volume that is mounted `at`. Those that are
        there already are left out."""
        target = f"type: FILESYSTEM\nconfig: {{directory: {folder}}}\n"
        begin = datetime.fromtimestamp(max(since, 0), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        words = (
            "thanos", "tools", "bucket", "replicate", "--single-run", "--resolution=0s",
            f"--compaction-max={LEVELS}", "--ignore-marked-for-deletion", f"--min-time={begin}", "--log.level=warn",
            f"--objstore.config={self._config}", f"--objstore-to.config={target}",
        )  # fmt: skip
        self.run(f"mkdir -p {folder}; {shlex.join(words)} 2>&1", "-v", f"{volume}:{at}")


def documents(text: str) -> Iterator[dict[str, Any]]:
    """JSON documents one after the other."""
    decoder, rest = json.JSONDecoder(), text.lstrip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield found
        rest = rest[end:].lstrip()


def _block(meta: Mapping[str, Any]) -> Block:
    thanos = meta["thanos"]
    return Block(
        name=meta["ulid"],
        begin=meta["minTime"] / 1000,
        end=meta["maxTime"] / 1000,
        size=sum(file.get("size_bytes", 0) for file in thanos.get("files", [])),
        resolution=thanos["downsample"]["resolution"] // 1000,
    )
