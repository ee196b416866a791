"""Exporters of servers in the stack file, and the containers and files that they become."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from components.edge import BRIEF
from configs import compose, names, services
from configs.rules.exporters import JOBS
from configs.services import agent
from configs.services.exporters import PATIENCE, mysql
from configs.services.spec import Late
from configs.settings import load
from configs.settings.exporter import Exporter
from configs.validation import check_file
from tests.fixtures import rendering
from tests.fixtures.exporters import ACCOUNT, EXPORTERS, PASSWORD
from tests.fixtures.full import SOURCE, full, small

CONTEXT = rendering.context(full(), "hub")
SPECS = {
    spec.role.partition("-")[2]: spec
    for spec in services.edge_specs(CONTEXT)
    if spec.service.jobs and spec.service.jobs[0] in JOBS
}
HUNTER = {"user": "watch", "password": "hunter2"}  # pragma: allowlist secret
MYSQL = {"mysql": "db", **HUNTER}


def _problems(**exporter: Any) -> list[str]:
    return check_file(small(hosts={"hub": {"exporters": {"shop": exporter}}}), SOURCE)[1]


def _secret(name: str) -> tuple[str, str]:
    """The one secret file of an exporter: its name and its text."""
    ((file, made),) = [(file, made) for file, made in SPECS[name].secrets.items() if file != "web.yml"]
    return file, made.render(Late())


@pytest.mark.parametrize(
    ("exporter", "problem"),
    [
        ({}, ": expected exactly one of redis, valkey, mysql, mariadb, mongodb, nginx, rabbitmq, memcached, got none"),
        ({"redis": "a", "valkey": "b"}, ": expected exactly one of redis, valkey, "),
        ({"reddis": "a"}, ".reddis: unknown key, expected one of redis, valkey, "),
        ({"redis": "redis://:hunter2@a"}, ".redis: expected host or host:port, such as cache or cache:6379, without"),
        ({"redis": "watch:hunter2@a"}, ".redis: expected host or host:port, such as cache or cache:6379, without"),
        ({"redis": "a:b"}, ".redis: expected host or host:port, such as cache or cache:6379 (the name as seen"),
        ({"redis": "a:99999"}, ".redis: expected host or host:port"),
        ({"redis": "localhost"}, ".redis: expected a name or an address as seen from a container"),
        ({"redis": "a", "user": "watch"}, ".password: missing, this key is required beside `user`"),
        ({"redis": "a", "user": "a b", "password": "x"}, ".user: expected the name of a user: letters, digits, and"),
        ({"redis": "a", "password": ""}, ".password: expected a secret text"),
        ({"redis": "a", "insecure": True}, ".insecure: expected false without `tls: true`"),
        ({"mysql": "a", "password": "hunter2"}, ".user: missing, the exporter of `mysql` needs an account"),
        ({"mariadb": "a"}, ".user: missing, the exporter of `mariadb` needs an account"),
        (MYSQL | {"password": "hunter2%(user)s"}, ".password: expected one without %(...)s, which"),
        (MYSQL | {"password": "hunter2\nx"}, ".password: expected one line of text, without control characters"),
        ({"mongodb": "a", "password": "hunter2"}, ".user: missing, this key is required beside `password`"),
        ({"mongodb": "mongodb+srv://a.b"}, ".mongodb: expected host or host:port, such as cache or cache:27017"),
        ({"nginx": "web"}, ".nginx: expected the URL of its stub_status page"),
        ({"memcached": "a", **HUNTER}, ".password: expected none beside `memcached`, its exporter has no account"),
        ({"rabbitmq": "a", "tls": True}, ".tls: expected false beside `rabbitmq`; it is read without TLS"),
        (
            {"rabbitmq": "a:15672"},
            ".rabbitmq: expected the port of the plugin rabbitmq_prometheus, usually 15692; 15672",
        ),
        ({"mysql": "a", "user": "watch"}, ".password: missing, this key is required beside `user`"),
        ({"redis": "a:" + "9" * 5000}, ".redis: expected host or host:port, such as cache or cache:6379 (the name"),
        ({"nginx": "http://web/s?token=hunter2"}, ".nginx: expected a URL without ? and #"),
        ({"nginx": "https://web/s", "tls": True}, ".tls: expected false beside `nginx`; write an https:// URL instead"),
        ({"nginx": "http://web/s", "insecure": True}, ".insecure: expected false without an https:// URL"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(exporter: dict[str, Any], problem: str) -> None:
    (found,) = _problems(**exporter)
    assert found.startswith(f"hosts.hub.exporters.shop{problem}"), found
    assert "hunter2" not in found


def test_each_server_is_a_container_and_a_target_of_the_job_of_its_kind() -> None:
    assert set(SPECS) == set(EXPORTERS) - {"jobs"}, "RabbitMQ exposes its metrics itself"
    config = yaml.safe_load(agent.config(CONTEXT))
    jobs = {one["job_name"]: one for one in config["scrape_configs"]}
    found = {
        group["labels"]["server"]: (job, group["targets"]) for job in JOBS for group in jobs[job]["static_configs"]
    }
    assert found == {
        "cache": ("redis", ["fleetwatch-redis-cache:9121"]),
        "queue": ("redis", ["fleetwatch-redis-queue:9121"]),
        "orders": ("mysql", ["fleetwatch-mysql-orders:9104"]),
        "wiki": ("mysql", ["fleetwatch-mysql-wiki:9104"]),
        "carts": ("mongodb", ["fleetwatch-mongodb-carts:9216"]),
        "web": ("nginx", ["fleetwatch-nginx-web:9113"]),
        "jobs": ("rabbitmq", ["queue:15692"]),
        "sessions": ("memcached", ["fleetwatch-memcached-sessions:9150"]),
    }
    (carts,) = jobs["mongodb"]["static_configs"]
    assert carts["labels"]["__metrics_path__"] == "/api/v0/component/prometheus.exporter.mongodb.server/metrics"


def test_passwords_are_only_in_files_of_secrets() -> None:
    refs = {key: f"registry.example.com/{key}:1" for key in services.IMAGE_KEYS}
    made = compose.containers(CONTEXT, services.edge_specs(CONTEXT), refs)
    for text in (compose.compose_yaml(CONTEXT, made), repr(made), agent.config(CONTEXT)):
        assert "exporter-s3cret" not in text
    for spec in SPECS.values():
        assert not spec.files
        assert "exporter-s3cret" not in repr((spec.command, spec.environment, spec.health))


@pytest.mark.parametrize("name", [name for name, server in EXPORTERS.items() if "password" in server])
def test_each_exporter_reads_its_password_from_the_folder_of_secrets(name: str) -> None:
    file, text = _secret(name)
    assert any(f"{names.SECRETS}/{file}" in one for one in (*SPECS[name].command, *SPECS[name].environment))
    assert "exporter-s3cret" in text


def test_no_file_without_a_password() -> None:
    settings = load(small(hosts={"hub": {"exporters": {"cache": {"redis": "cache"}}}}), SOURCE)
    (spec,) = [one for one in services.edge_specs(rendering.context(settings, "hub")) if one.role == "redis-cache"]
    assert not spec.secrets
    assert not [one for one in spec.environment if "PASSWORD" in one]


def test_redis_looks_its_password_up_by_address_with_and_without_the_user() -> None:
    assert json.loads(_secret("cache")[1])["redis://cache:6379"] == PASSWORD
    address = "valkey.example.com:6379"
    assert json.loads(_secret("queue")[1]) == {f"rediss://{address}": PASSWORD, f"rediss://watch@{address}": PASSWORD}
    assert f"REDIS_ADDR=rediss://{address}" in SPECS["queue"].environment


def test_my_cnf_has_the_whole_connection() -> None:
    lines = _secret("orders")[1].splitlines()
    assert lines[0] == "[client]"
    values = dict(line.split(" = ", 1) for line in lines[1:])
    password = PASSWORD.replace("$", "${FLEETWATCH_DOLLAR}")
    assert values == {
        "host": "`mysql.example.com`",
        "port": "3306",
        "user": "`watch`",
        "password": f"`{password}`",
        "tls": "skip-verify",
    }
    assert "FLEETWATCH_DOLLAR=$" in SPECS["orders"].environment
    assert "tls = false" in _secret("wiki")[1]
    by_address = mysql.my_cnf(Exporter.model_validate({"mysql": "[fd00::9]:3307", **ACCOUNT, "tls": True}))
    assert "host = `fd00::9`\nport = 3307" in by_address
    assert "tls = true" in by_address


def test_only_the_agent_may_ask_the_exporter_of_mysql_which_takes_other_targets() -> None:
    (job,) = [one for one in yaml.safe_load(agent.config(CONTEXT))["scrape_configs"] if one["job_name"] == "mysql"]
    assert job["basic_auth"]["username"]
    assert f"--web.config.file={names.SECRETS}/web.yml" in SPECS["wiki"].command
    users = SPECS["wiki"].secrets["web.yml"].render(Late(scraper={"agent": "hash"}))
    assert yaml.safe_load(users) == {"basic_auth_users": {"agent": "hash"}}
    assert "grep -q 401" in SPECS["wiki"].health.argv[-1]


def test_the_connection_string_of_mongodb_has_the_account_and_time_limits() -> None:
    (line,) = [line for line in _secret("carts")[1].splitlines() if "mongodb_uri" in line]
    uri = urlsplit(json.loads(line.partition(" = ")[2]))
    assert (uri.hostname, uri.port) == ("mongo", 27018)
    assert (uri.username, unquote(uri.password or "")) == ("watch", PASSWORD)
    assert uri.query.split("&") == ["connectTimeoutMS=1500", "serverSelectionTimeoutMS=1500", "authSource=admin"]


def test_containers_of_servers_are_resolved_on_the_networks_of_the_user() -> None:
    assert {"cache", "wiki-db", "mongo"} <= set(full().edges["hub"].names_of_targets)
    assert all(spec.user_networks for spec in SPECS.values())


def test_an_exporter_gives_up_before_the_first_scrapes_of_a_new_agent_do() -> None:
    """Otherwise a server that does not answer is a scrape that fails, and with it the update."""
    assert PATIENCE < BRIEF
    assert f"REDIS_EXPORTER_CONNECTION_TIMEOUT={PATIENCE}s" in SPECS["cache"].environment
    assert f"--nginx.timeout={PATIENCE}s" in SPECS["web"].command


def test_a_name_that_docker_cannot_resolve_is_refused() -> None:
    name = "a" * 50
    found = check_file(small(hosts={"hub": {"exporters": {name: {"redis": "cache"}}}}), SOURCE)[1]
    assert len(found) == 1
    assert "has 67 characters, expected at most 63; shorten the name of its entry" in found[0], found
