"""No message, repr or traceback shows a secret, wherever in the stack file it stands; in clear none is taken."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime

from components import machine_facts, program_settings
from configs.settings import SettingsError, load, read
from configs.settings.secrets import is_secret_path, readable, secret_keys, secret_paths, secret_places
from configs.validation import DockerFacts, MachineFacts, check_file
from tests.fixtures.full import FULL, SECRETS, full, raw, small, without_web_1
from tools import working_copy

SOURCE = "stacks/Pulumi.test.yaml"
URL = "https://hooks.example/planted-s3cret"
DSN = "postgresql://watch:planted-s3cret@db/shop"
PLANTED = "planted-s3cret"


def _secret_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secret_places(inner, (*place, key))
    elif isinstance(value, str) and any(secret in value for secret in SECRETS.values()):
        yield place


def _with(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    sections = copy.deepcopy(FULL)
    node = sections
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return sections


PLACES = list(_secret_places(FULL))


def _told(sections: dict[str, Any]) -> str:
    """Everything that could be shown: the problems, the error with its traceback, and what was read."""
    settings, problems = check_file(sections, SOURCE)
    text = "\n".join(problems) + repr(settings) + str(settings)
    try:
        load(sections, SOURCE)
    except SettingsError as error:
        text += "".join(traceback.format_exception(error)) + repr(error)
    return text


def test_the_fixture_holds_every_kind_of_secret() -> None:
    names = {".".join(map(str, place)) for place in PLACES}
    assert names == set(secret_paths(full())), "a new kind of secret belongs into tests/fixtures/full.py too"


def test_loaded_settings_show_no_secret() -> None:
    settings = full()
    text = repr(settings) + str(settings) + repr(settings.hub) + repr(dict(settings.hosts))
    assert not [secret for secret in SECRETS.values() if secret in text], "a repr ends up in logs"


def test_secrets_are_found_by_their_type() -> None:
    assert secret_keys() == {
        "access_key", "api_key", "api_secret", "bearer_token", "bot_token", "client_secret", "dsn", "key", "password",
        "routing_key", "secret_key", "token", "token_id", "url", "user_key",
    }  # fmt: skip
    assert ("hosts", "*", "postgres", "*", "dsn") in secret_places()
    assert all(map(is_secret_path, secret_paths(full()))), "the places cover every secret of the fixture"
    assert len({path.split(".")[-1] for path in secret_paths(full())}) == len(secret_keys())
    for path in ("hub.alerts.runbooks", "hosts.web.apps.dsn.target", "hub.grafana.auth.oidc.auth_url", "dsn"):
        assert not is_secret_path(path), path


def test_what_stands_beside_a_secret_is_not_shown_either() -> None:
    sections = small(hub={"local": {}, "alerts": {"receivers": {"a": {"slack": {"url": URL, "channel": "hunter2 x"}}}}})
    (problem,) = check_file(sections, SOURCE)[1]
    assert problem.startswith("hub.alerts.receivers.a.slack.channel: expected ")
    assert "hunter2" not in problem, "the secret may be there by mistake"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("value", ["one\nother", "one\x00"], ids=repr)
def test_a_secret_is_one_line(place: tuple[Any, ...], value: str) -> None:
    told = _told(_with(place, value))
    expected = "a private key as PEM" if place[-1] == "key" else "one line of text"
    assert f"{'.'.join(map(str, place))}: expected {expected}" in told


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("value", [[PLANTED], {"secret": PLANTED}, {PLANTED[:7]: 1}, 5, ""], ids=repr)
def test_a_secret_of_a_wrong_type_is_not_shown(place: tuple[Any, ...], value: Any) -> None:
    told = _told(_with(place, value))
    assert ".".join(map(str, place)) in told, "the mistake itself must be told"
    assert PLANTED not in told
    assert not [secret for secret in SECRETS.values() if secret in told], "nor may the ones beside it be shown"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("value", [PLANTED, URL, DSN])
def test_a_secret_that_stands_too_high_is_not_shown(place: tuple[Any, ...], levels: int, value: str) -> None:
    if len(place) - levels < 3:
        levels = len(place) - 3  # the sections themselves and whole hosts are asked about below
    assert PLANTED not in _told(_with(place[: len(place) - levels], value))


WRONG = {
    "as an unknown key of a host": small(hosts={"hub": {"dsn": DSN, "password": PLANTED}}),
    "as a host": small(hosts={"hub": DSN}),
    "as an app": small(hosts={"hub": {"apps": {"shop": {"target": DSN}}}}),
    "as the hub": small(hub=URL),
    "as the domain": small(hub={"local": {}, "domain": URL}),
    "as the default receiver": small(hub={"local": {}, "alerts": {"default": URL}}),
    "as the admin's name": small(hub={"local": {}, "grafana": {"admin_user": f"{DSN} "}}),
    "as a label": small(
        hosts={"hub": {"logs": {"files": {"a": {"path": "/a/b", "labels": {"token": f"{DSN}{'x' * 200}"}}}}}}
    ),
    "as an image": small(images=URL),
    "as a prefix": small(prefix=URL),
    "as all hosts": small(hosts=DSN),
    "as a connection string": small(hosts={"hub": {"apps": {"shop": {"target": f"host=db password={PLANTED}"}}}}),
    "as the name of a database": small(hosts={"hub": {"postgres": {DSN: None}}}),
    "as a database": small(hosts={"hub": {"postgres": {DSN: {}}}}),
    "as an unknown key": small(hub={"local": {}, "grafana": {f"{PLANTED}=": 1}}),
    "as an unknown key like a token": small(hub={"local": {}, "grafana": {f"{PLANTED}-a1b2c3d4e5f6a7b8": 1}}),
    "as an unknown section": small(**{f"{PLANTED} {PLANTED}": 1}),
    "as a host's name": small(hub={"server": {"address": "a.test"}}, hosts={f"{PLANTED}@a": {"droplet": {}}}),
    "as a host's unknown key": small(hosts={"hub": {f"{PLANTED}:": 1}}),
    "as ssh": small(ssh=PLANTED),
    "as cloud": small(cloud=PLANTED),
    "as images": small(images=PLANTED),
    "as log files": small(hosts={"hub": {"logs": {"files": PLANTED}}}),
    "as labels": small(hosts={"hub": {"logs": {"files": {"a": {"path": "/a/b", "labels": PLANTED}}}}}),
    "as a server": small(hub={"server": PLANTED}),
    "as a bastion": small(hub={"server": {"address": "a.test", "bastion": PLANTED}}),
    "as a user": small(hub={"server": {"address": "a.test", "user": f"root:{PLANTED}"}}),
    "as a key below a number": small(hosts={"hub": {"apps": {f"{DSN} ": {1: {}}}}}),
}


@pytest.mark.parametrize("where", WRONG)
def test_an_address_with_a_secret_in_it_is_shown_nowhere(where: str) -> None:
    told = _told(WRONG[where])
    assert read(WRONG[where], SOURCE)[1], "it is a mistake, and must be told as one"
    assert PLANTED not in told, f"a secret written {where} is still a secret"


def _engine(monkeypatch: pytest.MonkeyPatch, sections: dict[str, Any], encrypted: list[str]) -> None:
    docker = DockerFacts("20.10", networks=frozenset({"shop_default", "dispatch-network"}))
    facts = MachineFacts({"unix:///var/run/docker.sock": docker})
    monkeypatch.setattr(machine_facts, "probe", lambda settings: facts)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    monkeypatch.setattr(runtime, "get_config_env", lambda: {f"fleetwatch:{k}": _json(v) for k, v in sections.items()})
    monkeypatch.setattr(runtime, "get_config_secret_keys_env", lambda: [f"fleetwatch:{key}" for key in encrypted])


def _json(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def test_a_value_that_was_encrypted_in_the_wrong_place_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = small(hub={"local": {}, "domain": "hunter22", "retention": {"logs": "hunter22"}, "ports": {"http": 0}})
    _engine(monkeypatch, sections, ["hub"])
    with pytest.raises(Exception, match="3 problems in the settings") as caught:
        program_settings.load_settings()
    shown = str(caught.value)
    assert "hub.domain: expected a domain name such as monitor.example.com, got a text (not shown)" in shown
    assert "hub.ports.http: expected at least 1, got 0" in shown, "a number was not decrypted"
    assert "hunter22" not in shown


def test_the_tools_name_a_value_that_is_encrypted_in_the_wrong_place() -> None:
    sections = readable(small(hub={"local": {}, "domain": {"secure": "v1:x"}}))
    (problem,) = check_file(sections, SOURCE)[1]
    assert problem.startswith("hub.domain: expected a domain name such as monitor.example.com, got an encrypted value")


def _one_host() -> dict[str, Any]:
    sections = raw()
    return without_web_1(sections)


def test_secrets_in_clear_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _engine(monkeypatch, _one_host(), ["hub"])
    with pytest.raises(Exception, match="problems in the settings") as caught:
        program_settings.load_settings()
    said = str(caught.value)
    assert "hosts.hub.postgres.main.dsn: expected an encrypted value" in said
    assert "`make secret STACK=test KEY=hosts.hub.postgres.main.dsn` replaces it" in said, "the way out"
    assert "hub.alerts" not in said, "the section that is encrypted is fine"
    assert not [secret for secret in SECRETS.values() if secret in said]


@pytest.mark.parametrize(("stack", "typed"), [("prod", "make secret STACK=prod KEY="), ("local", "make secret KEY=")])
def test_the_way_to_a_missing_secret_names_the_stack_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch, stack: str, typed: str
) -> None:
    sections = _one_host()
    sections["hosts"]["hub"]["postgres"]["main"] = {}
    _engine(monkeypatch, sections, ["hub", "hosts"])
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    with pytest.raises(Exception, match=f"`{typed}hosts.hub.postgres.main.dsn` sets it"):
        program_settings.load_settings()


def test_encrypted_secrets_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    _engine(monkeypatch, _one_host(), ["hub", "hosts"])
    assert program_settings.load_settings()[0].env == "full"


def test_the_stacks_name_is_the_env_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    _engine(monkeypatch, small(), [])
    assert program_settings.load_settings()[0].env == "test"


def test_the_tool_finds_secrets_in_clear_before_the_engine_starts() -> None:
    config = {"fleetwatch:hosts": {"hub": {"postgres": {"a": {"dsn": DSN}, "b": {"dsn": {"secure": "v1:x"}}}}}}
    found = list(working_copy.plain_secrets(config))
    assert found == ["hosts.hub.postgres.a.dsn"], "the encrypted one is fine"


def test_the_working_copy_keeps_encrypted_values_only_while_their_entry_stands() -> None:
    last = {
        "encryptionsalt": "salt",
        "config": {
            "fleetwatch:hosts": {"hub": {"postgres": {"a": {"dsn": {"secure": "A"}}, "b": {"dsn": {"secure": "B"}}}}}
        },
    }
    user: dict[str, Any] = {
        "config": {"fleetwatch:hosts": {"hub": {"postgres": {"a": {}}}}, "fleetwatch:hub": {"local": {"files": "mine"}}}
    }
    overlay = {"hub": {"local": {"files": "theirs", "docker": "unix:///d.sock"}}, "images": {"loki": "x"}}
    made = working_copy.compose(user, last, overlay)
    assert made["encryptionsalt"] == "salt", "without the salt nothing can be decrypted"
    assert made["config"]["fleetwatch:hosts"]["hub"]["postgres"] == {"a": {"dsn": {"secure": "A"}}}
    assert made["config"]["fleetwatch:hub"]["local"] == {"files": "mine", "docker": "unix:///d.sock"}, "the user wins"
    assert made["config"]["fleetwatch:images"] == {"loki": "x"}
    assert user["config"]["fleetwatch:hosts"]["hub"]["postgres"] == {"a": {}}, "the user's file is not written into"


DSN_FORM = "expected postgresql://user:password@host:port/database with one host"


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:planted-s3cret@h:0/d", "expected a port between 1 and 65535 in the DSN"),
        ("postgresql://u:planted-s3cret@h:65536/d", DSN_FORM),
        ("postgresql://u:planted-s3cret@h/d#x", "expected a DSN without #"),
        ("postgresql://u:planted#s3cret@h/d", "expected a DSN without #"),
        ("postgresql://u:planted-s3cret@$(x)/d", DSN_FORM),
        ("postgresql://u:planted-s3cret@h1,h2/d", DSN_FORM),
        ("postgresql://u:planted-s3cret@%2Fvar%2Frun/d", DSN_FORM),
        ("postgresql://u:planted-s3cret@[:::]/d", DSN_FORM),
        ("postgresql://planted-s3cret@/d", DSN_FORM),
        ("postgresql://h/planted-s3cret", DSN_FORM),
        ("postgresql://u:planted-s3cret@h/", DSN_FORM),
    ],
)
def test_dsn_that_would_be_read_differently_is_refused(dsn: str, expected: str) -> None:
    (problem,) = check_file(small(hosts={"hub": {"postgres": {"main": {"dsn": dsn}}}}), SOURCE)[1]
    assert problem.startswith(f"hosts.hub.postgres.main.dsn: {expected}")
    assert problem.endswith(f", got a text (not shown) ({SOURCE})")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u@h/d",  # the server may trust the address
        "postgres://u:p@shop_db-1.internal:6432/d?sslmode=verify-full",
        "postgresql://u:p%23%2F%40@192.0.2.1/d",
        "postgresql://u:p@[2001:db8::1]:5432/d",
    ],
)
def test_usual_dsn_is_accepted(dsn: str) -> None:
    assert check_file(small(hosts={"hub": {"postgres": {"main": {"dsn": dsn}}}}), SOURCE)[1] == []
