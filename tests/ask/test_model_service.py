"""The service with a model: real PostgreSQL and Valkey, the provider is a stand-in on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest

from ask.model import protocol
from ask.service import config
from ask.service.budget import Stored
from tests.ask import fake_model, model_rig, stage
from tests.ask.fake_model import KEY, MODEL, Fake
from tests.ask.servers import Server
from tests.ask.stage import Stage

QUESTION = "how quickly does money arrive in the till"
GOOD = model_rig.proposing(promql="shop_cart_items")


@contextlib.contextmanager
def _replica(postgres: Server, valkey: Server, database: str, fake: Fake, **changed: Any) -> Iterator[Stage]:
    model = {
        "provider": "openai",
        "name": MODEL,
        "base_url": fake.url,
        "timeout": 5,
        "key_file": str(changed.pop("key")),
    }
    with stage.replica(postgres, valkey, database, model=model | changed.pop("model", {}), **changed) as made:
        yield made


@pytest.fixture
def key(tmp_path: Any) -> Any:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    return path


def test_a_question_without_an_answer_is_answered_by_the_models_query(
    postgres: Server, valkey: Server, key: Any
) -> None:
    database = stage.fresh_database(postgres)
    with fake_model.serving(GOOD) as fake, _replica(postgres, valkey, database, fake, key=key) as made:
        headers = made.token()
        found = made.ask(QUESTION, headers).json()
        assert (found["status"], found["engine"], found["model"]) == ("answered", "model", "accepted")
        assert found["query"] == "shop_cart_items"
        assert made.ask(QUESTION, headers).json()["cached"] is True
        assert made.ask("cpu of web-1", headers).json()["engine"] == "deterministic"
        assert len(fake.received) == 1
        health = made.client.get("/ask/api/v1/health").json()
        assert health["components"]["llm"] == {"status": "healthy", "provider": "openai", "model": MODEL}
        shown = generate_latest(made.service.metrics.registry).decode()
        secrets = [(made.folder / name).read_bytes() for name in ("database", "valkey", "admin", "key")]
        secrets += [headers["Authorization"].split()[1].encode(), b"admin"]
        assert not [one for one in secrets if one in fake.received[0]]
    for line in (
        'llm_requests_total{provider="openai"} 1.0',
        'llm_token_usage_total{direction="input",provider="openai"} 1200.0',
        'llm_token_usage_total{direction="output",provider="openai"} 80.0',
        'llm_proposals_total{provider="openai",result="accepted"} 1.0',
        'llm_errors_total{provider="openai",reason="timeout"} 0.0',
    ):
        assert line in shown
    with stage.connection(postgres, database) as connection:
        assert connection.execute("SELECT tokens, requests FROM model_usage").fetchall() == [(1280, 1)]
        stored = str(connection.execute("SELECT * FROM query_history").fetchall())
        stored += str(connection.execute("SELECT * FROM audit").fetchall())
    assert KEY not in stored


def test_a_failure_is_told_in_a_sentence_and_not_kept_in_the_cache(postgres: Server, valkey: Server, key: Any) -> None:
    database = stage.fresh_database(postgres)
    with fake_model.serving({"status": 401}, GOOD) as fake, _replica(
        postgres, valkey, database, fake, key=key
    ) as made:  # fmt: skip
        headers = made.token()
        first = made.ask(QUESTION, headers)
        assert first.status_code == 200
        assert (first.json()["status"], first.json()["model"]) == ("abstained", "unavailable")
        assert first.json()["sentence"].endswith("(HTTP 401); this is the answer without it.")
        assert made.ask(QUESTION, headers).json()["engine"] == "model"


def test_the_budget_is_one_for_all_replicas_and_outlives_them(postgres: Server, valkey: Server, key: Any) -> None:
    database = stage.fresh_database(postgres)
    daily = {"daily_tokens": 50_000}
    with fake_model.serving(GOOD | {"usage": False}) as fake:
        with (
            _replica(postgres, valkey, database, fake, key=key, model=daily, cache_seconds=0) as one,
            _replica(postgres, valkey, database, fake, key=key, model=daily, cache_seconds=0) as other,
        ):
            models = [made.ask(QUESTION, made.token()).json()["model"] for made in (one, other) * 8]
        assert models[:2] == ["accepted", "accepted"]
        assert models[-2:] == ["unavailable", "unavailable"]
        reserved = [len(one.partition(b"\r\n\r\n")[2]) + protocol.OUTPUT for one in fake.received]
        assert sum(reserved) <= 50_000, "never more than the budget"
        with _replica(postgres, valkey, database, fake, key=key, model=daily, cache_seconds=0) as again:
            found = again.ask(QUESTION, again.token()).json()
        assert "budget of 50000 tokens for today" in found["sentence"], "a restart does not renew it"


def test_the_budget_is_that_of_a_day(postgres: Server, valkey: Server, key: Any) -> None:
    with fake_model.serving(GOOD) as fake, _replica(
        postgres, valkey, stage.fresh_database(postgres), fake, key=key
    ) as made:  # fmt: skip
        budget = Stored(made.service.pool, 50_000)
        held = budget.reserve(40_000)
        with made.service.pool.begin() as connection:
            connection.execute(sa.text("UPDATE model_usage SET day = day - 1"))
        assert budget.reserve(40_000).tokens == 40_000
        budget.settle(held, 0)
        assert budget.used() == 0, "settled on its own day, which was today"
        assert budget.reserve(50_000).day == held.day


def test_without_the_database_no_request_is_sent(postgres: Server, valkey: Server, key: Any) -> None:
    with fake_model.serving(GOOD) as fake, _replica(
        postgres, valkey, stage.fresh_database(postgres), fake, key=key, cache_seconds=0
    ) as made:  # fmt: skip
        advisor = made.service.answering.advisor
        assert advisor is not None
        engine, knowledge = made.service.knowledge.engine, made.service.knowledge
        with postgres.down(), model_rig.rig(GOOD) as other:
            other.advisor.client.budget = Stored(made.service.pool, 1_000_000)
            found = other.ask(QUESTION)
            assert "budget cannot be read" in found.sentence
            assert other.fake.received == []
        assert engine is knowledge.engine
        assert made.ask(QUESTION, made.token()).json()["engine"] == "model"
    assert len(fake.received) == 1


def test_a_slow_model_delays_no_other_question(postgres: Server, valkey: Server, key: Any) -> None:
    """Both turns stay free while the model is waited for."""
    with fake_model.serving({"wait": 2.0}, GOOD) as fake, _replica(
        postgres, valkey, stage.fresh_database(postgres), fake, key=key, concurrency=1
    ) as made:  # fmt: skip
        headers = made.token()
        import threading
        import time

        answered: list[Any] = []
        slow = threading.Thread(target=lambda: answered.append(made.ask(QUESTION, headers).json()))
        slow.start()
        while not fake.received:
            time.sleep(0.02)
        began = time.monotonic()
        assert made.ask("cpu of web-1", headers).status_code == 200
        assert time.monotonic() - began < 1.5
        slow.join(timeout=20)
    assert answered[0]["engine"] == "model"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ({"provider": "claude", "name": "x"}, "model.provider: Input should be"),
        ({"provider": "openai", "name": "x"}, "key_file: expected the file with the provider's key"),
        ({"provider": "ollama", "name": "x"}, "base_url: expected the address of the Ollama server"),
        ({"provider": "ollama", "name": "x", "base_url": "ollama:11434"}, "model.base_url"),
        ({"provider": "ollama", "name": "x", "base_url": "http://o", "key": "s3cret"}, "model.key: unknown key"),
        ({"provider": "ollama", "name": "x", "base_url": "http://o", "daily_tokens": 10}, "model.daily_tokens"),
        ({"provider": "ollama", "name": "x", "base_url": "http://o", "timeout": 900}, "model.timeout"),
    ],
)
def test_settings_of_the_model_that_cannot_be_used(tmp_path: Any, model: dict[str, Any], text: str) -> None:
    server = Server([], {}, tmp_path / "log", None, 1, "p", lambda: True)
    path = stage.written(tmp_path, server, server, "ask", model=model)
    with pytest.raises(config.ConfigError) as problem:
        config.load(path)
    assert text in str(problem.value)
    assert "s3cret" not in str(problem.value)


def test_a_key_that_cannot_be_read_ends_the_start(tmp_path: Any) -> None:
    server = Server([], {}, tmp_path / "log", None, 1, "p", lambda: True)
    model = {"provider": "openai", "name": "x", "key_file": str(tmp_path / "none")}
    path = stage.written(tmp_path, server, server, "ask", model=model)
    from ask.service import service

    with pytest.raises(config.ConfigError, match="the secret cannot be read"):
        service.build(config.load(path))
