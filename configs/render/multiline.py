"""The stages that join the lines of one event, such as a traceback, before levels and filters see it.

RE2 cannot express "does not begin with", so lines that may continue an event are marked first: a mark, and the time.
Promtail gives a block the time of the last line without a mark, even if that was hours ago. A line without a mark
begins an event, those with one join it. Before a container's first line without a mark an agent joins nothing: a second
pass joins what follows a line that may begin an event as well. The last line of a quiet stream waits for both, 0.6 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from configs import names
from configs.render.log_stages import CONTAINERS, Stage, match, quoted

if TYPE_CHECKING:
    from configs.settings.logs import Multiline

MAX_LINES = 500  # of one event; the rest is further entries
# Promtail wakes up this often for each pass and container, also while nothing is written: three passes of 150, 300 and
# 800 ms took about 0.1 % of a core for each container.
WAIT = "300ms"
_HEAD, _MORE = "\\x01", "\\x02"  # marks of lines that may begin an event, or join one; and of those that join one
_END = "\\x04"
# What follows the indent: no time and no level in upper case, some programs indent all that they write.
_NO_LEVEL = (
    "D(?:[^E]|E[^B])|I(?:[^N]|N[^F])|W(?:[^A]|A[^R])|E(?:[^R]|R[^R])|C(?:[^R]|R[^I])|F(?:[^A]|A[^T])|T(?:[^R]|R[^A])"
)
_INDENTED = (
    rf"\s*(?:[^\s\d\[DIWECFT]|{_NO_LEVEL}|\[(?:[^\dDIWE]|D[^E]|I[^N]|W[^A]|E[^R])|\d(?:\D|$)|\d\d+(?:[^\d/:.-]|$)|$)"
)
# Each of these two, the first with _EXCEPTIONS, has fewer than 500 instructions, like level_formats.GENERIC.
_FRAMES = (
    rf"(?:\t| {{4}}){_INDENTED}",
    r" {1,3}(?:at |File |from |throw |thrown in|what\(\)|\.\.\.|---|\^|[|+][ -]|[})\]\"]|\w+:(?: |$))",
    r" {1,3}\[(?:Previous|\w+[\](])",
    r"$", r"\^+$", r"[│├└╭╰]", r"> File \"",
    r"\[(?:stacktrace|previous exc|UnhandledPromise|SQL: |parameters: )", r"\"?[})\]]+[,;]?\s*$",
    r"#\d+ (?:/|\{m|\[i|\S+\()",
    r"[\w./-]+\.(?:\(\*?\w+(?:\[\.\.\.\])?\)\.)?[\w.\[\]]+\((?:(?:0x|\{|\.\.\.|_)[^() ]*(?:, [^() ]*)*)?\)$",
    r"panic\((?:\{?0x|\.\.\.)",
)  # fmt: skip
_WORDS = (
    r"throw (?:new \w|\w+;?$)", r"\(Background on this",
    r"(?:DETAIL|HINT|CONTEXT):  ", r"LINE \d+: ", r"(?:PHP )?Stack trace:", r"PHP +\d+\. ",
    r"Next [\w\\]*(?:Error|Exception): ",
    r"\*\* \(\w", r"Last message(?: \([^)]*\))?: ", r"State: [%#{\[]", r"Client #PID", r"Function: #",
    r"Caused by:(?: |$)", r"Suppressed: ", r"Original Stack Trace:", r"Error has been observed", r"\.\.\. \d+ more",
    r"During handling", r"The above exc", r"goroutine \d+ (?:gp=[^\[]*)?\[", r"created by [\w./-]+\.", r"\[signal SIG",
    r"PC=0x", r"runtime stack:", r"exit status \d+$", r"(?:Node\.js|Bun) v\d", r"--- End of ",
    r"note: (?:run with|Some d)", r"[sS]tack backtrace:", r"Location:$",
    r"[\w./-]+\.r[bu]:\d+:in [`'][^']*'$",
)  # fmt: skip
# The last line of a traceback: a name that says so, or one of Python's modules for exceptions.
_EXCEPTIONS = (
    r"(?:[\w.$]*\w(?:Error|Exception|Interrupt|Exit|Fault|Throwable|NotExist|Iteration)(?: \[\w+\])?"
    r"|(?:\w+\.)+(?:(?:errors?|exc|exceptions?)\.[A-Z]\w*"
    r"|[A-Z]\w*(?:Timeout|Expired|Disconnected|Refused|ttp404|NotFound)))(?::\s|$)"
)
_TRACEBACKS = r"Traceback \(most recent call last\)"
# Exceptions that no traceback of Python ends with: of a JVM's packages, and of JavaScript.
_HEADS = (
    _TRACEBACKS,
    r"(?:com|dev|io|java|javax|jakarta|kotlin|net|org|scala|sun)\.[\w.$]*(?:Error|Exception|Throwable)(?::\s|$)",
    r"(?:Aggregate|Eval|Range|Reference|URI)Error(?: \[\w+\])?: ",
)  # fmt: skip
# Roles of fleetwatch's that write each event in one line: it costs nothing to join none of theirs.
_ONE_LINE = (
    "agent", "alertmanager", "alloy", "caddy", "cadvisor", "grafana", "loki", "node-exporter", "prometheus", "promtail",
)  # fmt: skip
_STAMP = "2006-01-02T15:04:05.000000000Z07:00"


def stages(exceptions: Iterable[Multiline], prefix: str, live: bool) -> tuple[Stage, ...]:
    """For lines of containers; of `exceptions`, those for containers come first. `prefix`: of the stack. `live`: the
    lines are read as they are written, so that the present is the time of a line which joined no other."""
    found: list[Stage] = []
    others = f'job="{names.DOCKER_JOB}"'
    for one in sorted(exceptions, key=lambda one: one.container is None):
        key, value = ("container", one.container) if one.container else ("compose_project", one.project)
        if one.first_line:
            found.append(match(f'{{{others},{key}="{value}"}}', _join(one.first_line)))
        others += f',{key}!="{value}"'
    own = "|".join(names.container(prefix, role) for role in _ONE_LINE)
    return (*found, match(f'{{{others},container!~"{own}"}}', *_usual(live)))


def _usual(live: bool) -> tuple[Stage, ...]:
    stamp = f'{{{{ (now).UTC.Format "{_STAMP}" }}}}' if live else ""
    kinds = ((_HEAD, _HEADS), (_MORE, (*_FRAMES, _EXCEPTIONS)), (_MORE, _WORDS))
    mark = tuple(
        Stage(
            "replace",
            {
                "expression": f"^()(?:{'|'.join(expressions)})",
                "replace": f'{{{{ "{sign}" }}}}{stamp}{{{{ "{_END}" }}}}',
            },
        )
        for sign, expressions in kinds
    )
    alone = (
        Stage("regex", {"expression": f"^[{_HEAD}{_MORE}](?P<stamp>[^{_END}]*)"}),
        Stage("timestamp", {"source": "stamp", "format": "RFC3339Nano", "action_on_failure": "skip"}),
    )
    return (
        *mark,  # not inside a `match`: lines that pass one overtake others
        _join(f"^(?:[^{_HEAD}{_MORE}]|$)"),
        _join(f"^(?:[^{_MORE}]|$)"),
        *([match(f"{CONTAINERS} |~ {quoted(f'^[{_HEAD}{_MORE}]')}", *alone)] if live else []),
        match(
            f"{CONTAINERS} |~ {quoted(f'[{_HEAD}{_MORE}]')}",
            Stage("replace", {"expression": f"(?:^|\\n)([{_HEAD}{_MORE}][0-9TZ:.-]*{_END})", "replace": ""}),
        ),
    )


def uncaught() -> Stage:
    """Behind the levels: an exception that joined a line of a lower level, or of none, is an error."""
    keep = '{{ if eq (or .level "") "warn" "error" "fatal" }}{{ .level }}{{ else }}error{{ end }}'
    return match(
        f"{CONTAINERS} |~ " + quoted(rf"\n(?:{_TRACEBACKS}|{_EXCEPTIONS}|\[UnhandledPromise)"),
        Stage("template", {"source": "level", "template": keep}),
    )


def _join(first_line: str) -> Stage:
    return Stage("multiline", {"firstline": first_line, "max_lines": MAX_LINES, "max_wait_time": WAIT})
