"""The page: what is dangerous first, then for each stack its numbers by host, and folded away the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tools.comment import changes, container_table, cost, files, warnings
from tools.comment.markdown import code, fenced, folded, html, prose, table
from tools.comment.model import ACTIONS, Change, FileChange, Record

MARK = "<!-- fleetwatch preview -->"
TITLE = "## fleetwatch: what this pull request would change"
LIMIT = 65536  # characters of a comment at GitHub
ARTEFACT = "fleetwatch-preview"
_ROOM = 400  # for the sentence that says what was cut
_MOST_WARNINGS, _MOST_ROWS, _LONGEST_PROBLEM = 40, 60, 4000
FORK = (
    "This pull request comes from a fork. Its code is not run with the credentials of this repository, so no preview "
    "was made; lint, types and tests ran. Someone who may push here can look at it, push it to a branch of this "
    "repository and open a pull request from there."
)
# Small and harmless: their values are shown, of every other property only its name.
_SHOWN = ("image", "size", "memory", "cpus", "region", "name", "restart", "ports", "portRange", "ttl", "ipRange")


def waiting(stacks: Mapping[str, str]) -> str:
    """The note about stacks whose preview waits for an approval, by their reason."""
    reasons = dict.fromkeys(stacks.values())
    lines = [
        f"- {', '.join(code(stack) for stack, why in stacks.items() if why == reason)}: {prose(reason)}"
        for reason in reasons
    ]
    if not lines:
        return ""
    head = (
        "**No preview yet.** What follows runs with the secrets of the stack, so a reviewer has to read the change "
        "first and approve the job `approved` of this run (Review deployments):"
    )
    return "\n".join([head, "", *lines])


def build(records: Sequence[Record], *, note: str = "", limit: int = LIMIT) -> str:
    """The Markdown of all records, in at most `limit` characters; 0: whole, as the artefact has it. `note` is the
    first line, such as why there is no preview."""
    blocks, details = _head(records, note), []
    for record in records:
        blocks.append(_stack(record))
        details += _details(record, several=len(records) > 1)
    text = "\n\n".join(blocks)
    if not limit:
        return "\n\n".join([text, *details]) + "\n"
    shown, cut = 0, 0
    text = _within(text, limit - _ROOM)
    for detail in details:
        if len(text) + len(detail) + 2 <= limit - _ROOM:
            text, shown = f"{text}\n\n{detail}", shown + 1
        else:
            cut += 1
    if cut:
        text += (
            f"\n\n**Cut: {cut} of {shown + cut} details do not fit in a comment ({limit} characters); the whole page "
            f"is `whole.md` in the artefact `{ARTEFACT}` of this run.**"
        )
    return text + "\n"


def _within(text: str, limit: int) -> str:
    """Cut at the end of a line."""
    if len(text) <= limit:
        return text
    return (
        text[: text.rfind("\n", 0, limit)]
        + f"\n\n**Cut here; the whole page is `whole.md` in the artefact `{ARTEFACT}`.**"
    )


def _head(records: Sequence[Record], note: str) -> list[str]:
    blocks = [MARK, TITLE]
    loud = [
        f"{f'**{record.stack}**: ' if len(records) > 1 else ''}{warning}"
        for record in records
        for warning in warnings.warnings(changes.planned_changes(record))
    ]
    if loud:
        more = [f"and {len(loud) - _MOST_WARNINGS} more"] if len(loud) > _MOST_WARNINGS else []
        lines = ["**Look at this before you merge: data or unsent data is lost, or something is interrupted**"]
        lines += [f"- {line}" for line in [*loud[:_MOST_WARNINGS], *more]]
        blocks.append("\n".join(["> [!CAUTION]", *(f"> {line}" for line in lines)]))
    if note:
        blocks.append(note)
    if not records and not note:
        blocks.append("No stack is touched: nothing of the program and no stack file is changed.")
    return blocks


def _stack(record: Record) -> str:
    title = f"### Stack {code(record.stack)}"
    if record.problem is not None:
        longer = " …" if len(record.problem) > _LONGEST_PROBLEM else ""
        problem = prose(record.problem[:_LONGEST_PROBLEM] + longer)
        return "\n\n".join([title, f"**No preview**: {problem}", *_policies(record)])
    found = changes.planned_changes(record)
    parts = [title]
    if found:
        rows = _rows(found)
        parts.append(table(["host", *ACTIONS], rows[:_MOST_ROWS] + ([["…"] * 5] if len(rows) > _MOST_ROWS else [])))
        parts += container_table.lines(found)
    else:
        parts.append("Nothing to change.")
    parts += _drift(record)
    parts += cost.lines(record)
    return "\n\n".join([*parts, *_policies(record)])


def _drift(record: Record) -> list[str]:
    """What differs on the hosts, if they were compared."""
    lines = [f"- {code(one.host)}: {code(line)}" for one in record.drift for line in one.lines]
    lines += [f"- {code(one.host)} was not compared: {prose(one.reason)}" for one in record.drift if one.reason]
    more = [f"- and {len(lines) - _MOST_ROWS} more"] if len(lines) > _MOST_ROWS else []
    return (
        ["\n".join(["**On the hosts**, compared with what was deployed:", "", *lines[:_MOST_ROWS], *more])]
        if lines
        else []
    )


def _rows(found: Sequence[Change]) -> list[list[object]]:
    hosts = sorted({change.host for change in found}, key=lambda host: (host in (changes.CLOUD, changes.STACK), host))

    def row(title: str, of: Iterable[Change]) -> list[object]:
        actions = [change.action for change in of]
        return [title, *(actions.count(action) or "" for action in ACTIONS)]

    rows = [row(code(host), [change for change in found if change.host == host]) for host in hosts]
    return [*rows, row("**all**", found)] if len(rows) > 1 else rows


def _policies(record: Record) -> list[str]:
    if record.policies is None:
        return []
    if not record.policies:
        return ["**Policies**: no violation."]
    lines = [
        f"- {prose(one.level)} {code(one.policy)}, {code(one.resource)}: {prose(one.message)}"
        for one in record.policies
    ]
    return ["\n".join([f"**Policies: {len(lines)} violation{'s' if len(lines) > 1 else ''}**", "", *lines])]


def _details(record: Record, several: bool) -> list[str]:
    found = changes.planned_changes(record)
    of = f" of {html(record.stack)}" if several else ""
    blocks = []
    for host in sorted({change.host for change in found}):
        lines = [_line(change) for change in found if change.host == host]
        blocks.append(folded(f"Resources{of}: {html(host)} ({len(lines)})", "\n".join(lines)))
    if lines := container_table.details(found):
        blocks.append(folded(f"Containers{of} ({len(lines)})", "\n".join(lines)))
    changed = files.changed_files(found)
    quiet = [file for file in changed if file.diff is None or file.action == "removed"]
    if quiet:
        lines = [
            f"- {code(file.host)} {code(file.path)}: {file.why_not or 'removed'} ({file.action})" for file in quiet
        ]
        blocks.append(folded(f"Files{of} that are not shown ({len(quiet)})", "\n".join(lines)))
    return blocks + [_diff(file, of) for file in changed if file not in quiet]


def _line(change: Change) -> str:
    why = "; ".join(_why(change, name) for name in change.why)
    kept = ", left where it is" if change.kept and change.action == "removed" else ""
    return f"- {change.action}{kept} {code(change.name)} ({change.kind}){f': {why}' if why else ''}"


def _why(change: Change, name: str) -> str:
    old, new = change.before.get(name), change.after.get(name)
    if name in _SHOWN and isinstance(old, str | int | float) and isinstance(new, str | int | float):
        return f"{name} {code(str(old))} → {code(str(new))}"
    return prose(name)


def _diff(file: FileChange, of: str) -> str:
    title = f"{'New file' if file.action == 'added' else 'Diff'}{of}: {html(file.host)} {html(file.path)}"
    return folded(f"{title} (+{file.added} −{file.removed})", fenced(file.diff or "", "diff"))
