"""Settings of a service of the user that exposes metrics: where it is, how it is read, and what is kept of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from configs.services.spec import USERS_LABELS, USERS_SAMPLES
from configs.settings.base import (
    HIDDEN,
    SHOWN,
    HostPort,
    LabelName,
    LabelValue,
    MetricName,
    Pattern,
    PrivateKey,
    Secret,
    Strict,
    UrlPath,
    as_list,
    none_given,
)
from configs.settings.text import OneLine, is_host
from configs.units import Duration, Interval, Size, parse_duration, parse_size, show_duration

LONGEST_DEFAULT = 30  # seconds; the timeout of a scrape unless one is set, if the interval is not shorter


def _param(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.~\[\]-]+", value):
        raise ValueError("expected the name of a query parameter: letters, digits and _ . ~ - [ ]")
    return value


def _certificates(value: str) -> str:
    if not re.search(r"-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END", value) or "PRIVATE KEY" in value:
        raise ValueError(
            "expected certificates as PEM: the text from -----BEGIN CERTIFICATE----- on (in YAML behind `|`), no "
            "private key"
        )
    return value.strip() + "\n"


def _server_name(value: str) -> str:
    if not is_host(value) or value.startswith("["):
        raise ValueError("expected the name in the target's certificate, such as shop.example.com")
    return value


Certificates = Annotated[str, AfterValidator(_certificates), HIDDEN]
ServerName = Annotated[str, AfterValidator(_server_name)]
Param = Annotated[str, AfterValidator(_param)]
Values = Annotated[list[OneLine], BeforeValidator(as_list)]


class Http(Strict):
    """The names of a service's own HTTP metrics: a counter of requests with a label for the status, and a histogram
    of durations in seconds. The defaults are those of the usual client libraries."""

    requests: MetricName = "http_requests_total"
    status: LabelName = "status"
    duration: MetricName = "http_request_duration_seconds"


class BasicAuth(Strict):
    """A user and a password that the target demands."""

    username: Annotated[OneLine, Field(min_length=1)]
    password: Secret


class Tls(Strict):
    """How a target's certificate is verified, and the client's certificate that it demands. `ca`: the certificates
    that it may be signed by, or a self-signed one itself; without it those that every system trusts. `server_name`:
    the name in the certificate where it differs from the target's. `insecure: true` verifies nothing."""

    ca: Certificates | None = None
    cert: Certificates | None = None
    key: PrivateKey | None = None
    server_name: ServerName | None = None
    insecure: bool = False

    @model_validator(mode="after")
    def _pairs(self) -> Tls:
        if self.key is not None and self.cert is None:
            raise ValueError("cert: missing, the certificate of `key` is required beside it")
        if self.insecure and self.ca is not None:
            raise ValueError("insecure: expected false beside `ca`, `insecure: true` does not verify against it")
        return self


class App(Strict):
    """A service that exposes Prometheus metrics, reachable from the edge's networks: at one `target`, at several
    `targets`, or at each address that the name in `dns` has (of a scaled service). `host.docker.internal` is the host
    itself. `http: {}` if it counts HTTP requests: it then has its place on the HTTP dashboard and in its alerts.

    `params`: the query, which may stand in `path` too. `bearer_token` and `basic_auth`: what the service demands, one
    of the two. `keep` and `drop`: regular expressions for the whole name of a metric. `honor_labels: true` keeps labels
    that a metric has itself, such as `job` and `instance` of a Pushgateway; `env` and `host` are always the edge's.
    `honor_timestamps: true` stores the timestamps that the service itself exposes. `labels`: further labels of all its
    metrics.

    A scrape with more than `sample_limit` samples, with more than `label_limit` labels on one of them, or of more than
    `size_limit` is rejected as a whole and reported.
    """

    target: Annotated[HostPort, SHOWN] | None = None
    targets: Annotated[list[HostPort], SHOWN] = []
    dns: Annotated[HostPort, SHOWN] | None = None
    path: UrlPath = "/metrics"
    params: dict[Param, Values] = {}
    interval: Annotated[Interval, SHOWN] = parse_duration("10s")
    timeout: Annotated[Duration, SHOWN] | None = Field(None, description="`interval`, at most 30s")
    scheme: Annotated[Literal["http", "https"], SHOWN] = Field("http", description="`https` with `tls`, else `http`")
    bearer_token: Secret | None = None
    basic_auth: BasicAuth | None = None
    tls: Tls | None = None
    http: Annotated[Http, SHOWN] | None = None
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=10), SHOWN] = {}
    keep: Annotated[list[Pattern], SHOWN] = []
    drop: Annotated[list[Pattern], SHOWN] = []
    honor_labels: Annotated[bool, SHOWN] = False
    honor_timestamps: Annotated[bool, SHOWN] = False
    sample_limit: Annotated[int, Field(ge=1), SHOWN] = USERS_SAMPLES
    label_limit: Annotated[int, Field(ge=5), SHOWN] = Field(
        USERS_LABELS, description=f"`{USERS_LABELS}`, four of which fleetwatch adds"
    )
    size_limit: Annotated[Size, SHOWN] = parse_size("16MB")

    @model_validator(mode="before")
    @classmethod
    def _written(cls, raw: Any) -> Any:
        """A query in the path becomes parameters, and TLS settings mean HTTPS."""
        if not isinstance(raw, dict):
            return raw
        raw = dict(raw)
        if raw.get("tls") is not None:
            raw.setdefault("scheme", "https")
        path, params = raw.get("path"), raw.get("params", {})
        if not isinstance(path, str) or "?" not in path or not isinstance(params, dict):
            return raw
        parts = urlsplit(path)
        if parts.fragment or not path.startswith("/"):
            return raw
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        twice = sorted(set(found) & set(params))
        if twice:
            raise ValueError(
                f"params: expected each parameter once, the query of `path` has {', '.join(twice)} too; remove one"
            )
        return {**raw, "path": parts.path, "params": {**params, **found}}

    @model_validator(mode="after")
    def _consistent(self) -> App:
        given = [key for key in ("target", "targets", "dns") if getattr(self, key)]
        if not given:
            raise none_given("target: missing, this key is required (or `targets`, or `dns`)")
        if len(given) != 1:
            raise ValueError(f"expected exactly one of target, targets and dns, got {' and '.join(given)}")
        if len(set(self.targets)) != len(self.targets):
            raise ValueError("targets: expected each target once")
        if self.timeout is not None and self.timeout > self.interval:
            raise ValueError(
                f"timeout: expected at most the interval ({show_duration(self.interval)}), got "
                f"{show_duration(self.timeout)}; raise the interval too"
            )
        if self.bearer_token is not None and self.basic_auth is not None:
            raise ValueError("basic_auth: expected either `bearer_token` or `basic_auth`, both are given")
        if self.tls is not None and self.scheme == "http":
            raise ValueError("scheme: expected https beside `tls`, got 'http'; remove one of the two")
        if "instance" in self.labels:
            raise ValueError("labels: `instance` is reserved, its value is the target; choose a different name")
        return self

    @property
    def scrape_timeout(self) -> int:
        """In seconds."""
        return self.timeout if self.timeout is not None else min(self.interval, LONGEST_DEFAULT)

    @property
    def addresses(self) -> list[str]:
        """The targets that are known before a name is resolved."""
        return [self.target] if self.target is not None else self.targets

    @property
    def hosts(self) -> list[str]:
        """The names and addresses of all targets, without their ports."""
        return sorted({one.rpartition(":")[0] for one in (*self.addresses, *([self.dns] if self.dns else []))})

    @property
    def locked(self) -> bool:
        """Whether only the agent can read it, which has the credentials in files."""
        return any(one is not None for one in (self.bearer_token, self.basic_auth, self.tls))
