"""The same edges with Ansible: the same files and the same Compose project on the same hosts, with nothing to change.

The playbook is made from what `pulumi up` left on each host: folders with their modes and owners (`file`), files with
theirs and their content (`copy`), then `community.docker.docker_compose_v2` with the same project. It finds everything
as it is, so it changes nothing; a run that does change something fails. In Ansible's favour: facts are not gathered,
nothing is rendered from templates, connections are open from a first run, the hub's own containers are left out.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench import measure
from tests.bench.cloud import Fleet
from tools import rehearsal
from tools.paths import cache_dir
from tools.progress import step

FORKS = 20
LOCK = Path(__file__).parent / "requirements.txt"
PLACE = "edge"  # the project's folder, in that of the stack
_CONFIG = """\
[defaults]
forks = {forks}
host_key_checking = True
interpreter_python = /usr/bin/python3
gathering = explicit
retry_files_enabled = False
stdout_callback = ansible.builtin.default

[ssh_connection]
pipelining = True
ssh_args = -F /dev/null -o ControlMaster=auto -o ControlPersist=120s -o UserKnownHostsFile={known} -o {accept}
"""
_ACCEPT = "StrictHostKeyChecking=accept-new"
_TASKS = [
    {
        "name": "Folders",
        "ansible.builtin.file": {
            "path": "{{ item.path }}", "state": "directory",
            "mode": "{{ item.mode }}", "owner": "{{ item.owner }}", "group": "{{ item.group }}",
        },
        "loop": "{{ folders }}", "loop_control": {"label": "{{ item.path }}"},
    },
    {
        "name": "Files",
        "ansible.builtin.copy": {
            "src": "{{ item.src }}", "dest": "{{ item.path }}",
            "mode": "{{ item.mode }}", "owner": "{{ item.owner }}", "group": "{{ item.group }}",
        },
        "loop": "{{ files }}", "loop_control": {"label": "{{ item.path }}"}, "no_log": True,
    },
    {
        "name": "Containers",
        "community.docker.docker_compose_v2": {
            "project_src": "{{ project }}", "project_name": "{{ prefix }}",
            "state": "present", "pull": "never", "remove_orphans": True,
        },
    },
]  # fmt: skip


@dataclass(frozen=True)
class Playbook:
    """A folder with everything, and how many hosts and files it is about."""

    home: Path
    program: Path
    hosts: int
    files: int
    version: str

    def run(self) -> None:
        """Once. It must find nothing to change."""
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.home / "own"),
            "LC_ALL": "C.UTF-8",
        }
        argv = [str(self.program), "-i", str(self.home / "inventory.yaml"), str(self.home / "playbook.yaml")]
        try:
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        except BaseException:
            end_all(str(self.home / "playbook.yaml"))
            raise
        recap = [line for line in done.stdout.splitlines() if "unreachable=" in line]
        same = [line for line in recap if re.search(r"\bchanged=0\b", line)]
        assert (done.returncode, len(same)) == (0, self.hosts), (done.stdout + done.stderr)[-6000:]


def end_all(argument: str) -> None:
    """Ends the processes with this argument. Each of Ansible's workers leads a session: no signal to the process that
    started it, or to that one's group, reaches it."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if argument.encode() in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)


def installed() -> Path:
    """Ansible's folder of programs, in a virtualenv in the cache; installed once, and again when the lock changes."""
    home = cache_dir("bench-ansible")
    stamp, wanted = home / "stamp", f"{sys.version}\n{LOCK.read_text()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        with step("Ansible into a virtualenv in the cache (once)"):
            venv.create(home / "venv", with_pip=True, clear=True)
            argv = [str(home / "venv/bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*argv, "--require-hashes", "-r", str(LOCK)], check=True)
        stamp.write_text(wanted)
    return home / "venv" / "bin"


def prepared(fleet: Fleet) -> Playbook | None:
    """The playbook for a fleet that is up; None where its edges are no Compose projects."""
    programs, home = installed(), fleet.home / "ansible"
    home.mkdir(mode=0o700)
    base = f"/var/lib/fleetwatch/{fleet.config.get('prefix', 'fleetwatch')}"
    hosts = {host: _host(fleet, host, base, home / "files" / host) for host in sorted(fleet.hosts)}
    if any(not host["files"] for host in hosts.values()):
        return None
    known = {"prefix": fleet.config.get("prefix", "fleetwatch"), "project": f"{base}/{PLACE}"}
    _write(home / "inventory.yaml", {"all": {"hosts": hosts, "vars": known}})
    _write(home / "playbook.yaml", [{"hosts": "all", "become": True, "gather_facts": False, "tasks": _TASKS}])
    (home / "ansible.cfg").write_text(_CONFIG.format(forks=FORKS, known=home / "known", accept=_ACCEPT))
    version = subprocess.run(
        [programs / "ansible", "--version"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    ).stdout.splitlines()[0]
    count = sum(len(host["files"]) for host in hosts.values())
    return Playbook(home, programs / "ansible-playbook", len(hosts), count, version)


def no_op(playbook: Playbook, times: int) -> measure.EngineRuns:
    """Runs with nothing to change, after one that opened the connections."""
    playbook.run()
    return measure.timed(playbook.run, times)


def _host(fleet: Fleet, host: str, base: str, into: Path) -> dict[str, Any]:
    """A host of the inventory: how it is reached, and the folders and files that its edge has now."""
    machine = fleet.machine(host)
    argv = ["docker", "exec", machine, "sh", "-c", f"[ ! -f {base}/{PLACE}/compose.yaml ] || tar -C {base} -c {PLACE}"]
    archive = subprocess.run(argv, capture_output=True, check=True).stdout
    folders, files = [], []
    for member in _members(archive):
        about = {"path": f"{base}/{member.name}", "mode": f"0{member.mode:o}"}
        about |= {"owner": str(member.uid), "group": str(member.gid)}
        if member.isdir():
            folders.append(about)
        elif member.isfile():
            source = into / member.name
            source.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            start = member.offset_data
            source.write_bytes(archive[start : start + member.size])
            files.append({**about, "src": str(source)})
    return {**_reached(fleet, host), "folders": folders, "files": files}


def _members(archive: bytes) -> list[tarfile.TarInfo]:
    if not archive:
        return []
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getmembers()


def _reached(fleet: Fleet, host: str) -> Mapping[str, str]:
    server = (fleet.config["hosts"].get(host) or {}).get("server")
    if server:
        address, user = server["address"], server.get("user", rehearsal.SERVER_USER)
    else:
        networks = fleet.droplet(host)["networks"]["v4"]
        address, user = next(one["ip_address"] for one in networks if one["type"] == "public"), "root"
    key = str(fleet.state / "ssh_key")
    return {"ansible_host": address, "ansible_user": user, "ansible_ssh_private_key_file": key}


def _write(path: Path, content: object) -> None:
    """As JSON, which is YAML too: no text is taken for something else."""
    path.write_text(json.dumps(content, indent=1) if isinstance(content, dict) else yaml.safe_dump(content))
