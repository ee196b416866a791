"""What the comment says of every container: created, recreated, removed, or with its changed files read again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from configs import services
from configs.deploy import bundle, numbered, script
from configs.names import SECRETS
from configs.services.spec import RELOAD_BY_HUP, RESTART, restart_unless, restarts
from tests.preview.recordings import change
from tools.comment import container_table, containers, files, page, warnings
from tools.comment.model import COMMAND, CONTAINER, SECRET, UNKNOWN, Action, Change, Record

RELOADS = {"agent": RELOAD_BY_HUP, "promtail": RELOAD_BY_HUP, "sql-exporter": RESTART, "cadvisor": ""}
TEXTS = {"agent": "interval: 15s\n", "promtail": "clients: []\n", "sql-exporter": "jobs: []\n"}
COMPOSE: dict[str, Any] = {
    "name": "fleetwatch",
    "services": {
        role: {
            "image": f"{role}:1.0.0",
            "networks": {"edge": None},
            "volumes": [{"type": "bind", "source": f"./{role}/secrets", "target": SECRETS}],
        }
        for role in RELOADS
    },
    "networks": {"edge": {"name": "fleetwatch-edge"}},
    "volumes": {"fleetwatch-agent": {"name": "fleetwatch-agent"}},
}


def inputs(
    project: Mapping[str, Any] = COMPOSE,
    texts: Mapping[str, str] = TEXTS,
    *,
    networks: str = "",
    volumes: str = "yes",
    **environment: str,
) -> dict[str, Any]:
    """The inputs of an edge's command, as a preview shows them."""
    table = numbered([{"ROLE": role, "RELOAD": RELOADS.get(role, "")} for role in project["services"]])
    removal = script("on_host", REMOTE=script("remove_project", VOLUMES=volumes, DIR="/x/edge"))
    shown = {"compose.yaml": yaml.safe_dump(project), "README": "x\n"}
    return {
        "environment": {
            "SCRIPT": script("project", DIR="/x/edge", NETWORKS=networks, JOINING="agent", **table),
            "OFF_HOST": removal,
            "FILES": bundle(shown, whole=False),
            **{
                f"FILES_{role.upper().replace('-', '_')}": bundle({f"{role}/config/file.yml": text}, whole=False)
                for role, text in texts.items()
            },
            **environment,
        },
        "stdin": SECRET,
    }


def edge(
    action: Action, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *why: str, kept: bool = False
) -> Change:
    return Change(action, COMMAND, "web-1-project", "web-1", why or ("environment",), before or {}, after or {}, kept)


def project(**roles: Any) -> dict[str, Any]:
    """The project with keys of these roles changed; None removes one."""
    made = copy.deepcopy(COMPOSE)
    for role, keys in roles.items():
        name = role.replace("_", "-")
        if keys is None:
            del made["services"][name]
        else:
            made["services"].setdefault(name, {}).update(keys)
    return made


def found(one: Change) -> dict[str, str]:
    """By role: the action and the reasons."""
    return {
        item.role: " ".join([item.action, *(["perhaps"] if item.perhaps else []), *item.why])
        for item in containers.changed_containers([one])
    }


def test_a_new_edge_is_its_containers() -> None:
    assert found(edge("added", None, inputs())) == dict.fromkeys(RELOADS, "created")


def test_only_a_service_that_differs_is_recreated() -> None:
    after = inputs(project(agent={"image": "agent:2.0.0", "mem_limit": 5}))
    (one,) = found(edge("changed", inputs(), after)).items()
    assert one == ("agent", "recreated image agent:1.0.0 → agent:2.0.0 mem_limit")


def test_the_order_and_the_look_of_compose_yaml_recreate_nothing() -> None:
    before = inputs()
    after = copy.deepcopy(before)
    text = yaml.safe_dump(COMPOSE, sort_keys=False, default_flow_style=True)
    after["environment"]["FILES"] = f"==> README <==\nx\n==> compose.yaml <==\n# another remark\n{text}"
    one = edge("changed", before, after)
    assert found(one) == {}
    assert [file.path for file in files.changed_files([one])] == ["compose.yaml"], "its diff is shown all the same"


def test_a_changed_network_recreates_what_is_on_it() -> None:
    after = inputs({**COMPOSE, "networks": {"edge": {"name": "fleetwatch-edge", "ipam": {}}}})
    assert found(edge("changed", inputs(), after)) == dict.fromkeys(RELOADS, "recreated network edge")


def test_a_service_that_comes_and_one_that_goes() -> None:
    after = inputs(project(cadvisor=None, alloy={"image": "alloy:1.0.0"}))
    assert found(edge("changed", inputs(), after)) == {"alloy": "created", "cadvisor": "removed"}


@pytest.mark.parametrize(("role", "action"), [("agent", "reloaded"), ("sql-exporter", "restarted")])
def test_a_changed_file_is_read_again_in_the_way_of_its_role(role: str, action: str) -> None:
    after = inputs(texts={**TEXTS, role: "other: 1\n"})
    assert found(edge("changed", inputs(), after)) == {role: f"{action} file.yml"}


def test_a_recreated_container_does_not_reload_too() -> None:
    after = inputs(project(agent={"image": "agent:2.0.0"}), {**TEXTS, "agent": "other: 1\n"})
    assert list(found(edge("changed", inputs(), after)).values()) == ["recreated image agent:1.0.0 → agent:2.0.0"]


def test_a_secret_that_changes_is_all_that_can_be_said() -> None:
    one = edge("changed", inputs(), inputs(), "stdin")
    assert found(one) == {
        "agent": "reloaded perhaps secret files",
        "promtail": "reloaded perhaps secret files",
        "sql-exporter": "restarted perhaps secret files",
    }
    (file,) = files.changed_files([one])
    assert (file.path, file.diff, file.why_not) == ("*/secrets/*", None, "secret, not shown")
    assert "| `web-1` | `sql-exporter` (perhaps) | `agent` (perhaps), `promtail` (perhaps) | changed |" in table_of(one)


def test_a_file_that_is_known_late_is_named() -> None:
    one = edge("changed", inputs(), inputs(FILES_AGENT=UNKNOWN))
    assert found(one) == {"agent": "reloaded perhaps files that are known late"}
    (file,) = files.changed_files([one])
    assert (file.path, file.diff) == ("agent/config/*", None)
    assert "known only while the update runs" in file.why_not


def test_pieces_of_a_role_are_one_file() -> None:
    before, after = inputs(), inputs()
    whole = after["environment"]["FILES_AGENT"]
    after["environment"] |= {"FILES_AGENT": whole[:30], "FILES_AGENT_2": whole[30:]}
    assert files.changed_files([edge("changed", before, after)]) == []
    after["environment"]["FILES_AGENT_2"] += "more: 1\n"
    (file,) = files.changed_files([edge("changed", before, after)])
    assert (file.path, file.added, file.removed) == ("agent/config/file.yml", 1, 0)


def test_networks_of_the_user_are_joined_without_a_restart() -> None:
    one = edge("changed", inputs(networks="app\nshop"), inputs(networks="shop\nweb"))
    assert found(one) == {}
    assert table_of(one).endswith("| `web-1` | joins web, leaves app |")


def test_an_edge_on_another_machine_is_made_again() -> None:
    one = edge("changed", inputs(MACHINE="1"), inputs(MACHINE=UNKNOWN))
    assert found(one) == dict.fromkeys(RELOADS, "recreated another machine")
    assert "`web-1-agent`" in warnings.warnings([one])[0]


# What is lost


@pytest.mark.parametrize("role", ["agent", "promtail"])
def test_a_pushing_container_that_is_recreated_is_loud(role: str) -> None:
    after = inputs(project(**{role: {"image": "x:2.0.0"}}))
    (said,) = warnings.warnings([edge("changed", inputs(), after)])
    assert said.startswith(
        f"`web-1-{role}` of web-1 is **recreated** (because of `image`): the running {role} ends, and "
    )
    assert services.LOST[role] in said


def test_what_does_not_end_a_pushing_container_is_not() -> None:
    after = inputs(project(cadvisor={"image": "x:2.0.0"}), {**TEXTS, "agent": "other: 1\n"})
    assert warnings.warnings([edge("changed", inputs(), after, "environment", "stdin")]) == []
    assert warnings.warnings([edge("added", None, inputs())]) == []


def test_an_edge_that_goes_is_loud_about_its_data() -> None:
    one = edge("removed", inputs(), None)
    assert found(one) == dict.fromkeys(RELOADS, "removed")
    agent, promtail, volume = warnings.warnings([one])
    assert "`web-1-agent` of web-1 is **removed**" in agent
    assert services.LOST["promtail"] in promtail
    assert volume == "`fleetwatch-agent` of web-1 is **removed**: the Docker volume's data is gone."


def test_volumes_that_outlive_their_edge_are_said_to_stay() -> None:
    said = warnings.warnings([edge("removed", inputs(volumes=""), None)])
    assert "stays on the host" in said[-1]


def test_an_abandoned_edge_is_left_where_it_is() -> None:
    one = edge("removed", inputs(), None, kept=True)
    assert "`agent` (left where it is)" in table_of(one)
    said = warnings.warnings([one])
    assert "the hub accepts nothing from it any more" in said[0]
    assert "stays on the host" in said[-1]


# The hub's, which are docker resources


def docker(action: Action, role: str, **keys: Any) -> Change:
    return change(CONTAINER, action, host="hub", name=f"hub-{role}", role=role, why=tuple(keys), after=keys)


def written(role: str, kind: str, reload: str, old: str, new: str) -> Change:
    """A command of the hub that writes files."""

    def one(text: str) -> dict[str, Any]:
        stdin = SECRET if kind == "secrets" else bundle({"a/file.yml": text})
        return {"environment": {"SCRIPT": script("files", DIR=f"/x/{role}/{kind}", RELOAD=reload)}, "stdin": stdin}

    return Change("changed", COMMAND, f"hub-{role}-{kind}", "hub", ("stdin",), one(old), one(new))


def test_the_hubs_containers_are_in_the_same_table() -> None:
    changes = [
        docker("replaced", "prometheus", image="x:2.0.0"),
        docker("changed", "loki", memory=512),
        docker("removed", "alertmanager"),
        written("prometheus", "config", RELOAD_BY_HUP, "1", "2"),
        written("caddy", "config", RELOAD_BY_HUP, "1", "2"),
        written("caddy", "secrets", RELOAD_BY_HUP, "1", "2"),
        written("grafana", "config", restart_unless("a/"), "1", "2"),
    ]
    shown = {one.role: (one.action, one.why) for one in containers.changed_containers(changes)}
    assert shown == {
        "prometheus": ("recreated", ("image",)),
        "loki": ("updated", ("memory",)),
        "alertmanager": ("removed", ()),
        "caddy": ("reloaded", ("a/file.yml", "secret files")),
        "grafana": ("reloaded", ("a/file.yml",)),
    }


def test_a_restart_may_depend_on_the_files() -> None:
    unless = restart_unless("dashboards/")
    assert not restarts(unless, ["dashboards/a.json"])
    assert restarts(unless, ["dashboards/a.json", "grafana.ini"])
    assert restarts(RESTART, ["x"])
    assert not restarts(RELOAD_BY_HUP, ["x"])


# The table


def table_of(*changes: Change) -> str:
    return "\n".join(container_table.lines(changes))


def test_hosts_of_which_the_same_is_true_share_a_row() -> None:
    after = inputs(project(agent={"image": "agent:2.0.0"}))
    changes = [
        Change("changed", COMMAND, f"web-{n}-project", f"web-{n}", ("environment",), inputs(), after) for n in (1, 2)
    ]
    assert table_of(*changes).splitlines()[2:] == ["| `web-1`, `web-2` | `agent` |"]
    assert container_table.plain(changes) == [
        f"web-{n}: agent recreated (image agent:1.0.0 → agent:2.0.0)" for n in (1, 2)
    ]


def test_no_container_no_table() -> None:
    assert container_table.lines([]) == []
    assert "containers of" not in page.build([Record("prod")])


def test_text_of_a_file_name_cannot_break_out_of_the_page() -> None:
    after = inputs(project(agent={"image": "<script>|@everyone"}))
    (line,) = container_table.details([edge("changed", inputs(), after)])
    assert "<script>" not in line
    assert "@everyone" not in line
