"""The hub's query API: GET requests to a fixed list of paths of Prometheus and Loki, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

_PATHS = ("/api/v1/", "/loki/api/v1/")


class Away(Exception):
    """A store does not answer, or answers with an error: which one and why."""


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

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=self.timeout, trust_env=False, follow_redirects=False)

    def transport(self, transport: httpx.BaseTransport) -> None:
        """Send requests by another transport, as tests do."""
        self._client = httpx.Client(timeout=self.timeout, trust_env=False, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, base: str, path: str, params: list[tuple[str, str]]) -> Any:
        """The `data` of an answer; None if there is none: Loki leaves it out where a label has no values."""
        if not path.startswith(_PATHS):
            raise Away(f"{path} is not a path of the query API")
        name = "Loki" if path.startswith("/loki") else "Prometheus"
        tenant = self.loki_tenant if name == "Loki" else self.tenant
        headers = {"X-Scope-OrgID": tenant} if tenant else {}
        try:
            answer = self._client.get(base.rstrip("/") + path, params=_parameters(params), headers=headers)
        except httpx.HTTPError as problem:
            raise Away(f"{name} does not answer: {type(problem).__name__}") from None
        try:
            document = answer.json()
        except ValueError:
            document = {"error": answer.text[:300]}
        if not isinstance(document, dict):
            raise Away(f"{name} answers {answer.status_code} and no JSON object")
        if answer.status_code != 200 or document.get("status") != "success":
            raise Away(f"{name} refuses the query: {document.get('error', answer.status_code)}")
        return document.get("data")

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

    def instant(self, query: str, at: float, logs: bool = False) -> list[dict[str, Any]]:
        """The series of an instant query, each with `metric` and `value`."""
        base, path = (self.loki, "/loki/api/v1/query") if logs else (self.prometheus, "/api/v1/query")
        moment = str(int(at * 1e9)) if logs else f"{at:.3f}"
        data = self.result(base, path, [("query", query), ("time", moment)])
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        found: list[dict[str, Any]] = data["result"]
        return found

    def range(self, query: str, start: float, end: float, step: float, logs: bool = False) -> list[dict[str, Any]]:
        """The series of a range query, each with `metric` and `values`."""
        base, path = (self.loki, "/loki/api/v1/query_range") if logs else (self.prometheus, "/api/v1/query_range")
        span = [("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", f"{step:.0f}")]
        found: list[dict[str, Any]] = self.result(base, path, [("query", query), *span])["result"]
        return found

    def lines(self, query: str, start: float, end: float, limit: int) -> list[dict[str, Any]]:
        """Log streams with their newest lines."""
        params = [("query", query), ("start", str(int(start * 1e9))), ("end", str(int(end * 1e9)))]
        params += [("limit", str(limit)), ("direction", "backward")]
        found: list[dict[str, Any]] = self.result(self.loki, "/loki/api/v1/query_range", params)["result"]
        return found
