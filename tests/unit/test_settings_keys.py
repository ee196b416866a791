"""Empty values, misspelt keys and keys that are no texts: each is one line that says what was meant."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import config as runtime

from components import machine_facts, program_settings
from configs.settings.sections import own_sections, parsed
from configs.validation import DockerFacts, MachineFacts, check_file
from tests.fixtures.fleets import SOURCE
from tests.fixtures.full import small
from tools import working_copy
from tools.errors import ToolError

LABEL = "expected a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters"


def _program(monkeypatch: pytest.MonkeyPatch, config: dict[str, str]) -> str:
    """What the program refuses this configuration with, as Pulumi hands it over; nothing if it accepts it."""
    facts = MachineFacts({"unix:///var/run/docker.sock": DockerFacts("20.10")})
    monkeypatch.setattr(machine_facts, "probe", lambda _: facts)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    monkeypatch.setattr(runtime, "get_config_env", lambda: {"fleetwatch:hub": '{"local":{}}', **config})
    monkeypatch.setattr(runtime, "get_config_secret_keys_env", lambda: [])
    monkeypatch.delenv("FLEETWATCH_STACK_FILE", raising=False)
    try:
        program_settings.load_settings()
    except pulumi.RunError as error:
        lines = str(error).splitlines()
        assert len(lines) == 2, f"one mistake, one line: {lines}"
        return lines[1].removeprefix("  - ").removesuffix(" (stacks/Pulumi.test.yaml)")
    return ""


EMPTY = {
    "prefix": f"prefix: {LABEL}, got an empty text",
    "env": f"env: {LABEL}, got an empty text",
    "hub": "hub: expected a mapping, got an empty text",
    "hosts": "hosts: expected a mapping of host names, got an empty text",
    "access": "access: expected a mapping, got an empty text",
    "cloud": "cloud: expected a mapping, got an empty text",
    "ssh": "ssh: expected a mapping, got an empty text",
    "images": "images: expected a mapping, got an empty text",
}


@pytest.mark.parametrize("section", EMPTY)
def test_an_empty_value_is_one_line(monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    assert _program(monkeypatch, {f"fleetwatch:{section}": ""}) == EMPTY[section]


@pytest.mark.parametrize("value", ["true", "5", "{", "[1", "{hub}"])
def test_a_plain_value_for_a_section_is_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert _program(monkeypatch, {"fleetwatch:hub": value}) == "hub: expected a mapping, got a text (not shown)"
    assert _program(monkeypatch, {"fleetwatch:access": value}) == "access: expected a mapping, got a text (not shown)"


@pytest.mark.parametrize("text", ["5", "true", "web-1"])
def test_pulumi_hands_over_texts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert _program(monkeypatch, {"fleetwatch:prefix": text, "fleetwatch:env": text}) == ""


@pytest.mark.parametrize(("value", "shown"), [(5, "5"), (True, "true"), (1.5, "1.5")])
@pytest.mark.parametrize("key", ["prefix", "env"])
def test_names_without_quotes_that_yaml_reads_as_no_text_are_refused(key: str, value: Any, shown: str) -> None:
    """Pulumi writes such a value in its form as text: `yes` as true, `010` as 8."""
    assert check_file(small(**{key: value}), SOURCE)[1] == [
        f"{key}: expected a text, got {shown}; put it in quotes ({SOURCE})"
    ]


def test_a_value_that_only_begins_like_json_is_a_text() -> None:
    assert [parsed(text) for text in ("", "{", "[x", "{}", "[1]", "x")] == ["", "{", "[x", {}, [1], "x"]


MISSPELT = {
    "fleetwach:hub": "fleetwatch:hub",
    "Fleetwatch:hosts": "fleetwatch:hosts",
    "fleetwatch2:acess": "fleetwatch:access",
    "fleet-watch:images": "fleetwatch:images",
    "flettwatch:prefix": "fleetwatch:prefix",
    "fw:hub": "fleetwatch:hub",
    "monitor:hosts": "fleetwatch:hosts",
    "digitalocen:token": "digitalocean:token",
    "Digitalocean:token": "digitalocean:token",
    "pulmi:tags": "pulumi:tags",
}


@pytest.mark.parametrize("key", MISSPELT)
def test_a_misspelt_prefix_names_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    line = f"{key}: unknown section; did you mean {MISSPELT[key]}?"
    assert _program(monkeypatch, {key: "{}"}) == line
    assert check_file(own_sections({"fleetwatch:hub": {"local": {}}, key: {}}), SOURCE)[1] == [f"{line} ({SOURCE})"]


ALL = "fleetwatch:prefix, fleetwatch:env, fleetwatch:hub, fleetwatch:hosts, fleetwatch:metrics, fleetwatch:access, "
ALL += "fleetwatch:cloud, fleetwatch:ssh, fleetwatch:docker, fleetwatch:images"
NAMES = "prefix, env, hub, hosts, metrics, access, cloud, ssh, docker, images"
WRITTEN = {
    "hosts": "hosts: unknown section; did you mean fleetwatch:hosts?",
    "Hosts": "Hosts: unknown section; did you mean fleetwatch:hosts?",
    "fleetwatch.hub": "fleetwatch.hub: unknown section; did you mean fleetwatch:hub?",
    "fleetwatch-hub": "fleetwatch-hub: unknown section; did you mean fleetwatch:hub?",
    "nonsense": f"nonsense: unknown section, expected one of {ALL}",
    "": f"'': unknown section, expected one of {ALL}",
    "fleetwatch:": f"fleetwatch:: unknown section, expected a name after the colon: {NAMES}",
    "fleetwatch:hub ": "fleetwatch:hub: unknown section, the key has blanks around it; remove them",
    "fleetwatch:Hosts": f"Hosts: unknown key, expected one of {NAMES}; did you mean hosts?",
}


@pytest.mark.parametrize("key", WRITTEN)
def test_a_section_that_is_written_wrong_is_explained_in_one_round(key: str) -> None:
    sections = own_sections({"fleetwatch:hub": {"local": {}}, key: {}})
    assert check_file(sections, SOURCE)[1] == [f"{WRITTEN[key]} ({SOURCE})"]


def test_an_empty_key_is_shown_as_one() -> None:
    (problem,) = check_file(_hub(**{"": 1}), SOURCE)[1]
    assert problem.startswith("hub.'': unknown key, expected one of local, ")


NEARLY: dict[str, tuple[dict[str, Any], str]] = {
    "hub.aks": ({"hub": {"local": {}, "aks": {}}}, "ask"),
    "hub.sak": ({"hub": {"local": {}, "sak": {}}}, "ask"),
    "hub.retenton": ({"hub": {"local": {}, "retenton": {}}}, "retention"),
    "hub.limits.lokii": ({"hub": {"local": {}, "limits": {"lokii": {}}}}, "loki"),
    "hub.ask.histroy": ({"hub": {"local": {}, "ask": {"histroy": "9d"}}}, "history"),
    "hub.ask.limits.sampels": ({"hub": {"local": {}, "ask": {"limits": {"sampels": 1}}}}, "samples"),
    "hub.backup.too": ({"hub": {"local": {}, "backup": {"too": {}}}}, "to"),
    "hosts.hub.postgers": ({"hosts": {"hub": {"postgers": {}}}}, "postgres"),
    "hosts.hub.app": ({"hosts": {"hub": {"app": {}}}}, "apps"),
    "access.cdirs": ({"access": {"cdirs": []}}, "cidrs"),
    "shs": ({"shs": {}}, "ssh"),
    "images.lokii": ({"images": {"lokii": "x:1"}}, "loki"),
}


@pytest.mark.parametrize("path", NEARLY)
def test_a_key_that_is_nearly_right_is_guessed(path: str) -> None:
    sections, meant = NEARLY[path]
    every = check_file(small(**sections), SOURCE)[1]
    found = [one for one in every if one.startswith(f"{path}: unknown key")]
    assert found, every
    assert f"; did you mean {meant}?" in found[0]


@pytest.mark.parametrize("key", ["zzz", "quux", "completely-different", "x"])
def test_a_key_that_is_like_none_gets_no_guess(key: str) -> None:
    (problem,) = check_file(small(hub={"local": {}, key: 1}), SOURCE)[1]
    assert "did you mean" not in problem


OTHERS = ("aws:region", "digitalocean:token", "pulumi:tags", "docker:host", "fleet:x", "watch:hubs", "random:x", "a:b")


@pytest.mark.parametrize("key", OTHERS)
def test_keys_of_other_namespaces_are_let_alone(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    assert own_sections({key: "x"}) == {}
    assert _program(monkeypatch, {key: "x"}) == ""


def _hub(**keys: Any) -> dict[str, Any]:
    return small(hub={"local": {}, **keys})


UNKNOWN = {
    "hubs": (small(hubs={}), "hub"),
    "hub.retenton": (_hub(retenton={}), "retention"),
    "hub.ports.htps": (_hub(ports={"htps": 1}), "https"),
    "hub.alerts.recievers": (_hub(alerts={"recievers": {}}), "receivers"),
    "hosts.hub.netwroks": (small(hosts={"hub": {"netwroks": []}}), "networks"),
    "hosts.hub.logs.files.web.labls": (
        small(hosts={"hub": {"logs": {"files": {"web": {"path": "/a/b", "labls": {}}}}}}),
        "labels",
    ),
    "hosts.hub.scrape.Node": (small(hosts={"hub": {"scrape": {"Node": "15s"}}}), "node"),
    "images.prometeus": (small(images={"prometeus": "x"}), "prometheus"),
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_key_names_the_near_one(path: str) -> None:
    sections, near = UNKNOWN[path]
    (problem,) = check_file(sections, SOURCE)[1]
    assert problem.startswith(f"{path}: unknown key, expected one of ")
    assert problem.endswith(f"; did you mean {near}? ({SOURCE})")


def test_an_unknown_key_that_is_near_to_none_names_none() -> None:
    (problem,) = check_file(_hub(colour="blue"), SOURCE)[1]
    assert "did you mean" not in problem


MAPPINGS = {
    "hosts": "{%s: {local: {docker: 'unix:///a.sock'}}}",
    "hosts.hub.apps": "{hub: {apps: {%s: {target: 'a:1'}}}}",
    "hosts.hub.postgres": "{hub: {postgres: {%s: {dsn: 'postgresql://u:p@h/d'}}}}",
    "hosts.hub.logs.files": "{hub: {logs: {files: {%s: {path: /a/b}}}}}",
    "hosts.hub.logs.files.a.labels": "{hub: {logs: {files: {a: {path: /a/b, labels: {%s: x}}}}}}",
    "hosts.hub.alerts.containers": "{hub: {alerts: {containers: {%s: {}}}}}",
}
KEYS = {"1": "number", "1.5": "number", "yes": "boolean", "off": "boolean", "null": "null", "2024-01-01": "date"}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", MAPPINGS)
def test_a_key_that_yaml_reads_as_no_text_is_explained(path: str, key: str) -> None:
    hosts = yaml.safe_load(MAPPINGS[path] % key)
    (problem,) = check_file(small(hosts=hosts), SOURCE)[1]
    assert problem.startswith(f"{path}.")
    assert f": expected a text as key, YAML reads this one as a {KEYS[key]}; put it in quotes ('" in problem


def test_such_a_receiver_is_explained_too() -> None:
    hub = yaml.safe_load("{local: {}, alerts: {receivers: {1: {webhook: {url: 'https://h/s3cret'}}}}}")
    (problem,) = check_file(small(hub=hub), SOURCE)[1]
    assert problem.startswith("hub.alerts.receivers.1: expected a text as key")
    assert "s3cret" not in problem


@pytest.mark.parametrize("key", KEYS)
def test_the_tools_explain_it_with_its_line(key: str) -> None:
    text = f"config:\n  fleetwatch:hosts:\n    {key}: {{droplet: {{}}}}\n"
    with pytest.raises(ToolError) as told:
        working_copy.parse(text, "stacks/Pulumi.qa.yaml")
    assert str(told.value) == (
        "stacks/Pulumi.qa.yaml, line 3, column 5: expected a text as key, "
        f"YAML reads `{key}` as a {KEYS[key]}; put it in quotes ('{key}':) or choose another name."
    )
    working_copy.parse(text.replace(key, f"'{key}'"), "stacks/Pulumi.qa.yaml")
