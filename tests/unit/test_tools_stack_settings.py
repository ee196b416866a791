"""Commands read a stack file through the settings: what is a secret, where the hub is, and what a mistake does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs import services
from configs.settings import Settings
from tests.fixtures import full
from tests.fixtures.full import in_bucket
from tools import images, stack_secrets, up, working_copy
from tools.errors import ToolError
from tools.stack import Stack
from tools.stack_settings import (
    DEFAULT_DOCKER,
    complete_settings,
    configured_docker,
    docker_address,
    missing_paths,
    read_settings,
)

ENCRYPTED = {"secure": "v1:abc"}
# Of servers under `exporters`, by the package of their modules.
EXPORTERS = {module.SERVICE.image for module in services.EDGE if ".exporters." in str(vars(module)["__name__"])}
EXPORTERS -= {"alloy"}  # MongoDB's, which no usual stack has


def _config(**sections: Any) -> dict[str, Any]:
    return {f"fleetwatch:{key}": value for key, value in sections.items()}


def _settings(**sections: Any) -> Settings:
    settings, problems = read_settings(_config(**sections), "qa", "stacks/Pulumi.qa.yaml")
    assert settings is not None, problems
    return settings


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    return Stack("qa", tmp_path / "Pulumi.qa.yaml", {})


def _write(stack: Stack, **sections: Any) -> Stack:
    working_copy.write(stack.file, {"config": _config(**sections)})
    return stack


def test_a_secret_is_what_the_settings_type_as_one() -> None:
    receivers = {"ops": {"webhook": {"url": "https://x.test/1"}, "slack": {"url": ENCRYPTED}}}
    oidc = {"client_id": "c", "client_secret": "s", "auth_url": "https://id.test/a", "api_url": "https://id.test/b"}
    apps = {"shop": {"target": "shop:8000", "labels": {"url": "x", "token": "y"}}}
    config = _config(
        hub={"local": {}, "alerts": {"receivers": receivers}, "grafana": {"auth": {"oidc": oidc}}},
        hosts={"hub": {"apps": apps, "postgres": {"main": {"dsn": "postgresql://u@db/x"}}}},
    )
    config |= {"digitalocean:token": "t", "digitalocean:apiEndpoint": "http://x"}
    assert set(working_copy.plain_secrets(config)) == {
        "hub.alerts.receivers.ops.webhook.url",
        "hub.grafana.auth.oidc.client_secret",
        "hosts.hub.postgres.main.dsn",
        "digitalocean:token",
    }


def test_encrypted_values_do_not_hide_the_settings_around_them() -> None:
    def encrypted(value: Any, path: str = "") -> Any:
        if isinstance(value, dict):
            return {key: encrypted(inner, f"{path}.{key}".lstrip(".")) for key, inner in value.items()}
        return ENCRYPTED if path in working_copy.plain_secrets(_config(**full.raw())) else value

    settings, problems = read_settings(_config(**encrypted(full.raw())), "full", "f")
    assert problems == []
    assert settings is not None
    assert {name: set(edge.postgres) for name, edge in settings.edges.items()} == {
        name: set(edge.postgres) for name, edge in full.full().edges.items()
    }


def test_a_missing_secret_is_found_by_its_path() -> None:
    hosts = {"hub": {}, "db-1": {"server": {"address": "10.0.0.8"}, "postgres": {"main": {}}}}
    _, problems = read_settings(_config(hub={"server": {"address": "10.0.0.7"}}, hosts=hosts), "qa", "f")
    assert "hosts.db-1.postgres.main.dsn" in missing_paths(problems)


@pytest.mark.parametrize(
    ("hub", "here", "on_server"),
    [
        ({"local": {}}, True, False),
        ({"server": {"address": "10.0.0.7"}}, False, True),
        ({"droplet": {"region": "fra1"}}, False, False),
        ({"droplet": {}}, False, False),
        ({"local": {}, "droplet": {"region": "fra1"}}, False, False),
        (7, False, False),
    ],
)
def test_where_the_hub_is_also_with_mistakes(stack: Stack, hub: Any, here: bool, on_server: bool) -> None:
    _write(stack, hub=hub)
    assert (stack.hub_is_local, stack.on_server) == (here, on_server)
    assert ("local" in str(stack.prepare())) is ("local" in str(hub)), "only a local hub gets this machine's overlay"


def test_the_docker_engine_of_a_local_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    named, default = _settings(hub={"local": {"docker": "unix:///run/x.sock"}}), _settings(hub={"local": {}})
    assert (configured_docker(named), docker_address(named)) == ("unix:///run/x.sock", "unix:///run/x.sock")
    assert (configured_docker(default), docker_address(default)) == (None, DEFAULT_DOCKER)
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/y.sock")
    assert docker_address(default) == "unix:///run/y.sock"
    assert docker_address(None) == "unix:///run/y.sock"


@pytest.mark.parametrize("prefix", ["Q A", "qa-", ["qa"]])
def test_an_invalid_prefix_is_never_replaced_by_the_default(stack: Stack, prefix: Any) -> None:
    """`make down` removes by prefix: what bears the default one belongs to another stack."""
    with pytest.raises(ToolError, match="prefix: expected"):
        _write(stack, hub={"local": {}}, prefix=prefix).prefix()


def test_the_prefix_stands_beside_mistakes_elsewhere(stack: Stack) -> None:
    assert _write(stack, hub={"local": {}, "retention": {"metrics": "x"}}, prefix="qa").prefix() == "qa"
    with pytest.raises(ToolError, match=r"hub\.retention\.metrics: expected a duration"):
        stack.valid_settings()


def test_which_images_a_local_stack_needs() -> None:
    usual = up.required_images(_settings(hub={"local": {}}))
    assert set(images.PARTS) - set(usual) == {
        "postgres_exporter", "sql_exporter", "restic", "blackbox_exporter", "ask", "pgvector", "valkey",
        "thanos", *EXPORTERS,
    }, "the hub has no database, no backup, no assistant, no probes, no bucket and no exporters"  # fmt: skip
    alloy = {"hosts": {"hub": {"logs": {"agent": "alloy"}}}}
    assert set(up.required_images(_settings(hub={"local": {}}, **alloy))) == {*usual, "alloy"} - {"promtail"}
    edge = {"postgres": {"main": {"dsn": "postgresql://watch:x@db:5432/shop"}}, "probes": {"db": {"tcp": "db:5432"}}}
    account = {"user": "watch", "password": "unread"}  # pragma: allowlist secret
    edge["exporters"] = {"cache": {"valkey": "cache"}, "shop": {"mariadb": "db", **account}}
    backup = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
    whole = _settings(hub={"local": {}, "backup": backup, "ask": {}}, hosts={"hub": edge})
    unused = EXPORTERS - {"redis_exporter", "mysqld_exporter"}
    assert set(up.required_images(whole)) == set(images.PARTS) - {"thanos", *unused}
    stored = up.required_images(in_bucket())
    assert set(stored) == {*usual, "thanos"}, "the metrics agent is Prometheus too"
    overridden = _settings(hub={"local": {}}, images={"loki": "registry.example.com/loki:3.7.8"})
    assert set(usual) - set(up.required_images(overridden)) == {"loki"}


def test_a_prefix_of_another_stack_on_the_same_engine_is_refused_before_anything_is_written(stack: Stack) -> None:
    other = Stack("local", stack.file, {})
    working_copy.write(other.working, {"config": _config(hub={"local": {}})})
    _write(stack, hub={"local": {}})
    with pytest.raises(ToolError, match=r"prefix: `fleetwatch` is used by stack local .* fleetwatch:prefix"):
        stack.prepare()
    assert not stack.working.exists(), "the next run of the other stack must not find this one"
    _write(stack, hub={"local": {}}, prefix="qa").prepare()
    _write(stack, hub={"local": {"docker": "unix:///run/other.sock"}}).prepare()


def test_a_stack_keeps_its_own_prefix(stack: Stack) -> None:
    _write(stack, hub={"local": {}}).prepare()
    stack.prepare()


@pytest.mark.parametrize("key", ["hosts.hub.postgres.main.dns", "password", "hub.domain", ""])
def test_make_secret_refuses_a_key_that_is_no_secret(stack: Stack, key: str) -> None:
    _write(stack, hub={"local": {}})
    with pytest.raises(ToolError, match=r"not the path of a secret.*hosts\.<name>\.postgres\.<name>\.dsn"):
        stack_secrets.set_from_input(stack, key)
    assert not stack.working.exists()


def test_a_database_whose_secret_is_kept_elsewhere_still_needs_its_images() -> None:
    """`make secret` keeps the DSN in the working copy; the file has the entry alone."""
    config = _config(hub={"local": {}}, hosts={"hub": {"postgres": {"main": {}}}})
    settings = complete_settings(config, "qa", "stacks/Pulumi.qa.yaml")
    assert settings is not None
    assert {"postgres_exporter", "sql_exporter"} <= set(up.required_images(settings))
    bare = complete_settings(_config(hub={"local": {}}), "qa", "stacks/Pulumi.qa.yaml")
    assert bare is not None
    assert "postgres_exporter" not in up.required_images(bare)
