"""The command: settings of the stack, the way to its hub, all the questions, the report and the exit code."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable

from configs.dashboards import boards
from configs.settings import Settings, SettingsError
from configs.validation import check_file
from tools import remote_access
from tools.cli import Commands
from tools.doctor import hosts, queries, report, rules, verdicts
from tools.doctor.variables import PER_HOST, Choices
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.stack_settings import readable_sections

WELL, FAULTS, NOT_ASKED = 0, 1, 2
AGAIN, PAUSE = 4, 15  # times, seconds: a minute, two scrapes at the slowest of the usual intervals


def register(commands: Commands) -> None:
    parser = commands.add("doctor", _doctor, "whether every panel, every rule and every host has data")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")


def _doctor(options: argparse.Namespace) -> int:
    return doctor(lambda: open_stack(options), options.json)


def doctor(made: Callable[[], Stack], as_json: bool) -> int:
    """0: all is well; 1: faults were found; 2: it could not be looked at, a sentence on stderr says why."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's alone
            stack = made()
            settings = settings_of(stack)
            with remote_access.query_address(stack.outputs()) as address:
                found = settled(HubClient(address), settings, _progress())
    except ToolError as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return NOT_ASKED
    say(report.as_json(found) if as_json else report.as_text(found))
    return FAULTS if found.faults else WELL


def settled(
    hub: HubClient,
    settings: Settings,
    told: Callable[[int, int], None] = lambda *_: None,
    pause: Callable[[float], None] = time.sleep,
) -> report.Findings:
    """As `examine`; again after a pause, AGAIN times at most, while something is EMPTY and nothing else is wrong, and
    there is a target or a container that was not there a minute ago: a rate needs two scrapes."""
    found = examine(hub, settings, told)
    for _ in range(AGAIN):
        if found.faults != len(found.of("EMPTY")) or not found.faults or not (young := _young(hub)):
            break
        say(f"{found.faults} queries are empty yet, with {young} not a minute old: asking again in {PAUSE} s")
        pause(PAUSE)
        found = examine(hub, settings, told)
    return found


def _young(hub: HubClient) -> str:
    """Counts of what the hub has not known for a minute; nothing when there is no such thing."""
    counts = {
        "targets": "count(up unless up offset 1m)",
        "containers": "count(container_last_seen unless container_last_seen offset 1m)",
    }
    known = {what: hub.metrics(query) for what, query in counts.items()}
    return " and ".join(f"{answer[0]['value'][1]} {what}" for what, answer in known.items() if answer)


def examine(hub: HubClient, settings: Settings, told: Callable[[int, int], None] = lambda *_: None) -> report.Findings:
    """Ask everything. ToolError when Prometheus or Loki does not answer at all."""
    begun = time.monotonic()
    now = hosts.hub_time(hub)
    hub.get("/loki/api/v1/labels")
    asker = verdicts.Asker(hub, now, told)
    choices = Choices(hub, now)
    found = verdicts.judge(asker, choices, queries.of_boards(boards(settings)))
    listed = rules.of_settings(settings)
    found += rules.judge(asker, listed)
    reports = hosts.examine(asker, settings)
    unloaded = rules.not_loaded(hub, listed)
    requests = asker.requests + choices.asked + 3
    seconds = time.monotonic() - begun
    notes = [
        f"{requests} requests in {seconds:.1f} s: {len(found)} queries and rules, for All and for each value of "
        "their variables; what the answer for All shows is not asked again."
    ]
    if asker.left_out:
        notes.append(
            f"A query that is summed over containers and the like is asked for the first {PER_HOST} of each host: "
            f"{len(asker.left_out)} more were left out."
        )
    return report.Findings(
        verdicts=found, hosts=reports, unloaded=unloaded, notes=notes, requests=requests, seconds=seconds
    )


def settings_of(stack: Stack) -> Settings:
    """The stack file's settings, secrets replaced by placeholders. ToolError with every mistake."""
    sections = readable_sections(stack.composed(check=False)["config"], stack.name)
    settings, problems = check_file(sections, str(stack.file))
    if problems or settings is None:
        raise ToolError(str(SettingsError(problems)))
    return settings


def _progress() -> Callable[[int, int], None]:
    """One line on a terminal, rewritten; one line every few seconds elsewhere. On stderr, which is no report."""
    tty, last = sys.stderr.isatty(), time.monotonic()

    def told(done: int, of: int) -> None:
        nonlocal last
        if tty:
            end = "\r\033[K" if done == of else ""
            print(f"\r\033[Kasked {done} of {of}{end}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last > 5:
            last = time.monotonic()
            print(f"  asked {done} of {of}", file=sys.stderr, flush=True)

    return told
