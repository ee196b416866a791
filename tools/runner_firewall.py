"""A temporary DigitalOcean firewall that allows SSH from a CI runner's address, removed after the run.

The fleet's firewalls allow SSH from `access.admin_cidrs` alone, and a hosted runner has another address each time.
DigitalOcean's firewalls are additive, so this one changes none of the others. It is named for the stack and the run
(`fleetwatch-prod-runner-1234`). A run that died leaves its firewall; the next `open` removes any that is older than
`OLDEST`. It covers droplets with the stack's tags only: a server's firewall is its owner's.
"""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from configs import names
from configs.settings import SettingsError
from tools import working_copy
from tools.cli import Commands
from tools.errors import ToolError
from tools.net import opener_for
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.stack_settings import read_settings

PUBLIC = "https://api.digitalocean.com"
ADDRESS_SERVICE = "https://checkip.amazonaws.com"  # answers with the caller's address; FLEETWATCH_ADDRESS_URL: another
OLDEST = datetime.timedelta(hours=6)  # the longest that a job of GitHub's runs
PATIENCE = 90  # seconds until a rule is on every droplet
_TIMEOUT = 20  # seconds for one request
_NOT_NEEDED = "No runner firewall: the stack file has no droplet, and a server's firewall is its owner's."
_RUN = re.compile(r"[a-zA-Z0-9-]{1,60}")


def register(commands: Commands) -> None:
    text = "a temporary firewall rule for this machine's SSH to the droplets"
    parser = commands.add("runner-firewall", _runner_firewall, text)
    parser.add_argument("action", choices=["open", "close"])
    parser.add_argument(
        "--run", default=os.environ.get("GITHUB_RUN_ID") or "", help="the run's name, part of the rule's"
    )
    parser.add_argument("--address", default="", help="by default this machine's, as the internet sees it")


def _runner_firewall(options: argparse.Namespace) -> None:
    firewall = runner_firewall(open_stack(options), options.run)
    say(firewall.open(options.address) if options.action == "open" else firewall.close())


@dataclass(frozen=True)
class RunnerFirewall:
    """The firewall of one run. `prefix` begins the name of every such firewall of this stack; without `tags` none is
    needed."""

    base: str
    token: str = field(repr=False)
    prefix: str
    run: str
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.run}"

    def open(self, address: str = "") -> str:
        """Allow this address (default: this machine's), wait until the rule is active; a sentence about it."""
        if not self.tags:
            return _NOT_NEEDED
        source = _checked(address) if address else own_address()
        for firewall in self._there():
            if firewall["name"] == self.name or _age(firewall) > OLDEST:
                self._remove(firewall)
        tags = [tag for tag in self.tags if self._call("GET", f"/v2/tags/{tag}", missing_ok=True) is not None]
        if not tags:
            missing = " or ".join(self.tags)
            return f"No runner firewall: the account has no tag {missing}, so there is no droplet of this stack yet."
        rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": [source]}}
        body = {"name": self.name, "tags": tags, "inbound_rules": [rule]}
        made = self._call("POST", "/v2/firewalls", body)["firewall"]
        end = time.monotonic() + PATIENCE
        while made.get("status") == "waiting":
            if time.monotonic() > end:
                self._remove(made)
                raise ToolError(f"Firewall {self.name} was not on every droplet within {PATIENCE} s; removed again.")
            time.sleep(2)
            made = self._call("GET", f"/v2/firewalls/{made['id']}")["firewall"]
        if made.get("status") == "failed":
            self._remove(made)
            raise ToolError(f"DigitalOcean could not put firewall {self.name} on every droplet; removed again.")
        return f"Firewall {self.name}: SSH from {source} to droplets tagged {', '.join(tags)}."

    def close(self) -> str:
        """Remove the firewall of this run, if there is one; a sentence about it."""
        if not self.tags:
            return _NOT_NEEDED
        mine = [firewall for firewall in self._there() if firewall["name"] == self.name]
        for firewall in mine:
            self._remove(firewall)
        return f"Firewall {self.name}: {'removed' if mine else 'there was none'}."

    def _there(self) -> Iterator[dict[str, Any]]:
        """Every runner firewall of this stack, of any run."""
        number, found = 1, []
        while True:
            page = self._call("GET", f"/v2/firewalls?per_page=200&page={number}")
            found += page["firewalls"]
            if not ((page.get("links") or {}).get("pages") or {}).get("next"):
                break
            number += 1
        return (firewall for firewall in found if firewall["name"].startswith(self.prefix))

    def _remove(self, firewall: dict[str, Any]) -> None:
        self._call("DELETE", f"/v2/firewalls/{firewall['id']}", missing_ok=True)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, *, missing_ok: bool = False) -> Any:
        """The answer's JSON. `missing_ok`: None when there is no such thing, instead of an error."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.base}{path}", data=data, method=method, headers=headers)
        try:
            with opener_for(self.base).open(request, timeout=_TIMEOUT) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing_ok:
                return None
            hint = {
                401: "DIGITALOCEAN_TOKEN is not valid",
                403: "DIGITALOCEAN_TOKEN may not do that; it has to read tags, and read, create and delete firewalls",
            }.get(error.code, "try again later")
            raise ToolError(f"{self.base} answers {error.code} to {method} {path.split('?')[0]}: {hint}.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ToolError(f"DigitalOcean's API at {self.base} cannot be reached: {reason}.") from None


def runner_firewall(stack: Stack, run: str) -> RunnerFirewall:
    """The firewall of a run for the droplets of a stack. Token and API's address are those that the provider uses."""
    if not _RUN.fullmatch(run):
        raise ToolError(f"--run: expected a name of letters, digits and hyphens, got {run!r}.")
    config = working_copy.read(stack.file).get("config") or {}
    settings, problems = read_settings(config, stack.name, str(stack.file))
    if settings is None:
        raise ToolError(str(SettingsError(problems)))
    begin = names.cloud(settings.prefix, settings.env)
    if not settings.droplets:
        return RunnerFirewall(PUBLIC, "", f"{begin}-runner-", run, ())
    token = stack.env.get("DIGITALOCEAN_TOKEN") or os.environ.get("DIGITALOCEAN_TOKEN")
    if not token:
        raise ToolError("DIGITALOCEAN_TOKEN is not set: it is needed to create a firewall at DigitalOcean.")
    base = stack.env.get("DIGITALOCEAN_API_URL") or os.environ.get("DIGITALOCEAN_API_URL") or PUBLIC
    return RunnerFirewall(base.rstrip("/"), token, f"{begin}-runner-", run, (f"{begin}-hub", f"{begin}-edge"))


def own_address() -> str:
    """This machine's address as the internet sees it."""
    service = os.environ.get("FLEETWATCH_ADDRESS_URL") or ADDRESS_SERVICE
    try:
        with opener_for(service).open(service, timeout=_TIMEOUT) as answer:
            return _checked(answer.read(100).decode(errors="replace").strip())
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ToolError(f"{service} does not give this machine's address ({reason}); set it: --address.") from None


def _checked(address: str) -> str:
    """One address, not a network."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise ToolError(f"--address: expected one IP address, got {address[:60]!r}.") from None


def _age(firewall: dict[str, Any]) -> datetime.timedelta:
    made = datetime.datetime.fromisoformat(str(firewall["created_at"]).replace("Z", "+00:00"))
    return datetime.datetime.now(datetime.timezone.utc) - made
