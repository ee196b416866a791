"""The scrape errors that a host's metrics agent reports: the hub only knows that a target is down, the agent knows why.

The agent publishes no port, so `docker exec` runs the query in its container, on this machine or over SSH.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from configs import names
from tools import remote_access
from tools.stack import Stack

TIMEOUT = 20  # seconds for one host
Errors = Mapping[tuple[str, str], str]  # (scrape job, instance) -> the target's address and the agent's error
DockerOn = Callable[[str], Sequence[str]]  # host -> the command line that runs docker there
_URL = f"http://localhost:{names.PROMETHEUS_PORT}/api/v1/targets?state=active"
# Go repeats the address before the error, vmagent once more.
_REQUEST = re.compile(r'^(cannot perform request to "[^"]*": )?((Get|Head|Post) "[^"]*": )?')
_USER = re.compile(r"//[^/@\s\"]*@")


class Unreadable(Exception):
    """The agent of a host does not answer; the reason."""


def docker_on(stack: Stack, outputs: Mapping[str, Any]) -> DockerOn:
    """The docker command line of each host of a stack."""
    if stack.hub_is_local:
        local = ["docker", "-H", stack.docker()]
        return lambda _host: local
    return lambda host: remote_access.command_on(outputs, host, ["docker"])


def errors_of(docker: Sequence[str], prefix: str) -> Errors:
    """The targets of a host that are down. Unreadable if the agent cannot be queried."""
    agent = names.container(prefix, "agent")
    query = ["exec", agent, "timeout", "10", "wget", "-q", "-O", "-", _URL]
    command = remote_access.with_arguments(docker, query)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=TIMEOUT
        )
        if done.returncode:
            raise Unreadable((done.stderr.strip().splitlines() or [f"`docker exec {agent}` failed"])[-1])
        return parse(done.stdout)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"no answer within {TIMEOUT} s") from None
    except OSError as error:
        raise Unreadable(f"{command[0]}: {error.strerror}") from None


def parse(answer: str) -> Errors:
    """The targets that are down in an answer of the agent's API. Unreadable if it is no such answer."""
    try:
        targets = json.loads(answer)["data"]["activeTargets"]
        return {_key(target): _error(target) for target in targets if target["health"] == "down" and _scraped(target)}
    except (ValueError, KeyError, TypeError):
        raise Unreadable("its answer is not the list of targets of a metrics agent") from None


def errors_by_host(hosts: Iterable[str], docker: DockerOn, prefix: str) -> dict[str, Errors | Unreadable]:
    """The errors of several hosts, queried at once; a host that does not answer delays none of the others."""

    def query(host: str) -> tuple[str, Errors | Unreadable]:
        try:
            return host, errors_of(docker(host), prefix)
        except Unreadable as problem:
            return host, problem

    with ThreadPoolExecutor(16) as pool:
        return dict(pool.map(query, hosts))


def _scraped(target: Mapping[str, Any]) -> bool:
    """vmagent calls a target down from the beginning, with the year 1970 as the time of its last scrape."""
    return not str(target.get("lastScrape", "")).startswith(("1969", "1970"))


def _key(target: Mapping[str, Any]) -> tuple[str, str]:
    return str(target["labels"].get("job", target["scrapePool"])), str(target["labels"].get("instance", ""))


def _error(target: Mapping[str, Any]) -> str:
    """`http://shop:8000/metrics: dial tcp: lookup shop: no such host`, without a user, a password or a query."""
    url = _USER.sub("//", str(target["scrapeUrl"])).partition("?")[0]
    reason = _USER.sub("//", _REQUEST.sub("", str(target.get("lastError") or "")))
    return f"{url}: {reason or 'the agent gives no reason'}"
