"""Administrators' view of users and API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ask.service import database, problems, secrets
from ask.service.accounts import Accounts, Caller, lock
from ask.service.tables import api_keys, query_history, users

_SHOWN = [one for one in api_keys.c if one.name != "digest"]
_USERS = [one for one in users.c if one.name != "password_hash"]


@dataclass(frozen=True)
class Keys:
    """Keys are shown when they are made and never again: the database has their SHA-256."""

    pool: sa.Engine
    accounts: Accounts

    def all(self) -> list[dict[str, Any]]:
        """Every key with its user, without its digest."""
        query = sa.select(*_SHOWN, users.c.name.label("user")).join(users, users.c.id == api_keys.c.user_id)
        with database.transaction(self.pool) as connection:
            return [dict(one) for one in connection.execute(query.order_by(api_keys.c.created_at)).mappings()]

    def create(self, user: str, name: str, days: int | None, per_hour: int | None) -> dict[str, Any]:
        """A new key of a user, in plain text in this result alone."""
        key = secrets.new_key()
        expires = datetime.now(timezone.utc) + timedelta(days=days) if days else None
        values = {"name": name, "prefix": key[:12], "digest": secrets.digest(key), "per_hour": per_hour}
        with database.transaction(self.pool) as connection:
            owner = connection.execute(sa.select(users.c.id).where(users.c.name == user)).scalar()
            if owner is None:
                raise problems.not_found(f"There is no user {user}.")
            insert = api_keys.insert().values(values | {"user_id": owner, "expires_at": expires}).returning(*_SHOWN)
            made = dict(connection.execute(insert).mappings().one())
        return made | {"user": user, "key": key}

    def change(self, key: UUID, changes: dict[str, Any]) -> dict[str, Any]:
        """New name, end or limit."""
        if not changes:
            raise problems.invalid("nothing_changed", "Nothing is to be changed: send name, expires_at or per_hour.")
        ends = changes.get("expires_at")
        if ends is not None and ends.tzinfo is None:
            raise problems.invalid("time_without_zone", "expires_at: expected a time with its zone.")
        update = api_keys.update().where(api_keys.c.id == key).values(changes).returning(*_SHOWN)
        with database.transaction(self.pool) as connection:
            found = connection.execute(update).mappings().first()
        if found is None:
            raise problems.not_found("There is no such key.")
        return dict(found)

    def revoke(self, key: UUID) -> None:
        """From the next request on the key is refused."""
        update = api_keys.update().where(api_keys.c.id == key)
        update = update.values(revoked_at=sa.func.coalesce(api_keys.c.revoked_at, sa.func.now()))
        with database.transaction(self.pool) as connection:
            if connection.execute(update).rowcount == 0:
                raise problems.not_found("There is no such key.")

    def users(self) -> list[dict[str, Any]]:
        """Every user, without the password's hash."""
        with database.transaction(self.pool) as connection:
            return [dict(one) for one in connection.execute(sa.select(*_USERS).order_by(users.c.name)).mappings()]

    def change_user(self, user: UUID, changes: dict[str, Any]) -> dict[str, Any]:
        """New password, role or state. Every session of the user ends. The last administrator stays one."""
        if not changes:
            raise problems.invalid("nothing_changed", "Nothing is to be changed: send password, role or active.")
        if "password" in changes:
            changes = {**changes, "password_hash": secrets.hashed(changes["password"])}
            del changes["password"]
        update = users.update().where(users.c.id == user).values(changes).returning(*_USERS)
        with database.transaction(self.pool) as connection:
            lock(connection)
            found = connection.execute(update).mappings().first()
            if found is None:
                raise problems.not_found("There is no such user.")
            _keep_admin(connection)
            self.accounts.end_sessions(user, connection)  # before the commit: without the Store nothing is changed
        return dict(found)

    def delete_user(self, user: UUID) -> None:
        """With keys and history. The audit keeps the name until the retention ends."""
        with database.transaction(self.pool) as connection:
            lock(connection)
            if connection.execute(users.delete().where(users.c.id == user)).rowcount == 0:
                raise problems.not_found("There is no such user.")
            _keep_admin(connection)
            self.accounts.end_sessions(user, connection)

    def change_password(self, caller: Caller, old: str, new: str) -> None:
        """Of the caller, who proves to know the old one, in as few attempts as to sign in. Every session ends."""
        self.accounts.attempt(f"sign-in:name:{caller.name}")
        with database.transaction(self.pool) as connection:
            stored = connection.execute(sa.select(users.c.password_hash).where(users.c.id == caller.user)).scalar()
        if not secrets.matches(old, stored):
            raise problems.Problem(403, "credentials_invalid", "The present password is not right.")
        self.change_user(caller.user, {"password": new})
        self.accounts.store.clear_window(f"sign-in:name:{caller.name}")

    def usage(self, user: UUID, days: int) -> dict[str, Any]:
        """Questions of a user for each day, by result."""
        day = sa.func.date_trunc("day", query_history.c.asked_at).label("day")
        counts = [
            sa.func.count().label("questions"),
            sa.func.count().filter(query_history.c.cached).label("cached"),
            sa.func.count().filter(query_history.c.status == "abstained").label("abstained"),
            sa.func.coalesce(sa.func.avg(query_history.c.seconds), 0).label("mean_seconds"),
        ]
        since = sa.func.now() - sa.func.make_interval(0, 0, 0, days)
        query = sa.select(day, *counts).where(query_history.c.user_id == user, query_history.c.asked_at > since)
        with database.transaction(self.pool) as connection:
            name = connection.execute(sa.select(users.c.name).where(users.c.id == user)).scalar()
            if name is None:
                raise problems.not_found("There is no such user.")
            found = [dict(one) for one in connection.execute(query.group_by(day).order_by(day)).mappings()]
        return {"user": name, "days": found, "questions": sum(one["questions"] for one in found)}


def _keep_admin(connection: sa.Connection) -> None:
    """Raises Problem 409 if no active administrator is left; the transaction is undone."""
    query = sa.select(users.c.id).where(users.c.role == "admin", users.c.active).limit(1)
    if connection.execute(query).first() is None:
        raise problems.Problem(409, "last_admin", "This is the last active administrator. Make another one first.")
