"""What the assistant costs in memory, for the preview."""

from __future__ import annotations

import re

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
    droplet = settings.hub.droplet
    size = droplet_memory(droplet.size) if droplet is not None else None
    if droplet is None or size is None:
        return text, True
    text += f"; with it all containers of the hub may use {whole} MB, and its droplet ({droplet.size}) has {size} MB"
    if whole <= size:
        return text, True
    return f"{text}: choose a larger `hub.droplet.size`, or lower `hub.limits`", False


def droplet_memory(size: str) -> int | None:
    """Megabytes by the slug of a size, such as `s-2vcpu-4gb`; None if it does not contain them."""
    found = re.search(r"-(\d+)(gb|mb)(?=-|$)", size)
    return int(found[1]) * (1024 if found[2] == "gb" else 1) if found else None
