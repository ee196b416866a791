"""Examples for a user who does not know the assistant: questions that this fleet can answer, with its own names."""

from __future__ import annotations

from ask.engine import Engine
from ask.world import World

MOST = 8


def of(engine: Engine, world: World, now: float) -> tuple[str, ...]:
    """Up to eight; only those that become a query here."""
    found = tuple(one for one in _candidates(world) if engine.plan(one, world, now).query is not None)[: MOST - 1]
    alert = next(iter(sorted(engine.catalogue.alerts.keys() & {"DiskUsed", "HostSilent"})), "")
    return (*found, *([f"why does {alert} fire?"] if alert else []))


def _candidates(world: World) -> list[str]:
    hosts = sorted(world.values("host") - {"hub"}) or ["hub"]
    databases = sorted(world.values("datname") - {"postgres", "template0", "template1"})
    containers = sorted(one for one in world.logs.get("container", ()) if not one.startswith("fleetwatch-"))
    found = [
        "how full are the disks?",
        f"cpu of {hosts[0]} over the last 6 hours",
        "which 5 containers use the most memory?",
        f"memory of {hosts[-1]} compared to yesterday",
        "which disks are over 80% full?",
        "which alerts are firing?",
    ]
    found += [f"connections of {databases[0]}"] if databases else []
    found += [f"error lines of {containers[0]} in the last hour"] if containers else []
    return found
