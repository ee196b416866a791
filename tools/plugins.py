"""Provider plugins: the vendors' where they can be installed, else the stand-ins of localcloud/standins/plugins.

Every run looks again and prints which it uses: a real plugin wins as soon as it can be had. A stand-in is
started through a small script in the virtualenv, so that two checkouts do not use each other's.
FLEETWATCH_PLUGINS=<folder> puts real plugins from elsewhere in front, for comparisons.
"""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from tools import net, pulumi_cli
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV, cache_dir
from tools.processes import run
from tools.progress import say, step

VENDORS = "vendor's plugin"
NAMES = ("docker", "command", "random", "digitalocean")
_SOURCE = "https://get.pulumi.com/"
_SHIM = """\
#!/bin/sh
# Stand-in for the {name} provider: the vendor's plugin could not be installed on this machine.
exec {python} -c {code} {name} "$@"
"""
_CODE = (
    "import runpy, sys; sys.path.insert(0, {checkout!r}); "
    "runpy.run_module('localcloud.standins.plugins', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class Plugin:
    """A provider plugin as this machine has it."""

    name: str
    version: str
    kind: str  # "vendor's plugin", "stand-in", or where FLEETWATCH_PLUGINS has it

    @property
    def stands_in(self) -> bool:
        return self.kind == "stand-in"


def home() -> Path:
    """PULUMI_HOME: the plugins the vendor's CLI installs, apart from the user's own. Its `logs` is a file: since 3.253
    the CLI writes what it does with each property of each resource into that folder, which takes half of the engine's
    CPU and up to 500 MB, and has no switch for it; without the folder it continues (pkg/logging/encrypted.go)."""
    made = cache_dir("pulumi-home")
    logs = made / "logs"
    if not logs.is_file():
        shutil.rmtree(logs, ignore_errors=True)
        logs.write_text(_NO_LOGS)
    return made


def given_dir() -> Path | None:
    return Path(given).resolve() if (given := os.environ.get("FLEETWATCH_PLUGINS")) else None


def stand_in_dir() -> Path:
    """Scripts named pulumi-resource-<name>, one for every plugin that is missing here; goes on PATH."""
    return VENV / "stand-ins"


_NO_LOGS = """This file keeps Pulumi from writing a log of all resources at each run (half of its CPU).
For a log of one run: make pulumi STACK=<stack> ARGS="preview -v=9 --logtostderr"
"""


@cache
def _sdk_version(name: str) -> str:
    try:
        return metadata.version(f"pulumi-{name}")
    except metadata.PackageNotFoundError:
        raise ToolError(f"The virtualenv lacks pulumi-{name}: run tools/bootstrap.sh (or `make up`) again.") from None


def _installed(name: str) -> bool:
    folder = home() / "plugins" / f"resource-{name}-v{_sdk_version(name)}"
    return (folder / f"pulumi-resource-{name}").is_file() and not folder.with_name(folder.name + ".partial").exists()


def state() -> list[Plugin]:
    """Which plugins a run would use now; changes nothing."""
    found = []
    for name in NAMES:
        given = given_dir()
        if given and (given / f"pulumi-resource-{name}").is_file():
            kind = f"from {given}"
        else:
            kind = VENDORS if _installed(name) else "stand-in"
        found.append(Plugin(name, _sdk_version(name), kind))
    return found


def _install(plugin: Plugin) -> bool:
    cli = pulumi_cli.find()
    argv = [str(cli.program), "plugin", "install", "resource", plugin.name, plugin.version]
    env = {**os.environ, "PULUMI_HOME": str(home()), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        with step(f"Pulumi plugin {plugin.name} {plugin.version}: installing"):
            run(argv, what=f"pulumi plugin install {plugin.name}", env=env)
    except ToolError as problem:
        say(f"  {plugin.name}: the vendor's plugin could not be installed, its stand-in is used. {problem}")
        return False
    return _installed(plugin.name)


def _write_stand_ins(plugins: list[Plugin]) -> None:
    """A stand-in goes when the vendor's plugin is here. One that FLEETWATCH_PLUGINS is in front of stays: another run
    may be using it."""
    folder = stand_in_dir()
    folder.mkdir(mode=0o755, exist_ok=True)
    code = _CODE.format(checkout=str(CHECKOUT))
    for plugin in plugins:
        place = folder / f"pulumi-resource-{plugin.name}"
        if plugin.kind == VENDORS:
            place.unlink(missing_ok=True)
        if not plugin.stands_in:
            continue
        python = shlex.quote(str(VENV / "bin" / "python"))
        script = _SHIM.format(name=plugin.name, python=python, code=shlex.quote(code))
        if not place.is_file() or place.read_text() != script:
            beside = place.with_suffix(f".{os.getpid()}")
            beside.write_text(script)
            beside.chmod(0o755)
            beside.rename(place)


def get() -> list[Plugin]:
    """Install what can be installed, put stand-ins in place of the rest, and say which is which."""
    for plugin in state():
        if plugin.stands_in and net.reachable(_SOURCE):
            _install(plugin)
    plugins = state()
    _write_stand_ins(plugins)
    return plugins
