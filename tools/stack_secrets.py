"""`make secret` and `make password`: the secrets of a stack, set and shown."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from configs import names
from configs.settings.near import near
from configs.settings.schema import ANY
from configs.settings.secrets import is_secret_path, secret_places
from configs.settings.sections import own_sections, value_at
from tools import pulumi_state
from tools.cli import Commands
from tools.deployed import plain
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.unknown_name import unknown

_PUSH = re.compile(r"(?P<host>.+)(?<!-scrape)-password(-b)?")  # the name of a host's generated password
PASSWORD = "random:index/randomPassword:RandomPassword"  # pragma: allowlist secret


def register(commands: Commands) -> None:
    parser = commands.add("password", _password, "print a password: Grafana's or the assistant's admin, or a host")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--host", default="", help="the password with which this host pushes to the hub")
    which.add_argument("--ask", action="store_true", help="the password of the assistant's administrator")
    parser = commands.add("secret", _secret, "set a secret of the stack file; read without echo, or from stdin")
    parser.add_argument("key", help="its path, such as hosts.hub.postgres.main.dsn")


def _password(options: argparse.Namespace) -> None:
    stack = open_stack(options)
    if options.ask:
        say(ask_password(stack.export_clear()))
    elif options.host:
        say(push_password(stack.export_clear(), options.host))
    else:
        say(str(stack.outputs(secrets=True)["password"]))


def push_password(state: Mapping[str, Any], host: str) -> str:
    """The password with which a host pushes to the hub, of its newest rotation."""
    found: dict[int, str] = {}
    passwords = dict(_passwords(state))
    for name, outputs in passwords.items():
        if name in (f"{host}-password", f"{host}-password-b"):
            found[int((outputs.get("keepers") or {}).get("rotation", name.endswith("-b")))] = str(outputs["result"])
    if not found:
        own = (_PUSH.fullmatch(name) for name in passwords if name not in names.ASK_SECRETS)
        known = {match["host"] for match in own if match}
        problem = unknown("HOST", host, "a host that pushes with a password", known)
        raise ToolError(f"{problem} `make up` makes it, unless the host pushes over the private network.")
    return found[max(found)]


def _passwords(state: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The generated passwords of a state: names and outputs."""
    for resource in pulumi_state.resources(state):
        if resource.get("type") == PASSWORD:
            yield str(resource["urn"]).rpartition("::")[2], plain(resource.get("outputs") or {})


def ask_password(state: Mapping[str, Any]) -> str:
    """The password of the assistant's first administrator."""
    for name, outputs in _passwords(state):
        if name == names.ASK_ADMIN_PASSWORD:
            return str(outputs["result"])
    raise ToolError("ASK=1: this stack has no assistant; set `hub.ask: {}` in its file, then `make up` makes it.")


def _secret(options: argparse.Namespace) -> None:
    set_from_input(open_stack(options), options.key)


def set_from_input(stack: Stack, key: str) -> None:
    """Read a secret without echo (or from stdin) and put it encrypted into the working copy."""
    _require_secret_key(key)
    if ":" not in key:
        _require_place(stack.composed(check=False)["config"], key)
    stack.prepare(check=False)
    stack.select(repair=False)  # the secret may be the API token that clearing an interrupted run needs
    value = ask_secret(f"{key}: ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise ToolError(f"{key}: expected a text, got nothing; nothing was changed.")
    shared = set_secret(stack, key, value)
    say(f"{key} is set. `make up STACK={stack.name}` deploys it.{shared}")


def _require_secret_key(key: str) -> None:
    """ToolError unless the key leads to a secret of the settings or names another namespace: an encrypted value at any
    other place is an unknown key of a file that does not contain it."""
    if ":" in key or is_secret_path(key):
        return
    keys, places = key.split("."), sorted(secret_places())
    known = [".".join("<name>" if part == ANY else part for part in place) for place in places]
    meant = (
        ".".join(given if part == ANY else part for part, given in zip(place, keys, strict=True))
        for place in places
        if len(place) == len(keys)
    )
    close = near(key, meant)
    raise ToolError(
        f"KEY={key}: not the path of a secret, nothing was changed{f'; did you mean {close}?' if close else '.'} "
        f"Expected one of {', '.join(known)} (docs/settings.md), or a provider's key such as digitalocean:token."
    )


def _require_place(config: Mapping[str, Any], key: str) -> None:
    """ToolError unless the stack file has the section around a secret: without it the value would be kept nowhere."""
    sections, above = own_sections(config), key.split(".")[:-1]
    for count in range(1, len(above) + 1):
        if isinstance(value_at(sections, *above[:count]), dict):
            continue
        siblings = value_at(sections, *above[: count - 1])
        close = near(above[count - 1], siblings) if isinstance(siblings, dict) else None
        raise ToolError(
            f"KEY={key}: the stack file has no mapping {'.'.join(above[:count])}"
            f"{f'; did you mean {close}?' if close else '.'} Write the section around a secret first, such as "
            f"`{above[-1]}: {{}}` (docs/settings.md). Nothing was changed."
        )


def ask_secret(question: str) -> str:
    """What is typed without echo; nothing if the terminal is closed instead (Ctrl-D)."""
    try:
        return getpass.getpass(question)
    except EOFError:
        say("")  # ends the question's line
        return ""


def set_secret(stack: Stack, key: str, value: str) -> str:
    """Put a secret encrypted into the working copy of a selected stack, and into the file that others share; a sentence
    about that file. A key with a colon is a provider's, such as `digitalocean:token`."""
    stack.quiet("config", "set", "--secret", "--path", key if ":" in key else f"fleetwatch:{key}", stdin=value)
    path = stack.share_secrets()
    return f" {path} has it, encrypted: commit that file." if path else ""
