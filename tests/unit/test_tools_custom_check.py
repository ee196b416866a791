"""A mistake in own files ends `make up` and `make preview` before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configs.settings import Settings
from tests.fixtures.custom import copied
from tests.fixtures.deployed_state import Deployed
from tests.fixtures.full import full
from tools import custom_check, nodes, preview, pull_everywhere, storage_change, test_programs, up
from tools.errors import ToolError
from tools.stack import Stack

REFUSES = """#!/bin/sh
echo "Checking $4"
echo "  FAILED:"
echo "$4: 8:15: group \\"shop\\", rule 2: could not parse expression: 1:34: parse error" >&2
exit 1
"""


class Untouched(Deployed):
    """A stack whose engine must not run."""

    def __init__(self) -> None:
        super().__init__({})
        self.images = {}

    def settings(self) -> Settings:
        return full()

    def select(self, repair: bool = True) -> None:
        """As both commands do."""

    def run(self, *arguments: str, shown: Callable[[str], None] | None = None) -> int:
        raise AssertionError(f"pulumi ran: {arguments}")


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of own files beside the stack file, whose rules promtool refuses."""
    promtool = tmp_path / "promtool"
    promtool.write_text(REFUSES)
    promtool.chmod(0o755)
    (tmp_path / "stacks").mkdir()
    copied(tmp_path / "stacks")

    def present(name: str, *_: object, **__: Any) -> tuple[str, ...] | None:
        return (str(promtool),) if name == "promtool" else None

    def touched(*_: Any) -> None:
        raise AssertionError("a host was reached")

    monkeypatch.setattr(custom_check, "CHECKOUT", tmp_path)
    monkeypatch.setattr(test_programs, "present", present)
    monkeypatch.setattr(up, "_refreshed", lambda _: ())
    monkeypatch.setattr(storage_change, "require", lambda *_: None)
    monkeypatch.setattr(nodes, "order", lambda _: None)
    monkeypatch.setattr(pull_everywhere, "pull", touched)


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("command", [up.up, preview.preview])
def test_a_rule_that_promtool_refuses_ends_the_command(command: Callable[[Stack], int]) -> None:
    with pytest.raises(ToolError, match=r"(?s)^1 problem in own files, nothing was changed:\n") as raised:
        command(Untouched())
    assert "  - stacks/full/rules/shop.yml: shop.yml: 8:15: group" in str(raised.value)
