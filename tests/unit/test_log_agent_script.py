"""The script that starts a log agent, with a stand-in for the agent: a process with a metrics page and positions."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from configs import names
from configs.services import log_agent

BEFORE = 'positions:\n  /var/log/a.log: "10"\n  cursor-a: "100"\n  journal-j: s=1\n'
NOW = 'positions:\n  /var/log/a.log: "20"\n  cursor-a: "200"\n  cursor-new: "300"\n  journal-j: s=2\n'
LOOK = 0.05  # seconds
AGENT = """
import pathlib, signal, sys, time
said = pathlib.Path(sys.argv[1])
def heard(number, frame):
    with said.open("a") as file:
        file.write(signal.Signals(number).name + "\\n")
    if number == signal.SIGTERM:
        sys.exit(3)
signal.signal(signal.SIGHUP, heard)
signal.signal(signal.SIGTERM, heard)
said.write_text("started\\n")
while True:
    time.sleep(0.02)
"""


class StandIn:
    """A metrics page in Promtail's words, whose counters a test changes."""

    def __init__(self) -> None:
        self.sent, self.failed, self.asked = 0, 0, 0
        stand_in = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in.asked += 1
                name = "promtail_request_duration_seconds_count"
                text = (
                    'promtail_build_info{version="3"} 1\n'
                    f'{name}{{host="hub",status_code="204"}} {stand_in.sent}\n'
                    f'{name}{{host="hub",status_code="-1"}} {stand_in.failed}\n'
                    f'{name}{{host="hub",status_code="502"}} {stand_in.failed}\n'
                    'request_duration_seconds_count{status_code="500"} 7\n'
                )
                self.send_response(200)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Nothing: the output of a test is for its failures."""

        self.server = HTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def looks(self, count: int) -> None:
        """Wait until the script has looked so often again."""
        end, until = self.asked + count, time.monotonic() + 20
        while self.asked < end:
            assert time.monotonic() < until, "the script does not look"
            time.sleep(0.01)


@pytest.fixture
def metrics() -> Iterator[StandIn]:
    page = StandIn()
    heeded = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the script could not trap it
    yield page
    signal.signal(signal.SIGHUP, heeded)
    page.server.shutdown()


class Started:
    """The script with its agent. Everything it says is in `said`."""

    def __init__(self, folder: Path, metrics: StandIn) -> None:
        self.heard = folder / "heard"
        self.heard.unlink(missing_ok=True)
        positions = str(folder / "*positions.yml")
        shell, flag, script, name, _ = log_agent.entrypoint("", positions)
        replaced = {
            f"EVERY={log_agent.EVERY}": f"EVERY={LOOK}",
            f"PORT={names.LOG_AGENT_PORT}": f"PORT={metrics.server.server_port}",
        }
        for old, new in replaced.items():
            assert old in script
            script = script.replace(old, new)
        argv = [shell, flag, script, name, sys.executable, "-c", AGENT, str(self.heard)]
        self.stray = folder / ".next"  # of no file
        self.process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.until("started")

    def until(self, word: str) -> None:
        end = time.monotonic() + 20
        while not (self.heard.exists() and word in self.heard.read_text()):
            assert self.process.poll() is None, f"ended before {word}"
            assert time.monotonic() < end, f"no {word}"
            time.sleep(0.02)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=20)
        assert not said, said
        assert not self.stray.exists()
        return self.process.returncode


def test_signals_reach_the_agent_and_its_exit_code_comes_back(tmp_path: Path, metrics: StandIn) -> None:
    started = Started(tmp_path, metrics)
    started.process.send_signal(signal.SIGHUP)
    started.until("SIGHUP")
    assert started.end() == 3
    assert started.heard.read_text() == "started\nSIGHUP\nSIGTERM\n"


def test_nothing_is_written_while_there_are_no_positions(tmp_path: Path, metrics: StandIn) -> None:
    started = Started(tmp_path, metrics)
    metrics.looks(10)
    assert started.end() == 3


def test_positions_count_as_sent_once_nothing_has_failed_for_a_while(tmp_path: Path, metrics: StandIn) -> None:
    positions, sent = tmp_path / "positions.yml", tmp_path / "positions.yml.sent"
    positions.write_text(BEFORE)
    started = Started(tmp_path, metrics)
    metrics.looks(4)
    assert not sent.exists(), "a request may still wait for its answer"
    metrics.looks(9)
    positions.write_text(NOW)
    assert sent.read_text() == BEFORE
    metrics.looks(13)
    assert sent.read_text() == NOW
    started.end()


def test_what_fails_is_not_sent_until_a_request_succeeds(tmp_path: Path, metrics: StandIn) -> None:
    positions, sent = tmp_path / "positions.yml", tmp_path / "positions.yml.sent"
    positions.write_text(BEFORE)
    started = Started(tmp_path, metrics)
    metrics.looks(13)
    positions.write_text(NOW)
    metrics.failed = 1
    metrics.looks(13)
    assert sent.read_text() == BEFORE, "the request is tried again, without a further failure so far"
    metrics.sent, metrics.failed = 1, 2
    metrics.looks(13)
    assert sent.read_text() == BEFORE, "which of both was last is not known"
    metrics.sent = 2
    metrics.looks(13)
    assert sent.read_text() == NOW
    started.end()


def test_a_start_goes_back_to_what_was_sent_but_not_in_files(tmp_path: Path, metrics: StandIn) -> None:
    positions = tmp_path / "positions.yml"
    positions.write_text(NOW)
    (tmp_path / "positions.yml.sent").write_text(BEFORE)
    Started(tmp_path, metrics).end()
    assert positions.read_text() == 'positions:\n  cursor-a: "100"\n  journal-j: s=1\n  /var/log/a.log: "20"\n'


@pytest.mark.parametrize(
    ("now", "sent", "after"),
    [
        (NOW, None, NOW),
        (NOW, "", NOW),
        ('positions:\n  cursor-a: "1"\n', "positions: {}\n", "positions: {}\n"),
        ("positions: {}\n", 'positions:\n  "/a:b": "1"\n', "positions: {}\n"),
        ('positions:\n  "/a:b": "2"\n', "positions: {}\n", 'positions:\n  "/a:b": "2"\n'),
    ],
    ids=["first start of this script", "empty copy", "containers that are new", "a file that is gone", "quoted path"],
)
def test_a_start_leaves_a_file_that_the_agent_can_read(
    tmp_path: Path, metrics: StandIn, now: str, sent: str | None, after: str
) -> None:
    (tmp_path / "positions.yml").write_text(now)
    if sent is not None:
        (tmp_path / "positions.yml.sent").write_text(sent)
    Started(tmp_path, metrics).end()
    assert (tmp_path / "positions.yml").read_text() == after


def test_each_file_has_a_copy_of_its_own(tmp_path: Path, metrics: StandIn) -> None:
    # As Alloy keeps them: one of each source.
    texts = {"b-positions.yml": NOW.replace('  /var/log/a.log: "20"\n', "")}
    texts["a-positions.yml"] = 'positions:\n    ? path: cursor-a\n      labels: \'{container="a"}\'\n    : "7"\n'
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    started = Started(tmp_path, metrics)
    metrics.looks(13)
    started.end()
    for name, text in texts.items():
        assert (tmp_path / f"{name}.sent").read_text() == text
        (tmp_path / name).write_text("positions:\n    changed\n")
    Started(tmp_path, metrics).end()
    assert {name: (tmp_path / name).read_text() for name in texts} == texts
