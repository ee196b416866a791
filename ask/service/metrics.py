"""The service's own metrics, and the internal port that serves them with a check of liveness."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

PORT = 8081
_without_created: Any = prometheus_client.disable_created_metrics  # without types
_without_created()  # one more series for each counter, which nothing reads
_SLOW = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
_FAST = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass
class Metrics:
    """One registry for each process, so that tests have their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        own = self.registry
        self.requests = Counter("http_requests_total", "HTTP requests.", ["method", "route", "status"], registry=own)
        self.request_time = Histogram(
            "http_request_duration_seconds", "Time of HTTP requests.", ["method", "route"], buckets=_FAST, registry=own
        )
        self.processing = Histogram(
            "query_processing_duration_seconds", "Time to answer a question.", ["cached"], buckets=_FAST, registry=own
        )
        self.hits = Counter("query_cache_hits_total", "Questions answered from the cache.", registry=own)
        self.misses = Counter("query_cache_misses_total", "Questions that were not in the cache.", registry=own)
        self.questions = Counter("ask_questions_total", "Questions by the result.", ["status"], registry=own)
        self.sign_ins = Counter("auth_attempts_total", "Attempts to sign in.", ["result"], registry=own)
        self.keys = Counter("api_key_validations_total", "API keys checked.", ["result"], registry=own)
        self.limited = Counter("rate_limit_exceeded_total", "Requests over a limit.", ["role"], registry=own)
        self.up = Gauge("ask_component_up", "Whether a component answers.", ["component"], registry=own)
        self.discovery = Histogram("ask_discovery_duration_seconds", "Time of a discovery.", registry=own)
        self.jobs = Counter("ask_jobs_total", "Jobs by their end.", ["state"], registry=own)
        self.unwritten = Counter("ask_history_lost_total", "Answers that are missing in the history.", registry=own)
        self._of_models(own)
        self._of_embeddings(own)
        for result in ("success", "failure", "limited"):
            self.sign_ins.labels(result)
        for result in ("valid", "invalid"):
            self.keys.labels(result)
        for role in ("user", "admin"):
            self.limited.labels(role)

    def _of_models(self, own: CollectorRegistry) -> None:
        """Without series until a language model is set (`ask.service.models`)."""
        self.llm_requests = Counter(
            "llm_requests_total", "Requests to the language model's provider.", ["provider"], registry=own
        )
        self.llm_errors = Counter(
            "llm_errors_total", "Requests that failed or were not sent.", ["provider", "reason"], registry=own
        )
        self.llm_tokens = Counter(
            "llm_token_usage_total", "Tokens that the provider reported.", ["provider", "direction"], registry=own
        )
        self.llm_time = Histogram(
            "llm_request_duration_seconds",
            "Time of requests to the provider.",
            ["provider"],
            buckets=_SLOW,
            registry=own,
        )
        self.llm_proposals = Counter(
            "llm_proposals_total", "Questions that the model was used for.", ["provider", "result"], registry=own
        )

    def _of_embeddings(self, own: CollectorRegistry) -> None:
        """Without series until a provider is set (`ask.service.embeddings`)."""
        self.embedding_requests = Counter(
            "embedding_requests_total", "Requests to the provider of embeddings.", ["provider"], registry=own
        )
        self.embedding_errors = Counter(
            "embedding_errors_total",
            "Requests for embeddings that failed or were not sent, and questions ranked without them.",
            ["provider", "reason"],
            registry=own,
        )
        self.embedding_time = Histogram(
            "embedding_request_duration_seconds",
            "Time of requests to the provider of embeddings.",
            ["provider"],
            buckets=_FAST,
            registry=own,
        )
        self.embedding_texts = Gauge(
            "embedding_texts", "Texts of the catalogue by the state of their embedding.", ["provider", "state"],
            registry=own,
        )  # fmt: skip


def serve(metrics: Metrics, address: str = "0.0.0.0", port: int = PORT) -> ThreadingHTTPServer:
    """Start the internal port. Stop it with `shutdown()`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, generate_latest(metrics.registry), CONTENT_TYPE_LATEST)
            elif self.path == "/-/healthy":
                self._send(200, b"healthy\n", "text/plain")
            else:
                self._send(404, b"There are /metrics and /-/healthy.\n", "text/plain")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a scrape each 15 seconds is not worth a line."""

    server = ThreadingHTTPServer((address, port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
