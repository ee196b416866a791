"""The story of the backup: what its tests remember, and its longer comparisons."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from datetime import datetime, timezone

from configs.services.backup import PARTS
from tests.integration import backup
from tests.integration.assistant import Assistant
from tests.integration.rig import Rig, docker, eventually
from tests.integration.runs import Run

KEPT = 3  # backups of each part: a drill needs an earlier one, and the hub may make one more meanwhile
KEEP = {"last": KEPT, "daily": 0, "weekly": 0, "monthly": 0}
CHECKED = "fleetwatch_backup_check_timestamp_seconds"
_DELETE = (
    "import sqlite3; c = sqlite3.connect('/var/lib/grafana/grafana.db'); c.execute('delete from kept'); c.commit()"
)


class Told:
    """The stack and its bucket, and what the tests remember."""

    def __init__(self, made: Rig, bucket: backup.Bucket, s3: str) -> None:
        self.rig, self.bucket, self.s3 = made, bucket, s3  # s3: the image of an S3 server
        self.secrets = made.home / "state" / made.name / "files" / "hub" / "backup" / "secrets"
        self.began = self.backed_up = self.destroyed = 0.0
        self.earlier = datetime.now(timezone.utc)  # when a backup was there that has a newer one
        self.ask = Assistant(made)

    def snapshots(self) -> list[str]:
        """The backups in the bucket."""
        folder = f"/data/objects/{backup.BUCKET}/{self.rig.prefix}/snapshots"
        return docker("exec", self.bucket.name, "ls", folder).split()


def checked(rig: Rig) -> None:
    """The check of the repository, which is due once its last one is long ago."""
    begun = time.time()
    due = f"echo 0 > /state/values/all.{CHECKED.removeprefix('fleetwatch_backup_')} && rm -f /state/check-tried"
    docker("exec", rig.container("backup"), "sh", "-c", due)
    assert backup.metric(rig, f"{CHECKED} >= {begun:.0f}")
    assert backup.metric(rig, "fleetwatch_backup_check_failed") == 0


def old_removed(told: Told) -> None:
    """More backups were made than are kept."""
    backup.backed_up(told.rig)
    backups = told.snapshots()
    assert len(backups) == KEPT * len(PARTS), backups
    assert backup.metric(told.rig, 'fleetwatch_backup_failed{part="repository"}') == 0


def interrupted(rig: Rig, command: str, moment: Callable[[Run], bool], interrupt: Callable[[Run], object]) -> str:
    """What a user reads of a command that is interrupted at this moment: its one sentence."""
    running = Run(rig, command)
    running.until(f"the moment at which {command} is interrupted", lambda: moment(running))
    interrupt(running)
    code, output = running.ended()
    assert code in (1, 128 + signal.SIGINT), output
    assert "Traceback (most recent" not in output, output
    sentences = re.findall(r"^fleetwatch: (.*)$", output, re.MULTILINE)
    assert len(sentences) == 1, output
    return str(sentences[0])


def copies(rig: Rig, part: str) -> bool:
    """Whether this part is being backed up."""
    running = docker("exec", rig.container("backup"), "sh", "-c", "cat /state/tmp/running 2> /dev/null || true")
    return running.strip() == part


def drilled_at(told: Told) -> None:
    """A drill of the backup at a time, which is not the newest."""
    output = backup.drilled(told.rig, "--at", told.earlier.isoformat())
    times = [datetime.fromisoformat(f"{at}+00:00") for at in re.findall(r"the backup of (\S+ \S+) UTC", output)]
    assert len(times) >= len(PARTS), output
    assert max(times) <= told.earlier, output


def use_folder(rig: Rig) -> None:
    """Let the hub back up to a folder of its host."""
    folder = rig.home / "backups"
    folder.mkdir()
    rig.change({"hub": {"backup": {"to": {"s3": None, "path": str(folder)}}}})
    rig.up()
    mounted = docker("volume", "inspect", "-f", "{{.Options.device}}", f"{rig.prefix}-backup-destination")
    assert mounted.strip() == str(folder)


def grafana_restored(rig: Rig) -> None:
    """Grafana alone, from the newest backup: nothing else is restarted, or compared."""
    docker("exec", rig.container("grafana"), "python3", "-c", _DELETE)
    assert backup.rows(rig) == 0
    before = rig.started_all()
    done = rig.tool("restore", "--only", "grafana")
    assert done.returncode == 0, done.stdout
    after = rig.started_all()
    restarted = {name for name, when in before.items() if after.get(name) != when}
    assert restarted == {rig.container("grafana")}
    compared = re.findall(r"^  (\w+): \d+ files with the hashes noted at backup time(.*)$", done.stdout, re.MULTILINE)
    assert compared == [("grafana", ", integrity_check ok")], done.stdout
    eventually("the rows of the backup", lambda: backup.rows(rig) == backup.ROWS, 30)
