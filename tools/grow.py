"""`make grow TO=bucket`: copies the metrics that a hub had on its disk into the bucket of its stack file, and compares.
TO=single copies them back (grow_single.py). TO=cluster makes three nodes of a hub in a bucket, and TO=bucket one of
three (grow_cluster.py).

The stack file changes first: `make grow` brings the stack up with its bucket, so that new samples go there at once, and
copies the older ones afterwards. A copy that was interrupted is continued by the next run. The volume of before stays
until `make grow FORGET=1`. Log lines of before are read on the hub's disk (`hub.storage.logs_since`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from configs import metrics_store
from configs.services.thanos import CONFIG, OBJSTORE, TENANT
from configs.settings import Settings
from tools import grow_cluster, grow_plan, grow_single, pulumi_state, storage_change
from tools.bucket_blocks import BucketBlocks
from tools.cli import Commands, confirmed
from tools.errors import ToolError
from tools.hub_move import GROW, Move
from tools.metrics_reader import VOLUME, Reader
from tools.progress import say, step
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.up import prepared, up

# Of the blocks: Receive's tenant. Not its replica, which Compact leaves out of the blocks that it makes of these: Store
# would answer raw samples and thinned ones of the same time.
LABELS = {TENANT: "default-tenant"}


def register(commands: Commands) -> None:
    found = commands.add("grow", _grow, "move the hub's data to the kind of storage of the stack file")
    found.add_argument("--to", default="", help="bucket; single: the hub's disk; cluster: three nodes")
    found.add_argument("--forget", action="store_true", help="delete the volumes of before")
    found.add_argument("--yes", action="store_true", help="without confirmation")


def _grow(options: argparse.Namespace) -> int:
    if options.to not in ("bucket", "single", "cluster", "") or bool(options.to) == options.forget:
        raise ToolError(
            "expected TO=bucket, TO=single or TO=cluster, or FORGET=1 to delete the volumes of before (docs/growing.md)"
        )
    # The kind that is in the stack file may need other images than what runs.
    stack = open_stack(options) if options.forget else prepared(options)
    stack.prepare()
    settings = stack.valid_settings()
    kind = settings.hub.storage.kind
    if options.forget:
        if (was := stack.outputs().get("storage", "single")) != kind:
            raise ToolError(f"The hub's storage is {was}, the stack file has {kind}: run `make grow TO={kind}` first.")
        if kind == "cluster" and (code := grow_cluster.forget(stack, settings, options.yes)):
            return code
        return _forget(Move(stack, settings), settings, options.yes)
    if kind != options.to:
        raise ToolError(
            f"hub.storage: expected `kind: {options.to}` in the stack file, it is {kind}; the stack file changes first "
            "(docs/growing.md)"
        )
    if kind == "single":
        return _to_single(stack, settings, options.yes)
    state = _state(stack)
    storage_change.check(state, settings, datetime.now(timezone.utc), moves=True)
    was = pulumi_state.outputs(state).get("storage", "single")
    if kind == "cluster":
        return grow_cluster.to_cluster(stack, settings, options.yes)
    if was == "cluster" or (was == "bucket" and grow_cluster.is_moving(stack, settings)):
        return grow_cluster.to_bucket(stack, settings, options.yes)
    return _to_bucket(stack, settings, options.yes)


def _state(stack: Stack) -> Mapping[str, Any]:
    """Empty before the first update."""
    return stack.read_state() if stack.exists() else {}


def _to_bucket(stack: Stack, settings: Settings, yes: bool) -> int:
    say(grow_plan.to_bucket(settings, _size_before(stack, settings)))
    if not _go_on(stack, yes, "Bring the stack up with its bucket, and copy? [y/N] ", "bucket"):
        return 1
    move = Move(stack, settings)
    return _copy(move, BucketBlocks(move, settings, stack.outputs()))


def _to_single(stack: Stack, settings: Settings, yes: bool) -> int:
    if settings.hub.storage.bucket is None or settings.hub.storage.logs_until is None:
        raise ToolError(
            "hub.storage: expected the bucket and `logs_until` beside `kind: single`, make grow copies from there "
            "(docs/growing.md)"
        )
    storage_change.check(_state(stack), settings, datetime.now(timezone.utc))
    move = Move(stack, settings)
    bucket_blocks = BucketBlocks(move, settings, stack.outputs())
    found = grow_single.coming(move, settings, bucket_blocks)
    grow_plan.require_space(settings, found)
    say(grow_plan.to_single(settings, found))
    if not _go_on(stack, yes, "Bring the stack up with its metrics on the disk, and copy? [y/N] ", "single"):
        return 1
    grow_single.copy(Move(stack, settings), settings, bucket_blocks)
    return 0


def _go_on(stack: Stack, yes: bool, question: str, to: str) -> bool:
    """Whether the user agrees; then the stack is up with the kind of storage that the stack file has."""
    if not yes and not confirmed(question):
        return False
    if up(stack):
        raise ToolError(f"The stack is not complete; nothing was copied. Run `make grow TO={to}` again.")
    return True


def _size_before(stack: Stack, settings: Settings) -> int | None:
    """Bytes of the metrics on the hub's disk, while Prometheus runs there."""
    try:
        move = Move(stack, settings)
        found = move.docker("exec", move.container(metrics_store.PROMETHEUS), "du", "-sk", VOLUME)
    except ToolError:
        return None
    return int(found.split()[0]) * 1024


def _forget(move: Move, settings: Settings, yes: bool) -> int:
    roles = (metrics_store.PROMETHEUS,) if metrics_store.in_bucket(settings) else metrics_store.THANOS
    volumes = [f"{move.prefix}-{role}" for role in roles]
    there = [name for name in volumes if move.inspected("volume", "inspect", name) is not None]
    if not there:
        say("There is no volume of before.")
        return 0
    if not yes and not confirmed(f"Delete {', '.join(there)} with the metrics of before? [y/N] "):
        return 1
    _remove_left(move)
    move.docker("volume", "rm", *there)
    say(f"Deleted {', '.join(there)}.")
    return 0


def _remove_left(move: Move) -> None:
    """Remove containers of a run that was killed before they were started: they would keep the volumes in use. One that
    runs stays, and with it the volume that it reads."""
    ended = (word for state in ("created", "exited", "dead") for word in ("--filter", f"status={state}"))
    if left := move.docker("ps", "-aq", "--filter", f"label={GROW}={move.prefix}", *ended).split():
        move.docker("rm", "-f", *left)


def _copy(move: Move, blocks: BucketBlocks) -> int:
    if move.inspected("volume", "inspect", move.volume) is None:
        say("There is no volume of before: nothing to copy.")
        return 0
    reader = Reader(move, move.volume)
    with reader.running():
        with step("Reading the metrics of before"):
            days = reader.counted()
        if not days:
            say("The volume of before has no samples: nothing to copy.")
            return 0
        with step(f"Writing {len(days)} days as blocks"):
            reader.snapshot(anew=False)
    with step("Copying the blocks into the bucket"):
        _upload(move, blocks)
    with step("Comparing"):
        again = "Run `make grow TO=bucket` again; the volume of before is as it was."
        move.require(move.container(metrics_store.QUERY), days, again)
    say(
        f"The metrics of {len(days)} days are in the bucket, with as many samples of `up` as before. The volume "
        f"{move.volume} stays until `make grow FORGET=1`."
    )
    return 0


def _upload(move: Move, blocks: BucketBlocks) -> None:
    """By Thanos' own program, which leaves out what the bucket has."""
    script = upload(f"{VOLUME}/snapshots", LABELS)
    config = move.mounted(move.container(metrics_store.RECEIVE), CONFIG)
    blocks.run(script, "-v", f"{move.volume}:{VOLUME}", "-v", f"{config}:{CONFIG}:ro")


def upload(folder: str, labels: Mapping[str, str]) -> str:
    """A shell script that uploads the blocks of the folders in `folder`.

    Thanos' program leaves out compacted blocks, or else refuses those that overlap others; blocks of late samples do.
    So all are marked as not compacted. sed writes a new file: the other end of the hard link stays as it was.
    """
    location = f"--objstore.config-file={CONFIG}/{OBJSTORE}"
    given = " ".join(f'--label={key}=\\"{value}\\"' for key, value in labels.items())
    return (
        f"for one in {folder}/*/; do "
        """sed -i 's/"level": *[0-9]*/"level": 1/' "$one"/*/meta.json || exit 1; """
        f'thanos tools bucket upload-blocks --path="$one" {given} {location} || exit 1; '
        "done"
    )
