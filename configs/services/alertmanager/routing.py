"""Alertmanager's routing tree, quiet hours and inhibition."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from configs.names import NOBODY
from configs.units import prometheus_duration

if TYPE_CHECKING:
    from configs.settings.alerts import Alerts, Quiet, Route

DAYS = tuple(day.lower() for day in calendar.day_name)
SEVERITIES = ("critical", "warning", "info")


def tree(alerts: Alerts) -> dict[str, Any]:
    """The routes. The watchdog always fires, so a separate route keeps it apart from alerts.

    Alertmanager does not accept mute intervals on the root route, so quiet hours are set on the routes below it.
    """
    return {
        "receiver": alerts.default or NOBODY,
        "group_by": alerts.group_by,
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": prometheus_duration(alerts.repeat),
        "routes": [
            {
                "matchers": ['alertname="Watchdog"'],
                "receiver": alerts.watchdog or NOBODY,
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "5m",
            },
            *(_route(alerts.quiet, route) for route in alerts.routes),
            *_default(alerts),
        ],
    }


def intervals(alerts: Alerts) -> list[dict[str, Any]]:
    """Quiet hours under the names that the routes use."""
    return [{"name": _name(place), "time_intervals": _times(quiet)} for place, quiet in enumerate(alerts.quiet)]


def inhibitions(host: str = "", nodes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Inhibits alerts while another alert explains them. Both have the same `env` and, for a host's alerts, `host`.
    `host`: of a cluster the node that this Alertmanager is on, and `nodes`: the hosts of all its nodes; without one no
    alert of a cluster is named.

    No two alerts may inhibit each other: neither would be sent.
    """
    of_cluster = "HubDatabaseDown|NodeAlone|" if host else ""
    unexplained = f"HostSilent|HubPartDown|{of_cluster}Watchdog"
    # A node that is cut off gets no samples: to it every host is silent. It alone suppresses what follows from that.
    alone = _while(['alertname="NodeAlone"', f'host="{host}"'], ['alertname!~"NodeAlone|Watchdog"'], [])
    # Each node's assistant is without its database.
    database = _while(
        ['alertname="HubDatabaseDown"'], ['alertname="AskDependencyDown"', 'component="database"'], ["env"]
    )
    return [
        *([alone] if host else []),
        *_of_nodes(nodes),
        # While a host is silent, its other alerts are based on old data.
        _while(['alertname="HostSilent"'], [f'alertname!~"{unexplained}"'], ["env", "host"]),
        # Edges push through Caddy: while it is down, every host is silent and behind.
        *_part_down("caddy", "HostSilent|LogsSilent|RemoteWriteBehind|SamplesLost|SamplesDropped|LogLinesLost", nodes),
        *_part_down("loki", "LogsSilent|LogLinesLost|LokiDiscards|StreamsMany", nodes),
        *([database] if host else []),
        _while(['alertname=~"DiskUsed|VolumeFull"'], ['alertname="DiskFullSoon"'], ["env", "host", "mountpoint"]),
    ]


def _of_nodes(nodes: Sequence[str]) -> list[dict[str, Any]]:
    """Of a cluster: a node that is silent is the one that the others do not see."""
    if not nodes:
        return []
    silent = ['alertname="HostSilent"', f'host=~"{"|".join(nodes)}"']
    return [_while(silent, ['alertname=~"NodesApart|ReplicationFails"'], ["env"])]


def _part_down(job: str, explained: str, nodes: Sequence[str]) -> list[dict[str, Any]]:
    """Of every host, while the hub lacks this part. A part of one node of a cluster explains alerts of that node alone;
    without `instance` the alert is about the whole hub."""
    source, target = ['alertname="HubPartDown"', f'job="{job}"'], [f'alertname=~"{explained}"']
    if not nodes:
        return [_while(source, target, ["env"])]
    return [_while([*source, 'instance=""'], target, ["env"]), _while(source, target, ["env", "host"])]


def _while(source: list[str], target: list[str], equal: list[str]) -> dict[str, Any]:
    return {"source_matchers": source, "target_matchers": target, "equal": equal}


def _route(quiet: Sequence[Quiet], route: Route) -> dict[str, Any]:
    matchers = [f'severity=~"{"|".join(route.severity)}"'] if route.severity else []
    matchers += [f'host=~"{"|".join(sorted(route.hosts))}"'] if route.hosts else []
    return {
        "receiver": route.receiver,
        **({"matchers": matchers} if matchers else {}),
        **({"continue": True} if route.also else {}),
        **({"group_by": route.group_by} if route.group_by is not None else {}),
        **({"repeat_interval": prometheus_duration(route.repeat)} if route.repeat is not None else {}),
        **_waiting(quiet, route.severity or SEVERITIES),
    }


def _default(alerts: Alerts) -> list[dict[str, Any]]:
    """The default receiver's route below the root, if it is needed: for quiet hours, or if a route has `also`.

    Alerts that matched any other route, even one with `also`, do not reach the root's receiver.
    """
    waiting = _waiting(alerts.quiet, SEVERITIES)
    needed = waiting or any(route.also for route in alerts.routes)
    return [{"receiver": alerts.default or NOBODY, **waiting}] if needed else []


def _waiting(quiet: Sequence[Quiet], severities: Iterable[str]) -> dict[str, Any]:
    """Separate child routes for severities with quiet hours: Alertmanager mutes by route, not by labels."""
    found = []
    for severity in severities:
        names = [_name(place) for place, one in enumerate(quiet) if severity in one.severity]
        if names:
            found.append({"matchers": [f'severity="{severity}"'], "mute_time_intervals": names})
    return {"routes": found} if found else {}


def _name(place: int) -> str:
    return f"quiet-{place}"


def _times(quiet: Quiet) -> list[dict[str, Any]]:
    """Quiet hours as intervals: two if they span midnight. `days` are the days on which the hours begin."""
    start, end = quiet.hours.split("-")
    if start < end:
        return [_time(quiet, start, end, 0)]
    return [_time(quiet, start, "24:00", 0), *([_time(quiet, "00:00", end, 1)] if end != "00:00" else [])]


def _time(quiet: Quiet, start: str, end: str, later: int) -> dict[str, Any]:
    days = sorted({(DAYS.index(day) + later) % 7 for day in quiet.days})
    return {
        "times": [{"start_time": start, "end_time": end}],
        **({"weekdays": [DAYS[day] for day in days]} if days else {}),
        "location": quiet.time_zone,
    }
