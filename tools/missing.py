"""What a stack file lacks before `make up` can use it, and what would improve it.

What the program refuses is missing here, and nothing else: both call configs.validation with the same facts. What the
program accepts (a domain for documentation, a private key that only another machine has) is advice.
"""

from __future__ import annotations

import copy
import ipaddress
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from components import cloud_facts, key_files, machine_facts
from configs.settings import Settings, read
from configs.settings.messages import for_stack
from configs.settings.secrets import is_secret_path, readable
from configs.settings.sections import own_sections, value_at
from configs.validation import CloudFacts, check_file, validate
from tools import backend, secrets_provider
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack

TOKEN, TOKEN_KEY = "DIGITALOCEAN_TOKEN", "digitalocean:token"
_DOCUMENTATION = tuple(map(ipaddress.IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_SET = {"secure": ""}  # in the place of a secret that is still missing


def secrets_wanted(config: Mapping[str, Any], env: str) -> list[str]:
    """Paths of the secrets that the stack file has places for and that are not set."""
    return _completed(config, env)[1]


def completed(config: Mapping[str, Any], env: str) -> dict[str, Any]:
    """The program's sections, as encrypted, with every secret that the stack file has a place for."""
    return _completed(config, env)[0]


def token_wanted(config: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether the stack makes droplets or a bucket and no API token is set."""
    sections = own_sections(config)
    hub, hosts = sections.get("hub"), sections.get("hosts")
    places = [hub, *(hosts.values() if isinstance(hosts, dict) else ())]
    droplets = any(isinstance(place, dict) and "droplet" in place for place in places)
    spaces = any(value_at(hub, *path, "spaces") is not None for path in (("backup", "to"), ("storage", "bucket")))
    return (droplets or spaces) and TOKEN_KEY not in config and not environ.get(TOKEN)


def report(config: Mapping[str, Any], stack: Stack, environ: Mapping[str, str]) -> int:
    """Show what is missing or refused, and what would improve it. Exit code 1 if something is missing or refused."""
    missing = list(_needed(config, stack, environ))
    advice = list(_advice(config, stack))
    for title, lines in (("Missing", missing), ("Worth a look", advice)):
        if lines:
            say(f"\n{title}:\n" + "\n".join(f"  - {line}" for line in lines))
    if missing:
        say(f"\n{stack.file}: {len(missing)} to go; run `make env NAME={stack.name}` again afterwards.")
        return 1
    say(f"\n{stack.file}: nothing is missing. `make preview STACK={stack.name}` shows what `make up` would make.")
    return 0


def is_example(text: str) -> bool:
    """Whether a domain or network is reserved for documentation (RFC 2606, RFC 5737)."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return re.search(r"(^|\.)example(\.(com|net|org))?$", text) is not None
    return isinstance(network, ipaddress.IPv4Network) and any(
        network.subnet_of(reserved) for reserved in _DOCUMENTATION
    )


def _needed(config: Mapping[str, Any], stack: Stack, environ: Mapping[str, str]) -> Iterator[str]:
    env, source = stack.name, str(stack.file)
    sections, wanted = _completed(config, env)
    for path in wanted:
        yield f"{path}: missing, a secret; `make secret STACK={env} KEY={path}` sets it, as does `make env NAME={env}`"
    if token_wanted(config, environ):
        yield (
            f"{TOKEN_KEY}: missing, droplets and Spaces need an API token "
            f"(https://cloud.digitalocean.com/account/api/tokens, read and write); set {TOKEN}, or give it to "
            f"`make env NAME={env}`, which keeps it encrypted"
        )
    settings, problems = read({"env": env, **readable(sections)}, source)
    if settings is not None:
        problems += validate(
            settings,
            machine=machine_facts.probe(settings),
            cloud=_cloud(settings, config, stack, environ),
            encrypted={name for name, section in sections.items() if _is_encrypted(section)},
        )
    yield from (for_stack(problem.removesuffix(f" ({source})"), env) for problem in problems)


def _cloud(
    settings: Settings, config: Mapping[str, Any], stack: Stack, environ: Mapping[str, str]
) -> CloudFacts | None:
    """What the account has; None where the program would not look, or no token is set yet (reported apart)."""
    if not settings.in_cloud or token_wanted(config, environ):
        return None
    plain = {str(key): str(value) for key, value in config.items() if not isinstance(value, dict)}
    if isinstance(config.get(TOKEN_KEY), dict):
        try:
            plain |= stack.values()
        except ToolError as error:
            return CloudFacts(problem=f"{TOKEN_KEY}: cannot be decrypted, {error}")
    return cloud_facts.probe(plain, environ)


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """Values that name something outside of the fleet."""
    hub = settings.hub
    if hub.local is None and hub.domain:
        yield "hub.domain", hub.domain
    if hub.dns_zone:
        yield "hub.dns_zone", hub.dns_zone
    for key in ("admin_cidrs", "cidrs"):
        for index, cidr in enumerate(getattr(settings.access, key)):
            yield f"access.{key}.{index}", cidr


def _advice(config: Mapping[str, Any], stack: Stack) -> Iterator[str]:
    settings, _ = read({"env": stack.name, **readable(completed(config, stack.name))}, "")
    if settings is None:
        return
    hub = settings.hub
    for path, value in _named(settings):
        if is_example(value):
            yield f"{path}: {value} is reserved for documentation; replace it by your own"
    if settings.ssh.key is not None and not key_files.has_private_key(settings.ssh.key):
        yield (
            f"ssh.key: this machine has no private key in {settings.ssh.key}, `make up` needs one here; `ssh-keygen -t "
            f"ed25519 -f {_shell_path(settings.ssh.key)}` makes one, or name yours"
        )
    if hub.local is None and not hub.public:
        yield "hub.domain: without one users open the hub by its address, and browsers warn about its certificate"
    if not hub.alerts.receivers:
        yield "hub.alerts.receivers: without receivers alerts are only shown in Grafana and Alertmanager"
    elif not hub.alerts.watchdog:
        yield "hub.alerts.watchdog: without one there is no notification when the hub itself is down"
    if hub.droplet is not None and hub.uptime is None:
        yield "hub.uptime: no check from outside reports that the hub cannot be reached"
    if stack.backend == backend.default_url(stack.home):
        passphrase = secrets_provider.needs_passphrase(stack.secrets_provider(), stack.backend)
        yield (
            f"the state{' and its passphrase are' if passphrase else ' is'} on this machine alone ({stack.home}): keep "
            "a copy, or keep the state where others reach it (docs/state.md)"
        )


def _completed(config: Mapping[str, Any], env: str) -> tuple[dict[str, Any], list[str]]:
    """The sections with a mark for each secret that is missing, and the paths of these."""
    sections, found = copy.deepcopy(own_sections(config)), []
    while True:  # one that is missing may hide the next
        missing = [path for path in _missing(sections, env) if is_secret_path(path) and path not in found]
        for path in missing:
            _put(sections, path)
        if not missing:
            break
        found += missing
    return sections, found


def _missing(sections: Mapping[str, Any], env: str) -> list[str]:
    problems = check_file({"env": env, **readable(dict(sections))}, "")[1]
    return [problem.partition(":")[0] for problem in problems if ": missing" in problem]


def _shell_path(path: str) -> str:
    """A path for a command line: in quotes where it needs them, its ~ outside of them."""
    home, slash, rest = path.partition("/")
    return f"{home}/{shlex.quote(rest)}" if slash and home.startswith("~") else shlex.quote(path)


def _put(sections: dict[str, Any], path: str) -> None:
    *above, last = path.split(".")
    node: Any = sections
    for key in above:
        if node.get(key) is None:
            node[key] = {}
        node = node[key]
    node[last] = _SET


def _is_encrypted(value: Any) -> bool:
    """Whether something in a section is encrypted: Pulumi counts the section as a whole."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))
