"""The working copy: secrets that were set once stay where they belong, also when their host gets another name."""

from __future__ import annotations

from typing import Any

from tools import stackfile
from tools.stack import made_here

SET = {"secure": "v1:abc"}


def _composed(hosts: dict[str, Any], known: dict[str, Any]) -> Any:
    made = stackfile.compose(
        {"config": {"fleetwatch:hosts": hosts}},
        {"encryptionsalt": "v1:salt", "config": {"fleetwatch:hosts": known}},
        {},
    )
    assert made["encryptionsalt"] == "v1:salt"
    return made["config"]["fleetwatch:hosts"]


def test_a_secret_stays_with_its_surroundings_and_goes_with_them() -> None:
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}}
    assert _composed({"db-1": {"postgres": {"main": {}}}}, known) == known
    assert _composed({"db-1": {"networks": []}}, known) == {"db-1": {"networks": []}}


def test_a_renamed_hosts_secret_goes_with_it() -> None:
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}}
    renamed = {"database": {"renamed_from": "db-1", "postgres": {"main": {}}}}
    assert _composed(renamed, known)["database"]["postgres"] == {"main": {"dsn": SET}}


def test_a_secret_of_the_new_name_is_not_replaced() -> None:
    other = {"secure": "v1:xyz"}
    known = {"db-1": {"postgres": {"main": {"dsn": SET}}}, "database": {"postgres": {"main": {"dsn": other}}}}
    renamed = {"database": {"renamed_from": "db-1", "postgres": {"main": {}}}}
    assert _composed(renamed, known)["database"]["postgres"] == {"main": {"dsn": other}}


def test_an_image_of_the_stack_file_goes_with_its_line_there() -> None:
    last = {"caddy": "fleetwatch.local/caddy:2.11.9-offline-1", "prometheus": "docker.io/prom/prometheus:v3.99.0"}
    assert made_here(last) == {"caddy": last["caddy"]}, "only what this machine assembled is remembered"
