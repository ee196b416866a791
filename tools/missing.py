"""What a stack file still lacks before `make up` can do anything with it, and what it would be better off with."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from configs.settings import Settings, read
from configs.settings.messages import for_stack
from tools import backend
from tools.progress import say
from tools.stack import SECRET_KEYS, Stack
from tools.stackfile import PROJECT

TOKEN, TOKEN_KEY = "DIGITALOCEAN_TOKEN", "digitalocean:token"
# In the place of a secret that is set (and encrypted) already, so that the settings can be read.
_DUMMIES = {"dsn": "postgresql://user@database/name", "url": "https://receiver.invalid/"}
_DOCUMENTATION = tuple(map(ipaddress.IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def secrets_wanted(config: Mapping[str, Any], env: str) -> list[str]:
    """Paths of the secrets that the stack file has places for and that are not set."""
    sections, found = _sections(config), []
    while True:  # one that is missing may hide the next
        missing = [path for path in _missing(sections, env) if path.split(".")[-1] in SECRET_KEYS]
        for path in missing:
            _put(sections, path)
        if not missing:
            break
        found += missing
    receivers = ((sections.get("hub") or {}).get("alerts") or {}).get("receivers") or {}
    for name, receiver in receivers.items():
        mail = receiver.get("email") if isinstance(receiver, dict) else None
        if isinstance(mail, dict) and mail.get("username") and "password" not in mail:
            found.append(f"hub.alerts.receivers.{name}.email.password")
    return found


def token_wanted(config: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether the stack makes droplets and no API token is set."""
    sections = _sections(config)
    hosts = sections.get("hosts")
    places = [sections.get("hub"), *(hosts.values() if isinstance(hosts, dict) else ())]
    droplets = any(isinstance(place, dict) and "droplet" in place for place in places)
    return droplets and TOKEN_KEY not in config and not environ.get(TOKEN)


def report(config: Mapping[str, Any], stack: Stack, environ: Mapping[str, str]) -> int:
    """Say what is missing and what is worth a look. Exit code 1 if something is missing."""
    missing = list(_needed(config, stack.name, environ))
    advice = list(_advice(config, stack))
    for title, lines in (("Missing", missing), ("Worth a look", advice)):
        if lines:
            say(f"\n{title}:\n" + "\n".join(f"  - {line}" for line in lines))
    if missing:
        say(f"\n{stack.file}: {len(missing)} to go. `make env NAME={stack.name}` looks again.")
        return 1
    say(f"\n{stack.file}: nothing is missing. `make preview STACK={stack.name}` shows what `make up` would make.")
    return 0


def is_example(text: str) -> bool:
    """A domain or network that is kept for documentation (RFC 2606, RFC 5737): nobody's, so it cannot be meant."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return re.search(r"(^|\.)example(\.(com|net|org))?$", text) is not None
    return isinstance(network, ipaddress.IPv4Network) and any(network.subnet_of(kept) for kept in _DOCUMENTATION)


def _needed(config: Mapping[str, Any], env: str, environ: Mapping[str, str]) -> Iterator[str]:
    secrets = secrets_wanted(config, env)
    for path in secrets:
        yield f"{path}: a secret; `make secret STACK={env} KEY={path}` asks for it, as does `make env NAME={env}`"
    if token_wanted(config, environ):
        yield (
            f"{TOKEN_KEY}: droplets need an API token (https://cloud.digitalocean.com/account/api/tokens, read and "
            f"write); set {TOKEN}, or give it to `make env NAME={env}`, which keeps it encrypted"
        )
    sections = _sections(config)
    for path in secrets:
        _put(sections, path)
    settings, problems = read({"env": env, **sections}, "")
    yield from (for_stack(problem.removesuffix(" ()"), env) for problem in problems)
    if settings is None:
        return
    for path, value in _named(settings):
        if is_example(value):
            yield f"{path}: {value} is kept for documentation; put your own in its place"
    if settings.ssh.key is not None and not Path(settings.ssh.key).expanduser().is_file():
        yield (
            f"ssh.key: there is no private key in {settings.ssh.key}; `ssh-keygen -t ed25519 -f {settings.ssh.key}` "
            "makes one, or name yours"
        )


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """Values that name something of the world outside."""
    hub = settings.hub
    if hub.local is None and hub.domain:
        yield "hub.domain", hub.domain
    if hub.dns_zone:
        yield "hub.dns_zone", hub.dns_zone
    for key in ("admin_cidrs", "cidrs"):
        for index, cidr in enumerate(getattr(settings.access, key)):
            yield f"access.{key}.{index}", cidr


def _advice(config: Mapping[str, Any], stack: Stack) -> Iterator[str]:
    sections = _sections(config)
    for path in secrets_wanted(config, stack.name):
        _put(sections, path)
    settings, _ = read({"env": stack.name, **sections}, "")
    if settings is None:
        return
    hub = settings.hub
    if hub.local is None and not hub.domain:
        yield "hub.domain: without one the hub is known by its address, and browsers warn of its own certificate"
    if not hub.alerts.receivers:
        yield "hub.alerts.receivers: nobody is told of an alert; it is seen in Grafana and Alertmanager alone"
    elif not hub.alerts.watchdog:
        yield "hub.alerts.watchdog: nobody is told when the hub itself falls silent"
    if hub.droplet is not None and hub.uptime is None:
        yield "hub.uptime: no check from outside says that the hub cannot be reached"
    if stack.backend == backend.own(stack.home):
        yield (
            f"the state and its passphrase are on this machine alone ({stack.home}): keep a copy of both, or keep the "
            "state where others reach it (docs/state.md)"
        )


def _sections(config: Mapping[str, Any]) -> dict[str, Any]:
    own = {key.removeprefix(PROJECT): value for key, value in config.items() if key.startswith(PROJECT)}
    return dict(_readable(copy.deepcopy(own)))


def _readable(value: Any, key: str = "") -> Any:
    """Encrypted values by something that can be read in their place."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return _DUMMIES.get(key, "set")
        return {inner: _readable(item, str(inner)) for inner, item in value.items()}
    return value


def _missing(sections: Mapping[str, Any], env: str) -> list[str]:
    problems = read({"env": env, **sections}, "")[1]
    return [problem.partition(":")[0] for problem in problems if ": missing" in problem]


def _put(sections: dict[str, Any], path: str) -> None:
    *way, last = path.split(".")
    node: Any = sections
    for key in way:
        if node.get(key) is None:
            node[key] = {}
        node = node[key]
    node[last] = _DUMMIES.get(last, "set")
