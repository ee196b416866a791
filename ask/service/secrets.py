"""Passwords, tokens and keys: how they are made, hashed and checked. Nothing here is stored in plain text."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

import bcrypt
import jwt

from ask.service import problems

KEY_PREFIX = "obs_ai_"
LEAST, MOST = 12, 72  # of a password: characters, bytes (bcrypt reads no more)
ROUNDS = 12
ACCESS_SECONDS = 24 * 3600
REFRESH_SECONDS = 7 * 24 * 3600
_ALGORITHM = "HS256"
# Compared with when there is no such user, so that the time of the answer does not reveal the names that exist.
_NOBODY = b"$2b$12$CwTycUXWue0Thq9StjUM0uJ8mJk4zGlZCDq7pSmHJbsk3LhgBjTqW"


def checked_password(text: str) -> str:
    """A new password that bcrypt uses in full. Raises Problem 422."""
    size = len(text.encode())
    if len(text) < LEAST:
        raise problems.invalid("password_short", f"The password has {len(text)} characters, expected at least {LEAST}.")
    if size > MOST:
        raise problems.invalid("password_long", f"The password has {size} bytes, at most {MOST} are used. Shorten it.")
    if "\x00" in text:
        raise problems.invalid("password_invalid", "The password contains a NUL character.")
    return text


def hashed(password: str) -> str:
    """The bcrypt hash of a checked password."""
    return bcrypt.hashpw(checked_password(password).encode(), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, stored: str | None) -> bool:
    """Whether a password has this hash; takes as long without one."""
    given = password.encode()
    if len(given) > MOST or b"\x00" in given:
        given, stored = b"", None
    found = bcrypt.checkpw(given, stored.encode() if stored else _NOBODY)
    return found and stored is not None


def digest(text: str) -> str:
    """The SHA-256 of a random token or key: long enough not to need a slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare without revealing by the time how much agrees."""
    return hmac.compare_digest(one.encode(), other.encode())


def new_key() -> str:
    """An API key."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_token() -> str:
    """A random part of a token, or the name of a session."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Signer:
    """Access tokens with the service's key."""

    key: str

    def access(self, session: str, user: str) -> str:
        """A token of a session, valid for a day."""
        now = int(time.time())
        claims = {"sid": session, "sub": user, "iat": now, "exp": now + ACCESS_SECONDS}
        return jwt.encode(claims, self.key, algorithm=_ALGORITHM)

    def session_of(self, token: str) -> str:
        """The session of a valid token. `iat` is not checked: a clock that was set back ends no session."""
        try:
            claims = jwt.decode(
                token,
                self.key,
                algorithms=[_ALGORITHM],
                options={"require": ["exp", "sid", "sub"], "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise problems.unauthorized("token_expired", "The token has expired. Refresh it.") from None
        except jwt.InvalidTokenError:
            raise problems.unauthorized("token_invalid", "The token is not valid. Sign in again.") from None
        return str(claims["sid"])
