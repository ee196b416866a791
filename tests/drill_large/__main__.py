"""`make drill-large`: a hub with 2 GB of metrics and 500 MB of logs is backed up to an S3 server, destroyed with its
volumes, and restored. Prints what that took; `--write` writes it into docs/figures.md.

Takes about a quarter of an hour and 10 GB of disk. Everything it makes is removed in the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import partial

from tests.bench.page import where
from tests.integration import backup
from tests.integration.rig import Rig, docker, eventually, rig
from tools import gobuild, setup
from tools.cli import ended
from tools.hubclient import HubClient
from tools.images import FOR_TESTS, PARTS
from tools.paths import CHECKOUT

METRICS, LOGS = 2200, 520  # MB; the least is 2 GB of metrics and 500 MB of logs
LINE = 1000  # bytes
STREAMS = 4
PAGE = CHECKOUT / "docs" / "figures.md"
BEGIN, END = "<!-- drill-large: begin -->\n", "<!-- drill-large: end -->\n"
LIMIT = 600  # seconds from the destruction to the restored hub
PASSWORD = "restic-s3cret-of-the-drill"


def main(argv: Sequence[str]) -> int:
    """Run it; 1 if the hub was not back within the limit, or with less than it had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--metrics", type=int, default=METRICS, help="MB")
    parser.add_argument("--logs", type=int, default=LOGS, help="MB")
    options = parser.parse_args(argv)
    chain = setup.set_up([*PARTS, *FOR_TESTS])
    images = {image.key: image.ref for image in chain.images}
    with rig("large", {"hub": {"limits": {"loki": {"memory": "2GB"}, "prometheus": {"memory": "2GB"}}}}) as made:
        try:
            rows = _run(made, images, options.metrics, options.logs)
        finally:
            docker("rm", "-f", made.container("s3"), check=False)
            docker("volume", "rm", f"{made.prefix}-s3", check=False)
    print("\n".join(rows))
    if options.write:
        _write(rows)
    return 0


def _run(made: Rig, images: dict[str, str], metrics: int, logs: int) -> list[str]:
    bucket = backup.Bucket(made, images["s3"], made.home, size="")
    retention = {"metrics": "1y", "logs": "30d", "metrics_size": "20GB"}
    made.change({"hub": {"retention": retention}})
    bucket.use(PASSWORD)
    made.up()
    samples, lines = _metrics(made, images["prometheus"], metrics), _logs(made, logs)
    stored = _size(made, "prometheus", "/prometheus"), _size(made, "backup", "/data/loki/3")
    assert stored[0] >= metrics * 0.95 * (1 << 20), f"only {stored[0] >> 20} MB of metrics"
    rows = [_row("metrics on the hub's disk", f"{stored[0] >> 20} MB, {samples} samples of the drill")]
    rows.append(_row("logs", f"{logs} MB in {lines} lines, {stored[1] >> 20} MB on the hub's disk"))

    begin = time.monotonic()
    backup.backed_up(made)
    rows.append(_row("first backup", f"{time.monotonic() - begin:.0f} s"))
    begin = time.monotonic()
    backup.backed_up(made)
    rows.append(_row("next backup", f"{time.monotonic() - begin:.0f} s"))
    newest = time.time()

    destroyed = time.time()
    backup.destroy(made)
    begin = time.monotonic()
    made.up()
    up = time.monotonic() - begin
    done = made.tool("restore")
    assert done.returncode == 0, done.stdout
    whole = time.monotonic() - begin
    rows += [
        _row("`make up` of the fresh hub", f"{up:.0f} s"),
        _row("`make restore`, with its comparison", f"{whole - up:.0f} s"),
        _row("RTO: from the destruction to the compared data", f"{whole:.0f} s (limit {LIMIT} s)"),
        _row("RPO: the last backup's end before the destruction", f"{destroyed - newest:.0f} s (`hub.backup.every`)"),
    ]
    found = (_samples(made), _lines(made))
    rows.append(_row("samples and lines of the drill after the restore", f"{found[0]} and {found[1]}"))
    assert found == (samples, lines), f"expected {samples} and {lines}, got {found}"
    begin = time.monotonic()
    done = made.tool("drill")
    assert done.returncode == 0, done.stdout
    rows.append(_row("`make drill`", f"{time.monotonic() - begin:.0f} s"))
    assert whole < LIMIT, f"{whole:.0f} s to be back, expected at most {LIMIT} s"
    return rows


def _row(what: str, value: str) -> str:
    print(f"{what}: {value}", flush=True)
    return f"| {what} | {value} |"


def _metrics(made: Rig, image: str, megabytes: int) -> int:
    """Blocks of the past, moved into Prometheus' volume; the number of their samples."""
    program = gobuild.program("blocks")
    newest = int(time.time()) - 6 * 3600
    folder = "/prometheus/.new"
    command = f"mkdir {folder} && /blocks {folder} {megabytes} {newest} && mv {folder}/* /prometheus/ && rmdir {folder}"
    volumes = ("-v", f"{program}:/blocks:ro", "-v", f"{made.prefix}-prometheus:/prometheus")
    made_by = ("run", "--rm", "--user", "nobody", *volumes, "--entrypoint", "sh", image, "-c", command)
    samples = int(docker(*made_by).strip())
    eventually("the blocks are read", lambda: _samples(made) == samples, patience=180, pause=5)
    return samples


def _samples(made: Rig) -> int:
    """All samples of the drill, counted block by block: Prometheus limits the samples of one query."""
    total, at = 0, time.time() - time.time() % 7200
    while at > time.time() - 60 * 86400:
        found = made.hub.metrics(f"sum(count_over_time(large[2h] @ {at:.0f} offset 1ms))")
        if not found and total:
            break
        total += int(float(found[0]["value"][1])) if found else 0
        at -= 7200
    return total


def _logs(made: Rig, megabytes: int) -> int:
    """Random lines through the push endpoint; how many."""
    url = f"http://127.0.0.1:{made.ports['push']}/loki/api/v1/push"
    count, begin = 0, time.time() - 1800
    for batch in range(megabytes):
        values = []
        for _ in range((1 << 20) // LINE):
            count += 1
            values.append([str(int(begin * 1e9) + count * 1000), os.urandom(LINE // 2).hex()])
        stream = {"env": "test", "host": "hub", "job": "large", "n": str(batch % STREAMS)}
        body = json.dumps({"streams": [{"stream": stream, "values": values}]}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        eventually(f"MB {batch} of logs is accepted", partial(_pushed, request), patience=180)
    return count


def _pushed(request: urllib.request.Request) -> bool:
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status) == 204


def _lines(made: Rig) -> int:
    """All lines of the drill, counted stream by stream: Loki reads each of them for it."""
    return sum(_counted(made, stream) for stream in range(STREAMS))


def _counted(made: Rig, stream: int) -> int:
    hub = HubClient(f"http://127.0.0.1:{made.ports['query']}", timeout=180)
    found = hub.log_numbers(f'sum(count_over_time({{job="large", n="{stream}"}}[3h]))')
    return int(float(found[0]["value"][1])) if found else 0


def _size(made: Rig, role: str, folder: str) -> int:
    return int(docker("exec", made.container(role), "du", "-sk", folder).split()[0]) << 10


def _write(rows: Sequence[str]) -> None:
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    lines = [
        f"From a run of `make drill-large` on {today}, on {where()}:\n",
        "| what | value |",
        "|---|---|",
    ]
    PAGE.write_text(head + BEGIN + "\n".join([*lines, *rows]) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    sys.exit(ended(lambda: main(sys.argv[1:])))
