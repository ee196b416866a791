"""The assistant on the hub: its three containers, their files and networks, and the route that leads to it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ask.service import config as service_config
from configs import names, rules, services
from configs.services import ask, ask_cache, ask_database, prometheus
from configs.services.caddy import caddyfile
from configs.services.spec import Late, Network, restarts
from configs.settings import Settings, load, read
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, small

SECRETS = {name: f"{name}-s3cret" for name in names.ASK_SECRETS}
LATE = Late(site="https://hub.example", ask=SECRETS)
ROLES = ("ask-database", "ask-cache", "ask")


def _settings(value: Any = None, **sections: Any) -> Settings:
    return load(small(hub={"local": {}, "ask": value or {}}, **sections), SOURCE)


SPECS = {spec.role: spec for spec in services.hub_specs(rendering.context(_settings(), "hub"))}


def test_a_stack_without_the_key_has_nothing_of_it() -> None:
    plain = load(small(), SOURCE)
    context = rendering.context(plain, "hub")
    assert not set(ROLES) & {spec.role for spec in services.hub_specs(context)}
    assert "/ask" not in caddyfile.render(plain)
    assert "ask" not in {job.name for job in plain.jobs["hub"]}
    assert not [alert.name for alert in rules.alerts(plain) if alert.name.startswith("Ask")]
    assert not {"ask", "pgvector", "valkey"} & set(services.used_images(plain))


def test_they_start_last_because_the_hub_works_without_them() -> None:
    order = [spec.role for spec in sorted(SPECS.values(), key=lambda spec: len(spec.depends_on))]
    assert tuple(order[-3:]) == ROLES
    assert "caddy" in order[:-3]


def test_database_and_cache_are_on_a_network_apart_and_nothing_is_published() -> None:
    assert SPECS["ask-database"].networks == SPECS["ask-cache"].networks == (Network("ask"),)
    assert set(SPECS["ask"].networks) == {Network("ask"), Network("hub")}
    others = {role for role, spec in SPECS.items() if Network("ask") in spec.networks}
    assert others == set(ROLES)
    assert not [role for role in ROLES if SPECS[role].ports]


@pytest.mark.parametrize("role", ROLES)
def test_containers_are_unprivileged_and_small(role: str) -> None:
    spec = SPECS[role]
    assert spec.read_only
    assert not spec.capabilities
    assert not spec.environment, "secrets are files"
    assert not [secret for secret in SECRETS.values() if secret in " ".join((*spec.command, *spec.entrypoint))]
    assert sum(SPECS[one].limits[0] for one in ROLES) <= 300 * 1024**2


def test_secrets_are_files_of_those_who_need_them_and_of_nobody_else() -> None:
    for role in ROLES:
        for name, file in SPECS[role].files.items():
            assert not [secret for secret in SECRETS.values() if secret in file.render(LATE)], f"{role}: {name}"
    assert set(SPECS["ask"].secrets) == set(names.ASK_SECRETS)
    assert set(SPECS["ask-database"].secrets) == {names.ASK_DATABASE_PASSWORD}
    line = SPECS["ask-cache"].secrets[ask_cache.USERS].render(LATE)
    assert "s3cret" not in line, "the cache has the hash alone"
    assert "-@dangerous" in line


def test_its_configuration_reads_the_stores_over_the_reading_side() -> None:
    found = yaml.safe_load(SPECS["ask"].files["ask.yaml"].render(LATE))
    assert found["prometheus"] == found["loki"] == {"url": "http://fleetwatch-caddy:9081"}
    assert found["grafana"] == {"url": "https://hub.example"}
    assert found["history_days"] == 90
    assert found["registration"] == "closed"
    files = [found["session_key_file"], *(found[key]["password_file"] for key in ("database", "valkey", "admin"))]
    assert sorted(files) == sorted(f"{names.SECRETS}/{name}" for name in names.ASK_SECRETS)


def test_settings_reach_its_configuration() -> None:
    given = {
        "registration": "open",
        "history": "30d",
        "limits": {"user_per_hour": 5},
        "cors": ["https://b", "https://a"],
    }
    found = _settings(given)
    assert found.hub.ask is not None
    text = yaml.safe_load(ask.config(found, found.hub.ask, "https://x"))
    assert (text["registration"], text["history_days"], text["cors"]) == ("open", 30, ["https://a", "https://b"])
    assert text["limits"] == {"user_per_hour": 5, "admin_per_hour": 1000}


def test_limits_of_a_question_reach_its_configuration_and_prometheus() -> None:
    limits = {"range": "90d", "window": "7d", "series": 100, "samples": 5_000_000, "log_size": "1GB", "at_once": 3}
    found = _settings({"limits": {**limits, "query": 2000, "seconds": 10}})
    assert found.hub.ask is not None
    text = yaml.safe_load(ask.config(found, found.hub.ask, "https://x"))
    given = service_config.Safety.model_validate(text["safety"]).limits()
    assert (given.range, given.window, given.series, given.samples) == (90 * 86400, 7 * 86400, 100, 5_000_000)
    assert (given.log_bytes, given.length, given.question) == (1024**3, 2000, 500)
    assert (text["concurrency"], text["question_seconds"]) == (3, 10)
    assert "--query.max-samples=5000000" in prometheus.command(found)
    assert not [one for one in prometheus.command(load(small(), SOURCE)) if "max-samples" in one]


def test_what_the_stack_file_does_not_say_is_the_services_own_default() -> None:
    found = _settings()
    assert found.hub.ask is not None
    text = yaml.safe_load(ask.config(found, found.hub.ask, "https://x"))
    assert service_config.Safety.model_validate(text["safety"]) == service_config.Safety()
    assert service_config.RateLimits.model_validate(text["limits"]) == service_config.RateLimits()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"history": "36h"}, "hub.ask.history: expected whole days, such as 90d"),
        ({"history": "12h"}, "hub.ask.history: "),
        ({"cors": ["https://tools.example.com/page"]}, "hub.ask.cors.0: expected the origin of a web page"),
        ({"cors": ["*"]}, "hub.ask.cors.0: expected the origin of a web page"),
        ({"registration": "maybe"}, "hub.ask.registration: "),
        ({"limits": {"user_per_hour": 0}}, "hub.ask.limits.user_per_hour: "),
        ({"limits": {"range": "30m"}}, "hub.ask.limits.range: "),
        ({"limits": {"range": "1d"}}, "hub.ask.limits.window: expected at most `range`"),
        ({"limits": {"window": "20y"}}, "hub.ask.limits.window: "),
        ({"limits": {"window": 5}}, "hub.ask.limits.window: expected a duration such as 10s"),
        ({"limits": {"series": 0}}, "hub.ask.limits.series: "),
        ({"limits": {"samples": 100}}, "hub.ask.limits.samples: "),
        ({"limits": {"samples": 10**12}}, "hub.ask.limits.samples: "),
        ({"limits": {"points": 50_000}}, "hub.ask.limits.points: "),
        ({"limits": {"depth": "many"}}, "hub.ask.limits.depth: "),
        ({"limits": {"log_size": "1"}}, "hub.ask.limits.log_size: expected a size"),
        ({"limits": {"at_once": 0}}, "hub.ask.limits.at_once: "),
        ({"limits": {"seconds": 500}}, "hub.ask.limits.seconds: "),
        ({"histroy": "90d"}, "hub.ask.histroy: "),
        (True, "hub.ask: "),
    ],
)
def test_bad_values_get_a_sentence_with_their_place(value: Any, expected: str) -> None:
    problems = read(small(hub={"local": {}, "ask": value}), SOURCE)[1]
    assert len(problems) == 1
    assert expected in problems[0]


def test_the_catalogue_is_read_again_without_a_restart_and_everything_else_restarts() -> None:
    reload = SPECS["ask"].reload
    assert not restarts(reload, [ask.CATALOGUE])
    assert restarts(reload, ["ask.yaml"])
    assert restarts(reload, [names.ASK_SESSION_KEY])


def test_only_the_assistants_role_may_connect_to_the_database() -> None:
    network = [line.split() for line in ask_database.pg_hba_conf().splitlines() if not line.startswith("local")]
    assert network == [["host", "ask", "ask", "samenet", "scram-sha-256"]]


def test_the_allow_list_stands_before_the_assistant() -> None:
    text = caddyfile.render(_settings(access={"cidrs": ["203.0.113.0/24"]}))
    route = text[text.index("handle @ask") : text.index("reverse_proxy fleetwatch-ask:8080")]
    assert route.index("route {") < route.index("respond @outside") < route.index("redir")
