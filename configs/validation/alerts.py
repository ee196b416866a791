"""Rules about alerts: muted names have to be alerts, and routes lead to hosts that exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from configs import rules
from configs.settings import Settings
from configs.settings.sections import near
from configs.settings.thresholds import HostAlerts, Muted

ALL = "all"


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    known = alert_names(settings)
    for host, edge in settings.edges.items():
        yield from _unknown_names(f"hosts.{host}.alerts.mute", edge.alerts, known)
        for container, own in edge.alerts.containers.items():
            yield from _unknown_names(f"hosts.{host}.alerts.containers.{container}.mute", own, known)
    for number, route in enumerate(settings.hub.alerts.routes):
        for index, host in enumerate(route.hosts):
            if host not in settings.hosts and not _is_invalid(settings, host):
                yield (
                    f"hub.alerts.routes.{number}.hosts.{index}: expected the name of a host "
                    f"({', '.join(settings.hosts)}), got {host!r}"
                )


def _is_invalid(settings: Settings, host: str) -> bool:
    """Whether the stack file has such a host, but with mistakes."""
    return any(f"{path}.".startswith(f"hosts.{host}.") for path in settings.invalid)


def alert_names(settings: Settings) -> list[str]:
    """Of all alerts that there would be if none were muted."""
    unmuted = {host: edge.model_copy(update={"alerts": HostAlerts()}) for host, edge in settings.edges.items()}
    return sorted({alert.name for alert in rules.alerts(replace(settings, edges=unmuted))})


def _unknown_names(path: str, muted: Muted, known: list[str]) -> Iterator[str]:
    for index, name in enumerate(muted.mute):
        if name not in known and name != ALL:
            close = near(name, known)
            hint = f"did you mean {close}?" if close else f"docs/alerts.md lists them, `{ALL}` mutes every one"
            yield f"{path}.{index}: expected the name of an alert, got {name!r}; {hint}"
