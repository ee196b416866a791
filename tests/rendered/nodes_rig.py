"""The real Alertmanager of one node of a cluster, without its peers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fixtures.fleets import cluster
from tests.fixtures.receiver_sink import Sink
from tests.integration.rig import eventually, free_ports
from tests.rendered.conftest import program
from tests.rendered.receivers_rig import Running, answers, loopback_accepted, write


@contextmanager
def serving(folders: pytest.TempPathFactory, host: str) -> Iterator[Running]:
    """The Alertmanager of this node with its rendered files."""
    folder = folders.mktemp("alertmanager")
    sink = Sink(folders.mktemp("sink"))
    (port,) = free_ports(1)
    hook = {"webhook": {"url": f"{sink.url}/webhook/", "token": "t"}}
    alerts = {"receivers": {"team": hook, "beat": hook}, "default": "team", "watchdog": "beat"}
    with loopback_accepted():
        settings = cluster({"alerts": alerts})
    argv = [
        *program("alertmanager", folder, sink.folder),
        f"--config.file={write(folder, settings, sink, host)}", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out)
    try:
        eventually("Alertmanager to be ready", lambda: answers(f"http://127.0.0.1:{port}/-/ready"), 60)
        yield Running(f"http://127.0.0.1:{port}", log, sink)
    finally:
        process.terminate()
        process.wait(30)
        sink.close()
