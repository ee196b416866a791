"""The programs that the tests check rendered files with: promtool, amtool and so on. `make check` gets them first.

One comes from the cache of offline builds, else from the vendor's image if Docker has it, else it is built from its Go
module. No Docker Engine is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from configs.images import pins
from tools import gobuild
from tools.cli import Commands
from tools.paths import only_one
from tools.processes import try_output

# Build -> image key and the program in that image; None: no image has it.
PROGRAMS: dict[str, tuple[str, str] | None] = {
    "promtool": ("prometheus", "promtool"),
    "alertmanager": ("alertmanager", "/bin/alertmanager"),
    "amtool": ("alertmanager", "amtool"),
    "caddy": ("caddy", "caddy"),
    "loki": ("loki", "/usr/bin/loki"),
    "promtail": ("promtail", "/usr/bin/promtail"),
    "actionlint": None,
    "alloy-syntax": None,
}


def register(commands: Commands) -> None:
    commands.add("test-programs", lambda _options: prepare(), "get the programs that `make check` needs")


def present(name: str) -> tuple[str, ...] | None:
    """The command line of a program that is here, to be followed by its arguments; None if it has to be built."""
    if gobuild.is_built(name):
        return (str(gobuild.program(name)),)
    if (source := PROGRAMS[name]) is not None:
        key, program = source
        if try_output(["docker", "image", "inspect", pins()[key]]) is not None:
            return ("docker", "run", "--rm", "--network", "none", "-u", "0", "--entrypoint", program, pins()[key])
    return None


def prepare(names: Iterable[str] = tuple(PROGRAMS)) -> None:
    """Build every program that is not here, showing the progress. One process at a time builds."""
    missing = [name for name in names if present(name) is None]
    if not missing:
        return
    with only_one("set-up"):
        for name in missing:
            gobuild.program(name)
