"""Settings of a service of the user that exposes metrics: where it is, how it is read, and what is kept of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import re2
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from configs import names
from configs.services.spec import USERS_LABELS, USERS_SAMPLES
from configs.settings.addresses import is_dns_name, is_host
from configs.settings.base import (
    MOST,
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
from configs.settings.certificates import Certificates
from configs.settings.text import OneLine
from configs.units import Duration, Interval, Size, parse_duration, parse_size, show_duration

_OF_HISTOGRAMS = ("le", "quantile")
_ANY_METRIC = "fleetwatch:name_of_no_metric_0"
LONGEST_DEFAULT = 30  # seconds; the timeout of a scrape unless one is set, if the interval is not shorter


def _param(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.~\[\]-]+", value):
        raise ValueError("expected the name of a query parameter: letters, digits and _ . ~ - [ ]")
    return value


def _server_name(value: str) -> str:
    if not is_host(value) or value.startswith("["):
        raise ValueError("expected the name in the target's certificate, such as shop.example.com")
    return value


def _no_colon(value: str) -> str:
    if ":" in value:
        raise ValueError("expected a user name without a colon, behind which the password begins")
    return value


def _target(value: Any) -> Any:
    if isinstance(value, str) and "/" in value:
        raise ValueError("expected host:port, such as api:8000; of a URL the rest goes into `scheme` and `path`")
    return value


def _discovered(value: str) -> str:
    host, _, _ = value.rpartition(":")
    if not is_dns_name(host):
        raise ValueError("expected a name and a port, an address is not looked up; write it under `target` instead")
    if host == names.DOCKER_HOST:
        raise ValueError(f"expected a name in DNS, {host} is in the hosts file alone; write it under `target` instead")
    return value


def _histogram(value: str) -> str:
    if value.endswith(("_bucket", "_sum", "_count")):
        raise ValueError("expected the name of the histogram without _bucket, _sum and _count at its end")
    return value


def _not_everything(value: str) -> str:
    if value and re2.fullmatch(value, _ANY_METRIC):
        raise ValueError("expected names of some metrics, this matches each one: the app would have none; remove it")
    return value


ServerName = Annotated[str, AfterValidator(_server_name)]
Param = Annotated[str, AfterValidator(_param)]
Values = Annotated[list[OneLine], Field(min_length=1), BeforeValidator(as_list)]


class Http(Strict):
    """The names of a service's own HTTP metrics: a counter of requests with a label for the status, and a histogram
    of durations in seconds. The defaults are those of the usual client libraries."""

    requests: MetricName = "http_requests_total"
    status: LabelName = "status"
    duration: Annotated[MetricName, AfterValidator(_histogram)] = "http_request_duration_seconds"


Target = Annotated[HostPort, BeforeValidator(_target)]


class BasicAuth(Strict):
    """A user and a password that the target demands."""

    username: Annotated[OneLine, Field(min_length=1), AfterValidator(_no_colon)]
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

    target: Annotated[Target, SHOWN] | None = None
    targets: Annotated[list[Target], SHOWN] = []
    dns: Annotated[Target, AfterValidator(_discovered), SHOWN] | None = None
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
    drop: Annotated[list[Annotated[Pattern, AfterValidator(_not_everything)]], SHOWN] = []
    honor_labels: Annotated[bool, SHOWN] = False
    honor_timestamps: Annotated[bool, SHOWN] = False
    sample_limit: Annotated[int, Field(ge=1, le=MOST), SHOWN] = USERS_SAMPLES
    label_limit: Annotated[int, Field(ge=5, le=MOST), SHOWN] = Field(
        USERS_LABELS, description=f"`{USERS_LABELS}`, four of which fleetwatch adds"
    )
    size_limit: Annotated[Size, Field(ge=1024), SHOWN] = parse_size("16MB")

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
        self._check_labels()
        return self

    def _check_labels(self) -> None:
        if "instance" in self.labels:
            raise ValueError("labels: `instance` is reserved, its value is the target; choose a different name")
        for name in _OF_HISTOGRAMS:
            if name in self.labels:
                raise ValueError(f"labels: `{name}` is reserved, histograms and summaries have it; choose another name")
        least = len(self.labels) + 5  # four of ours, and the metric's name
        if self.label_limit < least:
            raise ValueError(
                f"label_limit: expected at least {least} with {len(self.labels)} `labels`, got {self.label_limit}; "
                "raise it, every scrape would be rejected"
            )

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
