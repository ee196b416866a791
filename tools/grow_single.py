"""`make grow TO=single`: copies the metrics of a bucket onto the hub's disk again, and compares.

The stack file changes first: the stack comes up with Prometheus, which takes the new samples at once. Then the blocks
of Thanos Receive's volume and the raw blocks of the bucket are gathered in a folder of Prometheus' volume, compared
with these, counted there, and moved into its database. Each step of an interrupted run is done again by the next, and
leaves out what is there.
Log lines of the bucket's days stay there and are read there (`hub.storage.logs_until`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from configs import metrics_store
from configs.settings import Settings
from tools.bucket_blocks import BucketBlocks
from tools.errors import ToolError
from tools.grow_plan import Coming
from tools.hub_docker import listing
from tools.hub_move import DAY, Move
from tools.metrics_reader import VOLUME, Reader
from tools.progress import say, step

RECEIVED = "/received"  # where the volume of Receive is mounted
TENANT_FOLDER = "default-tenant"
GATHERED = f"{VOLUME}/grow"
# Prometheus drops what its head and its write-ahead log have from before the end of the newest block, unless that is a
# block of late samples. So these are marked: samples that an edge sends late would be lost otherwise.
LATE = '"hints": ["from-out-of-order"],'
BLOCKS = "[0-9A-Z]" * 26
AGAIN = "Run `make grow TO=single` again; the bucket is as it was."
_GATHER = f"""
mkdir -p {GATHERED}
for one in {RECEIVED}/{TENANT_FOLDER}/snapshots/*/{BLOCKS}; do
  name=$(basename "$one")
  [ -e "$one/meta.json" ] && [ ! -e "{GATHERED}/$name" ] || continue
  rm -rf "{GATHERED}/incomplete"
  cp -r "$one" "{GATHERED}/incomplete"
  mv "{GATHERED}/incomplete" "{GATHERED}/$name"
done
"""
_RECEIVED = listing(f"{RECEIVED}/{TENANT_FOLDER}/snapshots")
_TAKE = f"""
owner=$(stat -c %u:%g {VOLUME})
for one in {GATHERED}/{BLOCKS}; do
  [ -e "$one/meta.json" ] || continue
  sed -i 's/"compaction": *{{/&{LATE}/' "$one/meta.json"
  chown -R "$owner" "$one"
  [ -e "{VOLUME}/$(basename "$one")" ] || mv "$one" "{VOLUME}/"
done
rm -rf {GATHERED} {VOLUME}/snapshots
"""


def coming(move: Move, settings: Settings, bucket: BucketBlocks) -> Coming:
    """Read from the bucket and the hub."""
    blocks, kept = bucket.listed(), kept_since(settings)
    raw = [block for block in blocks if block.resolution == 0 and block.end > kept]
    # On the volume of Loki: that of Prometheus will be on the same disk, but need not exist yet.
    free = bucket.run(f"df -Pk {VOLUME} | tail -n 1", "-v", f"{move.prefix}-loki:{VOLUME}:ro").split()[3]
    return Coming(
        raw,
        max(kept, min((block.begin for block in raw), default=time.time())),
        min((block.begin for block in blocks), default=time.time()),
        int(free) * 1024,
    )


def kept_since(settings: Settings) -> float:
    """The oldest time that Prometheus will keep."""
    return time.time() - settings.hub.retention.metrics


def sizes(listed: str) -> dict[str, int]:
    """Bytes of index and chunks of each complete block, by its name, of lines with size and path of a file."""
    found: dict[str, int] = {}
    complete = set()
    for line in listed.splitlines():
        size, _, path = line.partition(" ")
        folders, file = path.split("/")[:-1], path.rpartition("/")[2]
        if file == "meta.json":
            complete.add(folders[-1])
        elif folders[-1] == "chunks" or file == "index":
            name = folders[-2 if folders[-1] == "chunks" else -1]
            found[name] = found.get(name, 0) + int(size)
    return {name: found.get(name, 0) for name in complete}


def require_gathered(move: Move, bucket: BucketBlocks, received: Mapping[str, int], since: float) -> None:
    """ToolError if a block of the bucket or of Receive is not gathered, or not with all of its bytes. `received`: of
    Receive, as `sizes`. Such blocks are removed: Thanos leaves out a file that is there, however short."""
    wanted = {block.name: block.size for block in bucket.listed() if block.resolution == 0 and block.end > since}
    wanted = {**received, **wanted}
    mount = ("-v", f"{move.volume}:{VOLUME}")
    there = sizes(bucket.run(listing(GATHERED), *mount))
    # Without the sizes of its files in the bucket (0) a block is compared by its name alone.
    short = sorted(name for name, size in wanted.items() if name not in there or (size and there[name] != size))
    if short:
        bucket.run("rm -rf " + " ".join(f"{GATHERED}/{name}" for name in short), *mount)
        raise ToolError(
            f"{len(short)} of {len(wanted)} blocks of the bucket and of Thanos Receive are not complete on the hub's "
            f"disk, such as {short[0]}; nothing was moved into the database. {AGAIN}"
        )


def copy(move: Move, settings: Settings, bucket: BucketBlocks) -> None:
    """After `make up`. Raises ToolError if something is missing at the end."""
    received = f"{move.prefix}-{metrics_store.RECEIVE}"
    both = ("-v", f"{move.volume}:{VOLUME}", "-v", f"{received}:{RECEIVED}")
    snapshot: dict[str, int] = {}
    if move.inspected("volume", "inspect", received) is not None:
        with step("Copying what was not in the bucket yet"):
            reader = Reader(move, received, f"{VOLUME}/{TENANT_FOLDER}", root=True)
            with reader.running():
                reader.snapshot(anew=True)
            bucket.run(_GATHER, *both)
            snapshot = sizes(bucket.run(_RECEIVED, *both))
    since = kept_since(settings)
    with step("Copying the blocks of the bucket"):
        bucket.copied(move.volume, VOLUME, GATHERED, since)
    with step("Counting"):
        require_gathered(move, bucket, snapshot, since)
        gathered = Reader(move, move.volume, GATHERED, root=True)
        with gathered.running():
            days = {at: count for at, count in gathered.counted().items() if at - DAY > since}
    with step("Moving the blocks into the database"):
        bucket.run(_TAKE, "-v", f"{move.volume}:{VOLUME}")
    with step("Comparing"):
        move.require(move.container(metrics_store.PROMETHEUS), days, AGAIN)
    say(
        f"The metrics of {len(days)} days are on the hub's disk, with as many samples of `up` as in the bucket. The "
        "volumes of Thanos stay until `make grow FORGET=1`, the bucket until you delete it (docs/growing.md)."
    )
