"""Apps in the stack file: where they are, what they demand, and the sentence for each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from configs.settings import load
from configs.settings.app import App
from configs.validation import check_file
from tests.fixtures.full import CERTIFICATE, PRIVATE_KEY, SOURCE, full, small

HINT = 'docs/tasks/add-an-app.md, section "On the host itself"'


def _problems(**app: Any) -> list[str]:
    return check_file(small(hosts={"hub": {"apps": {"shop": app}}}), SOURCE)[1]


def _app(**app: Any) -> App:
    return load(small(hosts={"hub": {"apps": {"shop": app}}}), SOURCE).edges["hub"].apps["shop"]


@pytest.mark.parametrize(
    ("app", "problem"),
    [
        ({}, "target: missing, this key is required (or `targets`, or `dns`)"),
        ({"taget": "a:1"}, "taget: unknown key, expected one of target, targets, dns, path"),
        ({"target": "a"}, "target: expected host:port, such as api:8000"),
        ({"target": "a:1", "dns": "b:1"}, ": expected exactly one of target, targets and dns, got target and dns"),
        ({"targets": ["a:1", "a:1"]}, "targets: expected each target once"),
        ({"targets": ["a:1", "http://b:1"]}, "targets.1: expected host:port, such as api:8000; of a URL the"),
        (
            {"target": "https://a:1/metrics"},
            "target: expected host:port, such as api:8000; of a URL the rest goes into `scheme` and `path`",
        ),
        (
            {"target": "a:1/metrics"},
            "target: expected host:port, such as api:8000; of a URL the rest goes into `scheme` and `path`",
        ),
        (
            {"dns": "tasks.a:1/metrics"},
            "dns: expected host:port, such as api:8000; of a URL the rest goes into `scheme` and `path`",
        ),
        (
            {"target": "a:1", "interval": "10s", "timeout": "12s"},
            "timeout: expected at most the interval (10s), got 12s",
        ),
        (
            {"target": "a:1", "path": "/m?a=1", "params": {"a": "2"}},
            "params: expected each parameter once, the query",
        ),
        ({"target": "a:1", "path": "/m?a=1#b"}, "path: expected the path of a URL that begins with /"),
        ({"target": "a:1", "params": {"a b": "1"}}, "params.(key of 3 characters, not shown): expected the name of a"),
        (
            {"target": "a:1", "bearer_token": "x", "basic_auth": {"username": "u", "password": "p"}},
            "basic_auth: expected either `bearer_token` or `basic_auth`, both are given",
        ),
        ({"target": "a:1", "basic_auth": {"username": "u"}}, "basic_auth.password: missing, this key is required"),
        ({"target": "a:1", "tls": {}, "scheme": "http"}, "scheme: expected https beside `tls`, got 'http'"),
        ({"target": "a:1", "tls": {"ca": "/etc/ca.pem"}}, "tls.ca: expected certificates as PEM: the text from"),
        ({"target": "a:1", "tls": {"ca": PRIVATE_KEY}}, "tls.ca: expected certificates as PEM"),
        ({"target": "a:1", "tls": {"key": PRIVATE_KEY}}, "tls.cert: missing, the certificate of `key` is required"),
        (
            {"target": "a:1", "tls": {"cert": CERTIFICATE}},
            "tls.key: missing, this key is required beside `cert`; `make",
        ),
        ({"target": "a:1", "tls": {"cert": CERTIFICATE, "key": "/key.pem"}}, "tls.key: expected a private key as PEM"),
        ({"target": "a:1", "tls": {"ca": CERTIFICATE, "insecure": True}}, "tls.insecure: expected false beside `ca`"),
        ({"target": "a:1", "labels": {"host": "x"}}, "labels.host: `host` is reserved, fleetwatch sets it"),
        ({"target": "a:1", "labels": {"instance": "x"}}, "labels: `instance` is reserved, its value is the target"),
        ({"target": "a:1", "keep": ["("]}, "keep.0: expected a regular expression (RE2)"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(app: dict[str, Any], problem: str) -> None:
    (found,) = _problems(**app)
    assert found.startswith(f"hosts.hub.apps.shop{'' if problem.startswith(':') else '.'}{problem}"), found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    "target",
    ["localhost:9090", "LocalHost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "0.0.0.0:1", "[::ffff:127.0.0.1]:1"],
)
def test_a_target_that_is_the_agent_itself_is_refused_with_the_name_of_the_host(target: str) -> None:
    for app in ({"target": target}, {"targets": [target]}, {"dns": target}):
        (found,) = _problems(**app)
        host, _, port = target.rpartition(":")
        assert f"as seen from a container, {host} is that container itself" in found
        assert f"write host.docker.internal:{port} ({HINT})" in found


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_database_on_the_exporter_itself_is_refused_too_and_the_password_not_shown(host: str) -> None:
    dsn = f"postgresql://watch:hunter2@{host}/shop"
    (found,) = check_file(small(hosts={"hub": {"postgres": {"main": {"dsn": dsn}}}}), SOURCE)[1]
    assert "hosts.hub.postgres.main.dsn: expected a name or an address as seen from a container" in found
    assert "write host.docker.internal:5432 in the DSN" in found
    assert "hunter2" not in found


def test_the_host_itself_is_a_target() -> None:
    assert _app(target="host.docker.internal:18123").hosts == ["host.docker.internal"]


def test_a_query_in_the_path_becomes_parameters() -> None:
    app = _app(target="a:1", path="/v1/sys/metrics?format=prometheus&match[]=a&match[]=b&empty=", params={"x": "1"})
    assert app.path == "/v1/sys/metrics"
    assert app.params == {"x": ["1"], "format": ["prometheus"], "match[]": ["a", "b"], "empty": [""]}


def test_a_slow_exporter_needs_no_timeout_at_a_long_interval() -> None:
    assert [_app(target="a:1", interval=each).scrape_timeout for each in ("5s", "10s", "1m")] == [5, 10, 30]
    assert _app(target="a:1", interval="1m", timeout="50s").scrape_timeout == 50


def test_tls_means_https() -> None:
    assert (_app(target="a:1", tls={"insecure": True}).scheme, _app(target="a:1").scheme) == ("https", "http")


def test_a_value_beside_the_credentials_is_shown_if_it_can_be_no_secret() -> None:
    (found,) = _problems(target="shop-api", bearer_token="hunter2")  # pragma: allowlist secret
    assert found.startswith("hosts.hub.apps.shop.target: expected host:port")
    assert "got 'shop-api'" in found
    (hidden,) = _problems(target="a:1", path="hunter2")
    assert "got a text (not shown)" in hidden, "a query, and so a token, may stand in it"


def test_an_app_with_credentials_has_a_name_that_a_path_can_hold() -> None:
    given = {"hosts": {"hub": {"apps": {"a.b": {"target": "a:1", "bearer_token": "x"}}}}}
    (found,) = check_file(small(**given), SOURCE)[1]
    assert "hosts.hub.apps: `a.b`: expected a name without a dot for an app with credentials" in found


def test_an_app_that_is_called_like_a_container_of_ours_is_named_in_each_form() -> None:
    for key, value in (("target", "cadvisor:1"), ("targets", ["x:1", "cadvisor:1"]), ("dns", "cadvisor:1")):
        (found,) = _problems(**{key: value})
        assert found.startswith(f"hosts.hub.apps.shop.{key}: `cadvisor` is also a container of fleetwatch on that host")


def test_names_of_targets_are_those_that_two_networks_could_have() -> None:
    found = full().edges["hub"].names_of_targets
    assert found == [
        "[fd00::9]", "cache", "db", "db2", "host.docker.internal", "mongo", "queue", "sessions", "shop-api", "vault-1",
        "vault-2", "web", "wiki-db", "worker",
    ]  # fmt: skip
