"""Settings of the assistant on the hub: who may register, limits of use, its history, and a language model."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import names
from configs.settings.base import Secret, Strict, http_url_without_user, refuse_loopback
from configs.units import Duration, parse_duration

DAY = 86400


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", value):
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
    """Questions that one person, or one key, may ask in an hour, by role."""

    user_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    admin_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000


class AskModel(Strict):
    """A language model for questions that the assistant cannot answer by itself. The provider is sent the question, the
    titles and queries of the dashboards, and names of metrics and labels; never samples and log lines. Names of hosts,
    containers and databases are replaced by pseudonyms unless `share_label_values` is true.

    `name`: the model's name at the provider. `base_url`: of a server that implements the protocol of OpenAI or
    Anthropic; required for Ollama. `api_key`: required with the provider's own address. `daily_tokens`: of all
    questions of a day in UTC; when they are used up, answers are without the model. `timeout`: for one question.
    """

    provider: Literal["anthropic", "openai", "ollama"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$")]
    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(None, description="the provider's own address")
    api_key: Secret | None = None
    daily_tokens: Annotated[int, Field(ge=50_000, le=1_000_000_000)] = 200_000
    timeout: Annotated[Duration, Field(ge=1, le=120)] = parse_duration("30s")
    share_label_values: bool = False

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
    def _complete(self) -> AskModel:
        if self.provider == "ollama" and self.base_url is None:
            raise ValueError("expected `base_url`, the address of the Ollama server, such as http://10.0.0.5:11434")
        if self.base_url is None and self.api_key is None:
            raise ValueError("expected `api_key` (`make secret KEY=hub.ask.model.api_key` sets it)")
        if self.base_url is not None and self.api_key is not None and not _is_private(self.base_url):
            raise ValueError(
                f"base_url: expected https://, because the key would be sent in clear to {self.address}; "
                "http:// is for private addresses"
            )
        return self


class Ask(Strict):
    """The assistant: questions in plain language, answered from the hub's metrics and logs, at `/ask/` of the hub. Its
    administrator's password is generated (`make password ASK=1`).

    `registration`: whether anyone who reaches the page may make an account, or only the administrator makes keys.
    `cors`: origins of other web pages that may call its API. `history`: how long questions and answers are kept.
    `model`: a language model besides; without one nothing leaves the hub.
    """

    registration: Literal["closed", "open"] = "closed"
    cors: list[Annotated[str, AfterValidator(_origin)]] = []
    history: Annotated[Duration, Field(ge=DAY, le=3650 * DAY), AfterValidator(_whole_days)] = parse_duration("90d")
    limits: AskLimits = AskLimits()
    model: AskModel | None = None
