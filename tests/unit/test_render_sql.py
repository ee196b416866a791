"""The SQL exporter's files: names and labels that dashboards and rules build on, connections, and what bounds them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
import yaml

from configs.services import sql_exporter as sql
from configs.settings import Edge, Settings, load
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, small
from tests.fixtures.sql_metrics import LABELS

COLLECTORS: list[dict[str, Any]] = [yaml.safe_load(text) for text in sql.queries().values()]
METRICS = [metric for collector in COLLECTORS for metric in collector["metrics"]]


def _hub(settings: Settings | None = None) -> Edge:
    return (settings or full()).edges["hub"]


def _agent(host: str) -> Any:
    return yaml.safe_load(rendering.agent_config(full(), host))


def _queries() -> dict[str, str]:
    named = {q["query_name"]: q["query"] for collector in COLLECTORS for q in collector.get("queries", ())}
    return {**named, **{m["metric_name"]: m["query"] for m in METRICS if "query" in m}}


def test_names_and_labels_are_what_dashboards_and_rules_expect() -> None:
    assert {m["metric_name"]: set(m.get("key_labels", ())) for m in METRICS} == LABELS
    for metric in METRICS:
        counts = metric["metric_name"].endswith("_total")
        assert (metric["type"] == "counter") is counts, metric["metric_name"]


def test_each_page_names_them_all() -> None:
    page = (sql.QUERIES.parents[1] / "docs" / "databases.md").read_text()
    named = set(re.findall(r"`(fleetwatch_(?:pg|timescale)_\w+)`", page))
    assert named == set(LABELS), "docs/databases.md is behind configs/queries"


@pytest.mark.parametrize(("name", "query"), sorted(_queries().items()), ids=sorted(_queries()))
def test_a_query_is_bounded_and_of_timescaledb_only_where_that_is_installed(name: str, query: str) -> None:
    one_row = {
        "fleetwatch_pg_connections_ratio",
        "fleetwatch_pg_replication_lag_seconds",
        "fleetwatch_timescale_info",
    }
    assert (" LIMIT " in query.replace("\n", " ")) is (name not in one_row), "as many series as there are things"
    outside = re.sub(r"\$\$.*\$\$", "", query, flags=re.DOTALL)
    assert "timescaledb_information" not in outside, "a plain PostgreSQL would refuse the whole query"
    assert "_timescaledb_catalog" not in outside
    if "$$" in query:
        assert "WITH extension AS MATERIALIZED" in outside
        assert "extname = 'timescaledb'" in outside


def test_sizes_are_asked_every_ten_minutes_and_the_rest_at_every_scrape() -> None:
    intervals = {collector["collector_name"]: collector.get("min_interval") for collector in COLLECTORS}
    assert intervals == {
        "postgres_activity": None,
        "postgres_sizes": "9m30s",
        "timescaledb_jobs": None,
        "timescaledb_sizes": "9m30s",
    }, "a little less than ten scrapes: at exactly ten, the last one could come a moment too early"
    for collector in COLLECTORS:
        sizes = any("_size" in q["query"] or "_stats(" in q["query"] for q in collector.get("queries", ()))
        sizes |= any("_size(" in metric.get("query", "") for metric in collector["metrics"])
        assert sizes is (collector["collector_name"] in ("postgres_sizes", "timescaledb_sizes"))


def test_the_main_file_has_every_database_with_its_limits() -> None:
    main = yaml.safe_load(sql.secret(_hub()))
    (job,) = main["jobs"]
    targets = {name: dsn for group in job["static_configs"] for name, dsn in group["targets"].items()}
    assert list(targets) == ["main", "other"]
    assert len(job["static_configs"]) == 2, "within one group, sql_exporter refuses two entries with one DSN"
    for dsn in targets.values():
        given = parse_qs(urlsplit(dsn).query)
        assert given["statement_timeout"] == ["20000"], "milliseconds"
        assert given["lock_timeout"] == ["2000"]
        assert given["default_transaction_read_only"] == ["on"]
        assert given["connect_timeout"] == ["5"]
    assert main["global"]["scrape_timeout"] == "45s"
    assert main["collector_files"] == ["/etc/sql_exporter/*.yaml"]


def test_no_plain_file_and_no_argument_has_a_dsn() -> None:
    assert "s3cret" in sql.secret(_hub()), "else this test could not fail"
    assert "s3cret" not in "".join([*sql.queries().values(), *sql.command(), *sql.CHECK])


@pytest.mark.parametrize("password", ["/@:%#'\"$x", "a\\b", "$HOME", "ünï", "a=b&c?d"])
def test_a_password_survives_how_sql_exporter_reads_a_dsn(password: str) -> None:
    given = sql.connection(f"postgresql://watch:{quote(password, safe='')}@db/shop")
    assert "$" not in given, "it would be replaced by a variable of the environment"
    decoded = unquote(urlsplit(given).password or "")
    # The driver reads the decoded text as a value of a key=value string: a backslash takes the next character as it is.
    assert re.sub(r"\\(.)", r"\1", decoded) == password
    assert not re.search(r"(?<!\\)(?:\\\\)*'", decoded), "an open quotation mark swallows what follows"


def test_a_dsn_has_its_way() -> None:
    given = parse_qs(
        urlsplit(sql.connection("postgresql://u:p@db/x?sslmode=verify-full&statement_timeout=60000")).query
    )
    assert given["sslmode"] == ["verify-full"]
    assert given["statement_timeout"] == ["60000"]
    assert parse_qs(urlsplit(sql.connection("postgresql://u:p@db.example.com/x")).query)["sslmode"] == ["require"]
    assert urlsplit(sql.connection("postgresql://u:p@[fd00::1]:5433/x")).netloc.endswith("@[fd00::1]:5433")


def test_the_agent_asks_the_exporter_once_for_all_databases() -> None:
    (job,) = [job for job in _agent("hub")["scrape_configs"] if job["job_name"] == "sql"]
    assert (job["scrape_interval"], job["scrape_timeout"]) == ("1m", "45s")
    assert job["static_configs"] == [
        {"targets": ["fleetwatch-sql-exporter:9399"], "labels": {"env": "full", "host": "hub"}}
    ]
    assert "sql" not in [job["job_name"] for job in _agent("web-1")["scrape_configs"]], "no database, no exporter"


def test_metrics_of_the_exporter_do_not_pass_for_prometheus_own() -> None:
    renamed = {rule["regex"]: rule["replacement"] for rule in sql.relabel() if "replacement" in rule}
    assert renamed["up"] == "fleetwatch_sql_up", "`up` with a job means: this target answered"
    assert all(name.startswith("fleetwatch_sql_") for name in renamed.values())


def test_a_scrape_never_takes_longer_than_its_interval() -> None:
    assert sql.timeout(_hub(load(small(hosts={"hub": {"scrape": {"sql": "20s"}}}), SOURCE))) == 20
