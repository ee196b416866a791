"""The nodes of a hub that is a cluster: how they are placed, and which hosts they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from configs.settings.base import DnsLabel, Strict
from configs.settings.places import HubDroplet, Server, Slug

COUNT = 3  # with fewer, one that is lost leaves no majority
_OWN = ("size", "volume")  # what a node may have instead of the hub droplet's
_LONGEST = 63 - len("hub-")  # characters; the name of its host is a DNS label


def _node_name(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST} characters, the node's host is hub-<name>; shorten the name")
    return value


NodeName = Annotated[DnsLabel, BeforeValidator(_node_name)]


class Node(Strict):
    """One of the three hub nodes. `size`, `volume` and `server` are as for the hub; a droplet that does not have them
    has those of `hub.droplet`. Of the first node they stand in for those of `hub.droplet`."""

    size: Slug | None = Field(None, description="that of `hub.droplet`")
    volume: Annotated[int, Field(ge=1, le=16384)] | None = Field(None, description="that of `hub.droplet`")
    server: Server | None = None

    def droplet(self, default: HubDroplet) -> HubDroplet:
        """Its droplet, where it is one."""
        own = {key: getattr(self, key) for key in _OWN if getattr(self, key) is not None}
        return default.model_copy(update=own)


def by_host(nodes: Iterable[str]) -> dict[str, str]:
    """The name of each node by that of its host, the first first."""
    first, *others = sorted(nodes) or [""]
    return {"hub": first, **{f"hub-{node}": node for node in others}} if first else {}


def with_first(raw: dict[str, Any]) -> dict[str, Any]:
    """The hub as it was written, its droplet with what is written of the first node. A mistake there stays there."""
    storage, droplet = raw.get("storage"), raw.get("droplet")
    nodes = storage.get("nodes") if isinstance(storage, dict) else None
    first = nodes[min(nodes)] if isinstance(nodes, dict) and nodes else None
    if not isinstance(first, dict) or not isinstance(droplet, dict):
        return raw
    return {**raw, "droplet": {**droplet, **{key: first[key] for key in _OWN if _given(first, key)}}}


def _given(node: Mapping[str, Any], key: str) -> bool:
    try:
        return getattr(Node.model_validate({key: node.get(key)}), key) is not None
    except ValidationError:
        return False


def check_places(nodes: Mapping[str, Node], droplet: HubDroplet | None, server: Server | None) -> None:
    """ValueError unless all nodes are in one private network: droplets of the hub's region, or servers that name their
    address in it."""
    if not nodes:
        return
    if droplet is None and server is None:
        raise ValueError("expected `droplet` or `server` beside a cluster: three nodes are no single machine")
    first, *others = sorted(nodes)
    if nodes[first].server is not None:
        raise ValueError(f"storage.nodes.{first}.server: expected no such key, the first node is `hub.server`; move it")
    if server is not None and server.private_address is None:
        raise ValueError("server.private_address: missing, the nodes of a cluster reach each other by it")
    for name in others:
        place, given = nodes[name].server, f"storage.nodes.{name}"
        if droplet is not None and place is not None:
            raise ValueError(f"{given}.server: expected a droplet, as the first node is; remove this key")
        if server is not None and place is None:
            raise ValueError(f"{given}.server: missing, the first node is a server")
        if place is not None and place.private_address is None:
            raise ValueError(f"{given}.server.private_address: missing, the nodes of a cluster reach each other by it")
    for name, key in ((name, key) for name in sorted(nodes) for key in _OWN if server is not None):
        if getattr(nodes[name], key) is not None:
            raise ValueError(f"storage.nodes.{name}.{key}: expected no such key with servers; remove it")
