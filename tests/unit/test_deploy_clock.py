"""Scripts that wait, for real, on a host where each command takes 20 s: their patience is seconds, not tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.deploy import COMPOSE
from tests.fixtures.fake_programs import Programs

NOTE = {"HOST": "web-1", "LOKI": "loki:3100", "NOTE_PATIENCE": "60", "PROMETHEUS": "fw-prometheus", "STREAM": "{}"}


@pytest.mark.parametrize(
    ("name", "parameters", "tries", "code", "words"),
    [
        ("ca", {"CONTAINER": "fw-caddy", "FILE": "/root.crt"}, 3, 1, "no root certificate at /root.crt within 62 s"),
        ("note", NOTE, 3, 0, "Loki did not accept the line"),
        ("ready", {"COMPOSE": COMPOSE}, 6, 1, "Docker does not answer at unix:///nowhere after 130 s: no engine"),
    ],
)
def test_slow_commands_do_not_extend_the_wait(
    tmp_path: Path, name: str, parameters: dict[str, str], tries: int, code: int, words: str
) -> None:
    host = Programs(tmp_path)
    host.fake("docker", f'{host.clock()}[ "$1" != logs ] || exit 0\ntick 20; echo "no engine" >&2; exit 1')
    done = host.there(name, "changed caddy\n", DOCKER_HOST="unix:///nowhere", **parameters)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    assert len(host.calls("docker version" if name == "ready" else "docker exec")) == tries
