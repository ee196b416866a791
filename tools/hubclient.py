"""A client for a hub's query pages on loopback: Prometheus and Loki."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tools.errors import ToolError
from tools.net import without_proxy

_OPENER = without_proxy()


class Refused(ToolError):
    """The hub answered, but not with data. `message`: its error."""

    def __init__(self, sentence: str, message: str) -> None:
        super().__init__(sentence)
        self.message = message


def _message(body: str) -> str:
    """Prometheus wraps its message in JSON, Loki does not."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body


class HubClient:
    """`base` is the query side's address, such as http://127.0.0.1:8482. Every call raises ToolError if it does not
    answer within `timeout` seconds."""

    def __init__(self, base: str, timeout: float = 15) -> None:
        self._base, self._timeout = base, timeout

    def metrics(self, query: str, at: float | None = None) -> list[dict[str, Any]]:
        """An instant query: the series, each with `metric` and `value` [seconds, text]."""
        moment = {"time": str(at)} if at is not None else {}
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=query, **moment)["data"]["result"]
        return found

    def metric_range(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """A range query; times in seconds."""
        got = self.get("/api/v1/query_range", query=query, start=str(start), end=str(end), step=str(step))
        found: list[dict[str, Any]] = got["data"]["result"]
        return found

    def logs(
        self, query: str, start: float, end: float, limit: int = 100, forward: bool = False
    ) -> list[dict[str, Any]]:
        """Streams with their `values` [nanoseconds, line]; newest first unless `forward`."""
        got = self.get(
            "/loki/api/v1/query_range",
            query=query,
            start=str(int(start * 1e9)),
            end=str(int(end * 1e9)),
            limit=str(limit),
            direction="forward" if forward else "backward",
        )
        found: list[dict[str, Any]] = got["data"]["result"]
        return found

    def log_numbers(self, query: str) -> list[dict[str, Any]]:
        """A metric query over logs, now."""
        found: list[dict[str, Any]] = self.get("/loki/api/v1/query", query=query)["data"]["result"]
        return found

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer to a GET. Refused with the server's message if it answers with an error status."""
        url = f"{self._base}{path}?{urllib.parse.urlencode(query)}"
        try:
            with _OPENER.open(url, timeout=self._timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            body = error.read(4000).decode(errors="replace").strip()
            message = _message(body)[:300] or str(error.reason)
            raise Refused(f"{self._base}{path} answers {error.code}: {body[:300] or error.reason}", message) from None
        except TimeoutError:
            raise ToolError(f"{self._base}{path} has no answer within {self._timeout:g} s") from None
        except (OSError, ValueError) as error:
            raise ToolError(f"The hub does not answer at {self._base}: {getattr(error, 'reason', error)}") from None
