"""One request to a provider over HTTP: bounded in time and size, without redirects and without this machine's proxies.

Error texts of the provider are neither shown nor logged: they may repeat parts of the key or of the question.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

LARGEST = 256 * 1024  # bytes of a response
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class Unavailable(Exception):
    """There is no response. The message is for the user; `reason` is a label of the metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Failed(Exception):
    """One attempt failed. `after`: seconds that the provider wants to pass before the next. `charged`: the provider may
    have done the work."""

    def __init__(self, problem: Unavailable, again: bool, after: float = 0.0, charged: bool = False) -> None:
        super().__init__(str(problem))
        self.problem, self.again, self.after, self.charged = problem, again, after, charged


@dataclass
class Sender:
    """Connections to one provider. Sentences about failures begin with `what`, those about what the provider refuses
    with `owner`; `timeout` is what they name, in seconds; `largest` bounds a response, in bytes."""

    what: str
    owner: str
    timeout: float
    largest: int = LARGEST

    def __post_init__(self) -> None:
        self._http = httpx.Client(trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> bytes:
        """The body of a response of status 200. Raises Failed."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Failed(self._late(), again=False)
        limits = httpx.Timeout(left, connect=min(5.0, left), pool=min(5.0, left))
        try:
            with self._http.stream("POST", url, headers=dict(headers), content=body, timeout=limits) as answer:
                if answer.status_code != 200:
                    raise self._refused(answer)
                return self._body(answer, deadline)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            raise Failed(self._late(), again=False, charged=True) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise Failed(Unavailable("unreachable", f"{self.what} cannot be reached"), again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            what = self.what[0].lower() + self.what[1:]
            problem = Unavailable("unreachable", f"The connection to {what} ended early")
            raise Failed(problem, again=True, charged=True) from None

    def _body(self, answer: httpx.Response, deadline: float) -> bytes:
        found = bytearray()
        for chunk in answer.iter_raw():
            found += chunk
            if len(found) > self.largest:
                problem = Unavailable("invalid", f"{self.what}'s response exceeds {self.largest // 1024} KiB")
                raise Failed(problem, again=False, charged=True)
            if time.monotonic() > deadline:
                raise Failed(self._late(), again=False, charged=True)
        return bytes(found)

    def _late(self) -> Unavailable:
        return Unavailable("timeout", f"{self.what} did not answer within {self.timeout:g} seconds")

    def _refused(self, answer: httpx.Response) -> Failed:
        """What a status other than 200 means."""
        status, owner = answer.status_code, self.owner
        after = answer.headers.get("retry-after", "")
        wait = float(after) if after.isdecimal() and len(after) < 6 else 0.0
        if status in {401, 403}:
            problem = Unavailable("credentials", f"{owner} does not accept the key (HTTP {status})")
        elif status == 404:
            problem = Unavailable("request", f"{owner} does not have the model (HTTP 404)")
        elif status == 429:
            problem = Unavailable("limited", f"{owner} limits the requests (HTTP 429)")
        elif status >= 500:
            problem = Unavailable("server", f"{owner} has an error (HTTP {status})")
        else:
            problem = Unavailable("request", f"{owner} refuses the request (HTTP {status})")
        return Failed(problem, again=status in _AGAIN, after=wait)
