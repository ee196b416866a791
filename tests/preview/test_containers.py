"""What the comment says of every container of an edge: created, recreated, removed, or its changed files read again."""

from __future__ import annotations

import copy

import pytest
import yaml

from configs import services
from tests.preview.projects import COMPOSE, RELOADS, TEXTS, edge, found, inputs, project, table_of
from tools.comment import files, warnings
from tools.comment.model import UNKNOWN


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
