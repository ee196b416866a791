"""Settings of the hub: where it is, its ports, how long it keeps what, who may look and who is told."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from configs.settings.base import DnsLabel, HostPort, Limits, Port, Secret, Strict, limits
from configs.settings.edge import Local
from configs.settings.units import Duration, Size, parse_duration, parse_size


def _domain(value: str) -> str:
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", value):
        raise ValueError("expected a domain name such as monitor.example.com")
    return value


def _http_url(value: str) -> str:
    if not re.match(r"https?://", value) or not urlsplit(value).hostname:
        raise ValueError("expected an address that begins with https:// or http://, then a host")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    _http_url(value.get_secret_value())
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
SecretUrl = Annotated[Secret, AfterValidator(_secret_url)]


class Ports(Strict):
    """Host ports of the hub, all Caddy's: `https` Grafana and push, `http` redirects, `push` no TLS, `query` reads."""

    https: Port = 8443
    http: Port = 8480
    push: Port = 8481
    query: Port = 8482

    @model_validator(mode="after")
    def _distinct(self) -> Ports:
        names: dict[int, list[str]] = {}
        for name, port in self:
            names.setdefault(port, []).append(name)
        double = [f"{' and '.join(sorted(n))} are both {port}" for port, n in names.items() if len(n) > 1]
        if double:
            raise ValueError(f"expected four different ports, but {'; '.join(double)}")
        return self


class Retention(Strict):
    """How long metrics and logs are kept, and how much disk the metrics may take (whichever limit comes first)."""

    metrics: Duration = parse_duration("2y")
    logs: Annotated[Duration, Field(ge=86400)] = parse_duration("90d")
    metrics_size: Size = parse_size("10GB")


class LokiLimits(Strict):
    """What Loki accepts. Rates per second and tenant; a stream is one set of labels."""

    ingestion_rate: Size = parse_size("16MB")
    ingestion_burst: Size = parse_size("32MB")
    stream_rate: Size = parse_size("8MB")
    max_streams: Annotated[int, Field(ge=10)] = 10000
    max_line_size: Size = parse_size("256KB")


class Roles(Strict):
    """Who becomes what in Grafana, by a claim of the provider (an email, a group, a team). Others get `otherwise`."""

    claim: Literal["email", "groups"] = "groups"
    admin: list[str] = []
    editor: list[str] = []
    otherwise: Literal["Viewer", "None"] = "Viewer"


class Google(Strict):
    """Sign-in with Google. Google sends no groups, so roles go by email."""

    client_id: str
    client_secret: Secret
    allowed_domains: Annotated[list[str], Field(min_length=1)]
    roles: Roles = Roles(claim="email")


class GitHub(Strict):
    """Sign-in with GitHub. Groups are teams, written @organisation/team."""

    client_id: str
    client_secret: Secret
    allowed_organizations: Annotated[list[str], Field(min_length=1)]
    roles: Roles = Roles()


class Oidc(Strict):
    """Sign-in with any OpenID Connect provider."""

    name: str = "OIDC"
    client_id: str
    client_secret: Secret
    auth_url: HttpUrl
    token_url: HttpUrl
    api_url: HttpUrl
    scopes: str = "openid profile email groups"
    roles: Roles = Roles()


class Auth(Strict):
    """Sign-in besides the admin's password. Several may be given."""

    google: Google | None = None
    github: GitHub | None = None
    oidc: Oidc | None = None


class Grafana(Strict):
    """Grafana's own settings. The admin's password is generated."""

    admin_user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]+$")] = "admin"
    auth: Auth = Auth()


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


class HubLimits(Strict):
    """Memory and CPU limits of the hub's containers."""

    caddy: Limits = limits("256MB", 1.0)
    prometheus: Limits = limits("1GB", 1.0)
    loki: Limits = limits("1GB", 1.0)
    grafana: Limits = limits("512MB", 1.0)
    alertmanager: Limits = limits("128MB", 0.5)


class Hub(Strict):
    """The hub. `outage_budget` is how long an edge must be able to wait for it (docs/no-data-lost.md).

    `metrics_block` is how long the newest block of the metrics store is (Prometheus: 2h); shorter only for rehearsals
    of an outage, because without an out-of-order window samples older than half of it are refused.
    """

    local: Local
    domain: Annotated[str, AfterValidator(_domain)] = "fleetwatch.localhost"
    ports: Ports = Ports()
    retention: Retention = Retention()
    outage_budget: Duration = parse_duration("24h")
    metrics_block: Duration = parse_duration("2h")
    loki: LokiLimits = LokiLimits()
    grafana: Grafana = Grafana()
    alerts: Alerts = Alerts()
    body_limit: Size = parse_size("32MB")
    limits: HubLimits = HubLimits()

    @model_validator(mode="after")
    def _name_of_a_local_hub(self) -> Hub:
        if not self.domain.endswith(".localhost"):
            raise ValueError("domain: expected a name that ends in .localhost, a hub on this machine has no other")
        return self
