"""Who is asking: the one admin, by basic auth or by the cookie of a log-in. Sessions live in memory only."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
import time
from http.cookies import CookieError, SimpleCookie

from .config import Config

COOKIE = "grafana_session"
LIFETIME = 24 * 3600
MOST = 1000


class Auth:
    """Checks in constant time; never keeps or logs what was tried."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._secure = config.root_url.startswith("https://")
        self._sessions: dict[str, float] = {}
        self._lock = threading.Lock()

    def matches(self, user: str, password: str) -> bool:
        name = hmac.compare_digest(user.encode(), self._config.admin_user.encode())
        secret = hmac.compare_digest(password.encode(), self._config.admin_password.encode())
        return name and secret

    def basic(self, header: str) -> bool | None:
        """None when the header is no basic auth at all."""
        kind, _, rest = header.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self.matches(user, password)

    def open_session(self) -> str:
        """A Set-Cookie value."""
        token, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            alive = [(t, end) for t, end in self._sessions.items() if end > now][-MOST + 1 :]
            self._sessions = {**dict(alive), token: now + LIFETIME}
        return self._cookie(token, LIFETIME)

    def close_session(self, header: str) -> str:
        with self._lock:
            self._sessions.pop(self._token(header), None)
        return self._cookie("", 0)

    def has_session(self, header: str) -> bool:
        with self._lock:
            return self._sessions.get(self._token(header), 0.0) > time.monotonic()

    def _cookie(self, token: str, age: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    @staticmethod
    def _token(header: str) -> str:
        try:
            morsel = SimpleCookie(header).get(COOKIE)
        except CookieError:
            return ""
        return morsel.value if morsel else ""
