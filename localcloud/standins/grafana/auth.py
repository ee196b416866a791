"""Who is asking: the one admin, by basic auth or by the cookie of a log-in."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from .config import Config
from .sessions import Sessions

COOKIE = "grafana_session"
LIFETIME = 24 * 3600


class Auth:
    """Checks in constant time; never keeps or logs what was tried."""

    def __init__(self, config: Config, sessions: Sessions) -> None:
        self._config, self.sessions = config, sessions
        self._secure = config.root_url.startswith("https://")

    def matches(self, user: str, password: str) -> bool:
        """Raises DatabaseAway where the real Grafana could not compare them."""
        self.sessions.ping()
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
        token = secrets.token_urlsafe(32)
        self.sessions.add(token, LIFETIME)
        return self._cookie(token, LIFETIME)

    def close_session(self, header: str) -> str:
        self.sessions.remove(self._token(header))
        return self._cookie("", 0)

    def has_session(self, header: str) -> bool:
        return self.sessions.alive(self._token(header))

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
