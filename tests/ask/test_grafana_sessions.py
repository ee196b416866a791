"""The Grafana stand-in's sessions in a real PostgreSQL: two nodes share them, and each says when it is away.

It is here because the servers are: the stand-in's other tests need none.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from localcloud.standins.grafana import server, sessions
from localcloud.standins.grafana.config import Config, ConfigProblem, Database, load_config
from localcloud.standins.grafana.provisioning import Store
from tests.ask import stage
from tests.ask.servers import Server

PASSWORD = "not-a-real-password"


def _connect(database: Database) -> psycopg.Connection[tuple[object, ...]]:
    """As the image's driver does, by the one of this environment."""
    host, _, port = database.host.rpartition(":")
    return psycopg.connect(
        host=host, port=int(port), dbname=database.name, user=database.user, password=database.password,
        sslmode=database.ssl_mode, connect_timeout=3,
    )  # fmt: skip


def _config(folder: Path, postgres: Server, database: str) -> Config:
    (folder / "password").write_text(postgres.password)
    (folder / "provisioning").mkdir(exist_ok=True)
    ini = {
        "server": {"http_addr": "127.0.0.1", "http_port": "0"},
        "security": {"admin_password": PASSWORD},
        "database": {
            "type": "postgres",
            "host": f"127.0.0.1:{postgres.port}",
            "name": database,
            "user": "ask",
            "password": f"$__file{{{folder}/password}}",
            "ssl_mode": "disable",
        },
    }
    text = "".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in ini.items())
    (folder / "grafana.ini").write_text(text)
    env = {"GF_PATHS_CONFIG": f"{folder}/grafana.ini", "GF_PATHS_PROVISIONING": f"{folder}/provisioning"}
    return load_config(env)


@pytest.fixture
def nodes(tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The ports of two stand-ins over one database."""
    config = _config(tmp_path, postgres, stage.fresh_database(postgres))
    monkeypatch.setattr(sessions, "of", _prepared)
    made = [server.Server(config, Store(config.provisioning, {})) for _ in range(2)]
    for one in made:
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield [one.server_address[1] for one in made]
    for one in made:
        one.shutdown()
        one.server_close()


def _prepared(database: Database) -> sessions.InDatabase:
    found = sessions.InDatabase(database, _connect)
    found.prepare()
    return found


def _send(port: int, path: str, cookie: str = "", body: str = "") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST" if body else "GET", path, body or None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers.get("Set-Cookie", "").split(";")[0]


def _sign_in(port: int) -> str:
    status, _, cookie = _send(port, "/login", body=urlencode({"user": "admin", "password": PASSWORD}))
    assert status == 302
    return cookie


def test_a_session_of_one_node_is_valid_at_the_other_until_it_ends(nodes: list[int]) -> None:
    one, other = nodes
    cookie = _sign_in(one)
    assert _send(other, "/api/user", cookie)[0] == 200
    assert _send(other, "/api/user", cookie + "x")[0] == 401
    _send(other, "/logout", cookie)
    assert _send(one, "/api/user", cookie)[0] == 401


def test_without_the_database_it_says_so_and_a_session_outlives_that(nodes: list[int], postgres: Server) -> None:
    one, other = nodes
    cookie = _sign_in(one)
    with postgres.down():
        status, text, _ = _send(other, "/api/health")
        assert (status, json.loads(text)["database"]) == (503, "failing")
        assert _send(one, "/api/user", cookie)[0] == 500
        assert _send(one, "/login", body=urlencode({"user": "admin", "password": PASSWORD}))[0] == 500
        assert _send(one, "/metrics")[0] == 200
    deadline = time.monotonic() + 20
    while _send(one, "/api/user", cookie)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _send(other, "/api/user", cookie)[0] == 200


def test_no_token_is_kept(nodes: list[int], tmp_path: Path) -> None:
    cookie = _sign_in(nodes[0])
    database = load_config({"GF_PATHS_CONFIG": f"{tmp_path}/grafana.ini"}).database
    assert database is not None
    with _connect(database) as connection:
        (row,) = connection.execute("SELECT digest FROM stand_in_session").fetchall()
    assert str(row[0]) not in cookie
    assert len(str(row[0])) == 64
    assert database.password not in repr(database)


def test_another_database_is_refused_with_a_sentence(tmp_path: Path, postgres: Server) -> None:
    _config(tmp_path, postgres, "x")
    env = {"GF_PATHS_CONFIG": f"{tmp_path}/grafana.ini", "GF_DATABASE_TYPE": "mysql"}
    with pytest.raises(ConfigProblem, match="expected postgres or sqlite3, got 'mysql'"):
        load_config(env)
    with pytest.raises(sessions.DatabaseAway, match="the database does not answer"):
        _prepared(Database(host="127.0.0.1:1", name="x", user="x", password="x", ssl_mode="disable", ca_cert_path=""))
