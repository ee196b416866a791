"""What the assistant costs in memory, for the preview."""

from __future__ import annotations

import re
from collections.abc import Iterator

from configs import services
from configs.services.spec import MB
from configs.settings import Settings

ASK = ("ask", "ask-database", "ask-cache")  # roles


def assistant(settings: Settings) -> tuple[str, bool]:
    """A sentence, empty without the assistant, and whether the hub's droplet carries the limits of all its containers
    (true where its size is not known)."""
    if settings.hub.ask is None:
        return "", True
    limits = {spec.role: spec.limits[0] for spec in services.specs(settings, "hub")}
    roles = [role for role in ASK if role in limits]
    own, whole = sum(limits[role] for role in roles) // MB, sum(limits.values()) // MB
    what = "three containers" if len(roles) == len(ASK) else "container on each node"
    text = f"hub.ask: the assistant's {what} may use {own} MB of memory"
    known = [(memory, path, size) for path, size in sizes(settings) if (memory := droplet_memory(size)) is not None]
    if not known:
        return text, True
    memory, path, size = min(known)
    which = "the smallest droplet" if len(known) > 1 else "its droplet"
    text += f"; with it all containers of the hub may use {whole} MB, and {which} ({size}) has {memory} MB"
    if whole <= memory:
        return text, True
    return f"{text}: choose a larger `{path}.size`, or lower `hub.limits`", False


def sizes(settings: Settings) -> Iterator[tuple[str, str]]:
    """The size of each droplet of the hub, by its path."""
    for name in settings.hub.hosts:
        droplet = settings.hosts[name].droplet
        if droplet is not None:
            node = settings.hub.nodes.get(name)
            yield "hub.droplet" if name == "hub" else f"hub.storage.nodes.{node}", droplet.size


def droplet_memory(size: str) -> int | None:
    """Megabytes by the slug of a size, such as `s-2vcpu-4gb`; None if it does not contain them."""
    found = re.search(r"-(\d+)(gb|mb)(?=-|$)", size)
    return int(found[1]) * (1024 if found[2] == "gb" else 1) if found else None
