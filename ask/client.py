"""The hub's query API: GET requests to a fixed list of paths of Prometheus and Loki, nothing else. Each request and
each answer is bounded, in time and in size."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

_PATHS = ("/api/v1/", "/loki/api/v1/")
LATE = "did not answer within"  # in the sentence of a store that is too slow
LARGEST = 32 * 1024**2  # bytes of an answer
_TOO_MUCH = re.compile(
    r"too many samples|maximum of series|query would (?:read|fetch)|too many (?:chunks|series|outstanding)"
    r"|max entries limit|query (?:time range|length) exceeds"
)


class Away(Exception):
    """A store does not answer, or answers with an error: which one and why."""


class TooMuch(Away):
    """A query reads more than the store allows, or its answer is too large."""


class Rejected(Away):
    """A store finds a mistake in the query."""


def _parameters(params: list[tuple[str, str]]) -> httpx.QueryParams:
    found = httpx.QueryParams()
    for key, value in params:
        found = found.add(key, value)
    return found


@dataclass
class Hub:
    """`prometheus` and `loki` are base addresses; one address serves both where a proxy does.

    A tenant is sent as X-Scope-OrgID, as Mimir and a Loki with several tenants expect it.
    """

    prometheus: str
    loki: str
    timeout: float = 30.0
    tenant: str | None = None
    loki_tenant: str | None = None
    _client: httpx.Client = field(init=False, repr=False)
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=self.timeout, trust_env=False, follow_redirects=False)

    def transport(self, transport: httpx.BaseTransport) -> None:
        """Send requests by another transport, as tests do."""
        self._client = httpx.Client(timeout=self.timeout, trust_env=False, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """All requests of this thread together end within this time."""
        before = getattr(self._local, "deadline", None)
        self._local.deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._local.deadline = before

    def get(self, base: str, path: str, params: list[tuple[str, str]], patience: float | None = None) -> Any:
        """The `data` of an answer; None if there is none: Loki leaves it out where a label has no values."""
        name, status, document = self._document(base, path, params, patience)
        if status != 200 or document.get("status") != "success":
            reason = str(document.get("error", status))
            kind = TooMuch if _TOO_MUCH.search(reason) else Rejected if status in {400, 422} else Away
            raise kind(f"{name} refuses the query: {reason}")
        return document.get("data")

    def _document(
        self, base: str, path: str, params: list[tuple[str, str]], patience: float | None = None
    ) -> tuple[str, int, dict[str, Any]]:
        """The store's name, the status and the JSON object."""
        if not path.startswith(_PATHS):
            raise Away(f"{path} is not a path of the query API")
        name = "Loki" if path.startswith("/loki") else "Prometheus"
        tenant = self.loki_tenant if name == "Loki" else self.tenant
        headers = {"X-Scope-OrgID": tenant} if tenant else {}
        status, body = self._body(name, base.rstrip("/") + path, _parameters(params), headers, patience)
        try:
            document = json.loads(body.decode(errors="replace"))
        except (ValueError, RecursionError):
            document = {"error": body[:300].decode(errors="replace")}
        if not isinstance(document, dict):
            raise Away(f"{name} answers {status} and no JSON object")
        return name, status, document

    def _body(
        self, name: str, url: str, params: httpx.QueryParams, headers: dict[str, str], patience: float | None
    ) -> tuple[int, bytes]:
        """Read in parts, so that a store that sends a byte now and then is late as well."""
        seconds = self.timeout if patience is None else patience
        deadline = getattr(self._local, "deadline", None)
        left = seconds if deadline is None else min(seconds, deadline - time.monotonic())
        span = f"{seconds:.0f} seconds" if left == seconds else "the time that a question may take"
        late = Away(f"{name} {LATE} {span}.")
        if left <= 0:
            raise late
        end, body = time.monotonic() + left, bytearray()
        try:
            with self._client.stream("GET", url, params=params, headers=headers, timeout=left) as answer:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise TooMuch(f"The answer of {name} exceeds {LARGEST // 1024**2} MB.")
                    if time.monotonic() > end:
                        raise late
                return answer.status_code, bytes(body)
        except httpx.TimeoutException:
            raise late from None
        except httpx.HTTPError as problem:
            raise Away(f"{name} does not answer: {type(problem).__name__}") from None

    def result(self, base: str, path: str, params: list[tuple[str, str]]) -> dict[str, Any]:
        """The `data` of a query, which has a result."""
        data = self.get(base, path, params)
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise Away(f"{'Loki' if path.startswith('/loki') else 'Prometheus'} answers without a result")
        return data

    def values(self, label: str, start: float, end: float, limit: int) -> list[str]:
        """The values of a label of metrics."""
        span = [("start", f"{start:.0f}"), ("end", f"{end:.0f}"), ("limit", str(limit))]
        found: list[str] = self.get(self.prometheus, f"/api/v1/label/{label}/values", span) or []
        return found

    def log_values(self, label: str, start: float, end: float) -> list[str]:
        """The values of a label of log streams."""
        span = [("start", str(int(start * 1e9))), ("end", str(int(end * 1e9)))]
        found: list[str] = self.get(self.loki, f"/loki/api/v1/label/{label}/values", span) or []
        return found

    def series(self, matches: list[str], start: float, end: float, limit: int) -> list[dict[str, str]]:
        """The label sets of the series that any of the selectors matches."""
        params = [("match[]", one) for one in matches]
        params += [("start", f"{start:.0f}"), ("end", f"{end:.0f}"), ("limit", str(limit))]
        found: list[dict[str, str]] = self.get(self.prometheus, "/api/v1/series", params) or []
        return found

    def log_bytes(self, selector: str, start: float, end: float) -> int:
        """How many bytes of log lines a query has to read, by Loki's index."""
        span = [("query", selector), ("start", str(int(start * 1e9))), ("end", str(int(end * 1e9)))]
        _, status, document = self._document(self.loki, "/loki/api/v1/index/stats", span)
        if status != 200:
            raise Away(f"Loki refuses the query: {document.get('error', status)}")
        return int(document.get("bytes") or 0)

    def parses(self, query: str) -> str:
        """Why Prometheus itself does not accept a query; empty if it does, or has no such page: Thanos Query has none,
        and refuses the query when it is executed."""
        _, status, document = self._document(self.prometheus, "/api/v1/parse_query", [("query", query)])
        if status == 400 and document.get("status") == "error":
            return str(document.get("error", "it is not valid"))
        return ""

    def instant(self, query: str, at: float, logs: bool = False) -> list[dict[str, Any]]:
        """The series of an instant query, each with `metric` and `value`."""
        base, path = (self.loki, "/loki/api/v1/query") if logs else (self.prometheus, "/api/v1/query")
        moment = str(int(at * 1e9)) if logs else f"{at:.3f}"
        data = self.result(base, path, [("query", query), ("time", moment)])
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return [one for one in data["result"] if "value" in one]  # not those of native histograms

    def range(self, query: str, start: float, end: float, step: float, logs: bool = False) -> list[dict[str, Any]]:
        """The series of a range query, each with `metric` and `values`."""
        base, path = (self.loki, "/loki/api/v1/query_range") if logs else (self.prometheus, "/api/v1/query_range")
        span = [("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", f"{step:.0f}")]
        return [one for one in self.result(base, path, [("query", query), *span])["result"] if "values" in one]

    def lines(self, query: str, start: float, end: float, limit: int) -> list[dict[str, Any]]:
        """Log streams with their newest lines."""
        params = [("query", query), ("start", str(int(start * 1e9))), ("end", str(int(end * 1e9)))]
        params += [("limit", str(limit)), ("direction", "backward")]
        found: list[dict[str, Any]] = self.result(self.loki, "/loki/api/v1/query_range", params)["result"]
        return found
