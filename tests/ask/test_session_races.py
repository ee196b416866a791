"""A session whose tokens are refreshed at the moment at which something else ends it; with PostgreSQL alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ask.service.accounts import Tokens
from ask.service.database_store import InDatabase
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage
from tests.ask.test_hostile_requests import CHANGES, HOME, PASSWORD


@pytest.fixture(scope="module")
def made(postgres: Server) -> Iterator[Stage]:
    with stage.replica(postgres, None, stage.fresh_database(postgres), jobs=0) as found:
        yield found


def _is_valid(made: Stage, tokens: Tokens) -> bool:
    headers = {"Authorization": f"Bearer {tokens.access}"}
    return made.client.get("/ask/api/v1/history", headers=headers).status_code == 200


def _meanwhile(monkeypatch: pytest.MonkeyPatch, thread: threading.Thread) -> None:
    """Start it when a refresh has found the session and not yet written it again."""
    put = InDatabase.put

    def slow(store: InDatabase, name: str, *rest: Any, **more: Any) -> bool:
        if name.startswith("refreshed:"):
            thread.start()
            thread.join(timeout=1)
        return put(store, name, *rest, **more)

    monkeypatch.setattr(InDatabase, "put", slow)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_refreshing_during_a_change_gives_no_session(
    made: Stage, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    name = f"refresh-{next(iter(change))}"
    user = made.service.accounts.create(name, PASSWORD)
    tokens = made.service.accounts.sign_in(name, PASSWORD, HOME)
    changing = threading.Thread(target=made.service.keys.change_user, args=(user, change))
    _meanwhile(monkeypatch, changing)
    tokens = made.service.accounts.refresh(tokens.refresh)
    changing.join(timeout=10)
    assert not _is_valid(made, tokens), "the change ended this session, too"


def test_refreshing_while_signing_out_gives_no_session(made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = made.service.accounts
    tokens = accounts.sign_in("admin", ADMIN, HOME)
    leaving = threading.Thread(target=accounts.sign_out, args=(accounts.of_token(tokens.access),))
    _meanwhile(monkeypatch, leaving)
    tokens = accounts.refresh(tokens.refresh)
    leaving.join(timeout=10)
    assert not _is_valid(made, tokens)
