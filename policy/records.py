"""What a rule checks: one resource as a plain record, from either format.

Pulumi passes a policy pack its own wire format, `pulumi preview --json` prints another one. Both become records, so
that a rule is written and tested once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

COMMAND = "command:local:Command"
CONTAINER = "docker:index/container:Container"
DROPLET = "digitalocean:index/droplet:Droplet"
FIREWALL = "digitalocean:index/firewall:Firewall"
BUCKET = "digitalocean:index/spacesBucket:SpacesBucket"
BUCKET_KEY = "digitalocean:index/spacesKey:SpacesKey"
LOAD_BALANCER = "digitalocean:index/loadBalancer:LoadBalancer"
RESERVED_IP = "digitalocean:index/reservedIp:ReservedIp"
VOLUME = "digitalocean:index/volume:Volume"
VPC = "digitalocean:index/vpc:Vpc"
DATABASE = "digitalocean:index/databaseCluster:DatabaseCluster"

PRODUCTION = "prod"  # the `env` in which what bears data is protected

# How Pulumi writes a value that only an update will know; one text for each kind of value.
# Source: sdk/go/common/resource/plugin/rpc.go of pulumi/pulumi.
UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class Hidden(Enum):
    """Stands for a value that a rule cannot see."""

    SECRET = "marked as a secret"
    UNKNOWN = "known only once the update runs"


@dataclass(frozen=True)
class Record:
    """One resource as it is wanted. In `properties` (Pulumi's names, in camelCase) a Hidden takes the place of a value
    that is secret or not known yet; `protect` is Pulumi's option. `service`: it is that service of a Compose project
    which the resource of this name brings to a host (projects.py)."""

    type: str
    name: str
    properties: Mapping[str, Any]
    protect: bool = False
    urn: str = ""
    service: str = ""

    @property
    def role(self) -> str:
        """What a container does, by the label that it was made with; empty for one that has none."""
        return next((str(one.get("value")) for one in self.objects("labels") if one.get("label") == ROLE_LABEL), "")

    @property
    def called(self) -> str:
        """Its name in messages."""
        kind = self.type.rpartition(":")[2]
        more = [f"{what} {name}" for what, name in (("service", self.service), ("role", self.role)) if name]
        return f"{kind} {self.name}" + (f" ({', '.join(more)})" if more else "")

    def objects(self, key: str) -> list[Mapping[str, Any]]:
        """The objects in a list; without what is not known."""
        return [one for one in self.values(key) if isinstance(one, Mapping)]

    def values(self, key: str) -> list[Any]:
        """The items of a list; none if it is absent or not known."""
        return items(self.properties.get(key))

    def object(self, key: str) -> Mapping[str, Any]:
        """A nested object; an empty one if it is absent or not known."""
        found = self.properties.get(key)
        return found if isinstance(found, Mapping) else {}

    def hidden(self, key: str) -> bool:
        """Whether there is a value that cannot be seen."""
        return isinstance(self.properties.get(key), Hidden)


def items(found: Any) -> list[Any]:
    """The items of what may be a list, may be absent and may not be known."""
    return list(found) if isinstance(found, (list, tuple)) else []


ROLE_LABEL = "fleetwatch.role"

# (record, env) -> a message for each violation: what, where, what was expected, how to fix it.
Check = Callable[[Record, str], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """`needs_secrecy`: the check has to know which values are secrets, and runs where Pulumi reveals that."""

    name: str
    reason: str
    check: Check
    needs_secrecy: bool = False


@dataclass(frozen=True)
class Violation:
    """One rule that one resource breaks."""

    rule: str
    record: Record
    message: str
