"""One fleet of a rehearsal, one outage for each event, with both metrics agents, one log agent and numbered log lines.

For each event: the hub's receiving services stop, both hosts go through the event in the middle of the outage, and the
hub comes back. Lost seconds are gaps of more than two scrape intervals in the samples of the node exporter, without the
time in which the agent did not run. Lost lines are those that Docker kept and Loki does not have. It ends
with exit code 1 if lines are lost or there twice, or if vmagent lost more than two intervals.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from tests.bench.page import where
from tests.integration import outage
from tests.integration.fleet import told
from tests.integration.rig import eventually
from tests.outages.fleet import AGENTS, ENGINE, INTERVAL, VMAGENT, WRITER, Outages
from tools.errors import ToolError
from tools.progress import say, step

RECEIVING = ("fleetwatch-caddy", "fleetwatch-prometheus", "fleetwatch-loki")
LOG_AGENTS = {"promtail": "Promtail", "alloy": "Alloy"}


@dataclass(frozen=True)
class Row:
    """What one event cost one host. `seconds` of samples; `lines`, and lines that are there twice."""

    event: str
    agent: str
    logs: str
    seconds: float
    lines: int
    twice: int


def _gaps(stamps: Sequence[float], offline: float) -> float:
    """Seconds of gaps over two intervals; of the longest, the time in which the agent did not run is no loss."""
    gaps = (after - before for before, after in zip(stamps, stamps[1:], strict=False))
    return max(0.0, sum(gap - INTERVAL for gap in gaps if gap > 2 * INTERVAL) - offline)


def _away(fleet: Outages, seconds: int, event: Callable[[], None]) -> float:
    """The hub is down for that long, with the event in the middle; when that was."""
    fleet.on("hub", "docker", "stop", *RECEIVING)
    time.sleep(seconds / 2)
    moment = time.time()
    event()
    time.sleep(max(5.0, moment + seconds / 2 - time.time()))
    fleet.on("hub", "docker", "start", *reversed(RECEIVING))
    return moment


def _measured(fleet: Outages, name: str, run: Callable[[], float]) -> list[Row]:
    """Both hosts before, during and after the outage of an event."""
    before = {host: max(fleet.written(host), default=0) for host in AGENTS}
    begun = time.time()
    moment = run()
    offline = {host: fleet.offline(host, moment) for host in AGENTS}
    back = time.time()
    eventually("samples of now", lambda: set(AGENTS) <= set(_since(fleet, back + 20)), patience=300, pause=3)
    time.sleep(30)  # for what is still on its way
    rows = []
    for host, agent in AGENTS.items():
        stamps = fleet.stamps(f'up{{job="node",host="{host}"}}', f"{time.time() - begun + 30:.0f}s")
        kept = {number: count for number, count in fleet.written(host).items() if number > before[host]}
        newest = max(kept)
        there = fleet.arrived(host, begun - 30)
        missing = [number for number in kept if number not in there and number < newest - 25]
        twice = sum(there[number] > count for number, count in kept.items())
        rows.append(Row(name, agent, LOG_AGENTS[fleet.logs], _gaps(stamps, offline[host]), len(missing), twice))
        say(f"  {rows[-1]}; offline {offline[host]:.1f} s")
    return rows


def _since(fleet: Outages, moment: float) -> list[str]:
    return [host for host, at in fleet.newest("node").items() if at > moment]


def _rebuilt(fleet: Outages) -> float:
    moment = time.time()
    done = fleet.tool("rebuild", "hub")
    assert done.returncode == 0, done.stdout[-6000:]
    return moment


def _bumped(fleet: Outages) -> float:
    fleet.watch_agents()
    moment = time.time()
    outage.bump_images(fleet)
    fleet.up()
    return moment


def measured(away: int, logs: str) -> list[Row]:
    """The whole table with the log agent `logs`. `away`: seconds of each outage but the rebuilding of the hub, which
    takes its time."""
    rows = []
    with told(partial(Outages, logs)) as fleet:
        assert isinstance(fleet, Outages)
        with step("the fleet"):
            fleet.up()
        fleet.restart(WRITER)
        both = f"fleetwatch-agent fleetwatch-{logs}"
        events: dict[str, Callable[[], None]] = {
            "agents stopped (SIGTERM) and started": lambda: fleet.restart(f"docker restart {both}"),
            "agents killed (SIGKILL) and started": lambda: fleet.restart(f"docker kill {both}; docker start {both}"),
            "Docker Engine restarted": lambda: fleet.restart(ENGINE),
            "host rebooted": fleet.reboot,
        }
        fleet.settled()
        for name, event in events.items():
            with step(f"hub down for {away} s: {name}"):
                rows += _measured(fleet, name, partial(_away, fleet, away, event))
        with step("hub replaced by `make rebuild`"):
            rows += _measured(fleet, "hub replaced by `make rebuild HOST=hub`", lambda: _rebuilt(fleet))
        with step("every image replaced by one `make up`"):
            rows += _measured(fleet, "hub not down: every image replaced by one `make up`", lambda: _bumped(fleet))
    return rows


def table(rows: Sequence[Row], away: int, machine: str) -> str:
    """The table between the marks of a page."""
    day = datetime.now(tz=timezone.utc).strftime("%Y-%m-%d")
    lines = [
        f"Measured on {day} in a rehearsal on {machine}; the hub down for {away} s each time, scrapes every "
        f"{INTERVAL} s:\n",
        "| event while the hub is down | metrics agent | log agent | lost seconds | lost lines | lines twice |",
        "|---|---|---|---|---|---|",
        *(f"| {r.event} | {r.agent} | {r.logs} | {r.seconds:.0f} | {r.lines} | {r.twice} |" for r in rows),
    ]
    return "\n".join(lines)


def regressions(rows: Sequence[Row]) -> str:
    """The sentence about rows that lost more than may be lost; empty without one."""
    found = []
    for row in rows:
        costs = [f"lost lines: {row.lines}"] if row.lines else []
        costs += [f"lines twice: {row.twice}"] if row.twice else []
        if row.agent == VMAGENT and row.seconds > 2 * INTERVAL:
            costs.append(f"lost seconds: {row.seconds:.1f}, at most two intervals of {INTERVAL} s were expected")
        if costs:
            found.append(f"{row.event} ({row.agent}, {row.logs}): {', '.join(costs)}")
    return f"More was lost than was expected: {'; '.join(found)}." if found else ""


def put(page: str, text: str, logs: str) -> str:
    """The page with this text between the marks of the log agent."""
    begin, end = (f"<!-- outages, {logs}: {place} -->" for place in ("begin", "end"))
    assert begin in page, f"the page has no {begin}"
    assert end in page, f"the page has no {end}"
    return page[: page.index(begin) + len(begin)] + f"\n{text}\n" + page[page.index(end) :]


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.outages", description=__doc__)
    parser.add_argument("--away", type=int, default=300, help="seconds that the hub is down for each event")
    parser.add_argument("--logs", choices=[*LOG_AGENTS], default="promtail", help="the log agent of both hosts")
    parser.add_argument("--page", type=Path, help="write the table into this file as well")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminated)  # removes what was made, as Ctrl-C does
    try:
        rows = measured(options.away, options.logs)
    except KeyboardInterrupt:
        raise SystemExit("Interrupted; what was made is removed.") from None
    except ToolError as problem:  # such as an image that cannot be had here
        raise SystemExit(str(problem)) from None
    text = table(rows, options.away, where())
    say(text)
    if options.page:
        options.page.write_text(put(options.page.read_text(), text, options.logs))
    if lost := regressions(rows):
        raise SystemExit(lost)


if __name__ == "__main__":
    main()
