"""What the backup tests share: an S3 server, and a hub that is destroyed together with its volumes."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.integration.rig import Rig, docker, eventually, free_ports

BUCKET = "fleetwatch-backup"
SECOND = f"{BUCKET}-2"  # a hub's data and its backup may not be in the same one
ROWS = 3000
_WRITE = (
    "import sqlite3; c = sqlite3.connect('/var/lib/grafana/grafana.db'); c.execute('create table kept (x)');"
    f"c.executemany('insert into kept values (?)', [(str(i) * 20,) for i in range({ROWS})]); c.commit()"
)
_READ = (
    "import sqlite3; print(sqlite3.connect('/var/lib/grafana/grafana.db').execute('select count(*) from kept')"
    ".fetchone()[0])"
)
DRILLED = "fleetwatch_backup_drill_timestamp_seconds"
DURABLE = ("prometheus", "loki", "grafana", "alertmanager", "caddy", "ask-database", "backup")


class Bucket:
    """versitygw, an S3 server, over a small file system in memory. Reached at a Docker network's gateway."""

    def __init__(self, rig: Rig, image: str, home: Path, size: str = "96m") -> None:
        self.rig = rig
        self.key = f"key{secrets.token_hex(6)}"
        network = rig.network("s3")
        gateway = docker("network", "inspect", network, "-f", "{{(index .IPAM.Config 0).Gateway}}").strip()
        (port,) = free_ports(1)
        self.url = f"http://{gateway}:{port}"
        self.name = rig.container("s3")
        self._environment = home / "s3.env"
        self._environment.touch(mode=0o600)
        self._new_secret()
        storage = ("--tmpfs", f"/data:size={size}") if size else ("-v", f"{rig.prefix}-s3:/data")
        options = (
            "--name", self.name, "--network", network, "-p", f"{gateway}:{port}:7070",
            "-v", f"{self._environment}:/given:ro", *storage, "--entrypoint", "sh",
        )  # fmt: skip
        serve = f"""mkdir -p /data/objects/{BUCKET} /data/objects/{SECOND} /data/meta
            while :; do
                (set -a; . /given; exec versitygw --port :7070 posix --sidecar /data/meta /data/objects)
            done"""
        rig.run(image, "-c", serve, options=options)

    def _new_secret(self) -> None:
        self.secret = f"bucket-s3cret-{secrets.token_hex(8)}"
        self._environment.write_text(f"ROOT_ACCESS_KEY={self.key}\nROOT_SECRET_KEY={self.secret}\n")

    def revoke(self) -> None:
        """Take another secret in place of the one that was accepted until now."""
        self._new_secret()
        docker("exec", self.name, "killall", "versitygw")

    def settings(self, bucket: str = BUCKET) -> dict[str, object]:
        """`hub.backup` without its secrets."""
        return {"to": {"s3": {"endpoint": self.url, "bucket": bucket}}, "every": "1d"}

    def use(self, password: str, bucket: str = BUCKET) -> None:
        """Let the rig's hub back up to here: the stack file and its secrets."""
        self.rig.change({"hub": {"backup": self.settings(bucket)}})
        self._set("backup.password", password)
        self._set("backup.to.s3.access_key", self.key)
        self.give_secret("backup.to.s3")

    def prepare(self) -> None:
        """Let the rig's hub know this bucket as the one for its metrics and logs, which stay on its disk."""
        s3 = {"endpoint": self.url, "bucket": BUCKET}
        retention = {"metrics": None, "metrics_size": None}  # Thanos has its own
        storage = {"kind": "single", "bucket": {"s3": s3}}
        self.rig.change({"hub": {"storage": storage, "retention": retention}})
        self._set("storage.bucket.s3.access_key", self.key)
        self.give_secret("storage.bucket.s3")

    def give_secret(self, *places: str) -> None:
        """Set the accepted secret at these places of the hub's settings."""
        for place in places:
            self._set(f"{place}.secret_key", self.secret)

    def _set(self, key: str, value: str) -> None:
        done = self.rig.tool("secret", f"hub.{key}", stdin=value)
        assert done.returncode == 0, done.stdout

    def fill(self) -> None:
        docker("exec", self.name, "sh", "-c", "dd if=/dev/zero of=/data/filler bs=64k 2> /dev/null || true")

    def free(self) -> None:
        docker("exec", self.name, "rm", "/data/filler")


def destroy(rig: Rig, roles: Sequence[str] = (*DURABLE, "ask", "ask-cache")) -> None:
    """The hub's containers of these roles and the volumes with their data are gone; the edge and its queue stay."""
    for role in roles:
        docker("rm", "-f", rig.container(role))
    suffixes = (*(role for role in roles if role != "caddy"), "caddy-data", "caddy-config")
    there = docker("volume", "ls", "-q").split()  # not each role has a volume, nor each stack the assistant
    docker("volume", "rm", *(name for suffix in suffixes if (name := f"{rig.prefix}-{suffix}") in there))


def drilled(rig: Rig, *words: str) -> str:
    """A drill, which touches no container of the stack and leaves no volume; its output."""
    before, last = rig.started_all(), metric(rig, DRILLED)
    done = rig.tool("drill", *words)
    assert done.returncode == 0, done.stdout
    assert rig.started_all() == before
    assert not docker("volume", "ls", "-q", "--filter", f"label=fleetwatch.drill={rig.prefix}").split()
    assert metric(rig, f"{DRILLED} > {last:.0f}"), "the age of the last drill"
    return done.stdout


def backed_up(rig: Rig) -> None:
    done = rig.tool("backup")
    assert done.returncode == 0, done.stdout


def refused(rig: Rig, *words: str) -> str:
    """A command that must fail with sentences; its output."""
    done = rig.tool(*words)
    assert done.returncode == 1, done.stdout
    assert "Traceback (most recent" not in done.stdout, done.stdout
    return done.stdout


def write_rows(rig: Rig) -> None:
    """A table in Grafana's database."""
    docker("exec", rig.container("grafana"), "python3", "-c", _WRITE)


def rows(rig: Rig) -> int:
    """How many of them are there."""
    return int(docker("exec", rig.container("grafana"), "python3", "-c", _READ))


def refused_dump(rig: Rig, sql: str) -> str:
    """What the assistant's database answers to a dump that it cannot load."""
    name, folder = rig.container("ask-database"), "/var/lib/postgresql/data/restored"
    docker("exec", "-i", name, "sh", "-c", f"mkdir -p {folder} && cat > {folder}/ask.sql", stdin=sql)
    argv = ("docker", "exec", name, "sh", "/etc/ask-database/data.sh", "restore")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def metric(rig: Rig, query: str) -> float:
    """A value that arrives."""
    found = eventually(query, lambda: rig.hub.metrics(query), patience=60)
    return float(found[0]["value"][1])
