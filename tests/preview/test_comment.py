"""The comment, from what the engine said to some changes of a fleet (record.py): numbers, warnings, files, secrets."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.preview.record import CHANGES
from tests.preview.recordings import change, read, recording, step
from tools.comment import changes, files, page, warnings
from tools.comment.model import ACTIONS, SECRET_SIGNATURE, SIGNATURE, UNKNOWN, Action, Record

EXPECTED = Path(__file__).parent / "expected"
PLANTED = "pl4nted-s3cret"
OPS = {"create": "added", "update": "changed", "replace": "replaced", "delete": "removed"}


# The recorded changes


@pytest.mark.parametrize("name", CHANGES)
def test_the_comment_of_a_recorded_change(name: str, tmp_path: Path) -> None:
    text = page.build([read(tmp_path, recording(name))])
    place = EXPECTED / f"{name}.md"
    if os.environ.get("UPDATE") == "1":
        place.write_text(text)
    assert text == place.read_text(), "look at the difference; UPDATE=1 takes it over"


@pytest.mark.parametrize("name", CHANGES)
def test_its_numbers_are_the_engines_own(name: str, tmp_path: Path) -> None:
    record = read(tmp_path, recording(name))
    engines = {OPS[op]: number for op, number in recording(name)["preview"]["changeSummary"].items() if op in OPS}
    found = [one.action for one in changes.planned_changes(record)]
    assert {action: found.count(action) for action in ACTIONS if action in found} == engines == changes.counts(record)
    text = page.build([record])
    totals = re.findall(r"^\| \*\*all\*\* \|(.*)\|$", text, re.M) or re.findall(r"^\| `hub` \|(.*)\|$", text, re.M)
    shown = dict(zip(ACTIONS, (cell.strip() for cell in totals[0].split("|")), strict=True))
    assert {action: int(cell) for action, cell in shown.items() if cell} == engines


def test_a_host_that_comes_is_one_row_and_its_files_are_there(tmp_path: Path) -> None:
    text = page.build([read(tmp_path, recording("host-added"))])
    assert "| `web-1` | 8 |" in text
    assert "| `web-1` | `agent`, `cadvisor`, `node-exporter`, `promtail` |" in text
    assert "New file: web-1 compose.yaml" in text
    assert "New file: web-1 agent/config/prometheus.yml" in text
    assert "[!CAUTION]" not in text, "nothing is lost by a new host"
    assert "+ web-1 s-1vcpu-1gb 6.00" in text


def test_a_host_that_goes_is_loud_about_its_agent(tmp_path: Path) -> None:
    text = page.build([read(tmp_path, recording("host-removed"))])
    loud = [line for line in text.splitlines() if line.startswith("> - ")]
    assert any("`vps-1-agent`" in line and "samples that it has not sent yet are lost" in line for line in loud)
    assert text.index("[!CAUTION]") < text.index("### Stack")


def test_a_scrape_interval_is_one_line_of_one_file(tmp_path: Path) -> None:
    found = files.changed_files(changes.planned_changes(read(tmp_path, recording("scrape-interval"))))
    assert [(one.host, one.path) for one in found] == [("db-1", "agent/config/prometheus.yml")]
    assert "-  scrape_interval: 15s\n+  scrape_interval: 5s" in (found[0].diff or "")


def test_a_resized_hub_is_loud_and_costs(tmp_path: Path) -> None:
    text = page.build([read(tmp_path, recording("hub-resized"))])
    assert "**resized** (s-2vcpu-4gb → s-4vcpu-8gb): it is powered off" in text
    assert "32.00 USD → 56.00 USD (**+24.00**)" in text


def test_an_image_of_the_agent_is_loud_for_every_host(tmp_path: Path) -> None:
    found = warnings.warnings(changes.planned_changes(read(tmp_path, recording("image-bumped"))))
    assert sorted(line.split("`")[1] for line in found) == ["db-1-agent", "hub-agent", "vps-1-agent"]
    text = page.build([read(tmp_path, recording("image-bumped"))])
    assert "| `db-1`, `vps-1` | `agent` |\n| `hub` | `agent`, `prometheus` |" in text


# What must not be overlooked


@pytest.mark.parametrize(
    ("type_", "role", "lost"),
    [
        ("digitalocean:index/volume:Volume", "", "metrics, logs, dashboards and certificates are gone"),
        ("digitalocean:index/reservedIp:ReservedIp", "", "the address that edges and people know the hub by are gone"),
        ("digitalocean:index/droplet:Droplet", "", "its disk is gone"),
        ("docker:index/volume:Volume", "", "the Docker volume's data is gone"),
        ("docker:index/container:Container", "agent", "samples that it has not sent yet are lost"),
        ("docker:index/container:Container", "promtail", "log lines that it has not sent yet are lost"),
        ("docker:index/container:Container", "alloy", "log lines that it has not sent yet are lost"),
    ],
)
@pytest.mark.parametrize("action", ["replaced", "removed"])
def test_what_takes_data_is_loud(type_: str, role: str, lost: str, action: Action) -> None:
    (said,) = warnings.warnings([change(type_, action, role=role)])
    assert lost.replace("are gone", "") in said
    assert f"**{action}**" in said


@pytest.mark.parametrize(
    ("host", "tag", "volume", "data"),
    [
        ("hub", "fleetwatch-prod-hub", False, "certificates are on its volume, which stays."),
        ("hub-b", "fleetwatch-prod-hub", False, "certificates are on its volume, which stays."),
        ("hub-b", "fleetwatch-prod-hub", True, "certificates are on its volume, which is gone too."),
        ("web-1", "fleetwatch-prod-edge", False, "It has no volume: all data on it is lost."),
    ],
)
def test_a_droplet_that_ends_says_where_its_data_is(host: str, tag: str, volume: bool, data: str) -> None:
    ends = [change("digitalocean:index/droplet:Droplet", "replaced", host=host, before={"tags": [tag]})]
    ends += [change("digitalocean:index/volume:Volume", "removed", host=host)] if volume else []
    # The volume of another node says nothing about this one's.
    ends += [change("digitalocean:index/volume:Volume", "removed", host="hub-c")]
    said = warnings.warnings(ends)[0]
    assert "is **replaced**: the droplet is deleted and its disk is gone. " in said
    assert said.endswith(data)


@pytest.mark.parametrize("action", ["added", "changed"])
@pytest.mark.parametrize("role", ["agent", "caddy"])
def test_what_takes_none_is_not(action: Action, role: str) -> None:
    kinds = ("docker:index/container:Container", "docker:index/volume:Volume", "digitalocean:index/volume:Volume")
    assert warnings.warnings([change(kind, action, role=role) for kind in kinds]) == []
    assert warnings.warnings([change("docker:index/container:Container", "replaced", role="caddy")]) == []


def test_a_volume_that_stays_on_its_host_is_said_to_stay() -> None:
    (said,) = warnings.warnings([change("docker:index/volume:Volume", "removed", kept=True)])
    assert "stays on the host" in said


def test_a_replacement_in_several_steps_is_one_and_keeps_what_was_before() -> None:
    kind = "docker:index/container:Container"
    labels = {"labels": [{"label": "fleetwatch.role", "value": "agent"}]}
    steps = (
        step("create-replacement", f"{kind}::web-1-agent", {"image": "a", **labels}, {"image": "b", **labels}),
        step("replace", f"{kind}::web-1-agent", {"image": "a"}, {"image": "b"}, replaceReasons=["image"]),
        step("delete-replaced", f"{kind}::web-1-agent", {"image": "a"}),
    )
    (found,) = changes.planned_changes(Record("prod", steps=steps, after={"hosts": {"web-1": {}}}))
    assert (found.action, found.host, found.why, found.after["image"]) == ("replaced", "web-1", ("image",), "b")


def test_hosts_whose_names_begin_alike_are_told_apart() -> None:
    steps = [step("create", f"command:local:Command::{name}-project", new={}) for name in ("web", "web-1", "hub")]
    steps += [
        step("create", f"digitalocean:index/firewall:Firewall::{name}", new={}) for name in ("firewall-hub", "vpc")
    ]
    record = Record("prod", steps=steps, after={"hosts": {"web": {}, "web-1": {}, "hub": {}}})
    assert [one.host for one in changes.planned_changes(record)] == ["web", "web-1", "hub", "cloud", "cloud"]


# Secrets


def _marked(value: str) -> dict[str, str]:
    return {SIGNATURE: SECRET_SIGNATURE, "value": value, "plaintext": json.dumps(value)}


def test_what_the_engine_marks_as_secret_is_nowhere_on_the_page(tmp_path: Path) -> None:
    content = recording("scrape-interval")
    for one in content["preview"]["steps"]:
        for state in ("oldState", "newState"):
            inputs = one.get(state, {}).get("inputs")
            if inputs is not None:
                inputs["stdin"] = _marked(f"==> a <==\n{PLANTED}\n==> . <==\n")
                inputs["image"] = _marked(PLANTED)
                inputs.setdefault("environment", {})["FILES_AGENT"] = _marked(PLANTED)
                inputs["nested"] = {"list": [{"deep": _marked(PLANTED)}]}
        one["diffReasons"] = ["stdin", "image", "nested"]
    content["outputs"]["after"] |= {"disk": _marked(PLANTED), "monthly_usd_items": {"x": _marked(PLANTED)}}
    record = read(tmp_path, content)
    text = page.build([record], limit=0)
    assert PLANTED not in text
    assert "secret, not shown" in text
    assert PLANTED not in repr(record.after) + repr(changes.planned_changes(record))


SCRIPT = {"environment": {"SCRIPT": "DIR='/x y/hub/loki/config'\n# the script\n"}}


@pytest.mark.parametrize("stdin", ["[secret]", UNKNOWN, f"==> a <==\n{UNKNOWN}\n==> . <==\n"])
def test_a_file_that_cannot_be_shown_says_why(stdin: str) -> None:
    one = change(
        "command:local:Command", "changed", host="hub", name="hub-loki-config", why=("stdin",),
        before={**SCRIPT, "stdin": "==> a <==\nold\n==> . <==\n"}, after={**SCRIPT, "stdin": stdin},
    )  # fmt: skip
    (found,) = files.changed_files([one])
    assert found.diff is None
    assert found.why_not


# Files


def test_files_come_out_as_they_went_in() -> None:
    from configs.deploy import bundle, script

    text = {"a.yml": "one: 1\n\ntwo: 2\n", "rules/b.yml": "x\n"}
    assert files.unbundle(script("files", DIR="/x") + bundle(text)) == text


def test_a_file_that_comes_and_one_that_goes() -> None:
    one = change(
        "command:local:Command", "changed", host="hub", name="hub-loki-config", why=("stdin",),
        before={**SCRIPT, "stdin": "==> a <==\nold\n==> . <==\n"},
        after={**SCRIPT, "stdin": "==> b <==\nnew\n==> . <==\n"},
    )  # fmt: skip
    found = files.changed_files([one])
    assert [(file.path, file.action) for file in found] == [("loki/config/a", "removed"), ("loki/config/b", "added")]
