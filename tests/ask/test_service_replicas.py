"""Two replicas over one PostgreSQL, with Valkey and without: they share sessions, limits, discovery, jobs, schema."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from secrets import token_hex

import pytest

from ask.plan import Plan
from ask.reading import Context
from ask.service import jobs as jobs_of
from ask.service import migrate, secrets
from ask.world import LABELS, LOG_LABELS, World
from tests.ask import stage
from tests.ask.overlap import Overlap
from tests.ask.servers import Server
from tests.ask.stage import Stage


@pytest.fixture(scope="module", params=["valkey", "database"])
def both(request: pytest.FixtureRequest, postgres: Server) -> Iterator[tuple[Stage, Stage]]:
    with stage.two(postgres, request) as made:
        yield made


def test_a_session_of_one_is_valid_at_the_other_and_ends_at_both(both: tuple[Stage, Stage]) -> None:
    one, other = both
    headers = one.token()
    assert other.ask("cpu of web-1", headers).status_code == 200
    other.client.post("/ask/auth/logout", headers=headers)
    assert one.ask("cpu of web-1", headers).json()["error"] == "session_ended"


def test_expired_sessions_leave_their_users_index_at_the_next_sign_in(
    both: tuple[Stage, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, name, password = both[0], f"user-{token_hex(4)}", "a password of length"
    user = one.service.accounts.create(name, password)
    earlier = one.token(name, password)
    with monkeypatch.context() as patch:
        patch.setattr(secrets, "REFRESH_SECONDS", 1)
        expired = one.token(name, password)
    time.sleep(1.1)
    later = one.token(name, password)
    assert len(one.service.store.members(f"sessions:{user}")) == 2
    found = [one.ask("cpu of web-1", headers).status_code for headers in (earlier, expired, later)]
    assert found == [200, 401, 200]


def test_limits_and_cached_answers_are_shared(both: tuple[Stage, Stage]) -> None:
    one, other = both
    headers = one.token()
    first = one.ask("swap of web-1", headers)
    second = other.ask("swap of web-1", headers)
    left = [int(found.headers["X-RateLimit-Remaining"]) for found in (first, second)]
    assert left[1] == left[0] - 1
    assert [found.json()["cached"] for found in (first, second)] == [False, True]


def test_three_share_limits_answers_and_sessions(postgres: Server, valkey: Server) -> None:
    database = stage.fresh_database(postgres)
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(stage.replica(postgres, valkey, database, jobs=0)) for _ in range(3)]
        headers = made[0].token()
        found = [one.ask("load of web-2", headers) for one in made]
        left = [int(one.headers["X-RateLimit-Remaining"]) for one in found]
        assert left == [left[0], left[0] - 1, left[0] - 2]
        assert [one.json()["cached"] for one in found] == [False, True, True]
        made[2].client.post("/ask/auth/logout", headers=headers)
        assert [one.ask("swap of web-1", headers).status_code for one in made] == [401] * 3


def test_one_discovers_for_both_in_a_fixed_number_of_requests(both: tuple[Stage, Stage]) -> None:
    one, other = both
    one.stores.seen.clear()
    other.stores.seen.clear()
    assert one.service.knowledge.refresh(force=True)
    jobs = len(one.service.knowledge.world.labels["job"])
    assert len(one.stores.seen) == len(LABELS) + len(LOG_LABELS) + 2 + jobs, (
        "labels, names, apps, and once for each job"
    )
    assert not other.service.knowledge.refresh()
    assert other.service.knowledge.at == one.service.knowledge.at
    assert other.service.knowledge.world == one.service.knowledge.world
    assert other.stores.seen == []


def test_a_question_causes_no_discovery(both: tuple[Stage, Stage]) -> None:
    one, _ = both
    headers = one.token()
    one.stores.seen.clear()
    assert one.ask("load of web-1", headers).status_code == 200
    assert len(one.stores.seen) <= 4, one.stores.seen


def test_discovery_is_in_the_tables(both: tuple[Stage, Stage]) -> None:
    one, _ = both
    headers = one.token()
    done = one.client.post("/ask/api/v1/admin/discovery/trigger", headers=headers).json()
    assert done["discovered"] is True
    services = one.client.get("/ask/api/v1/services", headers=headers).json()["services"]
    assert {"node"} <= {found["name"] for found in services}
    assert all(found["metrics"] for found in services if found["name"] == "node")
    page = one.client.get("/ask/api/v1/metrics?limit=5", headers=headers).json()["metrics"]
    assert len(page) == 5
    after = one.client.get(f"/ask/api/v1/metrics?limit=5&after={page[-1]['name']}", headers=headers).json()["metrics"]
    assert page[-1]["name"] < after[0]["name"]
    found = one.client.get("/ask/api/v1/metrics?search=node_cpu&service=node", headers=headers).json()["metrics"]
    assert [metric["name"] for metric in found if metric["name"] == "node_cpu_seconds_total"]
    assert one.client.get("/ask/api/v1/metrics?search=%25';--", headers=headers).json()["metrics"] == []


def _state(made: Stage, name: str, headers: dict[str, str], wanted: str) -> dict[str, object]:
    deadline = time.monotonic() + 20
    found: dict[str, object] = {}
    while found.get("state") != wanted and time.monotonic() < deadline:
        found = made.client.get(f"/ask/api/v1/jobs/{name}", headers=headers).json()
        time.sleep(0.05)
    assert found.get("state") == wanted, found
    return found


def _work(made: Stage) -> None:
    """One round of a worker."""
    name = made.service.store.take(jobs_of.QUEUE, jobs_of.RUNNING, 1)
    assert name is not None
    made.service.jobs._work(name)


def test_a_job_of_one_is_answered_by_the_other(both: tuple[Stage, Stage]) -> None:
    one, other = both
    headers = one.token()
    made = one.client.post("/ask/api/v1/jobs", json={"question": "cpu of web-1"}, headers=headers)
    assert made.status_code == 202
    name = made.json()["id"]
    assert _state(one, name, headers, "queued")
    _work(other)
    answer = _state(one, name, headers, "done")["answer"]
    assert isinstance(answer, dict)
    assert answer["status"] == "answered"


def test_a_cancelled_job_is_not_started(both: tuple[Stage, Stage]) -> None:
    one, _ = both
    headers = one.token()
    name = one.client.post("/ask/api/v1/jobs", json={"question": "cpu of web-1"}, headers=headers).json()["id"]
    assert one.client.delete(f"/ask/api/v1/jobs/{name}", headers=headers).json()["state"] == "cancelled"
    assert one.service.store.length(jobs_of.QUEUE) == 0
    assert one.client.get("/ask/api/v1/jobs/other", headers=headers).status_code == 404


def test_the_answer_of_a_running_job_that_is_cancelled_is_dropped(
    both: tuple[Stage, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both
    headers, engine = one.token(), other.service.knowledge.engine
    plain, asked, go_on = engine.plan, threading.Event(), threading.Event()

    def slow(question: str, world: World, now: float, context: Context) -> Plan:
        asked.set()
        assert go_on.wait(20)
        return plain(question, world, now, context)

    monkeypatch.setattr(engine, "plan", slow)
    name = one.client.post("/ask/api/v1/jobs", json={"question": "load of db-1"}, headers=headers).json()["id"]
    worker = threading.Thread(target=_work, args=(other,))
    worker.start()
    try:
        assert asked.wait(20)
        assert _state(one, name, headers, "running")
        assert one.client.delete(f"/ask/api/v1/jobs/{name}", headers=headers).json()["state"] == "cancelled"
    finally:
        go_on.set()
        worker.join(timeout=30)
    assert not worker.is_alive()
    assert "answer" not in _state(one, name, headers, "cancelled")
    assert one.service.store.listed(jobs_of.RUNNING) == []


def test_a_job_of_a_replica_that_died_is_taken_by_another(both: tuple[Stage, Stage]) -> None:
    one, other = both
    headers = one.token()
    name = one.client.post("/ask/api/v1/jobs", json={"question": "cpu of web-1"}, headers=headers).json()["id"]
    assert one.service.store.take(jobs_of.QUEUE, jobs_of.RUNNING, 1) == name  # and then it dies: there is no lease
    other.service.jobs.reclaim()
    _work(other)
    assert _state(one, name, headers, "done")
    assert one.service.store.listed(jobs_of.RUNNING) == []


def test_a_job_that_fails_has_the_problem(both: tuple[Stage, Stage]) -> None:
    one, _ = both
    headers = one.token()
    name = one.client.post("/ask/api/v1/jobs", json={"question": "disk usage of web-1"}, headers=headers).json()["id"]
    one.stores.away.add("prometheus")
    try:
        _work(one)
    finally:
        one.stores.away.clear()
    problem = _state(one, name, headers, "failed")["problem"]
    assert isinstance(problem, dict)
    assert problem["error"] == "prometheus_down"
    refused = one.client.post("/ask/api/v1/jobs", json={"question": ""}, headers=headers)
    assert refused.status_code == 422, "what cannot be answered is not queued"


def test_two_replicas_start_on_an_empty_database(postgres: Server, valkey: Server) -> None:
    database = stage.fresh_database(postgres)
    with stage.replica(postgres, valkey, database) as first:
        admins = [first.service.accounts.first_admin("admin", stage.ADMIN) for _ in range(2)]
        assert admins == [False, False]
        threads = [threading.Thread(target=migrate.upgrade, args=(first.service.pool,)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(timeout=30)
        assert not any(one.is_alive() for one in threads)


def test_two_questions_at_once(both: tuple[Stage, Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    overlap = Overlap(both[:1], monkeypatch)
    assert len(overlap.answered(range(2, 8))) == 6
    assert overlap.most == 2
