"""A client of DigitalOcean's API v2 for the digitalocean stand-in: requests, the vendor's retries, waiting.

Errors have the format of the vendor's client (godo): `POST https://...: 422 (request "id") message`. The client retries
after a 429, a server error and a failed connection, four times by default, after 1, 2, 4, ... seconds or the API's
Retry-After. If a 502 hid that a droplet was created, a retry creates a second one; so does the vendor's client.
The token is sent in a header only. The client does not follow redirects: another host could receive the token.

The vendor's plugin waits 10 s before it first polls a droplet or an action, then polls every 3 s to 10 s. This client
polls at once and then every second. The results are the same, but durations cannot be compared.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from localcloud.standins.plugins.digitalocean_errors import TOO_MANY, ApiError, answered
from localcloud.standins.plugins.provider import TIMEOUT, State
from localcloud.standins.plugins.server import Log

T = TypeVar("T")
ENDPOINT = "https://api.digitalocean.com"
TOKENS = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
RETRIES = {"httpRetryMax": 4.0, "httpRetryWaitMin": 1.0, "httpRetryWaitMax": 30.0}
LOOK = 1.0  # seconds between two polls
SAY = 10  # seconds after which the same state is logged again
ACTION = 3600  # seconds that an action may take
HANG = 120  # seconds without a byte after which a request counts as failed
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class Api:
    """A client of one account. `cancel` ends every wait with InterruptedError."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._cancelled = threading.Event()
        self._endpoint, self._token = ENDPOINT, ""
        self._retries = dict(RETRIES)
        self.spaces: dict[str, str] = {}
        self._opener = urllib.request.build_opener(_NoRedirects)

    def configure(self, config: State) -> None:
        """Takes the provider's settings, or else the environment variables that the vendor's plugin reads.

        Raises ValueError for an endpoint that is not a URL, and for a retry setting that is not a number.
        """
        endpoint = str(config.get("apiEndpoint") or os.environ.get("DIGITALOCEAN_API_URL") or ENDPOINT)
        url = urlsplit(endpoint)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(
                f"stand-in for digitalocean: apiEndpoint: expected an address such as {ENDPOINT}, got {endpoint!r}"
            )
        self._endpoint = endpoint.rstrip("/")
        self.spaces = {key: str(value) for key, value in config.items() if key.startswith("spaces") and value}
        self._token = str(config.get("token") or next((v for t in TOKENS if (v := os.environ.get(t))), ""))
        for key, name in (("httpRetryMax", "MAX"), ("httpRetryWaitMin", "WAIT_MIN"), ("httpRetryWaitMax", "WAIT_MAX")):
            found = config.get(key, os.environ.get(f"DIGITALOCEAN_HTTP_RETRY_{name}"))
            try:
                self._retries[key] = RETRIES[key] if found in (None, "") else float(found)
            except (TypeError, ValueError):
                raise ValueError(f"stand-in for digitalocean: {key}: expected a number, got {found!r}") from None
        # This machine's own addresses never use a proxy (as in Go, regardless of no_proxy).
        proxies = [urllib.request.ProxyHandler({})] if url.hostname in LOOPBACK else []
        self._opener = urllib.request.build_opener(_NoRedirects, *proxies)

    def cancel(self) -> None:
        self._cancelled.set()

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def find(self, path: str) -> Any:
        """Like get, but None if the resource does not exist."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.gone:
                return None
            raise

    def listed(self, path: str, key: str) -> Iterator[State]:
        """Everything in a list, page by page; `key`: its name in the answer."""
        page = 1
        while True:
            found = self.get(f"{path}?page={page}&per_page=200")
            yield from found[key]
            if not ((found.get("links") or {}).get("pages") or {}).get("next"):
                return
            page += 1

    def post(self, path: str, body: State) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: State) -> Any:
        return self.call("PUT", path, body)

    def delete(self, path: str, body: State | None = None) -> None:
        self.call("DELETE", path, body)

    def call(self, method: str, path: str, body: State | None = None) -> Any:
        """The body of the response. Raises ApiError for an error status, ConnectionError without a response."""
        where = f"{method} {self._endpoint}{path}"
        most = int(self._retries["httpRetryMax"]) + 1
        for attempt in range(1, most + 1):
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as answer:
                again = answer.code == TOO_MANY or (answer.code >= 500 and answer.code != 501)
                error: Exception = answered(where, answer, attempt if again else 1)
                wait = self._pause(attempt, answer)
            except (OSError, http.client.HTTPException) as problem:
                reason = getattr(problem, "reason", problem)
                again, wait = True, self._pause(attempt)
                error = ConnectionError(f"{where}: {reason}; giving up after {attempt} attempt(s)")
            if not again or attempt == most:
                raise error
            self._log.info(f"{error}".split("; giving up")[0] + f"; trying again in {wait:.0f} s")
            self.sleep(wait)
        raise AssertionError("the last attempt either returns or raises")

    def _once(self, method: str, path: str, body: State | None) -> Any:
        request = urllib.request.Request(
            self._endpoint + path, None if body is None else json.dumps(body).encode(), method=method
        )
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        with self._opener.open(request, timeout=HANG) as answer:
            content = answer.read()
        return json.loads(content) if content.strip() else None

    def _pause(self, attempt: int, answer: urllib.error.HTTPError | None = None) -> float:
        delay = answer.headers.get("Retry-After", "") if answer is not None and answer.code in (TOO_MANY, 503) else ""
        if delay.isdecimal():
            return float(delay)
        return min(self._retries["httpRetryWaitMin"] * 2.0 ** (attempt - 1), self._retries["httpRetryWaitMax"])

    def sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise InterruptedError("interrupted while waiting for DigitalOcean's API")

    def retry(self, seconds: float, attempt: Callable[[], T], again: Callable[[ApiError], bool]) -> T:
        """Retries errors that `again` accepts for `seconds`. Raises the ApiError that it does not retry."""
        end, pause = time.monotonic() + seconds, 0.5
        while True:
            try:
                return attempt()
            except ApiError as error:
                if not again(error) or time.monotonic() + pause > end:
                    raise
                self._log.info(f"{error.message}: trying again in {pause:.1f} s")
            self.sleep(pause)
            pause = min(pause * 2, 10)

    def wait(
        self, urn: str, what: str, look: Callable[[], str | None], target: str, pending: Collection[str], until: float
    ) -> None:
        """Polls until `look` returns `target`, and logs the state. None from `look`: the API does not show it yet.

        Raises RuntimeError for a state that is neither `target` nor in `pending`, or after `until` (monotonic seconds).
        """
        begun = logged = time.monotonic()
        last = ""
        while (found := look()) != target:
            now = time.monotonic()
            if found is not None and found not in pending:
                raise RuntimeError(f"unexpected state '{found}', wanted target '{target}'")
            if now > until:
                raise RuntimeError(
                    f"timeout while waiting for state to become '{target}' "
                    f"(last state: '{found or ''}', timeout: {now - begun:.0f}s)"
                )
            if found != last or now - logged >= SAY:
                self._log.info(f"{what}: {found or 'not ready'} ({now - begun:.0f} s)", urn, live=True)
                last, logged = found or "", now
            self.sleep(LOOK)

    def action(self, urn: str, what: str, action: State, path: str = "/v2/actions") -> None:
        """Waits until an action is completed. Raises RuntimeError if it fails."""

        def look() -> str:
            found = self.get(f"{path}/{action['id']}")["action"]
            return "completed" if found["completed_at"] and found["status"] != "errored" else str(found["status"])

        self.wait(urn, what, look, "completed", ("in-progress",), time.monotonic() + ACTION)


def limit(default: float) -> float:
    """The deadline (monotonic seconds) of the current operation, by the program's customTimeouts or the default."""
    return time.monotonic() + (TIMEOUT.get() or default)
