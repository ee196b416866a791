"""Mistakes in the stack file that only somebody who knows the alerts can see."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace

from configs import rules
from configs.settings import Settings
from configs.settings.thresholds import HostAlerts, Muted

ALL = "all"


def problems(settings: Settings) -> list[str]:
    """One sentence for each muted name that is no alert, and for each route to a host that is none."""
    known = names(settings)
    found: list[str] = []
    for host, edge in settings.edges.items():
        found += _unknown(f"hosts.{host}.alerts.mute", edge.alerts, known)
        for container, own in edge.alerts.containers.items():
            found += _unknown(f"hosts.{host}.alerts.containers.{container}.mute", own, known)
    return [*found, *_strangers(settings)]


def names(settings: Settings) -> list[str]:
    """Of all alerts that there would be if none were muted."""
    unmuted = {host: edge.model_copy(update={"alerts": HostAlerts()}) for host, edge in settings.edges.items()}
    return sorted({alert.name for alert in rules.alerts(replace(settings, edges=unmuted))})


def _unknown(path: str, at: Muted, known: list[str]) -> Iterator[str]:
    for place, name in enumerate(at.mute):
        if name not in known and name != ALL:
            near = difflib.get_close_matches(name, known, n=1) or [
                one for one in known if one.casefold() == name.casefold()
            ]
            hint = f"did you mean {near[0]}?" if near else f"docs/alerts.md lists them, {ALL} is every one"
            yield f"{path}.{place}: expected the name of an alert, got {name!r}; {hint}"


def _strangers(settings: Settings) -> Iterator[str]:
    for place, route in enumerate(settings.hub.alerts.routes):
        for host in route.hosts:
            if host not in settings.hosts:
                yield (
                    f"hub.alerts.routes.{place}.hosts: expected names of hosts ({', '.join(settings.hosts)}), "
                    f"got {host!r}"
                )
