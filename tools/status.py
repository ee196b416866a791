"""`make status`: what runs, where to look, and how old the newest sample and log line of every host and job is."""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs import names
from tools import agent_targets, nodes, remote_access
from tools.cli import Commands
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack

FRESH = 60  # seconds at the least in which a sample must have come; three intervals where that is more
LOOK_BACK = 24 * 3600  # seconds in which gaps and log lines are looked for
Jobs = Mapping[str, Mapping[str, float]]  # host -> scrape job -> its interval in seconds


def register(commands: Commands) -> None:
    commands.add("status", _status, "what runs, where to look, what has arrived")


def _status(options: argparse.Namespace) -> int:
    return 0 if report_status(open_stack(options), patience=0) else 1


def report_status(stack: Stack, patience: float = 60.0) -> bool:
    """Show the status once everything expected has arrived, or after `patience` seconds with what is missing; False if
    something is."""
    outputs = stack.outputs()
    docker = agent_targets.docker_on(stack, outputs)
    places = (
        {"this machine": docker("hub")} if stack.hub_is_local else {host: docker(host) for host in outputs["hosts"]}
    )
    with remote_access.query_address(outputs) as address:
        hub = HubClient(address)
        # The first sample of a slow job comes up to one interval after its agent's start.
        slowest = max((interval for jobs in outputs["jobs"].values() for interval in jobs.values()), default=0)
        wait(hub, outputs, max(patience, slowest + 30) if patience else 0)
        well = show(hub, outputs, places, docker, stack.prefix())
    return show_rings(stack, outputs) and well


def show_rings(stack: Stack, outputs: Mapping[str, Any]) -> bool:
    """Print what each node of a cluster knows of the rings; False when one of them is not whole."""
    settings = stack.settings()
    found = nodes.views(settings, outputs) if settings is not None else []
    if not found:
        return True
    say("\nNodes")
    _show(("host", *nodes.PROGRAMS.values()), nodes.table(found))
    wrong = [sentence for sentences in nodes.problems(found).values() for sentence in sentences]
    for sentence in wrong:
        say(f"\nNODE  {sentence}")
    return not wrong


@dataclass(frozen=True)
class Arrival:
    """The newest data of one job of one host. Ages in seconds; None: nothing arrived. `wrong`: a message, if any;
    `down`: by fresh samples, targets do not answer."""

    host: str
    job: str
    targets: str
    sample_age: float | None
    line_age: float | None
    wrong: str = ""
    down: bool = False


def arrivals(hub: HubClient, jobs: Jobs, spare: float = 0) -> list[Arrival]:
    """One row per expected scrape job, then the log jobs of the last day (an edge always has `docker`: its own).

    `spare`: seconds for which a sample is to stay fresh."""
    now = time.time()
    newest = {_key(s): float(s["value"][1]) for s in hub.metrics("max by (host, job) (timestamp(up))")}
    total = {_key(s): int(float(s["value"][1])) for s in hub.metrics("count by (host, job) (up)")}
    up = {_key(s): int(float(s["value"][1])) for s in hub.metrics("sum by (host, job) (up)")}
    named = {s["metric"].get("host", "") for s in hub.metrics('count by (host) (container_last_seen{container!=""})')}
    rows = []
    for host in sorted(jobs):
        for job, interval in jobs[host].items():
            key, age = (host, job), now - newest[host, job] if (host, job) in newest else None
            limit = max(FRESH, 3 * interval)
            wrong, down = "", False
            if age is None or age > limit - spare:
                wrong = f"MISSING  host {host}, job {job}: no sample newer than {limit:.0f} s"
            elif up.get(key, 0) < total[key]:
                wrong, down = f"DOWN  host {host}, job {job}: {up.get(key, 0)} of {total[key]} targets are up", True
            elif job == "cadvisor" and host not in named:
                wrong = (
                    f"NO NAMES  host {host}: cAdvisor answers but reports no container by name; see the log of the "
                    "cadvisor container on that host"
                )
            targets = f"{up.get(key, 0)}/{total[key]} up" if key in total else "-"
            rows.append(Arrival(host, job, targets, age, None, wrong, down))
    sent = f'sum by (host, job) (count_over_time({{host=~".+",job!~"{"|".join(names.RARE_JOBS)}"}}[24h]))'
    lines = {_key(s) for s in hub.log_numbers(sent)}
    for host, job in sorted(lines | {(host, names.DOCKER_JOB) for host in jobs}):
        found = (
            hub.logs(f'{{host="{host}",job="{job}"}}', now - LOOK_BACK, now, limit=1) if (host, job) in lines else []
        )
        stamps = [int(value[0]) / 1e9 for stream in found for value in stream["values"]]
        wrong = "" if stamps else f"MISSING  host {host}: no log line of its containers in a day"
        rows.append(Arrival(host, f"{job} (logs)", "-", None, now - max(stamps) if stamps else None, wrong))
    return rows


def wait(hub: HubClient, outputs: Mapping[str, Any], patience: float) -> None:
    """Return once every expected job has fresh data, or after `patience` seconds."""
    end = time.monotonic() + patience
    announced = False
    while time.monotonic() < end:
        try:
            # With some to spare: after a hub was off, its last sample from before could be too old a second later.
            if not any(row.wrong for row in arrivals(hub, outputs["jobs"], spare=20)):
                return
        except ToolError:
            pass  # it may still be starting; `show` reports it if it stays so
        if not announced:
            say(f"Waiting for the first data of every job (at most {patience:.0f} s)")
            announced = True
        time.sleep(1)


def gaps(hub: HubClient, jobs: Jobs) -> list[str]:
    """Messages about times of which the hub has no sample of an agent, though it has some before and after."""
    now = time.time()
    messages = []
    for series in hub.metric_range('max by (host) (timestamp(up{job="agent"}))', now - LOOK_BACK, now, 15):
        stamps = sorted({float(value) for _, value in series["values"]})
        for before, after in zip(stamps, stamps[1:], strict=False):
            if after - before > max(FRESH, 3 * jobs.get(series["metric"].get("host", ""), {}).get("agent", 0)):
                when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(before))
                messages.append(
                    f"{series['metric'].get('host')}: no metrics for {age(after - before)} from {when} on; "
                    "its agent was down, or the hub was down for longer than the outage budget"
                )
    return messages


def containers(listed: Mapping[str, Sequence[str]], prefix: str) -> list[tuple[str, str, str, str]]:
    """(host, role, image, state) of every container of this stack. `listed`: for each place the command line that
    runs `docker` there. A place that does not answer gets a row, the others are shown."""
    found = []
    for place, argv in listed.items():
        arguments = ["ps", "-a", "--filter", f"label=fleetwatch.stack={prefix}", "--format", "{{json .}}"]
        command = remote_access.with_arguments(argv, arguments)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise ToolError(f"The program `{argv[0]}` is not installed; `make up` as root installs it.") from None
        if done.returncode and argv[0] != "ssh":
            raise ToolError(f"Docker does not answer at {place}: {done.stderr.strip()}")
        if done.returncode:
            found.append((place, "-", "-", f"does not answer: {(done.stderr.strip().splitlines() or ['ssh'])[-1]}"))
        for line in done.stdout.splitlines():
            one: dict[str, Any] = json.loads(line)
            labels = dict(pair.split("=", 1) for pair in one["Labels"].split(",") if "=" in pair)
            # One that a restore or a move of the hub runs for a while has no role.
            host, role = labels.get("fleetwatch.host") or place, labels.get("fleetwatch.role") or one["Names"]
            found.append((host, role, one["Image"], one["Status"]))
    return sorted(found)


def explained(rows: Sequence[Arrival], docker: agent_targets.DockerOn, prefix: str) -> list[str]:
    """The messages about rows with something wrong; for targets that are down with the error of their host's agent."""
    errors = agent_targets.errors_by_host({row.host for row in rows if row.down}, docker, prefix)
    messages = []
    for row in rows:
        found = errors.get(row.host) if row.down else None
        if isinstance(found, agent_targets.Unreadable):
            messages.append(f"{row.wrong}; the agent of {row.host} does not answer: {found}")
        else:
            reasons = [reason for (job, _), reason in sorted((found or {}).items()) if job == row.job]
            messages += [f"DOWN  host {row.host}, job {row.job}: {reason}" for reason in reasons] or [row.wrong]
    return [message for message in messages if message]


def show(
    hub: HubClient,
    outputs: Mapping[str, Any],
    places: Mapping[str, Sequence[str]],
    docker: agent_targets.DockerOn,
    prefix: str,
) -> bool:
    """Print everything; False when something that should arrive does not."""
    say("\nWhat runs")
    _show(("host", "role", "image", "state"), containers(places, prefix))
    rows = arrivals(hub, outputs["jobs"])
    say("\nWhat has arrived")
    _show(
        ("host", "job", "targets", "last sample", "last log line"),
        [(r.host, r.job, r.targets, age(r.sample_age), age(r.line_age)) for r in rows],
    )
    for message in gaps(hub, outputs["jobs"]):
        say(f"\nGAP  {message}")
    wrong = explained(rows, docker, prefix)
    for message in wrong:
        say(f"\n{message}")
    say(f"\nGrafana       {outputs['url']}   user {outputs['user']}, password: make password")
    if "ssh" in outputs["hosts"]["hub"]:
        say("Query side    make tunnel   opens Prometheus, Alertmanager and Loki of the hub on this machine's loopback")
    else:
        say(f"Query side    {outputs['query']}   Prometheus; also {outputs['query']}/alertmanager/ and /loki/...")
    return not wrong


def _key(series: Mapping[str, Any]) -> tuple[str, str]:
    return series["metric"].get("host", ""), series["metric"].get("job", "")


def age(seconds: float | None) -> str:
    """How long ago; `-` for never."""
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


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns under each other."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lined = [head, ["-" * width for width in widths], *rows]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in lined]


def _show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for line in table(head, rows):
        say(line)
