"""The command: settings of the stack, a connection to its hub, all queries, the report and the exit code."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from components import custom_folder
from configs import custom
from configs.dashboards import boards
from configs.settings import Settings, SettingsError
from configs.validation import check_file
from tools import agent_targets, nodes, remote_access
from tools.agent_targets import Errors, Unreadable
from tools.cli import Commands
from tools.doctor import custom as custom_queries
from tools.doctor import hosts, queries, report, rules, unread, verdicts
from tools.doctor.querier import Querier
from tools.doctor.variables import PER_HOST, Choices
from tools.errors import ToolError, sentence
from tools.hubclient import HubClient
from tools.paths import CHECKOUT
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.stack_settings import readable_sections

WELL, FAULTS, NOT_ASKED = 0, 1, 2
PATIENCE = 60  # seconds for the answer to one query; some read 30 days of lines
AGAIN, PAUSE = 4, 15  # times, seconds: a minute, two scrapes at the slowest of the usual intervals


def register(commands: Commands) -> None:
    parser = commands.add("doctor", _doctor, "whether every panel, every rule and every host has data")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")


def _doctor(options: argparse.Namespace) -> int:
    return doctor(lambda: open_stack(options), options.json)


def doctor(made: Callable[[], Stack], as_json: bool) -> int:
    """0: no fault; 1: faults were found; 2: the hub cannot be queried, with the reason on stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's alone
            stack = made()
            settings = settings_of(stack)
            outputs = stack.outputs()
            docker = agent_targets.docker_on(stack, outputs)

            def target_errors(hosts: Sequence[str]) -> Mapping[str, Errors | Unreadable]:
                return agent_targets.errors_by_host(hosts, docker, settings.prefix)

            with remote_access.query_address(outputs) as address:
                found = settled(HubClient(address, PATIENCE), settings, _progress(), target_errors)
            found = with_unread(found, unread.examine(settings, docker))
            found = with_rings(found, nodes.views(settings, outputs))
    except (ToolError, OSError) as problem:
        print(f"fleetwatch: {sentence(problem)}", file=sys.stderr)
        return NOT_ASKED
    say(report.as_json(found) if as_json else report.as_text(found))
    return FAULTS if found.faults else WELL


def settled(
    hub: HubClient,
    settings: Settings,
    progress: Callable[[int, int], None] = lambda *_: None,
    target_errors: hosts.TargetErrors = lambda _hosts: {},
    pause: Callable[[float], None] = time.sleep,
) -> report.Findings:
    """As `examine`; again after a pause, AGAIN times at most, while something is EMPTY and nothing else is wrong, and
    there is a target or a container that was not there a minute ago: a rate needs two scrapes."""
    found = examine(hub, settings, progress, target_errors)
    for _ in range(AGAIN):
        if found.faults != len(found.in_state("EMPTY")) or not found.faults or not (young := _young(hub)):
            break
        say(f"{found.faults} queries are still empty, with {young} less than a minute old: retrying in {PAUSE} s")
        pause(PAUSE)
        found = examine(hub, settings, progress, target_errors)
    return found


def _young(hub: HubClient) -> str:
    """Counts of what the hub has not known for a minute; nothing when there is no such thing."""
    counts = {
        "targets": "count(up unless up offset 1m)",
        "containers": "count(time() - container_start_time_seconds < 60)",
    }
    known = {what: hub.metrics(query) for what, query in counts.items()}
    return " and ".join(f"{answer[0]['value'][1]} {what}" for what, answer in known.items() if answer)


def examine(
    hub: HubClient,
    settings: Settings,
    progress: Callable[[int, int], None] = lambda *_: None,
    target_errors: hosts.TargetErrors = lambda _hosts: {},
) -> report.Findings:
    """Run every query. ToolError when Prometheus or Loki does not answer at all."""
    begun = time.monotonic()
    now = hosts.hub_time(hub)
    hub.get("/loki/api/v1/labels")
    querier = Querier(hub, now, progress)
    choices = Choices(hub, now)
    found = verdicts.judge(
        querier,
        choices,
        [*queries.panel_queries(boards(settings)), *queries.numbered(custom_queries.panel_queries(settings))],
    )
    listed = [*rules.described_rules(settings), *custom_queries.described_rules(settings)]
    found += rules.judge(querier, listed)
    reports = hosts.examine(querier, settings, target_errors)
    unloaded = rules.not_loaded(hub, listed)
    requests = querier.requests + choices.requests + 3
    seconds = time.monotonic() - begun
    notes = [
        f"{requests} requests in {seconds:.1f} s: {len(found)} queries and rules, for All and for each value of "
        "their variables; values that the answer for All contains are not queried again."
    ]
    if querier.left_out:
        notes.append(
            f"Queries that sum over containers and the like run for the first {PER_HOST} of each host: "
            f"{len(querier.left_out)} more were left out."
        )
    return report.Findings(
        verdicts=found, hosts=reports, unloaded=unloaded, notes=notes, requests=requests, seconds=seconds
    )


def with_unread(found: report.Findings, by_host: Mapping[str, unread.Unread]) -> report.Findings:
    """The findings with the log lines that are not read: of files a fault of their host, of containers a note."""
    hosts_too = [
        replace(host, wrong=[*host.wrong, *by_host.get(host.host, unread.Unread()).links]) for host in found.hosts
    ]
    containers = [sentence for one in by_host.values() for sentence in one.containers]
    return replace(found, hosts=hosts_too, notes=[*containers, *found.notes])


def with_rings(found: report.Findings, views: Sequence[nodes.View]) -> report.Findings:
    """The findings with the nodes of a cluster; what is wrong with the rings is a fault of the node's host."""
    wrong = nodes.problems(views)
    hosts_too = [replace(host, wrong=[*host.wrong, *wrong.get(host.host, ())]) for host in found.hosts]
    return replace(found, hosts=hosts_too, nodes=nodes.table(views))


def settings_of(stack: Stack) -> Settings:
    """The stack file's settings, secrets replaced by placeholders. ToolError with every mistake."""
    sections = readable_sections(stack.composed(check=False)["config"], stack.name)
    settings, problems = check_file(sections, str(stack.file))
    if settings is not None:
        settings = custom_folder.added(settings, CHECKOUT)
        problems += custom.problems(settings)
    if problems or settings is None:
        raise ToolError(str(SettingsError(problems)))
    return settings


def _progress() -> Callable[[int, int], None]:
    """One line on a terminal, rewritten; one line every few seconds elsewhere. On stderr, which is no report."""
    tty, last = sys.stderr.isatty(), time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal last
        if tty:
            end = "\r\033[K" if done == of else ""
            print(f"\r\033[K{done} of {of} queries{end}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last > 5:
            last = time.monotonic()
            print(f"  {done} of {of} queries", file=sys.stderr, flush=True)

    return show
