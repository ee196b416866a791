"""The stand-in for sql_exporter, against a database played by this test: same files, names and cache; else strict."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.services import sql_exporter as sql
from localcloud.standins.sql.__main__ import Server, flags
from localcloud.standins.sql.collect import Exporter, exposition
from localcloud.standins.sql.config import Config, ConfigProblem, load
from localcloud.standins.sql.database import Database, DatabaseProblem, conninfo
from tests.fixtures.full import full

MAIN: dict[str, Any] = {
    "global": {"scrape_timeout": "45s", "scrape_timeout_offset": "500ms"},
    "jobs": [
        {
            "job_name": "databases",
            "collectors": ["*"],
            "static_configs": [{"targets": {"main": "postgresql://u:s3cret@db/shop"}}],
        }
    ],
    "collector_files": ["*.collector.yaml"],
}
COLLECTOR: dict[str, Any] = {
    "collector_name": "sizes",
    "min_interval": "9m30s",
    "metrics": [
        {
            "metric_name": "m_bytes",
            "type": "gauge",
            "help": "Size.",
            "key_labels": ["t"],
            "values": ["b"],
            "query_ref": "q",
        },
        {
            "metric_name": "m_total",
            "type": "counter",
            "help": "Runs.",
            "key_labels": ["t"],
            "values": ["r"],
            "query_ref": "q",
        },
        {"metric_name": "m_info", "type": "gauge", "help": "Always 1.", "static_value": 1, "query": "SELECT info"},
    ],
    "queries": [{"query_name": "q", "query": "SELECT sizes"}],
}


class Played(Database):
    """Answers by query; counts how often it was asked."""

    answers: dict[str, tuple[list[str], list[tuple[Any, ...]]]]
    asked: list[str]

    def __init__(self, url: str) -> None:
        super().__init__(url)
        Played.asked = []

    def ping(self) -> None:
        if "down" in self.answers:
            raise DatabaseProblem("connection refused")

    def rows(self, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        Played.asked.append(query)
        if query not in self.answers:
            raise DatabaseProblem("canceling statement due to lock timeout")
        return self.answers[query]


def _load(folder: Path, main: Any = None, collector: Any = None) -> Config:
    (folder / "sql_exporter.yml").write_text(yaml.safe_dump(main or MAIN))
    (folder / "sizes.collector.yaml").write_text(yaml.safe_dump(collector or COLLECTOR))
    return load(str(folder / "sql_exporter.yml"))


@pytest.fixture
def log() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def exporter(tmp_path: Path, log: list[dict[str, Any]]) -> Exporter:
    Played.answers = {
        "SELECT sizes": (["t", "b", "r"], [("a", 5, 2), ('odd"name', None, 3), (None, 7.5, 4)]),
        "SELECT info": (["x"], [(0,)]),
    }
    return Exporter(_load(tmp_path), "database", lambda level, msg, **more: log.append(more), Played)


def _lines(exporter: Exporter) -> list[str]:
    text = exposition(exporter.scrape(30.0))
    return [line for line in text.splitlines() if not line.startswith(("#", "scrape_duration"))]


def test_rows_become_samples_and_null_is_no_sample_but_an_empty_label(exporter: Exporter) -> None:
    always = 'database="main",job="databases"'
    assert _lines(exporter) == [
        f'm_bytes{{{always},t="a"}} 5.0',
        f'm_bytes{{{always},t=""}} 7.5',
        f"m_info{{{always}}} 1.0",
        f'm_total{{{always},t="a"}} 2.0',
        f'm_total{{{always},t="odd\\"name"}} 3.0',
        f'm_total{{{always},t=""}} 4.0',
        f"up{{{always}}} 1.0",
    ]


def test_answers_are_kept_for_the_collectors_interval(exporter: Exporter) -> None:
    assert _lines(exporter) == _lines(exporter)
    assert Played.asked.count("SELECT sizes") == 1, "two metrics of one query, two scrapes: asked once"


def test_a_query_that_fails_leaves_the_others_and_is_counted_and_told(
    exporter: Exporter, log: list[dict[str, Any]]
) -> None:
    del Played.answers["SELECT sizes"]
    found = _lines(exporter)
    assert [line for line in found if line.startswith("m_info")]
    assert not [line for line in found if line.startswith("m_bytes")]
    assert 'scrape_errors_total{collector="sizes",job="databases",query="q",target="main"} 1' in found
    assert log[0]["error"] == "canceling statement due to lock timeout"


def test_a_database_that_is_down_is_said(exporter: Exporter) -> None:
    Played.answers["down"] = ([], [])
    found = _lines(exporter)
    assert 'up{database="main",job="databases"} 0.0' in found
    assert not [line for line in found if line.startswith("m_")]


FIRST = COLLECTOR["metrics"][0]
BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a key it does not know": ({"target": {}}, {}, "not covered by the stand-in: target in config"),
    "a time stamp": ({}, {"metrics": [{**FIRST, "timestamp_value": "t"}]}, "timestamp_value in metric"),
    "a query that is nowhere": ({}, {"queries": []}, "m_bytes: expected either `query` or the `query_ref`"),
    "a kind that does not exist": ({}, {"metrics": [{**FIRST, "type": "histogram"}]}, "expected metric_name"),
    "an interval without a unit": ({}, {"min_interval": "600"}, "expected a duration such as 9m30s, got '600'"),
    "no job": ({"jobs": []}, {}, "expected `jobs` with at least one target"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_it_does_not_cover_is_refused_by_name(what: str, tmp_path: Path) -> None:
    main, collector, sentence = BROKEN[what]
    with pytest.raises(ConfigProblem) as problem:
        _load(tmp_path, MAIN | main, COLLECTOR | collector)
    assert sentence in str(problem.value)
    assert "s3cret" not in str(problem.value)


def test_a_file_that_is_no_yaml_is_told_without_its_contents(tmp_path: Path) -> None:
    (tmp_path / "sql_exporter.yml").write_text("jobs: [s3cret\n")
    with pytest.raises(ConfigProblem) as problem:
        load(str(tmp_path / "sql_exporter.yml"))
    assert "line 2" in str(problem.value)
    assert "s3cret" not in str(problem.value)


def test_it_reads_what_this_project_renders(tmp_path: Path) -> None:
    for name, text in sql.queries().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "sql_exporter.yml").write_text(sql.secret(full().edges["hub"]).replace(sql.CONFIG, str(tmp_path)))
    config = load(str(tmp_path / "sql_exporter.yml"))
    assert [target for _, target, _ in config.jobs] == ["main", "other"]
    assert len(config.collectors) == len(sql.queries())
    assert flags([*sql.command(), sql.CHECK[1]])["config.target-label"] == "database"


def test_a_flag_it_does_not_know_ends_it() -> None:
    with pytest.raises(ConfigProblem, match=r"not covered by the stand-in: -web\.enable-reload"):
        flags(["-web.enable-reload"])


def test_a_dsn_is_read_the_way_sql_exporter_does(monkeypatch: pytest.MonkeyPatch) -> None:
    found = conninfo(sql.connection("postgresql://u:a%27b%5Cc%24HOME@db:5433/shop?sslmode=disable"))
    assert r"password=a\'b\\c$HOME" in found.split(), "escaped for the string it becomes part of"
    assert "sslmode=disable" in found.split()
    options = found[found.index("options=") :].replace(r"\ ", "_").split()[0]
    assert "-cstatement_timeout=20000" in options
    assert "-cdefault_transaction_read_only=on" in options
    monkeypatch.setenv("TOLD", "db2")
    assert "host=db2" in conninfo("postgresql://u:p@$TOLD/shop").split(), "the real one replaces variables too"


class _Connection:
    """A driver's connection and its cursor in one, with a switch to break it."""

    description = (("one",),)

    def __init__(self) -> None:
        self.broken = False

    def cursor(self) -> _Connection:
        return self

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def execute(self, query: str) -> None:
        if self.broken:
            raise RuntimeError("server closed the connection unexpectedly\nmore")

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def close(self) -> None:
        """Nothing to close."""


def test_a_connection_is_kept_and_made_anew_when_it_broke() -> None:
    made: list[_Connection] = []

    def connect(dsn: str) -> _Connection:
        made.append(_Connection())
        return made[-1]

    database = Database("postgresql://u:p@db/shop", connect)
    database.ping()
    database.ping()
    assert len(made) == 1
    made[0].broken = True
    with pytest.raises(DatabaseProblem) as problem:
        database.rows("SELECT 1")
    assert str(problem.value) == "server closed the connection unexpectedly", "one line"
    database.ping()
    assert len(made) == 2
    assert database.rows("SELECT 1") == (["one"], [(1,)])


def test_it_answers_over_http(exporter: Exporter) -> None:
    server = Server("127.0.0.1:0", exporter)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        assert opener.open(f"{base}/healthz", timeout=10).read() == b"OK\n"
        asked = urllib.request.Request(f"{base}/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": "45"})
        assert b"# TYPE m_total counter\n" in opener.open(asked, timeout=10).read()
    finally:
        server.shutdown()
        server.server_close()
