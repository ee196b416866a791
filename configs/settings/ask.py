"""Settings of the assistant on the hub: who may register, limits of use, its history, and the models that it uses."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import names
from configs.settings.addresses import http_url, http_url_without_user, refuse_loopback
from configs.settings.base import Secret, Strict
from configs.units import Duration, Size, parse_duration, parse_size

if TYPE_CHECKING:
    from typing_extensions import Self

DAY = 86400


def _is_url(value: str) -> bool:
    try:
        return bool(http_url(value))
    except ValueError:
        return False


def _model_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}", value):
        raise ValueError("expected the model's name at the provider: letters, digits, and . _ : / @ - inside")
    return value


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", value) or not _is_url(value):
        raise ValueError("expected the origin of a web page, such as https://tools.example.com, without a path")
    return value


_ADDRESSES = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}


def _base_url(value: str) -> str:
    parts = urlsplit(http_url_without_user(value))
    refuse_loopback(parts.hostname or "", f"http://{names.DOCKER_HOST}:{parts.port or 11434}")
    if parts.query or parts.fragment:
        raise ValueError("expected an address without ? and #, such as https://models.example.com/v1")
    return value.rstrip("/")


def _is_private(url: str) -> bool:
    """Whether a key may be sent there: by TLS, or in a private network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" or ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local", ".lan", ".home.arpa"))


def _whole_days(value: int) -> int:
    if value % DAY:
        raise ValueError("expected whole days, such as 90d")
    return value


class AskLimits(Strict):
    """What one person or key may do in an hour, by role, and what one question may cost. A query beyond one of these is
    refused with a sentence before it is executed.

    `at_once`: questions that are executed at the same time, over all processes. `seconds`: what the requests of one
    question to the stores may take. `question`, `query`: characters. `nodes`, `depth`, `selectors`: parts of the query,
    levels, and metrics that it reads. `window`: the longest `[...]`. `range`: the longest time range, and offset.
    `points`: of each series. `series`, `samples`: that a query reads, by an estimate; `samples` is also the limit of
    Prometheus itself, for dashboards as well. `lines`, `log_range`, `log_size`: of questions about log lines.
    """

    user_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    admin_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    at_once: Annotated[int, Field(ge=1, le=32)] = 2
    seconds: Annotated[int, Field(ge=1, le=100)] = 30
    question: Annotated[int, Field(ge=20, le=2000)] = 500
    query: Annotated[int, Field(ge=100, le=50_000)] = 12_000
    nodes: Annotated[int, Field(ge=1, le=2000)] = 400
    depth: Annotated[int, Field(ge=1, le=100)] = 40
    selectors: Annotated[int, Field(ge=1, le=200)] = 60
    window: Annotated[Duration, Field(ge=60, le=3650 * DAY)] = parse_duration("31d")
    range: Annotated[Duration, Field(ge=3600, le=3650 * DAY)] = parse_duration("400d")
    points: Annotated[int, Field(ge=10, le=11_000)] = 1500
    series: Annotated[int, Field(ge=1, le=100_000)] = 5000
    samples: Annotated[int, Field(ge=1_000_000, le=50_000_000)] = 20_000_000
    lines: Annotated[int, Field(ge=1, le=5000)] = 200
    log_range: Annotated[Duration, Field(ge=60, le=3650 * DAY)] = parse_duration("7d")
    log_size: Annotated[Size, Field(ge=1024**2, le=1024**4)] = parse_size("4GB")

    @model_validator(mode="after")
    def _windows(self) -> AskLimits:
        if self.window > self.range:
            raise ValueError("window: expected at most `range`, a window is read before each point of the range")
        return self


class _Provider(Strict):
    """What a language model and embeddings have in common: where they are, and the key."""

    section: ClassVar[str]
    provider: str
    name: Annotated[str, AfterValidator(_model_name)]
    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(None, description="the provider's own address")
    api_key: Secret | None = None

    @property
    def address(self) -> str:
        """The host, with its port if that is not the usual one."""
        return urlsplit(self.base_url or _ADDRESSES[self.provider]).netloc

    @property
    def port(self) -> int:
        """The TCP port that the hub connects to."""
        parts = urlsplit(self.base_url or _ADDRESSES[self.provider])
        return parts.port or (443 if parts.scheme == "https" else 80)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "ollama" and self.base_url is None:
            raise ValueError("expected `base_url`, the address of the Ollama server, such as http://10.0.0.5:11434")
        if self.base_url is None and self.api_key is None:
            raise ValueError(f"expected `api_key` (`make secret KEY={self.section}.api_key` sets it)")
        if self.base_url is not None and self.api_key is not None and not _is_private(self.base_url):
            raise ValueError(
                f"base_url: expected https://, because the key would be sent in clear to {self.address}; "
                "http:// is for private addresses"
            )
        return self


class AskModel(_Provider):
    """A language model for questions that the assistant cannot answer by itself. The provider is sent the question, the
    titles and queries of the dashboards, and names of metrics and labels; never samples and log lines. Names of hosts,
    containers and databases are replaced by pseudonyms unless `share_label_values` is true.

    `name`: the model's name at the provider. `base_url`: of a server that implements the protocol of OpenAI or
    Anthropic; required for Ollama. `api_key`: required with the provider's own address. `daily_tokens`: of all
    questions of a day in UTC; when they are used up, answers are without the model. `timeout`: for one question.
    """

    section = "hub.ask.model"
    provider: Literal["anthropic", "openai", "ollama"]
    daily_tokens: Annotated[int, Field(ge=50_000, le=1_000_000_000)] = 200_000
    timeout: Annotated[Duration, Field(ge=1, le=120)] = parse_duration("30s")
    share_label_values: bool = False


class AskEmbeddings(_Provider):
    """A model of embeddings, for questions that the assistant's vocabulary leaves uncertain. The provider is sent these
    questions, and once the titles and phrasings of the dashboards; nothing else. Names of hosts, containers and
    databases are replaced by pseudonyms unless `share_label_values` is true.

    `name`: the model's name at the provider. `base_url`: of a server that implements the protocol of OpenAI; required
    for Ollama. `api_key`: required with the provider's own address. `dimensions`: the length of the vectors that the
    model returns. `timeout`: for the vector of one question; after it the ranking is the one without embeddings.
    """

    section = "hub.ask.embeddings"
    provider: Literal["openai", "ollama"]
    dimensions: Annotated[int, Field(ge=8, le=4096)]
    timeout: Annotated[Duration, Field(ge=1, le=30)] = parse_duration("2s")
    share_label_values: bool = False


class Ask(Strict):
    """The assistant: questions in plain language, answered from the hub's metrics and logs, at `/ask/` of the hub. Its
    administrator's password is generated (`make password ASK=1`).

    `registration`: whether anyone who reaches the page may make an account, or only the administrator makes keys.
    `cors`: origins of other web pages that may call its API. `history`: how long questions and answers are kept.
    `model`: a language model besides. `embeddings`: a model of embeddings besides. Without both nothing leaves the hub.
    """

    registration: Literal["closed", "open"] = "closed"
    cors: list[Annotated[str, AfterValidator(_origin)]] = []
    history: Annotated[Duration, Field(ge=DAY, le=3650 * DAY), AfterValidator(_whole_days)] = parse_duration("90d")
    limits: AskLimits = AskLimits()
    model: AskModel | None = None
    embeddings: AskEmbeddings | None = None

    @property
    def providers(self) -> tuple[AskModel | AskEmbeddings, ...]:
        """Where questions go."""
        return tuple(one for one in (self.model, self.embeddings) if one is not None)
