"""Pulls new images on every host before `make up` replaces anything: a tag that does not exist, or a registry that one
host cannot reach, is found while everything still runs, and no part waits for a download between old and new.

Only hosts of the last complete update are contacted, and only those that run a changed image. A host that cannot be
reached is reported and stops nothing: the update itself names it. An update by `pulumi up` alone pulls on each host
before it replaces there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from configs import services
from configs.images import LOCAL, resolve
from configs.settings import Settings
from tools import agent_targets, deployed, pulumi_state
from tools.deployed import NO_CONNECTION
from tools.errors import ToolError
from tools.progress import say
from tools.remote_access import with_arguments
from tools.stack import Stack

LIMIT = 900  # seconds for one image
Image = tuple[str, str]  # reference, key under `images`
Problem = tuple[str, Image, str]  # host, image, reason


def pull(stack: Stack) -> None:
    """Pull what changed. ToolError names every image that a host cannot pull; nothing was changed then."""
    settings, outputs = stack.settings(), pulumi_state.outputs(stack.state)
    hosts = outputs.get("hosts")
    if settings is None or not isinstance(hosts, Mapping):
        return
    new = changed(settings, stack.state, list(hosts))
    if not new:
        return
    say("\nPulling new images on " + ", ".join(new))
    docker = agent_targets.docker_on(stack, outputs)
    found = deployed.each(new, lambda host: _on(host, docker(host), new[host]))
    problems = [problem for of_host in found.values() for problem in of_host]
    if problems:
        lines = [
            f"host {host}: the image {ref} ({key}) is not there and could not be pulled: {reason}. Check "
            f"`images.{key}` in the stack file, and on that host `docker pull {ref}` "
            "(a private registry needs `docker login` there)"
            for host, (ref, key), reason in problems
        ]
        raise ToolError("\n".join([*lines, "Nothing was changed, what ran before still runs."]))


def changed(settings: Settings, state: Mapping[str, Any], deployed: Sequence[str]) -> dict[str, list[Image]]:
    """The images by host that the state does not have yet, of hosts that were deployed and are kept."""
    known = json.dumps(state.get("deployment") or {})
    references = resolve(settings.images)
    found: dict[str, list[Image]] = {}
    for host in deployed:
        if host not in settings.hosts or settings.hosts[host].abandoned:
            continue
        keys = {spec.service.image for spec in services.specs(settings, host)}
        used = sorted((references[key], key) for key in keys)
        if new := [(ref, key) for ref, key in used if ref not in known and not ref.startswith(LOCAL)]:
            found[host] = new
    return found


def _on(host: str, docker: Sequence[str], images: Sequence[Image]) -> list[Problem]:
    """The images that this host cannot pull, one after the other."""
    problems: list[Problem] = []
    for image in images:
        code, reason = _docker(docker, ["image", "inspect", "-f", "{{.Id}}", image[0]])
        if code not in (0, NO_CONNECTION):
            code, reason = _docker(docker, ["pull", "-q", image[0]])
        if code == NO_CONNECTION:
            say(f"host {host}: no connection, its images are pulled once it can be reached: {reason}")
            return []
        if code:
            problems.append((host, image, reason))
    return problems


def _docker(docker: Sequence[str], arguments: Sequence[str]) -> tuple[int, str]:
    """Exit code and the last line of errors."""
    try:
        done = subprocess.run(
            with_arguments(docker, arguments),
            capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, timeout=LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"not within {LIMIT} s"
    except OSError as error:
        return NO_CONNECTION, str(error.strerror)
    return done.returncode, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
