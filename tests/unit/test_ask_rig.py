"""The cache of the assistant's tests, which several checkouts share."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.ask import rig


def test_blocks_of_another_checkout_stay_while_they_are_used(tmp_path: Path) -> None:
    for name, unused in (("used", rig.UNUSED - 60), ("old", rig.UNUSED + 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "block").touch()
        os.utime(tmp_path / name, (time.time() - unused,) * 2)
    rig.remove_unused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
