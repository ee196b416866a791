"""`make export HOST= TO=`: a host's edge as a folder for Portainer from Git or plain `docker compose`.

The folder holds no secret. The hub's address and the certificate of its CA, where they are needed, are read from the
stack's state.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from configs import compose, export, images
from configs.settings import Settings, SettingsError
from tools import deployed, pulumi_state
from tools.cli import Commands
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.stack_settings import complete_settings, mistakes
from tools.unknown_name import unknown


def register(commands: Commands) -> None:
    parser = commands.add("export", _export, "a host's edge as a folder for plain `docker compose`, without secrets")
    parser.add_argument("host", help="the host's name in the stack file")
    parser.add_argument("to", help="the folder; an empty one, or that of an earlier export")


def _export(options: argparse.Namespace) -> None:
    export_host(open_stack(options), options.host, options.to)


def export_host(stack: Stack, host: str, to: str) -> None:
    """Write the folder, and show what to do with it."""
    if not to:
        raise ToolError("TO=: expected the folder to write, such as `make export HOST=web-1 TO=/srv/monitoring/web-1`")
    settings = _settings(stack)
    if host not in settings.edges:
        raise unknown("HOST", host, "a host of the stack file", settings.edges)
    references = images.resolve(settings.images)
    files = export.files(settings, host, references, reached(settings, host, stack.read_state))
    folder = Path(to).expanduser()
    _write(folder, files)
    say(f"{folder}: {len(files)} files, none with a secret; {compose.README} describes what to fill in:")
    for path in sorted(path for path in files if path.endswith(export.EXAMPLE)):
        say(f"  {path}")
    here = sorted(ref for ref in references.values() if ref.startswith(images.LOCAL) and ref in files[compose.FILE])
    if here:
        say(f"Images that no registry has; copy them by `docker save` and `docker load`: {', '.join(here)}")


def _settings(stack: Stack) -> Settings:
    """The settings with a placeholder for every secret: none is read."""
    config = stack.composed()["config"]
    source = stack.env["FLEETWATCH_STACK_FILE"]
    settings, problems = complete_settings(config, stack.name, source), mistakes(config, stack.name, source)
    if settings is None or problems:
        raise ToolError(str(SettingsError(problems)))
    return settings


def reached(settings: Settings, host: str, state: Callable[[], Mapping[str, Any]]) -> export.Reached:
    """How the host reaches the hub; `state` gives the stack's state, and is called only where it is needed."""
    needs = export.needs(settings, host)
    if not needs:
        return export.Reached()
    found = state()
    outputs = pulumi_state.outputs(found)
    addresses = _addresses(settings, host, outputs)
    ca = (outputs.get("ca") or _own_ca(found)) if "ca" in needs else ""
    if ("address" in needs and not addresses) or ("ca" in needs and not ca):
        what = {"address": "the hub's address", "ca": "the certificate of the hub's own CA"}
        raise ToolError(
            f"hosts.{host}: {' and '.join(what[need] for need in sorted(needs))} is known once the hub is up: run "
            f"`make up` first. A hub with a domain (fleetwatch:hub.domain) needs neither for hosts on the internet."
        )
    return export.Reached(addresses=addresses, ca=ca)


def _addresses(settings: Settings, host: str, outputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the hub for this host: of a cluster the private ones of all nodes, or that of its load balancer."""
    hosts = outputs.get("hosts", {})
    if settings.hosts[host].via == "vpc":
        found = [hosts.get(name, {}).get("private") for name in settings.hub.hosts]
    else:
        found = [outputs.get("entry") or hosts.get("hub", {}).get("address")]
    return tuple(str(one) for one in found if one)


def _own_ca(state: Mapping[str, Any]) -> str:
    for resource in pulumi_state.resources(state):
        if resource.get("type") == deployed.COMMAND and resource["urn"].endswith("::hub-ca"):
            return str((resource.get("outputs") or {}).get("stdout") or "")
    return ""


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files. Secrets that were filled in stay; configuration that the edge no longer has goes."""
    ours = (folder / compose.FILE).exists() and (folder / export.IGNORED).exists()
    try:
        if folder.exists() and any(folder.iterdir()) and not ours:
            raise ToolError(f"TO={folder}: expected an empty folder or that of an earlier export; it has other files.")
        for config in folder.glob("*/config"):
            shutil.rmtree(config)
        for path, text in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise ToolError(f"TO={folder}: cannot be written: {error.filename}: {error.strerror}") from None
