"""The programs that rendered files and a user's own files are checked with: promtool, amtool and so on. `make check`
gets them first.

One comes from the cache of offline builds, else from the vendor's image if Docker has it, else it is built from its Go
module. No Docker Engine is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from configs.images import pins
from tools import gobuild
from tools.cli import Commands
from tools.paths import only_one
from tools.processes import try_output

NO_NETWORK = ("--network", "none")
# Build -> image key and the program in that image; None: no image has it.
PROGRAMS: dict[str, tuple[str, str] | None] = {
    "promtool": ("prometheus", "promtool"),
    "alertmanager": ("alertmanager", "/bin/alertmanager"),
    "amtool": ("alertmanager", "amtool"),
    "caddy": ("caddy", "caddy"),
    "loki": ("loki", "/usr/bin/loki"),
    "promtail": ("promtail", "/usr/bin/promtail"),
    "vmagent": ("vmagent", "/vmagent-prod"),
    "actionlint": None,
    "alloy-syntax": None,
}


def register(commands: Commands) -> None:
    commands.add("test-programs", lambda _options: prepare(), "get the programs that `make check` needs")


def present(
    name: str,
    options: Sequence[str] = NO_NETWORK,
    *,
    overrides: Mapping[str, str] | None = None,
    pull: bool = False,
) -> tuple[str, ...] | None:
    """The command line of a program that is here, to be followed by its arguments; None if it has to be built.

    `options`: those of `docker run`, where it is that of an image. `overrides`: images that replace pins, by key.
    `pull`: an image that Docker does not have is pulled.
    """
    if gobuild.is_built(name):
        return (str(gobuild.program(name)),)
    if (source := PROGRAMS[name]) is not None:
        key, program = source
        image = (overrides or {}).get(key, pins()[key])
        here = try_output(["docker", "image", "inspect", image]) is not None
        if here or (pull and try_output(["docker", "pull", "-q", image], timeout=300) is not None):
            return ("docker", "run", "--rm", *options, "-u", "0", "--entrypoint", program, image)
    return None


def prepare(names: Iterable[str] = tuple(PROGRAMS)) -> None:
    """Build every program that is not here, showing the progress. One process at a time builds."""
    missing = [name for name in names if present(name) is None]
    if not missing:
        return
    with only_one("set-up"):
        for name in missing:
            gobuild.program(name)
