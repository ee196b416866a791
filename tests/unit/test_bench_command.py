"""`make bench` where it cannot measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tools.errors import ToolError


@pytest.mark.parametrize("part", bench.PARTS)
def test_bench_without_a_docker_engine_ends_with_one_sentence(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(ToolError, match=r"The Docker Engine at DOCKER_HOST=unix://\S+ does not answer: correct or "):
        bench._measure([part], None, False)
