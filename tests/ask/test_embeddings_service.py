"""The service with a provider of embeddings: a real PostgreSQL with pgvector; the provider is a stand-in."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from ask.model.matching import Texts
from ask.service import config
from ask.service.embeddings import BATCH
from tests.ask import fake_embeddings, fake_model, model_rig, offline, stage
from tests.ask.fake_embeddings import DIMENSIONS, KEY, MODEL, Fake
from tests.ask.servers import Server
from tests.ask.stage import Stage

SWAP, MASKED = "swap usage of the box called web-1", "swap usage of the box called NAME_1"
COUNT = len(Texts.of(offline.engine()).texts)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    return path


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_embeddings.serving() as made:
        made.meanings[MASKED] = "swap usage"
        yield made


def _given(fake: Fake, key: Path, **changed: Any) -> dict[str, Any]:
    given = {"provider": "openai", "name": MODEL, "dimensions": DIMENSIONS, "base_url": fake.url, "timeout": 2}
    return given | {"key_file": str(key)} | changed


@contextlib.contextmanager
def _replica(database: tuple[Server, str], valkey: Server, given: dict[str, Any], **more: Any) -> Iterator[Stage]:
    with stage.replica(database[0], valkey, database[1], embeddings=given, **more) as made:
        yield made


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "not within 30 seconds"
        time.sleep(0.05)


def _complete(made: Stage) -> None:
    vectors = made.service.vectors
    assert vectors is not None
    _until(lambda: vectors.complete)


def _health(made: Stage) -> dict[str, Any]:
    document = made.client.get("/ask/api/v1/health").json()
    assert document["status"] == "healthy", "embeddings do not change the state of the whole"
    found: dict[str, Any] = document["components"]["embeddings"]
    return found


def _rows(database: tuple[Server, str], text: str) -> list[tuple[Any, ...]]:
    with stage.connection(*database) as connection:
        return connection.execute(text.encode()).fetchall()


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_the_catalogue_is_embedded_once_and_questions_are_ranked_with_it(
    pgvector: Server, valkey: Server, fake: Fake, key: Path, provider: str, capfd: pytest.CaptureFixture[str]
) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    given = _given(fake, key, provider=provider)
    with _replica(database, valkey, given) as made:
        _complete(made)
        headers = made.token()
        found = made.ask(SWAP, headers).json()
        assert (found["status"], found["embeddings"], found["title"]) == ("answered", "used", "Swap usage")
        assert "embeddings show that the question means this value" in found["assumptions"]
        assert made.ask(SWAP, headers).json()["cached"] is True
        assert made.ask("cpu of web-1", headers).json()["embeddings"] == ""
        expected = {"status": "healthy", "provider": provider, "model": MODEL, "texts": COUNT, "stored": COUNT}
        assert _health(made) == expected
        shown = generate_latest(made.service.metrics.registry).decode()
        secrets = [(made.folder / name).read_bytes() for name in ("database", "valkey", "admin", "key")]
    batches = -(-COUNT // BATCH)
    assert [len(one) for one in fake.texts] == [BATCH] * (batches - 1) + [COUNT - BATCH * (batches - 1), 1]
    assert fake.texts[-1] == [MASKED]
    assert not [one for one in secrets for sent in fake.received if one in sent]
    for line in (f'embedding_requests_total{{provider="{provider}"}} {batches + 1}.0',
                 f'embedding_texts{{provider="{provider}",state="stored"}} {COUNT}.0',
                 f'embedding_texts{{provider="{provider}",state="missing"}} 0.0',
                 f'embedding_errors_total{{provider="{provider}",reason="timeout"}} 0.0'):  # fmt: skip
        assert line in shown
    kept = _rows(database, "SELECT model, dimensions, count(*) FROM catalogue_vectors GROUP BY 1, 2")
    assert kept == [(f"{provider}:{MODEL}", DIMENSIONS, COUNT)]
    fake.received.clear()
    with _replica(database, valkey, given) as again:
        _complete(again)
    assert fake.received == [], "a restart embeds nothing again"
    stored = str(_rows(database, "SELECT * FROM query_history")) + str(_rows(database, "SELECT * FROM audit"))
    assert KEY not in stored + "".join(capfd.readouterr()) + json.dumps(found)


def test_a_changed_catalogue_embeds_what_is_new_and_another_model_all_of_it(
    pgvector: Server, valkey: Server, fake: Fake, key: Path
) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    with _replica(database, valkey, _given(fake, key)) as made:
        _complete(made)
        fake.received.clear()
        catalogue = made.folder / "catalogue.json"
        document = json.loads(catalogue.read_text())
        panel = next(one for one in document["entries"] if one["kind"] == "panel" and one["language"] == "promql")
        panel["phrasings"] = ["how blue is the sky", *panel["phrasings"]]
        catalogue.write_text(json.dumps(document))
        vectors = made.service.vectors
        assert vectors is not None
        _until(lambda: vectors.refresh(made.service._stop))
    assert fake.texts == [["how blue is the sky"]]
    with _replica(database, valkey, _given(fake, key, provider="ollama")) as made:
        _complete(made)
    counts = _rows(database, "SELECT model, count(*) FROM catalogue_vectors GROUP BY 1 ORDER BY 1")
    assert counts == [(f"ollama:{MODEL}", COUNT), (f"openai:{MODEL}", COUNT + 1)]


def test_a_provider_that_is_away_costs_the_embeddings_alone(
    pgvector: Server, valkey: Server, fake: Fake, key: Path
) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    fake.failing = {"status": 503}
    with _replica(database, valkey, _given(fake, key)) as made:
        vectors = made.service.vectors
        assert vectors is not None
        _until(lambda: bool(vectors.problem))
        headers = made.token()
        found = made.ask(SWAP, headers).json()
        assert (found["status"], found["embeddings"]) == ("abstained", "unavailable")
        assert found["assumptions"] == [f"The catalogue has 0 of {COUNT} embeddings: the ranking is by terms alone"]
        assert _health(made) == {
            "status": "unhealthy", "provider": "openai", "model": MODEL, "texts": COUNT, "stored": 0,
            "message": "The provider of embeddings has an error (HTTP 503)",
        }  # fmt: skip
        fake.failing = {}
        _until(lambda: vectors.refresh(made.service._stop))
        assert made.ask(SWAP, headers).json()["embeddings"] == "used", "the answer without them was not kept"
        fake.failing = {"wait": 4.0}
        began = time.monotonic()
        late = made.ask(SWAP.replace("called", "named"), headers).json()
        assert time.monotonic() - began < 3.5
        assert late["embeddings"] == "unavailable"
        assert "did not answer within 2 seconds" in late["assumptions"][-1]
        shown = generate_latest(made.service.metrics.registry).decode()
    for reason in ("server", "incomplete", "timeout"):
        assert f'embedding_errors_total{{provider="openai",reason="{reason}"}} 0.0' not in shown


def test_vectors_of_another_length_are_not_stored(pgvector: Server, valkey: Server, fake: Fake, key: Path) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    with _replica(database, valkey, _given(fake, key, dimensions=768)) as made:
        vectors = made.service.vectors
        assert vectors is not None
        _until(lambda: bool(vectors.problem))
        assert "a vector has 64 dimensions, expected 768 (`dimensions` of the settings)" in _health(made)["message"]
        assert made.ask("cpu of web-1", made.token()).status_code == 200
    assert _rows(database, "SELECT count(*) FROM catalogue_vectors") == [(0,)]


def _has_pgvector(server: Server) -> bool:
    text = "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"
    return _rows((server, "postgres"), text) != [(0,)]


def test_without_pgvector_the_service_starts_and_ranks_by_terms(
    postgres: Server, valkey: Server, fake: Fake, key: Path
) -> None:
    database = postgres, stage.fresh_database(postgres)
    with stage.replica(postgres, valkey, database[1]) as made:
        assert made.client.get("/ask/api/v1/health").json()["components"]["embeddings"] == {"status": "none"}
        assert made.ask("cpu of web-1", made.token()).json()["embeddings"] == ""
    assert _rows(database, "SELECT to_regclass('catalogue_vectors'), to_regtype('vector')") == [(None, None)]
    if _has_pgvector(postgres):
        pytest.skip("this machine's PostgreSQL has pgvector")
    with _replica(database, valkey, _given(fake, key)) as made:
        vectors = made.service.vectors
        assert vectors is not None
        _until(lambda: bool(vectors.problem))
        assert "PostgreSQL cannot make the extension vector (pgvector)" in _health(made)["message"]
        assert made.ask("cpu of web-1", made.token()).json()["status"] == "answered"
        assert made.ask(SWAP, made.token()).json()["embeddings"] == "unavailable"
    assert fake.received == []


def test_with_a_database_that_hangs_up_the_ranking_is_by_terms(
    pgvector: Server, valkey: Server, fake: Fake, key: Path
) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    with _replica(database, valkey, _given(fake, key)) as made:
        _complete(made)
        with stage.connection(*database) as connection:
            connection.execute("DROP TABLE catalogue_vectors")
        found = made.ask(SWAP, made.token()).json()
    assert found["assumptions"] == ["The database with the embeddings does not answer: the ranking is by terms alone"]


def test_a_language_model_is_used_where_embeddings_do_not_decide(
    pgvector: Server, valkey: Server, fake: Fake, key: Path, tmp_path: Path
) -> None:
    database = pgvector, stage.fresh_database(pgvector)
    other = tmp_path / "model-key"
    other.write_text(fake_model.KEY)
    with fake_model.serving(model_rig.proposing(promql="shop_cart_items")) as model:
        settings = {"provider": "openai", "name": fake_model.MODEL, "base_url": model.url, "key_file": str(other)}
        with _replica(database, valkey, _given(fake, key), model=settings) as made:
            _complete(made)
            found = made.ask("how quickly does money arrive in the till", made.token()).json()
            assert (found["engine"], found["model"]) == ("model", "accepted")
            swap = made.ask(SWAP, made.token()).json()
    assert (swap["engine"], swap["embeddings"]) == ("deterministic", "used"), "certain enough with embeddings"
    assert not [one for one in fake.received if fake_model.KEY.encode() in one]
    assert not [one for one in model.received if KEY.encode() in one]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"provider": "anthropic", "name": "x", "dimensions": 8}, "embeddings.provider: Input should be"),
        ({"provider": "openai", "name": "x"}, "embeddings.dimensions: Field required"),
        ({"provider": "openai", "name": "x", "dimensions": 8}, "key_file: expected the file with the provider's key"),
        ({"provider": "ollama", "name": "x", "dimensions": 8}, "base_url: expected the address of the Ollama server"),
        ({"provider": "ollama", "name": "x", "dimensions": 9000, "base_url": "http://o"}, "embeddings.dimensions"),
        ({"provider": "ollama", "name": "x", "dimensions": 8, "base_url": "http://o", "key": "s3cret"}, "unknown key"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    server = Server([], {}, tmp_path / "log", None, 1, "p", lambda: True)
    path = stage.written(tmp_path, server, server, "ask", embeddings=given)
    with pytest.raises(config.ConfigError) as problem:
        config.load(path)
    assert text in str(problem.value)
    assert "s3cret" not in str(problem.value)
