"""Settings of the hub's alerts: who is notified, and how."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from configs.names import NOBODY
from configs.settings.base import DnsLabel, HttpUrl, Strict
from configs.settings.receivers import Receiver
from configs.settings.text import GroupLabel
from configs.settings.thresholds import Severity, Thresholds
from configs.units import Duration, parse_duration

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _hours(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", value) or value[:5] == value[6:]:
        raise ValueError("expected two times of a day such as 22:00-07:00")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("expected a time zone of the IANA database, such as Europe/Berlin")
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


class Quiet(Strict):
    """Hours in which alerts of these severities wait for their end. Times as `22:00-07:00`, by this time zone."""

    hours: Annotated[str, AfterValidator(_hours)]
    days: list[Day] = []
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    severity: list[Severity] = ["warning", "info"]


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
        known = ", ".join(sorted(self.receivers)) or "none yet"
        named = {"default": self.default, "watchdog": self.watchdog}
        named |= {f"routes.{place}.receiver": route.receiver for place, route in enumerate(self.routes)}
        for key, name in named.items():
            if name is not None and name not in self.receivers:
                raise ValueError(f"{key}: expected the name of a receiver ({known})")
        return self
