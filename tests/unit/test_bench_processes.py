"""How the bench attributes CPU and memory to the processes of a command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench import processes

BUSY = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"


@pytest.mark.parametrize(
    ("argv", "kind"),
    [
        (["/cache/pulumi", "-C", "/checkout", "up", "--yes"], processes.ENGINE),
        (["pulumi", "-C", "/checkout", "stack", "export"], processes.WRAPPER),
        (["/cache/pulumi-language-python", "127.0.0.1:1"], processes.LANGUAGE),
        (["/checkout/.venv/bin/python", "-u", "/cache/pulumi-language-python-exec", "--stack", "x"], processes.PROGRAM),
        (["/plugins/pulumi-resource-docker", "127.0.0.1:1"], "plugin docker"),
        (
            ["python", "-c", "runpy.run_module('localcloud.standins.plugins')", "random", "127"],
            "plugin random, stand-in",
        ),
        (["ssh", "-F", "/dev/null"], "ssh"),
        (["python", "-m", "tools", "pulumi"], processes.WRAPPER),
    ],
)
def test_a_process_is_known_by_its_command_line(argv: list[str], kind: str) -> None:
    assert processes.kind_of(argv, processes.WRAPPER) == kind


def test_a_process_without_a_name_counts_as_what_started_it() -> None:
    assert processes.kind_of(["python", "-m", "pip", "list"], processes.LANGUAGE) == processes.LANGUAGE


def test_cpu_and_memory_of_a_process_below_another_are_found() -> None:
    below = ["sh", "-c", f'exec -a pulumi-resource-busy "{sys.executable}" -c "$0"', BUSY]
    found = processes.watched(lambda: subprocess.run(["bash", "-c", '"$@"; :', "bash", "bash", *below[1:]], check=True))
    (busy,) = [share for share in found.shares if share.kind == "plugin busy"]
    assert busy.count == 1
    assert busy.cpu == pytest.approx(0.5, abs=0.2)
    assert busy.memory > 1024**2
    assert found.memory >= busy.memory
    assert found.cpu >= 0.45


def test_a_process_that_has_ended_keeps_its_name_until_its_parent_notices() -> None:
    ended = ["bash", "-c", f'exec -a pulumi-resource-gone "{sys.executable}" -c "import time; time.sleep(0.3)"']
    parent = f"import subprocess, time; gone = subprocess.Popen({ended!r}); time.sleep(1); gone.wait()"
    found = processes.watched(lambda: subprocess.run([sys.executable, "-c", parent], check=True))
    assert {share.kind: share.count for share in found.shares} == {processes.WRAPPER: 1, "plugin gone": 1}


def test_processes_that_ran_before_do_not_count() -> None:
    with subprocess.Popen(["sleep", "60"]) as before:
        try:
            found = processes.watched(lambda: subprocess.run(["sleep", "0.3"], check=True))
        finally:
            before.kill()
    assert sum(share.count for share in found.shares) == 1
