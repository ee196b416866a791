"""At most two questions are executed at once, by all replicas together."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from ask.service import config, turns
from ask.service.problems import Problem
from ask.service.store import Store
from ask.service.turns import GROUP, Turns
from ask.service.valkey_store import InValkey
from tests.ask import stage
from tests.ask.overlap import Overlap
from tests.ask.relay import ends_within
from tests.ask.servers import Server
from tests.ask.stage import Stage
from tools.paths import CHECKOUT


@pytest.fixture(scope="module", params=["valkey", "database"])
def both(request: pytest.FixtureRequest, postgres: Server) -> Iterator[tuple[Stage, Stage]]:
    with stage.two(postgres, request) as made:
        yield made


@pytest.fixture
def store(both: tuple[Stage, Stage]) -> Iterator[Store]:
    yield both[0].service.store
    for member in ("a", "b"):
        both[0].service.store.leave(GROUP, member)


def test_two_at_once_over_two_replicas(both: tuple[Stage, Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    overlap = Overlap(both, monkeypatch)
    assert len(overlap.answered(range(2, 10))) == 8
    assert overlap.most == 2


def test_without_a_place_the_wait_is_bounded(both: tuple[Stage, Stage], store: Store) -> None:
    one, _ = both
    for member in ("a", "b"):
        assert store.enter(GROUP, member, 2, turns.LEASE)
    assert not store.enter(GROUP, "c", 2, turns.LEASE)
    one.service.turns.patience = 0.5
    try:
        with ends_within(3):
            found = one.ask("load of web-2", one.token())
    finally:
        one.service.turns.patience = 20
    assert (found.status_code, found.json()["error"]) == (503, "busy")
    assert int(found.headers["Retry-After"]) > 0
    store.leave(GROUP, "a")
    assert one.ask("load of web-2", one.token()).status_code == 200


def test_a_replica_that_is_killed_holds_no_place(both: tuple[Stage, Stage], store: Store) -> None:
    program = (
        "import time; from pathlib import Path; from ask.service import config, service; "
        "from ask.service.turns import Turns; "
        f"store = service.build(config.load(Path({str(both[0].folder / 'ask.yaml')!r}))).store; "
        "held = Turns(store, 1, 5, lease=2).turn(); held.__enter__(); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(Problem, match="Other questions"), Turns(store, 1, 0.2).turn():
            pass
        other.kill()
        with ends_within(4), Turns(store, 1, 5).turn():
            pass
    finally:
        other.kill()
        other.wait(timeout=10)


def test_a_place_is_kept_as_long_as_its_question_runs(store: Store) -> None:
    """Longer than the lease, because it is renewed."""
    stop, mine = threading.Event(), Turns(store, 1, 5, lease=1)
    renewing = threading.Thread(target=mine.run, args=(stop,))
    renewing.start()
    try:
        with mine.turn():
            time.sleep(2.5)
            with pytest.raises(Problem, match="Other questions"), Turns(store, 1, 0.1).turn():
                pass
    finally:
        stop.set()
        renewing.join(timeout=5)
    with Turns(store, 1, 0.1).turn():
        pass


def test_few_wait_so_that_threads_are_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 1)
    mine = Turns(store, 1, 3)
    with mine.turn():
        waiting = threading.Thread(target=lambda: _enter(mine))
        waiting.start()
        time.sleep(0.3)
        with ends_within(0.2), pytest.raises(Problem, match="Other questions"), mine.turn():
            pass
    waiting.join(timeout=5)


def _enter(mine: Turns) -> None:
    with mine.turn():
        pass


def test_without_valkey_nothing_is_executed(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "password"
    secret.write_text("x")
    away = InValkey(config.Valkey(host="127.0.0.1", port=1, password_file=secret))
    with pytest.raises(Problem, match="Valkey does not answer"), Turns(away, 2, 1).turn():
        pass
