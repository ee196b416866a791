"""Ansible's part of the bench: its workers are ended with it."""

from __future__ import annotations

import subprocess
import sys

from tests.bench import ansible


def test_processes_with_the_playbook_as_argument_are_ended_and_no_others() -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    worker = subprocess.Popen([*sleep, "/a/playbook.yaml"], start_new_session=True)
    other = subprocess.Popen([*sleep, "/a/playbook.yaml.bak"])
    try:
        ansible.end_all("/a/playbook.yaml")
        assert worker.wait(10) < 0
        assert other.poll() is None
    finally:
        for process in (worker, other):
            process.kill()
            process.wait()
