"""The engine's output as a user wants to read it: without the noise that only concerns its own workings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# Said by the engine of every plugin on PATH; which plugins are used is told once, in our own words.
_NOISE = re.compile(
    r"warning: using pulumi-(resource|language)-\S+ from \$PATH"
    r"|^If you want to remove the stack comp|^The resources in the stack have been deleted, but"
    # Told again, whole, among the diagnostics at the end.
    r"|^ [ +~-]+pulumi:pulumi:Stack .* error: (Program failed with an unhandled exception|an unhandled error occurred)"
)
_PROGRAM = "error: Program failed with an unhandled exception:"
# Said after the program's own words about why it ended; alone only where it ended without any.
_ENDED = re.compile(r"error: an unhandled error occurred: program exited with non-zero exit code: \d+", re.IGNORECASE)
_FAILED = re.compile(r"ResourceRegistrationFailed: resource (\S+) ")


def readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines to show. Python's traceback about a resource that failed says nothing of the failure, which stands at
    the resource itself; a sentence takes its place. Any other traceback is shown."""
    block: list[str] = []
    told = False
    for line in lines:
        if (
            block
            and not line.startswith("     ")
            and not line.startswith(("    Traceback", "    The above", "    pulumi."))
        ):
            if line.strip():
                yield from _told(block)
                block = []
            else:
                block.append(line)
                continue
        if block or line.strip() == _PROGRAM:
            block.append(line)
        elif not _NOISE.search(line) and not (told and _ENDED.search(line)):
            told = told or line.lstrip().startswith("error:")
            yield line
    yield from _told(block)


def _told(block: list[str]) -> Iterator[str]:
    failed = sorted(set(_FAILED.findall("".join(block))))
    if failed:
        yield f"    what needs {' and '.join(failed)} was left out; the reason stands there\n\n"
    else:
        yield from block
