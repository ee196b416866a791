"""The table of containers: the hub's, which are docker resources, beside those of edges."""

from __future__ import annotations

from typing import Any

from configs.deploy import bundle, script
from configs.services.spec import RELOAD_BY_HUP, RESTART, restart_unless, restarts
from tests.preview.projects import edge, inputs, project, table_of
from tests.preview.recordings import change
from tools.comment import container_table, containers, page
from tools.comment.model import COMMAND, CONTAINER, SECRET, Action, Change, Record

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
