"""Settings of the hub: where it is, its ports, retention and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from configs import names, services
from configs.settings.addresses import in_lower_case, is_domain
from configs.settings.alerts import Alerts
from configs.settings.ask import Ask
from configs.settings.backup import Backup
from configs.settings.balancer import Balancer
from configs.settings.base import MOST, Port, Strict, require_one
from configs.settings.database import check_database
from configs.settings.grafana import Grafana
from configs.settings.limits import ServiceLimits, service_limits
from configs.settings.nodes import by_host, check_places, with_first
from configs.settings.places import HubDroplet, Local, Server
from configs.settings.storage import Storage
from configs.settings.text import FolderName, Mail
from configs.units import Duration, Size, parse_duration, parse_size


def _domain(value: str) -> str:
    if not is_domain(value):
        raise ValueError(f"expected a domain name such as monitor.example.com{in_lower_case(value)}")
    return value


LOCAL_DOMAIN = "fleetwatch.localhost"
PUBLIC_PORTS = {"https": 443, "http": 80, "push": 8080, "query": 9080}


class Ports(Strict):
    """Host ports of the hub, all Caddy's: `https` Grafana and push, `http` redirects, `push` no TLS, `query` reads.

    The first default is that of a hub on this machine, the second that of any other.
    """

    https: Port = Field(8443, description="`8443`, `443`")
    http: Port = Field(8480, description="`8480`, `80`")
    push: Port = Field(8481, description="`8481`, `8080`")
    query: Port = Field(8482, description="`8482`, `9080`")

    @model_validator(mode="after")
    def _distinct(self) -> Ports:
        names: dict[int, list[str]] = {}
        for name, port in self:
            names.setdefault(port, []).append(name)
        double = [f"{' and '.join(sorted(n))} are both {port}" for port, n in names.items() if len(n) > 1]
        if double:
            raise ValueError(f"expected four different ports, but {'; '.join(double)}")
        return self


LEAST_STORE = parse_size("256MB")  # a few blocks of one host; below it Prometheus drops each block at once


class Retention(Strict):
    """How long metrics and logs are kept, and how much disk the metrics may take (whichever limit comes first).

    A volume that is too small for the two times is a mistake, unless `metrics_size` allows metrics to be dropped
    earlier.
    """

    metrics: Annotated[Duration, Field(ge=86400)] = parse_duration("2y")
    logs: Annotated[Duration, Field(ge=86400)] = parse_duration("90d")
    metrics_size: Annotated[Size, Field(ge=LEAST_STORE)] = Field(
        parse_size("10GB"), description="`10GB`; with a volume: what the logs leave of four fifths of it"
    )


PUSH = parse_size("2MB")  # more than one push of a log agent, which a lower limit would never accept


class LokiLimits(Strict):
    """What Loki accepts of all hosts together, per second; a stream is one set of labels. What exceeds a limit is
    discarded and reported, not sent again. The default rates are higher than what log agents reach: each has one
    request at a time, and reads `logs.line_rate` lines per second. `max_streams` is the limit of all hosts that are not
    in the stack file; the others have `logs.max_streams`."""

    ingestion_rate: Annotated[Size, Field(ge=PUSH)] = parse_size("256MB")
    ingestion_burst: Annotated[Size, Field(ge=PUSH)] = parse_size("256MB")
    stream_rate: Annotated[Size, Field(ge=PUSH)] = parse_size("64MB")
    max_streams: Annotated[int, Field(ge=10, le=MOST)] = 10000
    max_line_size: Annotated[Size, Field(ge=1024)] = parse_size("256KB")


if TYPE_CHECKING:
    HubLimits = ServiceLimits
else:
    HubLimits = service_limits(
        "HubLimits", "Memory and CPU limits of the hub's containers.", services.limit_defaults(services.HUB)
    )


class Acme(Strict):
    """How the certificate of a public domain is had. `email`: whom the CA may write to. `staging`: from Let's Encrypt's
    test directory, for trying out: no system trusts it, so no host may push over the internet."""

    email: Mail | None = None
    staging: bool = False


class Uptime(Strict):
    """A check from outside (DigitalOcean's), with an alert by mail when the hub does not answer."""

    email: Annotated[list[Mail], Field(min_length=1)]


class Hub(Strict):
    """The hub, in exactly one place: `local`, `droplet` or `server`. `domain`: without one a hub elsewhere is known by
    its address and certified by its own CA. `dns_zone`: a domain that DigitalOcean's DNS serves; the hub's record is
    made there.

    `outage_budget` is how long an edge must be able to wait for the hub (docs/no-data-lost.md).

    `metrics_block` is how long the newest block of the metrics store is (Prometheus: 2h); shorter only for rehearsals
    of an outage, because without an out-of-order window samples older than half of it are refused.

    `ask`: questions in plain language at `/ask/` (docs/tasks/ask.md); `ask: {}` turns it on.

    `custom`: the folder beside the stack file with own dashboards, rules and templates (docs/tasks/custom.md).
    """

    local: Local | None = None
    droplet: HubDroplet | None = None
    server: Server | None = None
    domain: Annotated[str, AfterValidator(_domain)] = Field(
        LOCAL_DOMAIN, description=f"`{LOCAL_DOMAIN}` on this machine, else none"
    )
    acme: Acme = Acme()
    dns_zone: Annotated[str, AfterValidator(_domain)] | None = None
    uptime: Uptime | None = None
    ports: Ports = Ports()
    retention: Retention = Retention()
    outage_budget: Duration = parse_duration("24h")
    metrics_block: Annotated[Duration, Field(le=7200)] = parse_duration("2h")
    loki: LokiLimits = LokiLimits()
    grafana: Grafana = Grafana()
    alerts: Alerts = Alerts()
    body_limit: Annotated[Size, Field(ge=PUSH)] = parse_size("32MB")
    backup: Backup | None = None
    ask: Ask | None = None
    storage: Storage = Storage()
    balancer: Balancer = Balancer()
    limits: HubLimits = HubLimits()
    custom: FolderName | None = Field(None, description="the stack's name")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, raw: Any) -> Any:
        """The usual ports and no name, where the hub is not on this machine."""
        if isinstance(raw, dict) and (raw.get("droplet") is not None or raw.get("server") is not None):
            ports = raw.get("ports", {})
            merged = {**PUBLIC_PORTS, **ports} if isinstance(ports, dict) else ports
            return {"domain": names.NO_DOMAIN, **with_first(raw), "ports": merged}
        return raw

    @model_validator(mode="after")
    def _one_place(self) -> Hub:
        places = ("local", "droplet", "server")
        require_one(self, places, "expected exactly one place: local, droplet or server (such as `local: {}`)")
        check_places(self.storage.nodes, self.droplet, self.server)
        if self.storage.nodes:
            check_database(self.storage.database, droplets=self.droplet is not None, ask=self.ask is not None)
        return self

    @property
    def nodes(self) -> dict[str, str]:
        """The hosts of a cluster's nodes, each with its node's name, the first first; none without a cluster."""
        return by_host(self.storage.nodes)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that have the hub on them, `hub` first."""
        return tuple(self.nodes) or ("hub",)

    def place(self, host: str) -> dict[str, Local | HubDroplet | Server | None]:
        """Where one of its hosts is: one of `local`, `droplet` and `server`, the others None."""
        if host == "hub":
            return {"local": self.local, "droplet": self.droplet, "server": self.server}
        node = self.storage.nodes[self.nodes[host]]
        droplet = node.droplet(self.droplet) if self.droplet is not None and node.server is None else None
        return {"local": None, "droplet": droplet, "server": node.server}

    @property
    def kind(self) -> str:
        return "local" if self.local is not None else "droplet" if self.droplet is not None else "server"

    @property
    def own_ca(self) -> bool:
        """Whether the certificate is from Caddy's own CA."""
        return not self.public

    @property
    def public(self) -> bool:
        """Whether the hub has a name that everyone resolves, and so a certificate by ACME."""
        return self.local is None and self.domain != names.NO_DOMAIN
