"""Users, sessions and API keys. Sessions are in the Store, so that each ends at once; users and keys in PostgreSQL."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ask.service import config, database, problems, secrets
from ask.service.store import Store
from ask.service.tables import api_keys, users

SIGN_IN_WINDOW = 900
USED_SECONDS = 60  # that a used refresh token is known besides the session, which has the next one then


@dataclass(frozen=True)
class Caller:
    """Who sends a request, by a session or by a key."""

    user: UUID
    name: str
    role: str
    session: str = ""
    key: UUID | None = None
    per_hour: int | None = None

    @property
    def is_admin(self) -> bool:
        """Whether administrators' routes are open."""
        return self.role == "admin"


@dataclass(frozen=True)
class Tokens:
    """What signing in gives."""

    access: str
    refresh: str

    def document(self) -> dict[str, object]:
        """As JSON, with the names of OAuth 2."""
        return {
            "access_token": self.access,
            "refresh_token": self.refresh,
            "token_type": "bearer",
            "expires_in": secrets.ACCESS_SECONDS,
        }


def lock(connection: sa.Connection) -> None:
    """Keep the administrators as they are found: another replica changes no user meanwhile."""
    connection.execute(sa.text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


@dataclass(frozen=True)
class Accounts:
    """Signing in and out, and who a token or a key belongs to."""

    pool: sa.Engine
    store: Store
    signer: secrets.Signer
    limits: config.RateLimits

    def first_admin(self, name: str, password: str) -> bool:
        """Create the administrator if there is none; True if it was created."""
        with database.transaction(self.pool) as connection:
            lock(connection)
            if connection.execute(sa.select(users.c.id).where(users.c.role == "admin").limit(1)).first():
                return False
            values = {"name": name, "password_hash": secrets.hashed(password), "role": "admin"}
            connection.execute(users.insert().values(values))
        return True

    def create(self, name: str, password: str, role: str = "user") -> UUID:
        """A new user. Raises Problem 409 for a name that is taken."""
        values = {"name": name, "password_hash": secrets.hashed(password), "role": role}
        with database.transaction(self.pool) as connection:
            taken = connection.execute(sa.select(users.c.id).where(users.c.name == name)).first()
            if taken is None:
                try:
                    made: UUID = connection.execute(users.insert().values(values).returning(users.c.id)).scalar_one()
                    return made
                except sa.exc.IntegrityError:
                    pass
        raise problems.Problem(409, "name_taken", f"There is a user {name} already. Choose another name.")

    def attempt(self, what: str) -> str:
        """Count an attempt to guess or to register; its name in the window. Raises Problem 429 or 503."""
        one = secrets.new_token()
        window = self.store.window(what, SIGN_IN_WINDOW, self.limits.sign_ins, one)
        if not window.allowed:
            message = f"Too many attempts. Try again in {window.reset} seconds."
            raise problems.Problem(429, "too_many_attempts", message, {"Retry-After": str(window.reset)})
        return one

    def sign_in(self, name: str, password: str, address: str) -> Tokens:
        """Check the password. Attempts are limited by address, then by name: an address that is refused uses up no
        attempts of others' names. A success takes back its own attempt alone. Raises Problem 401, 429 or 503."""
        by_address, by_name = f"sign-in:address:{address}", f"sign-in:name:{name[:64]}"
        one = self.attempt(by_address)
        self.attempt(by_name)
        with database.transaction(self.pool) as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name, users.c.active)).mappings().first()
        if not secrets.matches(password, row["password_hash"] if row else None) or row is None:
            raise _not_right()
        with database.transaction(self.pool) as connection:
            # Locks the user: who changes it now ends this session, and what was changed since it was read refuses it.
            same = [users.c[column] == row[column] for column in ("id", "password_hash", "role", "active")]
            if connection.execute(users.update().where(*same).values(signed_in_at=sa.func.now())).rowcount == 0:
                raise _not_right()
            store = self.store.within(connection)
            tokens = self._session(store, row["id"], row["name"], row["role"], secrets.new_token())
        self.store.clear_window(by_name)
        self.store.leave(f"limit:{by_address}", one)
        return tokens

    def _session(self, store: Store, user: UUID, name: str, role: str, session: str) -> Tokens:
        """Write the session with a new refresh token."""
        refresh = f"{session}.{secrets.new_token()}"
        document = {"user": str(user), "name": name, "role": role, "refresh": secrets.digest(refresh)}
        # The set first: a session that is in no set could not be ended with the others of its user.
        store.remember(f"sessions:{user}", session, secrets.REFRESH_SECONDS)
        store.put(f"session:{session}", document, secrets.REFRESH_SECONDS)
        return Tokens(self.signer.access(session, str(user)), refresh)

    def refresh(self, token: str) -> Tokens:
        """New tokens for a refresh token, which is used up. An old one ends the session: it was stolen or copied."""
        session, digest = token.partition(".")[0], secrets.digest(token)
        user = UUID(self._open(self.store, session)["user"])
        with database.transaction(self.pool) as connection:
            # Who changes the user now waits, then ends this session; what was ended before is not written again.
            connection.execute(sa.select(users.c.id).where(users.c.id == user).with_for_update(read=True))
            store = self.store.within(connection)
            found = self._open(store, session)
            first = store.put(f"refreshed:{digest}", {"at": time.time()}, USED_SECONDS, only_new=True)
            if first and secrets.same(digest, str(found["refresh"])):
                return self._session(store, user, found["name"], found["role"], session)
            store.delete(f"session:{session}")
        raise problems.unauthorized("refresh_reused", "The refresh token was used before. Sign in again.")

    def _open(self, store: Store, session: str) -> dict[str, Any]:
        found = store.get(f"session:{session}")
        if found is None:
            raise problems.unauthorized("session_ended", "The session has ended. Sign in again.")
        return found

    def sign_out(self, caller: Caller) -> None:
        """End the session at once, also while its tokens are refreshed."""
        if not caller.session:
            return
        self.store.delete(f"session:{caller.session}")
        with database.transaction(self.pool) as connection:
            # A refresh that found the session before would write it again: after it, the session ends once more.
            connection.execute(sa.select(users.c.id).where(users.c.id == caller.user).with_for_update())
            self.store.within(connection).delete(f"session:{caller.session}")

    def end_sessions(self, user: UUID, connection: sa.Connection) -> None:
        """End every session of a user, before the caller's transaction is committed."""
        store = self.store.within(connection)
        for session in store.members(f"sessions:{user}"):
            store.delete(f"session:{session}")

    def of_token(self, token: str) -> Caller:
        """The caller of an access token. Raises Problem 401 or 503."""
        session = self.signer.session_of(token)
        found = self._open(self.store, session)
        return Caller(UUID(found["user"]), str(found["name"]), str(found["role"]), session=session)

    def of_key(self, key: str) -> Caller:
        """The caller of an API key. Raises Problem 401 or 503."""
        query = sa.select(api_keys, users.c.name.label("user_name"), users.c.role, users.c.active)
        query = query.join(users, users.c.id == api_keys.c.user_id)
        with database.transaction(self.pool) as connection:
            row = connection.execute(query.where(api_keys.c.digest == secrets.digest(key))).mappings().first()
            if row is None or not row["active"]:
                raise problems.unauthorized("key_invalid", "The API key is not valid.")
            if row["revoked_at"] is not None:
                raise problems.unauthorized("key_revoked", "The API key was revoked. Use another one.")
            now = datetime.now(timezone.utc)
            if row["expires_at"] is not None and row["expires_at"] <= now:
                raise problems.unauthorized("key_expired", f"The API key expired on {row['expires_at']:%Y-%m-%d}.")
            if row["used_at"] is None or now - row["used_at"] > timedelta(minutes=1):
                connection.execute(api_keys.update().where(api_keys.c.id == row["id"]).values(used_at=now))
        return Caller(row["user_id"], row["user_name"], row["role"], key=row["id"], per_hour=row["per_hour"])


def _not_right() -> problems.Problem:
    """The same for a name without an account and for a wrong password."""
    return problems.unauthorized("credentials_invalid", "The name or the password is not right.")
