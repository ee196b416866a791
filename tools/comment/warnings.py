"""Changes that lose data, or a running agent with data that it has not sent yet."""

from __future__ import annotations

from collections.abc import Iterable

from configs import services
from tools.comment import containers, edges
from tools.comment.model import CONTAINER, Change

_CLOUD = {
    "digitalocean:index/volume:Volume": "the volume, and with it metrics, logs, dashboards and certificates",
    "digitalocean:index/reservedIp:ReservedIp": "the address that edges and people know the hub by",
    "digitalocean:index/loadBalancer:LoadBalancer": "the address that edges and people know the hub's nodes by",
}


def warnings(changes: Iterable[Change]) -> list[str]:
    """One message (Markdown) for each thing that is lost or interrupted."""
    found = []
    for change in changes:
        message = _lost(change) if change.action in ("replaced", "removed") else _interrupted(change)
        found += [message] if message else []
        found += _lost_at_edge(change) if edges.is_project(change) else []
    return found


def _lost(change: Change) -> str:
    begin = f"`{change.name}` of {change.host} is **{change.action}**"
    because = f" (because of `{'`, `'.join(change.why)}`)" if change.why else ""
    if change.type in _CLOUD:
        return f"{begin}{because}: {_CLOUD[change.type]} are gone."
    if change.type == "digitalocean:index/droplet:Droplet":
        rest = "its disk is gone; the hub's data is on its volume" if change.host == "hub" else "its disk is gone"
        return f"{begin}{because}: the droplet is deleted and {rest}."
    if change.type == "docker:index/volume:Volume":
        return f"{begin}{because}: {_volume(change.kept)}."
    if change.type == CONTAINER and change.role in services.LOST:
        return f"{begin}{because}: the running {change.role} ends, and {services.LOST[change.role]}."
    return ""


def _lost_at_edge(change: Change) -> list[str]:
    """The same for the containers of an edge, and when it goes for their volumes."""
    found = []
    for one in containers.of_project(change):
        if one.action not in ("recreated", "removed") or one.role not in services.LOST:
            continue
        reasons = [why.partition(" ")[0] if " → " in why else why for why in one.why]
        because = f" (because of `{'`, `'.join(reasons)}`)" if reasons else ""
        end = f"the running {one.role} ends" if not one.kept else "the hub accepts nothing from it any more"
        found.append(
            f"`{one.host}-{one.role}` of {one.host} is **{one.action}**{because}: {end}, and {services.LOST[one.role]}."
        )
    if change.action == "removed":
        project = edges.read(change.before)
        kept = change.kept or project.keeps_volumes
        found += [f"`{volume}` of {change.host} is **removed**: {_volume(kept)}." for volume in project.volumes]
    return found


def _volume(kept: bool) -> str:
    return "the Docker volume stays on the host, unused" if kept else "the Docker volume's data is gone"


def _interrupted(change: Change) -> str:
    if change.type == "digitalocean:index/droplet:Droplet" and change.action == "changed" and "size" in change.why:
        size = f"{change.before.get('size')} → {change.after.get('size')}"
        return f"`{change.name}` of {change.host} is **resized** ({size}): it is powered off for that and on again."
    return ""
