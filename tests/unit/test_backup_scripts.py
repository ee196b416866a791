"""The shell of the backup: reasons of failures, the check, the comparison of restored files, the wait for Loki."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from configs.services import backup
from tools.paths import CHECKOUT


def _reason(tmp_path: Path, code: int, message: str) -> str:
    """`reason` of common.sh."""
    script = (Path(backup.__file__).parent / "common.sh").read_text().replace(". /etc/backup/settings", "REPOSITORY=x")
    messages = tmp_path / "messages"
    messages.write_text(message)
    argv = ["sh", "-uc", f"{script}\nreason {code} {messages}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (12, "Fatal: wrong password or no key found", "hub.backup.password is not the password of the repository"),
        (1, "write /destination/x: no space left on device", "the destination is full"),
        (130, "Save(<data/ab>) returned error, retrying: No space left on device.", "the destination is full"),
        (1, "dial tcp 10.0.0.1:443: connect: connection refused", "the destination cannot be reached"),
        (143, "", "the destination cannot be reached"),
        (1, "Fatal: The Access Key Id is wrong: AccessDenied", "the destination refuses access"),
        (10, "", "there is no repository at the destination"),
        (1, "something else", "restic failed, its message is in the container's log"),
    ],
)
def test_reason_is_one_sentence(tmp_path: Path, code: int, message: str, expected: str) -> None:
    assert _reason(tmp_path, code, message) == expected


@pytest.mark.parametrize(
    ("code", "message", "why"),
    [(1, "error: pack 1a2b is damaged", "the repository is damaged"), (11, "locked", "reason 11"), (0, "", "")],
)
def test_a_check_that_fails_is_reported_with_its_own_reason(tmp_path: Path, code: int, message: str, why: str) -> None:
    text = (CHECKOUT / "configs" / "services" / "backup" / "run.sh").read_text()
    check = "check() {" + text.partition("\ncheck() {")[2].partition("\n}\n")[0] + "\n}\n"
    (tmp_path / "tmp").mkdir()
    (tmp_path / "failed").mkdir()
    (tmp_path / "tmp" / "messages").write_text(message)
    stubs = (
        f"STATE={tmp_path}; repository() {{ :; }}; value() {{ :; }}; quietly() {{ return {code}; }}\n"
        'reason() { echo "reason $1"; }; failed() { echo "$2"; }\n'
    )
    done = subprocess.run(["sh", "-c", f"{stubs}{check}check"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == why


FULL = "old backups were not removed: the destination is full"


@pytest.mark.parametrize(
    ("code", "message", "why"),
    [
        (0, "", ""),
        (1, "Save(<lock/1a2b>): no space left on device", FULL),
        (11, "locked", "old backups were not removed: another run holds the repository's lock"),
        (1, "remove data/1a2b: AccessDenied", ""),  # a key that may not delete
    ],
)
@pytest.mark.parametrize("before", ["", FULL])
def test_old_backups_that_stay_are_a_failed_backup(
    tmp_path: Path, before: str, code: int, message: str, why: str
) -> None:
    folder = Path(backup.__file__).parent
    common = (folder / "common.sh").read_text()
    for name in ("tmp", "failed", "program"):
        (tmp_path / name).mkdir()
    if before:
        (tmp_path / "failed" / "repository").write_text(before)
    restic = tmp_path / "program" / "restic"
    restic.write_text(
        f"#!/bin/sh\necho \"$*\" >> {tmp_path}/ran\n[ $1 = unlock ] || {{ echo '{message}' >&2; exit {code}; }}"
    )
    restic.chmod(0o755)
    (tmp_path / "settings").write_text("REPOSITORY=x PARTS='metrics logs' KEEP='--keep-last 2 --keep-daily 5'\n")
    script = (folder / "run.sh").read_text()
    functions = script[script.index("quietly() {") : script.index("\ncheck() {")]
    common = common.replace("/etc/backup/settings", f"{tmp_path}/settings").replace("STATE=/state", f"STATE={tmp_path}")
    stubs = 'repository() { :; }; backup() { echo "backed up $1"; }; sleep() { return 1; }\n'
    run = f"PATH={tmp_path}/program:$PATH\n{common}\n{functions}\n{stubs}every_part metrics"
    done = subprocess.run(["sh", "-uc", run], capture_output=True, text=True, check=False, timeout=20)
    assert done.stdout == "backed up metrics\n"
    assert done.returncode == (1 if why else 0), "a failure is tried again soon"
    assert message in done.stderr, "restic's own message is in the log"
    wanted = "forget --retry-lock 5m --group-by host,tags --keep-last 2 --keep-daily 5 --prune"
    assert (tmp_path / "ran").read_text().splitlines() == ["unlock", wanted]
    respond = (folder / "respond.sh").read_text().replace(". /etc/backup/common.sh", common)
    asked = subprocess.run(
        ["sh", "-uc", respond], input="GET /metrics HTTP/1.0\r\n\r\n", capture_output=True, text=True, check=True
    )
    line = f'fleetwatch_backup_failed{{part="repository",reason="{why}"}} {1 if why else 0}'
    assert line in asked.stdout.splitlines()


def _verify(folder: Path, note: str, part: str = "grafana") -> subprocess.CompletedProcess[str]:
    """`verify` of restore.sh in this folder."""
    text = (CHECKOUT / "configs" / "services" / "backup" / "restore.sh").read_text()
    lines = "verify)" + text.partition("\n    verify)")[2].partition("\n        ;;")[0].replace("/into", str(folder))
    argv = ["sh", "-euc", f"case verify in {lines}\n;;\nesac", "restore.sh", "verify", part]
    return subprocess.run(argv, input=note, capture_output=True, text=True, check=False)


def test_restored_files_are_compared_with_the_noted_hashes(tmp_path: Path) -> None:
    (tmp_path / "silences").write_text("one")
    digest = hashlib.sha256(b"one").hexdigest()
    assert _verify(tmp_path, f"at 1\n{digest}  ./silences\n").returncode == 0
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "ask.sql").write_text("one")
    assert _verify(tmp_path, f"at 1\nrows of users: 2\n{digest}  ./ask.sql\n", "ask").returncode == 0
    (tmp_path / "silences").write_text("two")
    for name in ("silences", "gone"):
        done = _verify(tmp_path, f"at 1\n{digest}  ./{name}\n")
        assert done.returncode == 1
        assert done.stderr == f"sentence: ./{name} is not the file that was backed up\n"


def test_lines_are_counted_once_loki_has_forgotten_what_it_flushed(tmp_path: Path) -> None:
    """Both copies of a line that was pushed twice count as long as they are in memory, one of them later."""
    text = (CHECKOUT / "configs" / "services" / "backup" / "parts.sh").read_text()
    logs = "logs() {" + text.partition("\nlogs() {")[2].partition("\n}\n")[0] + "\n}\n"
    stubs = (
        "LOKI=loki:3100 FORGOTTEN=15 STATE=/nowhere; past() { echo 1700000000; }; flushed() { echo flushed; }\n"
        'sleep() { echo "slept $1"; }; note() { echo "noted $1 $3"; }; store() { echo "stored $1"; }\n'
    )
    done = subprocess.run(["sh", "-uc", f"{stubs}{logs}logs"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["flushed", "slept 15", "noted logs 1700000000", "stored logs"]


def test_logs_are_copied_once_loki_has_flushed(tmp_path: Path) -> None:
    """Loki answers a flush before it is done."""
    script = (Path(backup.__file__).parent / "common.sh").read_text().replace(". /etc/backup/settings", "REPOSITORY=x")
    left = [(3, 7, 2), (0, 7, 6), (0, 7, 7)]  # in the queue; begun; done, one of them with an error
    for number, (queue, begun, done) in enumerate(left):
        lines = (
            f"loki_ingester_flush_queue_length {queue}",
            f"loki_ingester_chunks_flush_requests_total {begun}",
            f'loki_ingester_chunks_flushed_total{{reason="forced"}} {done - 1}',
            "loki_ingester_chunks_flush_failures_total 1",
        )
        (tmp_path / f"{number}").write_text("\n".join(lines) + "\n")
    stubs = (
        f"wget() {{ case $* in */metrics) cat {tmp_path}/$(cat {tmp_path}/slept | wc -l) ;; esac; }}\n"
        f"timeout() {{ :; }}; sleep() {{ echo >> {tmp_path}/slept; }}; : > {tmp_path}/slept\n"
    )
    subprocess.run(["sh", "-uc", f"{script}\n{stubs}\nflushed loki:3100"], check=True, timeout=20)
    assert len((tmp_path / "slept").read_text().splitlines()) == 2


DUMPED = 'mkdir last; echo "$id" > last/id; printf "at 7\\nrows of users: 2\\n" > last/note; echo one > last/ask.sql'


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("", "the assistant's database does not answer\n"),
        ('echo "$id" > failed', "the assistant's database wrote no dump, the reason is in its container's log\n"),
        (DUMPED, "stored ask in last\n"),
    ],
)
def test_assistants_database_is_dumped_on_request(tmp_path: Path, answer: str, shown: str) -> None:
    folder = Path(backup.__file__).parent
    common = (folder / "common.sh").read_text().replace(". /etc/backup/settings", "REPOSITORY=x")
    parts = (folder / "parts.sh").read_text().replace("/data/ask/dumps", str(tmp_path / "dumps"))
    for name in ("dumps", "notes", "tmp"):
        (tmp_path / name).mkdir()
    server = f"cd {tmp_path}/dumps && mkfifo wanted && ({{ read -r id < wanted; {answer}; }} &)" if answer else ":"
    stubs = (
        f'STATE={tmp_path}; failed() {{ echo "$2"; return 1; }}; store() {{ echo "stored $1 in ${{PWD##*/}}"; }}\n'
        f"{server}\n"
    )
    argv = ["sh", "-uc", f"{common}\n{parts}\n{stubs}\nask"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == shown, done.stderr
    assert done.returncode == (0 if answer == DUMPED else 1)
    if answer == DUMPED:
        note = (tmp_path / "notes" / "ask").read_text()
        assert note.startswith("at 7\nrows of users: 2\n")
        assert f"{hashlib.sha256(b'one' + bytes([10])).hexdigest()}  ./ask.sql\n" in note
