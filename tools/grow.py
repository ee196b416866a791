"""`make grow TO=bucket`: copies the metrics that a hub had on its disk into the bucket of its stack file, and compares.

The stack file changes first: `make grow` brings the stack up with its bucket, so that new samples go there at once, and
copies the older ones afterwards. A copy that was interrupted is continued by the next run. The volume of before stays
until `make grow FORGET=1`. Log lines of before are read on the hub's disk (`hub.storage.logs_since`).
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from configs import disk, metrics_store, names
from configs.services import bucket
from configs.services.thanos import CONFIG, OBJSTORE, REPLICA, TENANT
from configs.settings import Settings
from tools.cli import Commands, confirmed
from tools.errors import ToolError
from tools.hub_move import DAY, URL, Move
from tools.progress import say, step
from tools.stack_factory import open_stack
from tools.up import up

LOOKS = 366  # days
VOLUME = "/prometheus"
READY = 900  # seconds until Prometheus has replayed its write-ahead log
SEEN = 600  # seconds until the parts of Thanos have found new blocks
DEFAULT_TENANT = "default-tenant"  # Receive's own


def register(commands: Commands) -> None:
    found = commands.add("grow", _grow, "copy the hub's metrics from its disk into the bucket of the stack file")
    found.add_argument("--to", default="", help="bucket")
    found.add_argument("--forget", action="store_true", help="delete the volume of before")
    found.add_argument("--yes", action="store_true", help="without confirmation")


def _grow(options: argparse.Namespace) -> int:
    if options.to not in ("bucket", "") or bool(options.to) == options.forget:
        raise ToolError("expected TO=bucket, or FORGET=1 to delete the volume of before (docs/growing.md)")
    stack = open_stack(options)
    stack.prepare()
    settings = stack.settings()
    if settings is None or not metrics_store.in_bucket(settings):
        raise ToolError(
            "hub.storage: expected `kind: bucket` in the stack file, make grow copies into its bucket (docs/growing.md)"
        )
    if options.forget:
        return _forget(Move(stack, settings), options.yes)
    say(plan(settings))
    if not options.yes and not confirmed("Bring the stack up with its bucket, and copy? [y/N] "):
        return 1
    if up(stack):
        raise ToolError("The stack is not complete; nothing was copied. Run `make grow TO=bucket` again.")
    return _copy(Move(stack, settings))


def plan(settings: Settings) -> str:
    """What will happen, for the confirmation."""
    size = disk.bucket_bytes(settings) / disk.GB
    return (
        f"The hub's metrics and logs go to its bucket, about {size:.0f} GB once everything is as old as it is kept.\n"
        "1. `make up`: Thanos takes the place of Prometheus; edges queue what they collect meanwhile.\n"
        "2. The metrics of before are copied into the bucket, and compared. Dashboards lack them until then.\n"
        "3. The volume of before stays until `make grow FORGET=1`."
    )


def _forget(move: Move, yes: bool) -> int:
    if move.try_docker("volume", "inspect", move.volume) is None:
        say("There is no volume of before.")
        return 0
    if not yes and not confirmed(f"Delete the volume {move.volume} with the metrics of before? [y/N] "):
        return 1
    move.docker("volume", "rm", move.volume)
    say(f"Deleted {move.volume}.")
    return 0


def _copy(move: Move) -> int:
    if move.try_docker("volume", "inspect", move.volume) is None:
        say("There is no volume of before: nothing to copy.")
        return 0
    with _source(move):
        with step("Reading the metrics of before"):
            _await(move)
            days = _counted(move)
        if not days:
            say("The volume of before has no samples: nothing to copy.")
            return 0
        with step(f"Writing {len(days)} days as blocks"):
            _snapshot(move)
    with step("Copying the blocks into the bucket"):
        _upload(move)
    with step("Comparing"):
        _compare(move, days)
    say(
        f"The metrics of {len(days)} days are in the bucket, with as many samples as before. The volume {move.volume} "
        "stays until `make grow FORGET=1`."
    )
    return 0


@contextlib.contextmanager
def _source(move: Move) -> Iterator[None]:
    """Prometheus on the volume of before, without a network; removed at the end."""
    move.try_docker("rm", "-f", move.source)
    move.docker(
        "run", "-d", "--name", move.source, *move.mark, "--network", "none", "--memory", "2g", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges", "-v", f"{move.volume}:{VOLUME}", move.prometheus,
        "--config.file=/dev/null", f"--storage.tsdb.path={VOLUME}", "--storage.tsdb.retention.time=100y",
        "--web.enable-admin-api",
    )  # fmt: skip
    try:
        yield
    finally:
        move.try_docker("rm", "-f", move.source)


def _await(move: Move) -> None:
    end = time.monotonic() + READY
    while move.try_docker("exec", move.source, "wget", "-q", "-O", "-", f"{URL}/-/ready") is None:
        if move.docker("inspect", "-f", "{{.State.Running}}", move.source).strip() != "true":
            raise ToolError(f"Prometheus does not start on the volume of before: {_last_line(move)}")
        if time.monotonic() > end:
            raise ToolError(f"Prometheus was not ready within {READY} s on the volume of before: {_last_line(move)}")
        time.sleep(1)


def _last_line(move: Move) -> str:
    lines = (move.try_docker("logs", "--tail", "1", move.source) or "").strip().splitlines()
    return lines[-1] if lines else "its log is empty"


def _counted(move: Move) -> dict[float, float]:
    """Samples of `up` of each day with some, by the day's end, from the newest sample back to a day without any. What
    came later is in the bucket's own store, and is not to be counted as copied."""
    found: dict[float, float] = {}
    at = _newest(move)
    while count := move.samples(move.source, at):
        found[at] = count
        at -= DAY
    return found


def _newest(move: Move) -> float:
    """The time of the newest sample; 0 without a sample of the last year."""
    at = time.time()
    for _ in range(LOOKS):
        if move.samples(move.source, at):
            return move.query(move.source, f"max(max_over_time(timestamp(up)[{DAY}s:15s]))", at)
        at -= DAY
    return 0.0


def _snapshot(move: Move) -> None:
    """Blocks of everything, also of what is only in the write-ahead log. That of an interrupted run is taken again."""
    if _snapshots(move):
        return
    move.docker("exec", move.source, "wget", "-q", "-O", "-", "--post-data", "", f"{URL}/api/v1/admin/tsdb/snapshot")


def _snapshots(move: Move) -> list[str]:
    shell = f"ls {VOLUME}/snapshots 2> /dev/null || true"
    return move.docker("exec", move.source, "sh", "-c", shell).split()


def _upload(move: Move) -> None:
    """By Thanos' own program, which leaves out what the bucket has."""
    receive = move.container(metrics_store.RECEIVE)
    script = upload(f"{VOLUME}/snapshots", {REPLICA: move.prefix, TENANT: DEFAULT_TENANT})
    folders = [f"{move.mounted(receive, path)}:{path}:ro" for path in (CONFIG, names.SECRETS)]
    move.docker(
        "run", "--rm", *move.mark, "--user", "0:0", "--network", names.hub_network(move.prefix), "--memory", "1g",
        "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE", "--security-opt", "no-new-privileges",
        "-v", f"{move.volume}:{VOLUME}",
        *(word for one in folders for word in ("-v", one)), "-e", *bucket.ENVIRONMENT, "--entrypoint", "sh",
        move.image_of(receive), "-c", script,
    )  # fmt: skip


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


def _compare(move: Move, days: Mapping[float, float]) -> None:
    end = time.monotonic() + SEEN
    query = move.container(metrics_store.QUERY)
    while True:
        there = {at: move.samples(query, at) for at in days}
        short = [at for at, count in days.items() if there[at] < count]
        if not short:
            return
        if time.monotonic() > end:
            at = short[0]
            raise ToolError(
                f"The bucket has {there[at]:.0f} of {days[at]:.0f} samples of the day before "
                f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC. Run `make grow TO=bucket` again; the "
                "volume of before is as it was."
            )
        time.sleep(5)
