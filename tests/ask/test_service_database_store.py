"""Without Valkey: what is over is neither read nor kept, lists keep their order, and the service says who is away."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from ask.service import config, database, database_store
from ask.service.database_store import InDatabase
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage


@pytest.fixture(scope="module")
def made(postgres: Server) -> Iterator[Stage]:
    with stage.replica(postgres, None, stage.fresh_database(postgres), jobs=0) as found:
        yield found


@pytest.fixture
def store(made: Stage) -> InDatabase:
    found = made.service.store
    assert isinstance(found, InDatabase)
    return found


def _rows(store: InDatabase, table: str, name: str) -> int:
    return len(store._rows(f"SELECT 1 FROM {table} WHERE name = :name", name=name))


def test_a_document_ends_and_its_name_is_free_again(store: InDatabase) -> None:
    assert store.put("lock", {"by": "one"}, 1, only_new=True)
    assert not store.put("lock", {"by": "other"}, 60, only_new=True)
    assert store.get("lock") == {"by": "one"}
    time.sleep(1.1)
    assert store.get("lock") is None
    assert store.put("lock", {"by": "\x00 \ud800"}, 60, only_new=True), "as any client may send it"
    store.delete("lock", "nothing")
    assert store.get("lock") is None


def test_a_window_slides_and_says_when_it_is_free(store: InDatabase) -> None:
    first = [store.window("who", 2, 2, str(number)) for number in range(3)]
    assert [(one.allowed, one.remaining) for one in first] == [(True, 1), (True, 0), (False, 0)]
    assert 1 <= first[2].reset <= 2
    time.sleep(2.1)
    assert store.window("who", 2, 2, "later").allowed
    store.clear_window("who")
    assert store.window("who", 2, 1, "again").allowed


def _jump(store: InDatabase, seconds: int) -> None:
    """What is kept is older by so many seconds, as after a clock that jumps; negative: it is set back."""
    store._change("UPDATE shared_members SET ends_at = ends_at - make_interval(secs => :seconds)", seconds=seconds)


@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_no_limit_and_no_place_outlasts_a_clock_that_jumps(store: InDatabase, seconds: int) -> None:
    assert [store.window("jump", 60, 1, one).allowed for one in ("a", "b")] == [True, False]
    assert [store.enter("places", one, 1, 15) for one in ("a", "b")] == [True, False]
    _jump(store, seconds)
    after = store.window("jump", 60, 1, "c")
    assert (after.allowed, after.reset <= 60) == (True, True)
    assert store.enter("places", "c", 1, 15)
    assert not store.window("jump", 60, 1, "d").allowed, "what was counted after the jump counts"
    store.leave("places", "c")
    store.clear_window("jump")


def test_a_list_is_taken_in_its_order_by_one(store: InDatabase) -> None:
    for job in ("b", "a", "b"):
        store.push("jobs", job)
    assert (store.listed("jobs"), store.length("jobs")) == (["b", "a"], 2)
    assert [store.take("jobs", "running", 0) for _ in range(3)] == ["b", "a", None]
    assert store.listed("running") == ["b", "a"]
    assert (store.remove("running", "b"), store.remove("running", "b")) == (True, False)
    store.leave("running", "a")


def test_what_is_over_is_deleted_now_and_then(store: InDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("short", {}, 1)
    store.remember("sessions", "short", 1)
    store.push("jobs", "waits")
    time.sleep(1.1)
    assert (_rows(store, "shared_documents", "short"), store.members("sessions")) == (1, [])
    monkeypatch.setattr(database_store, "TIDY_EVERY", 0.0)
    store.put("other", {}, 60)
    assert _rows(store, "shared_documents", "short") == _rows(store, "shared_members", "sessions") == 0
    assert store.remove("jobs", "waits"), "a list has no end"


def test_health_has_no_valkey_and_the_database_down_refuses_every_request(made: Stage, postgres: Server) -> None:
    headers = made.token()
    assert "valkey" not in made.client.get("/ask/api/v1/health").json()["components"]
    with postgres.down():
        found = made.ask("cpu of web-1", headers)
        assert (found.status_code, found.json()["error"]) == (503, "database_down")
        health = made.client.get("/ask/api/v1/health")
        assert health.json()["components"]["database"]["status"] == "unhealthy"
    deadline = time.monotonic() + 20
    while (found := made.ask("cpu of web-1", headers)).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found.status_code == 200, "the session has outlived the server's death"


def _signed_in(made: Stage) -> tuple[UUID, dict[str, str]]:
    """A new user, and the headers of a session."""
    name, password = f"user-{secrets.token_hex(4)}", "a password of length"
    return made.service.accounts.create(name, password), made.token(name, password)


def test_as_many_administrators_as_connections_change_users_at_once(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the lock with the last connection of the pool while the first ends sessions."""
    members = InDatabase.members

    def slow(store: InDatabase, group: str) -> list[str]:
        time.sleep(1.0)
        return members(store, group)

    monkeypatch.setattr(InDatabase, "members", slow)
    name = stage.fresh_database(postgres)
    with stage.replica(postgres, None, name, jobs=0, connections=2) as made, ThreadPoolExecutor(2) as both:
        (one, headers), (other, more) = _signed_in(made), _signed_in(made)
        changed = both.submit(made.service.keys.change_user, one, {"role": "admin"})
        deleted = both.submit(made.service.keys.delete_user, other)
        assert (changed.result()["role"], deleted.result()) == ("admin", None)
        assert [made.ask("cpu of web-1", each).status_code for each in (headers, more)] == [401, 401]


def test_sessions_stay_if_the_change_of_their_user_is_undone(made: Stage) -> None:
    user, headers = _signed_in(made)
    with database.transaction(made.service.pool) as connection:
        made.service.accounts.end_sessions(user, connection)
        connection.rollback()
    assert made.ask("cpu of web-1", headers).status_code == 200


def test_a_certificate_is_verified_only_with_its_ca(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ca_file: missing"):
        config.Database(host="db", password_file=tmp_path, sslmode="verify-full")
    assert config.Database(host="db", password_file=tmp_path, sslmode="require").ca_file is None
