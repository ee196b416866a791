"""Changes that lose data, or a running agent with data that it has not sent yet."""

from __future__ import annotations

from collections.abc import Iterable

from configs import services
from tools.comment import containers, edges
from tools.comment.model import CONTAINER, Change

_DROPLET, _VOLUME = "digitalocean:index/droplet:Droplet", "digitalocean:index/volume:Volume"
_CLOUD = {
    _VOLUME: "the volume, and with it metrics, logs, dashboards and certificates",
    "digitalocean:index/reservedIp:ReservedIp": "the address that edges and people know the hub by",
    "digitalocean:index/loadBalancer:LoadBalancer": "the address that edges and people know the hub's nodes by",
}
_ENDS = ("replaced", "removed")


def warnings(changes: Iterable[Change]) -> list[str]:
    """One message (Markdown) for each thing that is lost or interrupted."""
    found, changes = [], list(changes)
    gone = {one.host for one in changes if one.type == _VOLUME and one.action in _ENDS}
    for change in changes:
        message = _lost(change, change.host in gone) if change.action in _ENDS else _interrupted(change)
        found += [message] if message else []
        found += _lost_at_edge(change) if edges.is_project(change) else []
    return found


def _lost(change: Change, volume_gone: bool) -> str:
    """`volume_gone`: whether the volume of its host ends too."""
    begin = f"`{change.name}` of {change.host} is **{change.action}**"
    because = f" (because of `{'`, `'.join(change.why)}`)" if change.why else ""
    if change.type in _CLOUD:
        return f"{begin}{because}: {_CLOUD[change.type]} are gone."
    if change.type == _DROPLET:
        return f"{begin}{because}: the droplet is deleted and its disk is gone. {_data(change, volume_gone)}."
    if change.type == "docker:index/volume:Volume":
        return f"{begin}{because}: {_volume(change.kept)}."
    if change.type == CONTAINER and change.role in services.LOST:
        return f"{begin}{because}: the running {change.role} ends, and {services.LOST[change.role]}."
    return ""


def _data(change: Change, volume_gone: bool) -> str:
    """Where the data of a droplet is. Of all droplets those of the hub have a volume; the tag is the one by which its
    nodes reach each other."""
    tags = change.before.get("tags")
    of_hub = change.host == "hub" or any(str(tag).endswith("-hub") for tag in (tags if isinstance(tags, list) else ()))
    if not of_hub:
        return "It has no volume: all data on it is lost"
    data = "Metrics, logs, dashboards and certificates are on its volume"
    return f"{data}, which is gone too" if volume_gone else f"{data}, which stays"


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
    if change.type == _DROPLET and change.action == "changed" and "size" in change.why:
        size = f"{change.before.get('size')} → {change.after.get('size')}"
        return f"`{change.name}` of {change.host} is **resized** ({size}): it is powered off for that and on again."
    return ""
