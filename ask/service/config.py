"""The service's settings: one YAML file, in which every secret is the path of a file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ask.safety import Limits

DAY = 86400
NAME = r"^[a-z0-9][a-z0-9._@-]{0,62}$"  # of a user


class ConfigError(ValueError):
    """The settings cannot be used: what is wrong, where, and what was expected."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Model):
    """A store with the query API of Prometheus or Loki; `tenant` is sent as X-Scope-OrgID."""

    url: str = Field(pattern=r"^https?://\S+$")
    tenant: str | None = None


class Site(_Model):
    """Grafana's address in the browser."""

    url: str = Field(pattern=r"^https?://\S+$")


class Database(_Model):
    """The PostgreSQL server; `connections` bounds the pool of one replica. `sslmode` is PostgreSQL's own. `ca_file`:
    the certificate that has signed the server's, which the modes `verify-ca` and `verify-full` need."""

    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = "ask"
    user: str = "ask"
    password_file: Path
    connections: int = Field(default=10, ge=2, le=100)
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _can_be_verified(self) -> Database:
        if self.sslmode.startswith("verify") and self.ca_file is None:
            raise ValueError(f"ca_file: missing, `sslmode: {self.sslmode}` compares the server's certificate with it")
        return self


class Valkey(_Model):
    """The Valkey (or Redis) server."""

    host: str
    port: int = Field(default=6379, ge=1, le=65535)
    password_file: Path | None = None


class Admin(_Model):
    """The first administrator, created if there is none."""

    name: str = Field(default="admin", pattern=NAME)
    password_file: Path


class RateLimits(_Model):
    """Questions of one user or key in an hour, and attempts to sign in under one name in 15 minutes."""

    user_per_hour: int = Field(default=100, ge=1)
    admin_per_hour: int = Field(default=1000, ge=1)
    sign_ins: int = Field(default=10, ge=1)


def _reachable(provider: str, base_url: str, key_file: Path | None) -> None:
    """Raises ValueError for a provider without its address or key."""
    if provider == "ollama" and not base_url:
        raise ValueError("base_url: expected the address of the Ollama server, such as http://ollama:11434")
    if provider != "ollama" and not base_url and key_file is None:
        raise ValueError("key_file: expected the file with the provider's key")


class Model(_Model):
    """A language model. `timeout`: seconds for one question. `daily_tokens`: of all questions of a day together."""

    provider: Literal["anthropic", "openai", "ollama"]
    name: str = Field(min_length=1, max_length=200)
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    key_file: Path | None = None
    daily_tokens: int = Field(default=200_000, ge=50_000)
    timeout: float = Field(default=30.0, ge=1, le=120)
    share_label_values: bool = False

    @model_validator(mode="after")
    def _can_be_reached(self) -> Model:
        _reachable(self.provider, self.base_url, self.key_file)
        return self


class Embeddings(_Model):
    """A provider of embeddings. `timeout`: seconds for the vector of one question. `dimensions`: the length of the
    vectors that the model returns."""

    provider: Literal["openai", "ollama"]
    name: str = Field(min_length=1, max_length=200)
    dimensions: int = Field(ge=8, le=4096)
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    key_file: Path | None = None
    timeout: float = Field(default=2.0, ge=0.1, le=30)
    share_label_values: bool = False

    @model_validator(mode="after")
    def _can_be_reached(self) -> Embeddings:
        _reachable(self.provider, self.base_url, self.key_file)
        return self


class Safety(_Model):
    """Bounds of a question and of its query: lengths in characters, times in seconds. As safety.Limits explains."""

    question: int = Field(default=Limits.question, ge=20, le=2000)
    length: int = Field(default=Limits.length, ge=100, le=50_000)
    nodes: int = Field(default=Limits.nodes, ge=1, le=2000)
    depth: int = Field(default=Limits.depth, ge=1, le=100)
    selectors: int = Field(default=Limits.selectors, ge=1, le=200)
    window: float = Field(default=Limits.window, ge=60, le=3650 * DAY)
    range: float = Field(default=Limits.range, ge=3600, le=3650 * DAY)
    points: int = Field(default=Limits.points, ge=10, le=11_000)
    subquery_points: int = Field(default=Limits.subquery_points, ge=10, le=100_000)
    series: int = Field(default=Limits.series, ge=1, le=100_000)
    samples: int = Field(default=Limits.samples, ge=1000, le=50_000_000)
    lines: int = Field(default=Limits.lines, ge=1, le=5000)
    log_range: float = Field(default=Limits.log_range, ge=60, le=3650 * DAY)
    log_bytes: int = Field(default=Limits.log_bytes, ge=1024**2, le=1024**4)

    def limits(self) -> Limits:
        """As the engine uses them."""
        return Limits(**self.model_dump())


class Config(_Model):
    """The whole file. `concurrency`: questions that all replicas together execute at once. `question_seconds`: what the
    requests of one question to the stores may take in all. `valkey`: without one the database has its content too."""

    catalogue: Path
    prometheus: Source
    loki: Source
    grafana: Site
    database: Database
    valkey: Valkey | None = None
    session_key_file: Path
    admin: Admin
    registration: Literal["closed", "open"] = "closed"
    cors: tuple[str, ...] = ()
    limits: RateLimits = RateLimits()
    model: Model | None = None
    embeddings: Embeddings | None = None
    safety: Safety = Safety()
    history_days: int = Field(default=90, ge=1, le=3650)
    cache_seconds: int = Field(default=300, ge=0, le=86400)
    discovery_seconds: int = Field(default=300, ge=10, le=86400)
    concurrency: int = Field(default=2, ge=1, le=32)
    question_seconds: int = Field(default=30, ge=1, le=300)
    patience_seconds: int = Field(default=20, ge=0, le=120)
    jobs: int = Field(default=1, ge=0, le=8)


def load(path: Path) -> Config:
    """The settings of a file. Raises ConfigError with every problem, one on a line."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path}: not a YAML file") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected a mapping of settings")
    try:
        return Config.model_validate(raw)
    except ValidationError as problem:
        raise ConfigError("\n".join(_sentences(path, problem))) from None


def _sentences(path: Path, problem: ValidationError) -> list[str]:
    """One line for each problem, without the value: it may be a secret in the wrong place."""
    found = []
    for one in problem.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(map(str, one["loc"]))
        if one["type"] == "extra_forbidden":
            known = _keys(one["loc"])
            near = difflib.get_close_matches(str(one["loc"][-1]), known, n=1, cutoff=0.65)
            meant = f"; did you mean {near[0]}?" if near else ""
            found.append(f"{path}: {place}: unknown key, expected one of {', '.join(known)}{meant}")
        else:
            found.append(f"{path}: {place}: {one['msg']}")
    return found


def _keys(place: tuple[int | str, ...]) -> list[str]:
    """The keys that are valid beside an unknown one."""
    model: type[BaseModel] = Config
    for part in place[:-1]:
        inner = model.model_fields[str(part)].annotation
        for one in (inner, *get_args(inner)):
            if isinstance(one, type) and issubclass(one, BaseModel):
                model = one
    return sorted(model.model_fields)


def secret(path: Path, least: int = 1) -> str:
    """The content of a secret's file, without the last line break. Raises ConfigError."""
    try:
        found = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as problem:
        raise ConfigError(f"{path}: the secret cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the secret is not text in UTF-8") from None
    if len(found) < least:
        raise ConfigError(f"{path}: the secret has {len(found)} characters, expected at least {least}")
    return found
