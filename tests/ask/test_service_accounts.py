"""Users, sessions, keys and limits over HTTP."""

from __future__ import annotations

import secrets as random
from collections.abc import Iterator

import pytest

from ask.service import secrets
from ask.service.problems import Problem
from tests.ask import conftest, stage
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage

PASSWORD = "a password of length"
LIMITS = {"user_per_hour": 3, "admin_per_hour": 500, "sign_ins": 5}


@pytest.fixture(scope="module")
def database(postgres: Server) -> str:
    return stage.fresh_database(postgres)


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server, database: str) -> Iterator[Stage]:
    with stage.replica(postgres, valkey, database, limits=LIMITS, registration="open") as found:
        yield found


@pytest.fixture
def admin(made: Stage) -> dict[str, str]:
    return made.token()


def _user(made: Stage, admin: dict[str, str], role: str = "user") -> tuple[str, str]:
    """The id and name of a new user."""
    name = f"user-{random.token_hex(4)}"
    body = {"name": name, "password": PASSWORD, "role": role}
    found = made.client.post("/ask/api/v1/admin/users", json=body, headers=admin)
    assert found.status_code == 201, found.text
    return found.json()["id"], name


def _key(made: Stage, admin: dict[str, str], **body: str | int) -> dict[str, str]:
    found = made.client.post("/ask/api/v1/admin/api-keys", json={"name": "robot", **body}, headers=admin)
    assert found.status_code == 201, found.text
    document: dict[str, str] = found.json()
    return document


def test_passwords_that_bcrypt_would_cut_are_refused(made: Stage) -> None:
    for password, text in (("é" * 37, "74 bytes, at most 72"), ("short", "at least 12"), ("x" * 12 + "\0", "NUL")):
        body = {"name": "eve", "password": password}
        found = made.client.post("/ask/auth/register", json=body)
        assert found.status_code == 422
        assert text in found.json()["message"]
    assert secrets.matches("x" * 72, secrets.hashed("x" * 72))
    assert not secrets.matches("x" * 73, secrets.hashed("x" * 72))
    with pytest.raises(Problem, match="at most 72"):
        secrets.hashed("x" * 73)


def test_hashes_are_slow_to_guess() -> None:
    assert conftest.ROUNDS >= 12


def test_a_name_is_taken_once_and_has_a_form(made: Stage, admin: dict[str, str]) -> None:
    _, name = _user(made, admin)
    found = made.client.post("/ask/auth/register", json={"name": name, "password": PASSWORD})
    assert (found.status_code, found.json()["error"]) == (409, "name_taken")
    for wrong in ("", "Eve", "a b", "<b>", "x" * 64, "'; DROP TABLE users; --"):
        found = made.client.post("/ask/auth/register", json={"name": wrong, "password": PASSWORD})
        assert found.status_code == 422, wrong


def test_wrong_credentials_have_one_message_and_are_limited(made: Stage, admin: dict[str, str]) -> None:
    _, name = _user(made, admin)
    messages = set()
    for who in (name, "nobody-of-this-name"):
        found = made.client.post("/ask/auth/login", json={"name": who, "password": "wrong"})
        assert found.status_code == 401
        messages.add(found.text)
    assert len(messages) == 1, "the answer does not reveal which names exist"
    for _ in range(5):
        found = made.client.post("/ask/auth/login", json={"name": name, "password": "wrong"})
    assert (found.status_code, found.json()["error"]) == (429, "too_many_attempts")
    assert int(found.headers["Retry-After"]) > 0
    for key in (f"sign-in:name:{name}", "sign-in:address:198.51.100.7"):
        made.service.store.clear_window(key)


def test_a_refresh_token_works_once_and_a_copied_one_ends_the_session(made: Stage) -> None:
    tokens = made.client.post("/ask/auth/login", json={"name": "admin", "password": ADMIN}).json()
    old = {"refresh_token": tokens["refresh_token"]}
    new = made.client.post("/ask/auth/refresh", json=old)
    assert new.status_code == 200
    headers = {"Authorization": f"Bearer {new.json()['access_token']}"}
    assert made.client.get("/ask/api/v1/history", headers=headers).status_code == 200
    found = made.client.post("/ask/auth/refresh", json=old)
    assert (found.status_code, found.json()["error"]) == (401, "refresh_reused")
    assert made.client.get("/ask/api/v1/history", headers=headers).json()["error"] == "session_ended"
    found = made.client.post("/ask/auth/refresh", json={"refresh_token": "nonsense"})
    assert found.json()["error"] == "session_ended"


def test_administrators_routes_refuse_users(made: Stage, admin: dict[str, str]) -> None:
    _, name = _user(made, admin)
    headers = made.token(name, PASSWORD)
    paths = made.client.get("/ask/openapi.json").json()["paths"]
    tried = 0
    for path, operations in paths.items():
        for method in operations:
            if "/admin/" in path:
                place = path.replace("{key}", str(random.token_hex(16))).replace("{user}", str(random.token_hex(16)))
                found = made.client.request(method, place, headers=headers, json={"name": "x", "password": PASSWORD})
                assert found.status_code in {403, 422}, (method, path)
                assert found.status_code == 403 or "key" in path or "user" in path
                tried += found.status_code == 403
    assert tried >= 8


def test_every_route_needs_credentials(made: Stage) -> None:
    open_routes = {"/ask/health", "/ask/api/v1/health", "/ask/auth/register", "/ask/auth/login", "/ask/auth/refresh"}
    for path, operations in made.client.get("/ask/openapi.json").json()["paths"].items():
        for method in operations:
            if path not in open_routes:
                place = path.replace("{key}", random.token_hex(16)).replace("{user}", random.token_hex(16))
                assert made.client.request(method, place).status_code == 401, (method, path)


def test_a_key_is_shown_once_and_ends_at_once(
    made: Stage, admin: dict[str, str], database: str, postgres: Server
) -> None:
    key = _key(made, admin, days=1)
    assert key["key"].startswith("obs_ai_")
    for headers in ({"X-API-Key": key["key"]}, {"Authorization": f"Bearer {key['key']}"}):
        assert made.ask("cpu of web-1", headers).status_code == 200
    listed = made.client.get("/ask/api/v1/admin/api-keys", headers=admin)
    assert key["key"] not in listed.text
    (one,) = [one for one in listed.json()["api_keys"] if one["id"] == key["id"]]
    assert one["used_at"]
    assert "digest" not in one
    with stage.connection(postgres, database) as connection:
        rows = connection.execute("SELECT digest, prefix FROM api_keys").fetchall()
    assert (secrets.digest(key["key"]), key["key"][:12]) in rows
    assert made.client.delete(f"/ask/api/v1/admin/api-keys/{key['id']}", headers=admin).status_code == 204
    found = made.ask("cpu of web-1", {"X-API-Key": key["key"]})
    assert (found.status_code, found.json()["error"]) == (401, "key_revoked")


def test_a_key_expires(made: Stage, admin: dict[str, str]) -> None:
    key = _key(made, admin)
    path = f"/ask/api/v1/admin/api-keys/{key['id']}"
    assert made.client.put(path, json={"expires_at": "2020-01-01T00:00:00Z"}, headers=admin).status_code == 200
    found = made.ask("cpu of web-1", {"X-API-Key": key["key"]})
    assert (found.status_code, found.json()["error"]) == (401, "key_expired")
    assert made.client.put(path, json={"expires_at": None}, headers=admin).json()["expires_at"] is None
    assert made.ask("cpu of web-1", {"X-API-Key": key["key"]}).status_code == 200
    found = made.client.put(path, json={"expires_at": "2030-01-01T00:00:00"}, headers=admin)
    assert found.json()["error"] == "time_without_zone"
    assert made.client.put(path, json={}, headers=admin).json()["error"] == "nothing_changed"


def test_limits_are_a_users_and_a_keys(made: Stage, admin: dict[str, str]) -> None:
    user, name = _user(made, admin)
    headers = made.token(name, PASSWORD)
    left = [int(made.ask("cpu of web-1", headers).headers["X-RateLimit-Remaining"]) for _ in range(3)]
    assert left == [2, 1, 0]
    found = made.ask("cpu of web-1", headers)
    assert (found.status_code, found.json()["error"]) == (429, "rate_limited")
    assert found.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < int(found.headers["Retry-After"]) <= 3600
    own = {"X-API-Key": _key(made, admin, user=name, per_hour=1)["key"]}
    assert made.ask("cpu of web-1", own).status_code == 200, "a key has its own limit"
    assert made.ask("cpu of web-1", own).headers["X-RateLimit-Limit"] == "1"
    assert made.ask("cpu of web-1", own).status_code == 429
    metrics = {one.name: one for one in made.service.metrics.registry.collect()}
    assert sum(one.value for one in metrics["rate_limit_exceeded"].samples if one.name.endswith("_total")) >= 2
    usage = made.client.get(f"/ask/api/v1/admin/users/{user}/usage", headers=admin)
    assert usage.status_code == 200


def test_changes_of_a_user_end_the_sessions_at_once(made: Stage, admin: dict[str, str]) -> None:
    user, name = _user(made, admin)
    path = f"/ask/api/v1/admin/users/{user}"
    for change in ({"active": False}, {"active": True, "role": "admin"}, {"password": PASSWORD + "!"}):
        if "active" in change and not change["active"]:
            headers = made.token(name, PASSWORD)
        assert made.client.put(path, json=change, headers=admin).status_code == 200
        assert made.client.get("/ask/api/v1/history", headers=headers).json()["error"] == "session_ended"
        if change != {"active": False}:
            made.token(name, PASSWORD + ("!" if "password" in change else ""))
    assert made.client.delete(path, headers=admin).status_code == 204
    assert made.client.delete(path, headers=admin).status_code == 404


def test_the_last_administrator_stays(made: Stage, admin: dict[str, str]) -> None:
    users = made.client.get("/ask/api/v1/admin/users", headers=admin).json()["users"]
    (own,) = [one for one in users if one["name"] == "admin"]
    path = f"/ask/api/v1/admin/users/{own['id']}"
    for change in ({"role": "user"}, {"active": False}):
        found = made.client.put(path, json=change, headers=admin)
        assert (found.status_code, found.json()["error"]) == (409, "last_admin")
    assert made.client.delete(path, headers=admin).status_code == 409
    assert made.client.get("/ask/api/v1/history", headers=made.token()).status_code == 200


def test_a_user_changes_the_password(made: Stage, admin: dict[str, str]) -> None:
    _, name = _user(made, admin)
    headers = made.token(name, PASSWORD)
    body = {"password": "wrong", "new_password": "another long password"}
    assert made.client.post("/ask/auth/password", json=body, headers=headers).status_code == 403
    body["password"] = PASSWORD
    assert made.client.post("/ask/auth/password", json=body, headers=headers).status_code == 204
    made.token(name, "another long password")


def test_the_history_of_another_user_is_not_shown(made: Stage, admin: dict[str, str]) -> None:
    _, name = _user(made, admin)
    made.ask("cpu of web-1", admin)
    found = made.client.get("/ask/api/v1/history", headers=made.token(name, PASSWORD))
    assert found.json()["history"] == []
