"""Pulumi's output for a user: without messages that only concern its internals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# Printed for every plugin on PATH; `setup` lists the plugins once.
_NOISE = re.compile(
    r"warning: using pulumi-(resource|language)-\S+ from \$PATH"
    r"|^If you want to remove the stack comp|^The resources in the stack have been deleted, but"
    # Repeated in full among the diagnostics at the end.
    r"|^ [ +~-]+pulumi:pulumi:Stack .* error: (Program failed with an unhandled exception|an unhandled error occurred)"
)
_PROGRAM = "error: Program failed with an unhandled exception:"
# Printed after the program's own error message; alone only if there was none.
_ENDED = re.compile(r"error: an unhandled error occurred: program exited with non-zero exit code: \d+", re.IGNORECASE)
_FAILED = re.compile(r"ResourceRegistrationFailed: resource (\S+) ")


def readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines to show. Python's traceback about a resource that failed does not contain the failure, which is
    printed at the resource itself; a sentence replaces it. Any other traceback is shown."""
    block: list[str] = []
    failed = False
    for line in lines:
        if (
            block
            and not line.startswith("     ")
            and not line.startswith(("    Traceback", "    The above", "    pulumi."))
        ):
            if line.strip():
                yield from _summary(block)
                block = []
            else:
                block.append(line)
                continue
        if block or line.strip() == _PROGRAM:
            block.append(line)
        elif not _NOISE.search(line) and not (failed and _ENDED.search(line)):
            failed = failed or line.lstrip().startswith("error:")
            yield line
    yield from _summary(block)


def _summary(block: list[str]) -> Iterator[str]:
    failed = sorted(set(_FAILED.findall("".join(block))))
    if failed:
        yield f"    skipped: what depends on {' and '.join(failed)}, which failed (see its error)\n\n"
    else:
        yield from block
