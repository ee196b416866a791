"""The PostgreSQL that the nodes of a cluster share: what its settings accept, and what is rendered for each program."""

from __future__ import annotations

import configparser
import copy
from typing import Any

import pytest
import yaml

from configs import cost, services
from configs.services import backup, shared_database
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings, SettingsError, load
from configs.settings.secrets import readable
from configs.validation import validate
from tests.fixtures import rendering
from tests.fixtures.fleets import CLUSTER, HUB, SERVER_HUB, SOURCE, cluster, fleet

PEM = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"
GRAFANA_DSN = "postgresql://gra:s3cret%23g@db.example.com:6432/graf?sslmode=require"
ASK_DSN = "postgresql://asker:s3cret-a@db.example.com:6432/asks"
OWN = {"postgres": {"grafana": {"dsn": GRAFANA_DSN}, "ask": {"dsn": ASK_DSN}}}
PLACE = {"host": "private-db.example", "port": "25060", "user": "doadmin", "ca": PEM}
LATE = Late(site="https://hub.example.com", database=PLACE, database_password="made-s3cret")
SERVER = {"server": {**SERVER_HUB["server"], "private_address": "10.20.0.5"}}


def _settings(database: Any = None, hub: dict[str, Any] | None = None) -> Settings:
    storage = {**copy.deepcopy(CLUSTER), **({"database": database} if database else {})}
    given = {"ask": {}, **(hub or {}), "storage": storage}
    return cluster({key: value for key, value in given.items() if value is not None})


def _spec(settings: Settings, role: str, host: str = "hub-c") -> ServiceSpec:
    return next(spec for spec in services.hub_specs(rendering.context(settings, host)) if spec.role == role)


def _ini(settings: Settings) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(_spec(settings, "grafana").files["grafana.ini"].render(LATE))
    return dict(parser["database"])


def _ask(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_spec(settings, "ask").files["ask.yaml"].render(LATE))
    return found


def _own(grafana: Any = GRAFANA_DSN, ask: Any = "", **more: Any) -> dict[str, Any]:
    return {"postgres": {"grafana": {"dsn": grafana}, **({"ask": {"dsn": ask}} if ask else {}), **more}}


@pytest.mark.parametrize(
    ("database", "hub", "said"),
    [
        ({}, {}, "expected exactly one database: managed or postgres"),
        ({"managed": {}, **OWN}, {}, "got managed and postgres"),
        ({"managed": {"size": "db-s-1vcpu-1gb", "nodes": 2}}, {}, "expected one with at least 2 GB beside `nodes: 2`"),
        ({"managed": {"size": "s-1vcpu-1gb"}}, {}, "managed.size: expected the slug of a database's size"),
        ({"managed": {"nodes": 4}}, {}, "expected at most 3, got 4"),
        ({"managed": {}}, SERVER, "expected `postgres` beside `server`"),
        (None, SERVER, "storage.database: missing"),
        (_own(), {**HUB, "ask": {}}, "storage.database.postgres.ask: missing"),
        (_own(ask=ASK_DSN), HUB, "storage.database.postgres.ask: expected none without the assistant"),
        (_own("postgresql://g@db.example.com/g"), HUB, "expected a password in the DSN"),
        (_own("postgresql://g:s3cret%5Cg@db.example.com/g"), HUB, "expected a password without \\ and '"),
        (_own("postgresql://g:'s3cret@db.example.com/g"), HUB, "expected a password without \\ and '"),
        (_own("postgresql://g:s3cret@db.example.com/g?connect_timeout=5"), HUB, "no parameter but sslmode"),
        (_own("postgresql://g:s3cret@db.example.com/g%3B"), HUB, "the name of the database in the DSN"),
        (_own("postgresql://g:s3cret@localhost/g"), HUB, "localhost is that container itself"),
        (_own("postgresql://g:s3cret@db.example.com/g?sslmode=verify-full"), HUB, "ca: missing"),
        (_own("postgresql://g:s3cret@db.example.com/g?sslmode=disable", ca=PEM), HUB, "beside sslmode=disable"),
        (_own(ca="s3cret"), HUB, "expected certificates as PEM"),
    ],
)
def test_mistakes_are_sentences_without_the_secret(database: Any, hub: dict[str, Any], said: str) -> None:
    storage = {**copy.deepcopy(CLUSTER), **({"database": database} if database is not None else {})}
    if "server" in hub:
        at = {"address": "203.0.113.8", "private_address": "10.20.0.8"}
        storage["nodes"] = {"a": {}, "b": {"server": at}, "c": {"server": {**at, "private_address": "10.20.0.9"}}}
    with pytest.raises(SettingsError) as refused:
        load(fleet({**(hub or HUB), "storage": storage}), SOURCE)
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "ask", [GRAFANA_DSN, *(f"postgresql://a:s3cret@DB.example.com:6432/{name}" for name in ("graf", "graf/", "gr%61f"))]
)
def test_both_programs_in_one_database_are_refused_and_placeholders_are_not(ask: str) -> None:
    (said,) = validate(_settings(_own(ask=ask)), machine=None, cloud=None, encrypted=None)
    assert said.startswith("hub.storage.database.postgres.ask.dsn: expected a different database than Grafana's")
    assert "s3cret" not in said
    unread = readable(_own({"secure": "v1:x"}, ask={"secure": "v1:y"}))
    assert not validate(_settings(unread), machine=None, cloud=None, encrypted=None)


@pytest.mark.parametrize("place", ["other.example.com:6432", "db.example.com"])
def test_both_databases_are_on_the_server_that_is_watched(place: str) -> None:
    (said,) = validate(
        _settings(_own(ask=f"postgresql://a:s3cret@{place}/asks")), machine=None, cloud=None, encrypted=None
    )
    assert said.startswith("hub.storage.database.postgres.ask.dsn: expected the host and port of Grafana's")
    assert "s3cret" not in said
    half_read = readable(_own(ask={"secure": "v1:y"}))
    assert not validate(_settings(half_read), machine=None, cloud=None, encrypted=None)


@pytest.mark.parametrize("kind", ["single", "bucket"])
def test_another_kind_of_hub_has_none(kind: str) -> None:
    storage = {"kind": kind, "bucket": copy.deepcopy(CLUSTER["bucket"]), "database": {"managed": {}}}
    with pytest.raises(SettingsError, match=f"hub.storage.kind: expected `cluster` beside `database`, got `{kind}`"):
        load(fleet({**HUB, "storage": storage}), SOURCE)
    del storage["database"]
    assert load(fleet({**HUB, "storage": storage}), SOURCE).hub.storage.shared is None


def test_on_droplets_it_is_the_managed_one_unless_the_file_says_otherwise() -> None:
    assert _settings().hub.storage.shared == _settings({"managed": {}}).hub.storage.shared
    database = _settings(OWN).hub.storage.shared
    assert database is not None
    assert database.managed is None
    assert not validate(_settings(OWN), machine=None, cloud=None, encrypted=None)


def test_grafana_is_told_the_managed_server_and_verifies_its_authority() -> None:
    assert _ini(_settings()) == {
        "type": "postgres",
        "host": "private-db.example:25060",
        "name": "grafana",
        "user": "doadmin",
        "password": "$__file{/run/secrets/fleetwatch/database-password}",
        "ssl_mode": "verify-ca",
        "ca_cert_path": "/etc/grafana/database-ca.crt",
        "max_open_conn": "4",
        "max_idle_conn": "4",
    }
    spec = _spec(_settings(), "grafana")
    assert spec.files["database-ca.crt"].render(LATE) == PEM
    assert spec.secrets["database-password"].render(LATE) == "made-s3cret"
    assert "made-s3cret" not in spec.files["grafana.ini"].render(LATE)
    assert "secret_key = $__file{/run/secrets/fleetwatch/secret-key}" in spec.files["grafana.ini"].render(LATE)
    alone = cluster({"storage": "single"})
    assert "secret_key" not in _spec(alone, "grafana", "hub").files["grafana.ini"].render(LATE)


def test_a_server_of_the_user_is_reached_as_its_dsn_says() -> None:
    settings = _settings(OWN)
    found = _ini(settings)
    assert (found["host"], found["name"], found["user"]) == ("db.example.com:6432", "graf", "gra")
    assert (found["ssl_mode"], "ca_cert_path" in found) == ("require", False)
    assert _spec(settings, "grafana").secrets["database-password"].render(Late()) == "s3cret#g"
    assert "database-ca.crt" not in _spec(settings, "grafana").files
    asked = _ask(settings)["database"]
    assert (asked["name"], asked["user"], asked["sslmode"]) == ("asks", "asker", "require")
    assert _spec(settings, "ask").secrets["ask-database-password"].render(Late()) == "s3cret-a"


def test_the_assistants_password_may_have_the_letters_that_grafana_cannot_read() -> None:
    settings = _settings(_own(ask=ASK_DSN.replace("s3cret-a", "s3'%5Ccret")))
    assert _spec(settings, "ask").secrets["ask-database-password"].render(Late()) == "s3'\\cret"


def test_with_an_authority_the_servers_name_is_verified() -> None:
    own: dict[str, Any] = copy.deepcopy(OWN)
    own["postgres"]["ca"] = PEM
    own["postgres"]["grafana"]["dsn"] = "postgresql://gra:s3cret@[fd00::5]/graf"
    settings = _settings(own)
    found = _ini(settings)
    assert (found["ssl_mode"], found["host"]) == ("verify-full", "[fd00::5]:5432")
    assert _ask(settings)["database"]["ca_file"] == "/etc/ask/database-ca.crt"
    assert _spec(settings, "ask").files["database-ca.crt"].render(Late()) == PEM


def test_the_assistant_runs_on_every_node_without_servers_of_its_own() -> None:
    settings = _settings()
    for host in settings.hub.hosts:
        roles = services.roles(settings, host)
        assert "ask" in roles
        assert not {"ask-database", "ask-cache"} & set(roles)
    document = _ask(settings)
    assert "valkey" not in document
    assert document["database"] == {
        "host": "private-db.example",
        "port": 25060,
        "name": "ask",
        "user": "doadmin",
        "password_file": "/run/secrets/fleetwatch/ask-database-password",
        "connections": 2,
        "sslmode": "verify-ca",
        "ca_file": "/etc/ask/database-ca.crt",
    }
    spec = _spec(settings, "ask")
    assert sorted(spec.secrets) == ["ask-admin-password", "ask-database-password", "ask-session-key"]
    assert [network.name for network in spec.networks] == ["hub"]


@pytest.mark.parametrize(("ask", "needed"), [({"ask": {}}, 36), ({"ask": None}, 30)])
def test_connections_of_all_nodes_fit_into_the_default_server(ask: dict[str, Any], needed: int) -> None:
    """Of a node: two pools of four of Grafana, two of the exporter, two of the assistant."""

    def said(size: dict[str, str]) -> list[str]:
        return list(validate(_settings({"managed": size}, ask), machine=None, cloud=None, encrypted=None))

    assert said({}) == said({"size": "gd-2vcpu-8gb"}) == said({"size": "unlike-others"}) == []
    (small,) = said({"size": "db-s-1vcpu-1gb"})
    assert small.startswith(f"hub.storage.database.managed.size: expected a server for the {needed} connections")
    assert "db-s-1vcpu-1gb accepts 22; choose db-s-1vcpu-2gb" in small


def test_each_program_has_as_many_connections_as_are_counted() -> None:
    settings = _settings()
    ini, asked = _ini(settings), _ask(settings)["database"]
    own = shared_database.GRAFANA_POOLS * int(ini["max_open_conn"]) + asked["connections"] + shared_database.EXPORTER
    assert shared_database.connections(settings) == 3 * own


def test_the_exporter_reads_its_connection_from_files_and_keeps_one_metric() -> None:
    spec = _spec(_settings(), "database-exporter", "hub")
    uri = spec.secrets["uri"].render(LATE)
    assert uri.startswith("private-db.example:25060/grafana?sslmode=verify-ca&connect_timeout=5")
    assert uri.endswith("&sslrootcert=/run/secrets/fleetwatch/database-ca.crt")
    assert spec.secrets["database-ca.crt"].render(LATE) == PEM
    assert spec.secrets["password"].render(LATE) == "made-s3cret"
    assert not any("s3cret" in word for word in (*spec.command, *spec.environment))
    assert "hub-database" in services.scrape_jobs(_settings(), "hub-b")
    assert "hub-database" not in services.scrape_jobs(cluster(hosts={"web-1": {"droplet": {}}}), "web-1")


def test_a_backup_leaves_to_the_server_what_is_in_it() -> None:
    wanted = {"to": {"path": "/mnt/backup"}, "password": "p" * 20}
    settings = _settings(hub={"backup": wanted})
    assert backup.parts(settings) == ("alertmanager", "caddy", "state")
    reads = _spec(settings, "backup", "hub").reads
    assert set(reads.values()) == {"alertmanager", "caddy-data"}


def test_the_bill_has_each_node_of_it() -> None:
    def item(database: Any) -> list[tuple[str, float | None]]:
        items = cost.monthly(_settings(database)).items
        return [(one.what, one.usd) for one in items if one.what.startswith("database")]

    assert item(None) == [("database db-s-1vcpu-2gb", 30)]
    assert item({"managed": {"size": "db-s-1vcpu-2gb", "nodes": 2}}) == [("database db-s-1vcpu-2gb, 2 nodes", 60)]
    assert item({"managed": {"size": "gd-2vcpu-8gb"}}) == [("database gd-2vcpu-8gb", None)]
    assert item(OWN) == []
