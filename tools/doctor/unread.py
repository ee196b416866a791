"""Log lines on a host that its log agent cannot read: containers whose lines Docker does not keep, or that the agent
cannot find, and symbolic links that lead out of a mounted folder.

Docker on the host is queried, on this machine or over SSH. A host that does not answer has its sentence elsewhere.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from configs import names
from configs.settings import Settings
from tools import remote_access
from tools.agent_targets import TIMEOUT, DockerOn

_FIELDS = "{{.Id}} {{.State.Running}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.NetworkMode}} {{.Name}}"
_OF_CONTAINER = "container:"
_SHOWN = 5  # links by name


@dataclass(frozen=True)
class Unread:
    """`containers`: sentences that are no faults, because a container may be meant so. `links`: faults."""

    containers: Sequence[str] = ()
    links: Sequence[str] = ()


def examine(settings: Settings, docker: DockerOn) -> dict[str, Unread]:
    """By host, all queried at once."""
    hosts = [name for name, host in settings.hosts.items() if not host.abandoned]
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(hosts, pool.map(lambda name: _host(settings, name, docker(name)), hosts), strict=True))


def _host(settings: Settings, host: str, docker: Sequence[str]) -> Unread:
    logs = settings.edges[host].logs
    ids = _run(docker, ["ps", "-aq", "--no-trunc"]).split()
    found = _run(docker, ["inspect", "--type", "container", "-f", _FIELDS, *ids]) if ids else ""
    agent = names.container(settings.prefix, logs.agent)
    globs = {f"logs.files.{name}": source.path for name, source in sorted(logs.files.items())}
    return Unread(
        containers=tuple(f"{host}: {sentence}" for sentence in containers(found, ids)),
        links=tuple(f"{host}: {sentence}" for sentence in links(globs, docker, agent)),
    )


def containers(inspected: str, ids: Iterable[str]) -> list[str]:
    """A sentence for each running container whose lines are not read. `inspected`: a line each, as in _FIELDS."""
    known, sentences = set(ids), []
    for line in sorted(inspected.splitlines(), key=lambda one: one.rpartition("/")[2]):
        _, running, driver, network, name = line.split(maxsplit=4)
        gone = network.startswith(_OF_CONTAINER) and network.removeprefix(_OF_CONTAINER) not in known
        subject = f"the log lines of container {name.lstrip('/')} are not collected: "
        if running != "true":
            continue
        if driver == "none":
            sentences.append(
                f"{subject}its log driver is `none`, Docker keeps no line. Start it without that driver, unless it is "
                "meant so"
            )
        elif gone:
            sentences.append(
                f"{subject}it uses the network of a container that is gone. Start that one first, then this one again"
            )
    return sentences


def links(globs: Mapping[str, str], docker: Sequence[str], agent: str) -> list[str]:
    """A sentence for each source of files with links that lead nowhere in the agent's container: only the folder of the
    glob is mounted there."""
    sentences = []
    for setting, pattern in globs.items():
        # The agents' `**` is bash's with `globstar`; what is quoted here has no wildcard of theirs.
        files = _unquoted(pattern)
        dangling = '[ -e "$file" ] || [ ! -L "$file" ] || echo "$file"'
        script = f"shopt -s nullglob globstar; for file in {files}; do {dangling}; done"
        found = sorted(_run(docker, ["exec", agent, "bash", "-c", script]).splitlines())
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            sentences.append(
                f"{setting}: a symbolic link leads nowhere in the log agent's container, which has that folder alone: "
                f"{', '.join(found[:_SHOWN])}{more}. Name the folder with the file itself in `path`, or remove the link"
            )
    return sentences


def _unquoted(pattern: str) -> str:
    """The glob as a shell word: everything is quoted but its wildcards."""
    parts, text = [], ""
    for letter in pattern:
        if letter in "*?[]{},":
            parts += [shlex.quote(text)] if text else []
            parts.append(letter)
            text = ""
        else:
            text += letter
    return "".join([*parts, shlex.quote(text) if text else ""])


def _run(docker: Sequence[str], arguments: Sequence[str]) -> str:
    command = remote_access.with_arguments(docker, arguments)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
