"""What a preview says of the hub's files, read in the commands that the program makes."""

from __future__ import annotations

import pytest

from configs.deploy import bundle
from tests.component.program import full, run
from tools.comment import containers, files
from tools.comment.model import COMMAND, Change


@pytest.mark.parametrize(
    ("role", "action"),
    [("prometheus", "reloaded"), ("caddy", "reloaded"), ("alertmanager", "reloaded"), ("loki", "restarted")],
)
def test_a_changed_file_of_the_hub_is_read_again(role: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = run(full(), monkeypatch).commands[f"hub-{role}-config"].plain()
    old, new = ({**command, "stdin": bundle({"a/file.yml": text})} for text in ("1", "2"))
    change = Change("changed", COMMAND, f"hub-{role}-config", "hub", ("stdin",), old, new)
    (found,) = containers.changed_containers([change])
    assert (found.host, found.role, found.action, found.why) == ("hub", role, action, ("a/file.yml",))
    assert [one.path for one in files.changed_files([change])] == [f"{role}/config/a/file.yml"]
