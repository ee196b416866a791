"""`make status`: what runs, where to look, and how old the newest sample and log line of every host and job is."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.progress import say

FRESH = 60  # seconds; the longest interval that fleetwatch sets by itself is 15
LOOK_BACK = 24 * 3600  # seconds in which gaps are looked for
GAP = 60  # seconds without a sample of an agent that count as a gap


@dataclass(frozen=True)
class Arrival:
    """The newest data of one job of one host. Ages in seconds; None: nothing arrived."""

    host: str
    job: str
    targets: str
    sample_age: float | None
    line_age: float | None

    def late(self) -> bool:
        """Nothing fresh, of neither kind."""
        return (
            min(self.sample_age or 1e9, self.line_age or 1e9) > FRESH
            and self.sample_age is not None
            or (self.sample_age is None and self.line_age is None)
        )


def arrivals(hub: HubClient, jobs: Mapping[str, Sequence[str]]) -> list[Arrival]:
    """One row per expected scrape job, then the log jobs that were seen in the last hour."""
    now = time.time()
    newest = {_key(s): float(s["value"][1]) for s in hub.metrics("max by (host, job) (timestamp(up))")}
    total = {_key(s): int(float(s["value"][1])) for s in hub.metrics("count by (host, job) (up)")}
    up = {_key(s): int(float(s["value"][1])) for s in hub.metrics("sum by (host, job) (up)")}
    rows = []
    for host in sorted(jobs):
        for job in jobs[host]:
            at = newest.get((host, job))
            targets = f"{up.get((host, job), 0)}/{total[host, job]} up" if (host, job) in total else "-"
            rows.append(Arrival(host, job, targets, None if at is None else now - at, None))
    lines = hub.log_numbers('count by (host, job) (count_over_time({host=~".+"}[1h]))')
    for host, job in sorted(_key(s) for s in lines):
        found = hub.logs(f'{{host="{host}",job="{job}"}}', now - 3600, now, limit=1)
        stamps = [int(value[0]) / 1e9 for stream in found for value in stream["values"]]
        rows.append(Arrival(host, f"{job} (logs)", "-", None, now - max(stamps) if stamps else None))
    for host in sorted(set(jobs) - {host for host, _ in map(_key, lines)}):
        rows.append(Arrival(host, "docker (logs)", "-", None, None))
    return rows


def wait(outputs: Mapping[str, Any], patience: float) -> None:
    """Return once every expected job has fresh data, or after `patience` seconds."""
    hub, end = HubClient(outputs["query"]), time.monotonic() + patience
    said = False
    while time.monotonic() < end:
        try:
            late = [row for row in arrivals(hub, outputs["jobs"]) if row.late()]
        except ToolError as error:
            late = [error]  # type: ignore[list-item]
        if not late:
            return
        if not said:
            say(f"Waiting for the first data of every job (at most {patience:.0f} s)")
            said = True
        time.sleep(1)


def gaps(hub: HubClient) -> list[str]:
    """Sentences about times of which the hub has no sample of an agent, though it has some before and after."""
    now = time.time()
    said = []
    for series in hub.metric_range('max by (host) (timestamp(up{job="agent"}))', now - LOOK_BACK, now, 15):
        stamps = sorted({float(value) for _, value in series["values"]})
        for before, after in zip(stamps, stamps[1:], strict=False):
            if after - before > GAP:
                when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(before))
                said.append(
                    f"{series['metric'].get('host')}: no metrics for {_age(after - before)} from {when} on; "
                    "its agent was down, or the hub was away for longer than the outage budget"
                )
    return said


def containers(docker: str, prefix: str) -> list[tuple[str, str, str, str]]:
    """(host, role, image, state) of every container of this stack."""
    asked = [
        "docker",
        "-H",
        docker,
        "ps",
        "-a",
        "--filter",
        f"label=fleetwatch.stack={prefix}",
        "--format",
        "{{json .}}",
    ]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"Docker does not answer at {docker}: {done.stderr.strip()}")
    found = []
    for line in done.stdout.splitlines():
        one: dict[str, Any] = json.loads(line)
        labels = dict(pair.split("=", 1) for pair in one["Labels"].split(",") if "=" in pair)
        found.append(
            (labels.get("fleetwatch.host", ""), labels.get("fleetwatch.role", ""), one["Image"], one["Status"])
        )
    return sorted(found)


def show(outputs: Mapping[str, Any], docker: str, prefix: str) -> bool:
    """Print everything; False when something that should arrive does not."""
    hub = HubClient(outputs["query"])
    say("\nWhat runs")
    _table(("host", "role", "image", "state"), containers(docker, prefix))
    rows = arrivals(hub, outputs["jobs"])
    say("\nWhat has arrived")
    _table(
        ("host", "job", "targets", "last sample", "last log line"),
        [(r.host, r.job, r.targets, _age(r.sample_age), _age(r.line_age)) for r in rows],
    )
    for sentence in gaps(hub):
        say(f"\nGAP  {sentence}")
    late = [row for row in rows if row.late()]
    for row in late:
        say(f"\nMISSING  host {row.host}, job {row.job}: nothing newer than {FRESH} s")
    say(
        f"\nGrafana       {outputs['url']}   user {outputs['user']}, password: make password"
        f"\nQuery side    {outputs['query']}   Prometheus; also {outputs['query']}/alertmanager/ and /loki/..."
    )
    return not late


def _key(series: Mapping[str, Any]) -> tuple[str, str]:
    return series["metric"].get("host", ""), series["metric"].get("job", "")


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    seconds = max(0.0, seconds)
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
