"""Loki on the bucket alone, beside the hub: which lines it has without what any node holds in memory."""

from __future__ import annotations

import contextlib
import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from configs import names
from configs.render.dump import to_yaml
from configs.services import bucket
from configs.services import loki as service
from configs.services.spec import Late
from configs.settings import Settings
from tools.errors import ToolError
from tools.hub_move import SEEN, Move

FILE = "reader.yml"
# Only what answers queries runs. The writing parts of another Loki on this bucket would damage its index.
FLAGS = ("-target=querier", "-querier.query-store-only=true")
NOWHERE = "http://127.0.0.1:1"  # it has to name a compactor, and asks it nothing
DROPPED = ("compactor", "ruler", "runtime_config")


@contextlib.contextmanager
def running(move: Move, settings: Settings, outputs: Mapping[str, Any]) -> Iterator[str]:
    """Its address on the hub's network; the container is removed at the end. The key is the file that Loki has."""
    name, loki = f"{move.prefix}_grow_lines", move.container("loki")
    keys = move.mounted(loki, names.SECRETS)
    move.try_docker("rm", "-f", "-v", name)
    move.docker(
        "create", "--name", name, *move.mark, "--network", names.hub_network(move.prefix), "--memory", "2g",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-v", service.DATA, "-v",
        f"{keys}:{names.SECRETS}:ro", "-e", *bucket.ENVIRONMENT, move.image_of(loki),
        f"-config.file={service.DATA}/{FILE}", *FLAGS,
    )  # fmt: skip
    try:
        move.sent(("cp", "-", f"{name}:{service.DATA}"), _archive(config(settings, outputs)))
        move.docker("start", name)
        address = f"{name}:{names.LOKI_PORT}"
        _await(move, name, address)
        yield address
    finally:
        move.try_docker("rm", "-f", "-v", name)


def config(settings: Settings, outputs: Mapping[str, Any]) -> str:
    """The hub's configuration of Loki in a bucket, without the parts that write."""
    made = bucket.file(settings, lambda place: service.config(settings, bucket.loki(place)))
    whole = yaml.safe_load(made.render(Late(storage=str(outputs.get("data_bucket", "")))))
    kept = {section: keys for section, keys in whole.items() if section not in DROPPED}
    return to_yaml({**kept, "common": {**kept["common"], "compactor_address": NOWHERE}}, "A reader, for make grow")


def _archive(text: str) -> bytes:
    content, packed = text.encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(FILE)
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _await(move: Move, name: str, address: str) -> None:
    end = time.monotonic() + SEEN
    while not move.answers(f"http://{address}/ready", 10):
        if move.docker("inspect", "-f", "{{.State.Running}}", name).strip() != "true" or time.monotonic() > end:
            lines = (move.try_docker("logs", "--tail", "1", name) or "").strip().splitlines()
            raise ToolError(f"Loki does not read the bucket on {move.host}: {lines[-1] if lines else 'no message'}")
        time.sleep(1)
