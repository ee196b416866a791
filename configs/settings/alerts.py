"""Settings of the hub's alerts: who is told, and in which way."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SecretStr, model_validator

from configs.settings.base import DnsLabel, HostPort, Secret, Strict, http_url
from configs.settings.units import Duration, parse_duration


def _secret_url(value: SecretStr) -> SecretStr:
    http_url(value.get_secret_value())
    return value


SecretUrl = Annotated[Secret, AfterValidator(_secret_url)]


class Slack(Strict):
    """A Slack incoming webhook."""

    url: SecretUrl
    channel: str | None = None


class Email(Strict):
    """Mail through an SMTP server."""

    to: str
    sender: str
    smarthost: HostPort
    username: str | None = None
    password: Secret | None = None
    require_tls: bool = True


class PagerDuty(Strict):
    """A PagerDuty service, by its Events API v2 integration key."""

    routing_key: Secret


class Webhook(Strict):
    """Alertmanager's JSON, posted to an address (which may itself be secret)."""

    url: SecretUrl


class Receiver(Strict):
    """Where alerts go; a receiver may have several ways at once."""

    slack: Slack | None = None
    email: Email | None = None
    pagerduty: PagerDuty | None = None
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _some(self) -> Receiver:
        if not any((self.slack, self.email, self.pagerduty, self.webhook)):
            raise ValueError("expected at least one of: slack, email, pagerduty, webhook")
        return self


class Alerts(Strict):
    """Receivers, which of them gets alerts (`default`) and which gets the watchdog, that fires always.

    Without a default, alerts are seen in Grafana and Alertmanager only.
    """

    receivers: dict[DnsLabel, Receiver] = {}
    default: str | None = None
    watchdog: str | None = None
    repeat: Duration = parse_duration("4h")

    @model_validator(mode="after")
    def _known(self) -> Alerts:
        known = ", ".join(sorted(self.receivers)) or "none yet"
        for key in ("default", "watchdog"):
            name = getattr(self, key)
            if name is not None and name not in self.receivers:
                raise ValueError(f"{key}: expected the name of a receiver ({known})")
        return self
