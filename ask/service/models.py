"""The language model of the settings: its client, its budget, and its metrics."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ask.model.advisor import Advisor
from ask.model.client import Client
from ask.model.protocol import Endpoint
from ask.service import config
from ask.service.budget import Stored
from ask.service.metrics import Metrics

REASONS = (
    "unreachable", "timeout", "credentials", "limited", "server", "request", "invalid", "paused", "budget", "busy",
    "internal",
)  # fmt: skip
RESULTS = ("accepted", "rejected", "none", "unavailable")


@dataclass(frozen=True)
class Observed:
    """What the client reports, as metrics of one provider. Every series exists from the start."""

    metrics: Metrics
    provider: str

    def __post_init__(self) -> None:
        own, provider = self.metrics, self.provider
        own.llm_requests.labels(provider)
        own.llm_time.labels(provider)
        for reason in REASONS:
            own.llm_errors.labels(provider, reason)
        for direction in ("input", "output"):
            own.llm_tokens.labels(provider, direction)
        for result in RESULTS:
            own.llm_proposals.labels(provider, result)

    def request(self, seconds: float) -> None:
        """A request ended."""
        self.metrics.llm_requests.labels(self.provider).inc()
        self.metrics.llm_time.labels(self.provider).observe(seconds)

    def error(self, reason: str) -> None:
        """A request failed, or was not sent."""
        self.metrics.llm_errors.labels(self.provider, reason).inc()

    def tokens(self, sent: int, received: int) -> None:
        """A response reported its tokens."""
        self.metrics.llm_tokens.labels(self.provider, "input").inc(sent)
        self.metrics.llm_tokens.labels(self.provider, "output").inc(received)

    def proposal(self, result: str) -> None:
        """A question that the model was used for ended."""
        self.metrics.llm_proposals.labels(self.provider, result).inc()


def advisor(settings: config.Model | None, pool: sa.Engine, metrics: Metrics) -> Advisor | None:
    """None without a model. Raises ConfigError for a key that cannot be read."""
    if settings is None:
        return None
    key = config.secret(settings.key_file) if settings.key_file is not None else ""
    endpoint = Endpoint(settings.provider, settings.name, settings.base_url, key)
    observed = Observed(metrics, settings.provider)
    client = Client(endpoint, Stored(pool, settings.daily_tokens), observed, settings.timeout)
    return Advisor(client, settings.share_label_values)
