"""What a stack file costs per month at DigitalOcean, from one table of prices (prices.yaml, with its date)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from configs import disk
from configs.settings import Settings
from configs.settings.places import HubDroplet


@dataclass(frozen=True)
class Item:
    """One thing that costs. `usd` per month; None: its price is not in the table."""

    what: str
    usd: float | None


@dataclass(frozen=True)
class Cost:
    """The items of a stack file; `total` in USD per month is of those whose price is known."""

    items: tuple[Item, ...]
    as_of: str

    @property
    def total(self) -> float:
        return round(sum(item.usd or 0 for item in self.items), 2)

    @property
    def sentence(self) -> str:
        """One line for a preview."""
        unknown = [item.what for item in self.items if item.usd is None]
        known = ", ".join(f"{item.what} {item.usd:.2f}" for item in self.items if item.usd)
        least = "at least " if unknown else ""
        missing = f"; unknown for {', '.join(unknown)}" if unknown else ""
        return (
            f"Costs {least}{self.total:.2f} USD a month ({known or 'nothing known'}; prices of {self.as_of}{missing})"
        )


def monthly(settings: Settings) -> Cost:
    """What these settings make at DigitalOcean costs; servers are others' bills."""
    return Cost(tuple(_items(settings)), str(_prices()["as_of"]))


def _items(settings: Settings) -> Iterator[Item]:
    prices = _prices()
    for path, droplet in settings.droplets.items():
        host = path.removesuffix(".droplet").removeprefix("hosts.")
        price = prices["droplets"].get(droplet.size)
        yield Item(f"{host} {droplet.size}", price)
        if droplet.backups:
            yield Item(f"{host} backups", None if price is None else round(price * prices["backups_share"], 2))
    for host in settings.hub.hosts:
        place = settings.hosts[host].droplet
        if isinstance(place, HubDroplet):
            yield Item(f"{host} volume {place.volume} GB", round(place.volume * prices["volume_gb"], 2))
    if settings.hub.droplet is not None:
        yield Item("hub address", prices["reserved_ip"])
        if settings.hub.nodes:
            count = settings.hub.balancer.nodes
            yield Item(f"load balancer of {count} nodes", round(count * prices["load_balancer_node"], 2))
    if settings.hub.storage.shared is not None and (managed := settings.hub.storage.shared.managed) is not None:
        price = prices["databases"].get(managed.size)
        nodes = "" if managed.nodes == 1 else f", {managed.nodes} nodes"
        yield Item(f"database {managed.size}{nodes}", None if price is None else round(price * managed.nodes, 2))
    if settings.spaces is not None or settings.stored_at_spaces is not None:
        yield Item("Spaces subscription", prices["spaces"])
    if settings.stored_at_spaces is not None:
        more = max(0, math.ceil(disk.bucket_bytes(settings) / disk.GB) - prices["spaces_included_gb"])
        if more:
            yield Item(f"Spaces {more} GB more, once retention is reached", round(more * prices["spaces_gb"], 2))
    if settings.hub.uptime is not None:
        yield Item("hub uptime check", prices["uptime_check"])


def droplet_prices() -> dict[str, float]:
    """USD a month of each known size of a droplet."""
    return dict(_prices()["droplets"])


@cache
def _prices() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "prices.yaml").read_text())
    return loaded
