"""A way in for a runner's SSH: a DigitalOcean firewall of its own, for one run and one address, removed afterwards.

The fleet's firewalls let SSH in from `access.admin_cidrs` alone, and a runner of somebody else's has another address
each time. Firewalls add up, so this one lets in what the others do not and changes none of them. It is named for the
stack and the run (`fleetwatch-prod-door-1234`); a run that died leaves its door, and the next `open` removes any
that is older than `OLDEST`. Only droplets that bear the stack's tags are meant: a server's own firewall is its owner's.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from configs import names
from tools import stackfile
from tools.errors import ToolError
from tools.net import opener_for
from tools.stack import Stack

PUBLIC = "https://api.digitalocean.com"
ADDRESS_SERVICE = "https://checkip.amazonaws.com"  # answers with the caller's address; FLEETWATCH_ADDRESS_URL: another
OLDEST = datetime.timedelta(hours=6)  # the longest that a job of GitHub's runs
PATIENCE = 90  # seconds until a rule is on every droplet
_TIMEOUT = 20  # seconds for one request
_NOT_NEEDED = "No door: the stack file has no droplet, and a server's own firewall is its owner's."
_RUN = re.compile(r"[a-zA-Z0-9-]{1,60}")


@dataclass(frozen=True)
class Door:
    """The door of one run. `prefix` begins the name of every door of this stack; without `tags` none is needed."""

    base: str
    token: str = field(repr=False)
    prefix: str
    run: str
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.run}"

    def open(self, address: str = "") -> str:
        """Let this address in (default: this machine's own), wait until it holds; a sentence about it."""
        if not self.tags:
            return _NOT_NEEDED
        source = _checked(address) if address else own_address()
        for firewall in self._there():
            if firewall["name"] == self.name or _age(firewall) > OLDEST:
                self._remove(firewall)
        tags = [tag for tag in self.tags if self._call("GET", f"/v2/tags/{tag}", missing=None) is not None]
        if not tags:
            return (
                f"No door: the account has no tag {' or '.join(self.tags)}, so there is no droplet of this stack yet."
            )
        rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": [source]}}
        made = self._call("POST", "/v2/firewalls", {"name": self.name, "tags": tags, "inbound_rules": [rule]})[
            "firewall"
        ]
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
        return f"Door {self.name}: SSH from {source} to droplets tagged {', '.join(tags)}."

    def close(self) -> str:
        """Remove the door of this run, if there is one; a sentence about it."""
        if not self.tags:
            return _NOT_NEEDED
        mine = [firewall for firewall in self._there() if firewall["name"] == self.name]
        for firewall in mine:
            self._remove(firewall)
        return f"Door {self.name}: {'closed' if mine else 'there was none'}."

    def _there(self) -> Iterator[dict[str, Any]]:
        """Every door of this stack, of any run."""
        number, found = 1, []
        while True:
            page = self._call("GET", f"/v2/firewalls?per_page=200&page={number}")
            found += page["firewalls"]
            if not ((page.get("links") or {}).get("pages") or {}).get("next"):
                break
            number += 1
        return (firewall for firewall in found if firewall["name"].startswith(self.prefix))

    def _remove(self, firewall: dict[str, Any]) -> None:
        self._call("DELETE", f"/v2/firewalls/{firewall['id']}", missing=None)

    def _call(self, method: str, path: str, body: object = None, **otherwise: Any) -> Any:
        """The answer's JSON. `missing`: what to give when there is no such thing."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.base}{path}", data=data, method=method, headers=headers)
        try:
            with opener_for(self.base).open(request, timeout=_TIMEOUT) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            if error.code == 404 and "missing" in otherwise:
                return otherwise["missing"]
            hint = {
                401: "DIGITALOCEAN_TOKEN is not valid",
                403: "DIGITALOCEAN_TOKEN may not do that; it has to read tags, and read, create and delete firewalls",
            }.get(error.code, "try again later")
            raise ToolError(f"{self.base} answers {error.code} to {method} {path.split('?')[0]}: {hint}.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ToolError(f"DigitalOcean's API at {self.base} cannot be reached: {reason}.") from None


def of(stack: Stack, run: str) -> Door:
    """The door of a run to the droplets of a stack. Token and API's address are those that the provider uses."""
    if not _RUN.fullmatch(run):
        raise ToolError(f"--run: expected what this run is called, letters, digits and dashes, got {run!r}.")
    sections = stackfile.sections(stack.file)
    prefix, env = str(sections.get("prefix") or "fleetwatch"), str(sections.get("env") or stack.name)
    begin = names.cloud(prefix, env)
    if not _has_droplets(sections):
        return Door(PUBLIC, "", f"{begin}-door-", run, ())
    token = stack.env.get("DIGITALOCEAN_TOKEN") or os.environ.get("DIGITALOCEAN_TOKEN")
    if not token:
        raise ToolError("DIGITALOCEAN_TOKEN is not set: the door is a firewall at DigitalOcean.")
    base = stack.env.get("DIGITALOCEAN_API_URL") or os.environ.get("DIGITALOCEAN_API_URL") or PUBLIC
    return Door(base.rstrip("/"), token, f"{begin}-door-", run, (f"{begin}-hub", f"{begin}-edge"))


def _has_droplets(sections: Mapping[str, Any]) -> bool:
    """Whether the stack file names one; what is no mapping is a mistake that the program tells."""
    hosts = sections.get("hosts")
    places = [sections.get("hub"), *(hosts.values() if isinstance(hosts, Mapping) else ())]
    return any(isinstance(place, Mapping) and "droplet" in place for place in places)


def own_address() -> str:
    """This machine's address as the internet sees it."""
    service = os.environ.get("FLEETWATCH_ADDRESS_URL") or ADDRESS_SERVICE
    try:
        with opener_for(service).open(service, timeout=_TIMEOUT) as answer:
            return _checked(answer.read(100).decode(errors="replace").strip())
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ToolError(f"{service} does not say this machine's address ({reason}); give it: --address.") from None


def _checked(address: str) -> str:
    """One address. A door for a whole network would be no door."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise ToolError(f"--address: expected one IP address, got {address[:60]!r}.") from None


def _age(firewall: dict[str, Any]) -> datetime.timedelta:
    made = datetime.datetime.fromisoformat(str(firewall["created_at"]).replace("Z", "+00:00"))
    return datetime.datetime.now(datetime.timezone.utc) - made
