"""Settings of the hub's alerts: who is notified, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from configs.names import NOBODY
from configs.settings.base import DnsLabel, HttpUrl, Strict
from configs.settings.near import near
from configs.settings.receivers import Receiver
from configs.settings.text import GroupLabel
from configs.settings.thresholds import Severity, Thresholds
from configs.units import Duration, parse_duration

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _hours(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", value) or value[:5] == value[6:]:
        raise ValueError("expected two different times of a day, each with four digits, such as 22:00-07:00")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        close = near(value, available_timezones())
        hint = f"; did you mean {close}?" if close else ""
        raise ValueError(f"expected a time zone of the IANA database, such as Europe/Berlin{hint}")
    return value


def _group_by(value: list[str]) -> list[str]:
    if "..." in value and len(value) > 1:
        raise ValueError('expected "..." alone, it groups by all labels; remove it or the other labels')
    twice = sorted({label for label in value if value.count(label) > 1})
    if twice:
        raise ValueError(f"duplicate label {', '.join(twice)}, expected each label once; remove the second one")
    return value


GroupBy = Annotated[list[GroupLabel], AfterValidator(_group_by)]


class Route(Strict):
    """Alerts of these severities and hosts (none named: of all) go to this receiver instead of the default.

    The first route that matches takes the alert; with `also`, the ones after it and the default may have it as well.
    """

    receiver: str
    severity: list[Severity] = []
    hosts: list[DnsLabel] = []
    also: bool = False
    group_by: GroupBy | None = Field(None, description="as all: `alertname`, `host`")
    repeat: Duration | None = None

    def covers(self, other: Route) -> bool:
        """Whether no alert is left for a later route."""
        severities = not self.severity or (other.severity and set(other.severity) <= set(self.severity))
        hosts = not self.hosts or (other.hosts and set(other.hosts) <= set(self.hosts))
        return not self.also and bool(severities) and bool(hosts)


def _meant(name: str, receivers: Mapping[str, Receiver]) -> str:
    known = ", ".join(sorted(receivers)) or "none yet"
    close = near(name, receivers)
    hint = f"did you mean {close}?" if close else "add it under hub.alerts.receivers"
    return f" ({known}); {hint}"


class Quiet(Strict):
    """Hours in which alerts of these severities wait for their end. Times as `22:00-07:00`, by this time zone."""

    hours: Annotated[str, AfterValidator(_hours)]
    days: list[Day] = []
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    severity: Annotated[list[Severity], Field(min_length=1)] = ["warning", "info"]


class Alerts(Strict):
    """Receivers, which of them gets alerts (`default`) and which gets the watchdog, which always fires.

    Without a default, alerts are seen in Grafana and Alertmanager only. `watchdog` is best an external heartbeat's URL
    (a webhook), which notifies you when it stops. `runbooks`: where the pages of docs/runbooks are published.
    """

    receivers: dict[DnsLabel, Receiver] = {}
    default: str | None = None
    watchdog: str | None = None
    routes: list[Route] = []
    quiet: list[Quiet] = []
    group_by: GroupBy = ["alertname", "host"]
    repeat: Duration = parse_duration("4h")
    runbooks: HttpUrl | None = Field(None, description="none: links name the file in the repository")
    thresholds: Thresholds = Thresholds()

    @model_validator(mode="after")
    def _known(self) -> Alerts:
        if NOBODY in self.receivers:
            raise ValueError(f"receivers: `{NOBODY}` is reserved, it stands for no receiver; choose a different name")
        named = {"default": self.default, "watchdog": self.watchdog}
        named |= {f"routes.{place}.receiver": route.receiver for place, route in enumerate(self.routes)}
        for key, name in named.items():
            if name is not None and name not in self.receivers:
                raise ValueError(f"{key}: expected the name of a receiver{_meant(name, self.receivers)}")
        for later, route in enumerate(self.routes):
            for earlier, other in enumerate(self.routes[:later]):
                if other.covers(route):
                    raise ValueError(
                        f"routes.{later}: expected alerts that no earlier route takes, routes.{earlier} takes all; "
                        "put this route before it, or set `also: true` there"
                    )
        return self
