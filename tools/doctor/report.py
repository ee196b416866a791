"""What the doctor found: for people as tables and sentences, for scripts as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tools.doctor.hosts import HostReport
from tools.doctor.verdicts import Verdict
from tools.nodes import PROGRAMS
from tools.status import age, table

FAULTS = ("EMPTY", "failed")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything of one run. `notes` are no faults: what was left out, and how many queries ran. `nodes`: a row for
    each node of a cluster with the state of its programs in their rings."""

    verdicts: Sequence[Verdict]
    hosts: Sequence[HostReport]
    unloaded: Sequence[str]
    notes: Sequence[str]
    requests: int
    seconds: float
    nodes: Sequence[Sequence[str]] = ()

    @property
    def faults(self) -> int:
        bad = sum(verdict.state in FAULTS for verdict in self.verdicts)
        return bad + len(self.unloaded) + sum(len(host.wrong) for host in self.hosts)

    def in_state(self, state: str) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.state == state]


def as_json(found: Findings) -> str:
    """One object; its keys are described in docs/doctor.md."""
    counts = {state: len(found.in_state(state)) for state in ("ok", "declared", "EMPTY", "failed")}
    return json.dumps(
        {
            "faults": found.faults,
            "counts": counts,
            "queries": [asdict(verdict) for verdict in found.verdicts],
            "hosts": [asdict(host) for host in found.hosts],
            "nodes": [dict(zip(("host", *PROGRAMS), row, strict=True)) for row in found.nodes],
            "unloaded": list(found.unloaded),
            "notes": list(found.notes),
            "requests": found.requests,
            "seconds": round(found.seconds, 1),
        },
        indent=1,
    )


def as_text(found: Findings) -> str:
    """What a person reads: the sums, what is empty or failed, what is declared, the hosts, the verdict."""
    lines = ["Panels and rules", *_sums(found)]
    for state, head in (("failed", "Failed"), ("EMPTY", "EMPTY, and not declared so")):
        if found.in_state(state):
            lines += ["", head, *(line for verdict in found.in_state(state) for line in _fault(verdict))]
    if found.in_state("declared"):
        lines += [
            "",
            "Empty, as declared",
            *(line for verdict in found.in_state("declared") for line in _declared(verdict)),
        ]
    lines += ["", "Hosts", *_hosts(found.hosts)]
    lines += ["", "Nodes", *table(("host", *PROGRAMS.values()), found.nodes)] if found.nodes else []
    wrong = [*found.unloaded, *(sentence for host in found.hosts for sentence in host.wrong)]
    lines += ["", *wrong] if wrong else []
    lines += ["", *found.notes]
    verdict = "Everything has data." if not found.faults else f"{found.faults} fault{'s' * (found.faults > 1)} found."
    return "\n".join([*lines, verdict])


def _sums(found: Findings) -> list[str]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in found.verdicts:
        groups.setdefault(_subject(verdict), []).append(verdict)
    states = ("ok", "declared", "EMPTY", "failed")
    rows = [
        (name, str(sum(v.cases for v in some)), *(str(sum(v.state == state for v in some)) for state in states))
        for name, some in groups.items()
    ]
    return table(("subject", "cases", "with data", "empty as declared", "EMPTY", "failed"), rows)


def _subject(verdict: Verdict) -> str:
    head, slash, _ = verdict.place.partition(" / ")
    return f"board {head}" if slash else f"{head.split()[0]}s"


def _fault(verdict: Verdict) -> list[str]:
    place = f"  {verdict.place}"
    if verdict.state == "failed":
        return [f"{place}: {verdict.error}", f"      {_one_line(verdict.expr)}"]
    return [f"{place}: {_few(verdict.empty)}", f"      {_one_line(verdict.expr)}"]


def _declared(verdict: Verdict) -> list[str]:
    seen = f"; had data {age(verdict.seen)} ago" if verdict.seen is not None else ""
    return [f"  {verdict.place}: {_few(verdict.empty)}{seen}", f"      {verdict.declared}"]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return "; ".join(names[:4]) + more


def _one_line(expr: str) -> str:
    flat = " ".join(expr.split())
    return flat if len(flat) <= 300 else flat[:297] + "..."


def _hosts(hosts: Sequence[HostReport]) -> list[str]:
    head = ("host", "last sample", "last log line", "down", "series", "by job", "streams", "clock, to the hub's")
    rows = [
        (
            host.host,
            age(host.sample_age),
            age(host.line_age),
            str(len(host.down)),
            str(sum(host.series.values())),
            " ".join(f"{job} {count}" for job, count in sorted(host.series.items(), key=lambda one: -one[1])[:4]),
            str(host.streams),
            _clock(host),
        )
        for host in hosts
    ]
    return table(head, rows)


def _clock(host: HostReport) -> str:
    if host.clock is None:
        return "-"
    low, high = host.clock
    kernel = f", kernel offset {host.offset * 1000:+.1f} ms" if host.offset is not None else ""
    return f"{low:+.1f} to {high:+.1f} s{kernel}"
