"""`make pictures`: draws the dashboards of a running stack without Grafana, into docs/pictures.

Runs the queries of the panels on the hub's query side and draws the results. Drawing needs more packages
(requirements.txt here), which are installed into a separate virtualenv in the cache.

With ASK=QUESTION, takes a picture of the assistant's page with its answer instead, in a headless Chromium.

With GRAFANA=IMAGE, takes screenshots instead: a container of this image with the rendered files and the data of the
local stack, a headless Chromium, every dashboard at 1366 and 1600 pixels. Ends with 1 if Grafana's log has errors or a
dashboard does not look as it should.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import httpx

from configs.dashboards import boards
from configs.settings import Settings
from tests.pictures.ask import Hub, settings_of
from tests.pictures.assistant import take as take_answer
from tests.pictures.browser import BrowserProblem, executable
from tests.pictures.grafana import GrafanaProblem, running
from tests.pictures.screens import take
from tools.cli import ended
from tools.paths import CHECKOUT, cache_dir

HERE = Path(__file__).parent


def _drawer() -> Path:
    """The Python interpreter with matplotlib; installed once, and again when the lock file changes."""
    home = cache_dir("pictures")
    python, stamp, lock = home / "venv/bin/python", home / "stamp", HERE / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        print("Installing the packages for drawing (once)", flush=True)
        venv.create(home / "venv", with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", lock]
        subprocess.run(list(map(str, command)), check=True)
        stamp.write_text(lock.read_text())
    return python


def _screens(settings: Settings, image: str, names: Sequence[str], minutes: int, into: Path) -> int:
    """Screenshots; 1 if something is wrong, 2 if there is no browser, no stack or no Grafana."""
    wanted = [board for board in boards(settings) if not names or board.name in names]
    try:
        executable()
        with running(settings, image) as grafana:
            print(f"Grafana reports version {grafana.version}", flush=True)
            wrong = [f"Grafana's start log: {line}" for line in grafana.errors()]
            started = len(wrong)
            wrong += take(grafana, wanted, minutes, into, lambda line: print(line, flush=True))
            wrong += [f"Grafana's log: {line}" for line in grafana.errors()[started:]]
    except (BrowserProblem, GrafanaProblem) as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return 2
    print("\n".join([*wrong, f"{len(wrong)} problems found"] if wrong else ["Nothing wrong found."]))
    return 1 if wrong else 0


def _assistant(settings: Settings, question: str, password: str, path: Path) -> int:
    """The picture; 2 if there is no browser or no answer."""
    try:
        take_answer(f"https://{settings.hub.domain}:{settings.hub.ports.https}", password, question, path)
    except BrowserProblem as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return 2
    print(f"{path} {path.stat().st_size // 1024} KB")
    return 0


def main() -> None:
    """Every dashboard of the stack file, or those in the arguments."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("boards", nargs="*", help="names of dashboards; without any: all")
    parser.add_argument("--file", default="stacks/Pulumi.local.yaml", help="the stack file of the stack that runs")
    parser.add_argument("--hub", help="the query side's address; default: loopback, with the stack file's port")
    parser.add_argument("--minutes", type=int, default=15, help="how far back (15)")
    parser.add_argument("--into", help="folder; default: docs/pictures, for screenshots one in the cache")
    parser.add_argument("--ask", metavar="QUESTION", help="the assistant's page with its answer; the password on stdin")
    parser.add_argument("--grafana", metavar="IMAGE", help="screenshots of a Grafana of this image")
    options = parser.parse_args()
    settings = settings_of(Path(options.file))
    if options.grafana:
        into = Path(options.into) if options.into else cache_dir("pictures", "screens")
        sys.exit(_screens(settings, options.grafana, options.boards, options.minutes, into))
    into = Path(options.into) if options.into else CHECKOUT / "docs" / "pictures"
    if options.ask:
        sys.exit(_assistant(settings, options.ask, sys.stdin.readline().strip(), into / "ask.png"))
    hub = Hub(options.hub or f"http://127.0.0.1:{settings.hub.ports.query}", options.minutes * 60)
    python = _drawer()
    for board in boards(settings):
        if options.boards and board.name not in options.boards:
            continue
        path = into / f"{board.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            data = json.dumps(hub.board(board))
        except httpx.HTTPError as problem:
            sys.exit(f"fleetwatch: the hub's query side does not answer ({problem}); `make up` brings it up.")
        done = subprocess.run([str(python), str(HERE / "draw.py"), str(path)], input=data, text=True, check=False)
        if done.returncode:
            sys.exit(f"{board.name} could not be drawn")
        print(f"{path} {path.stat().st_size // 1024} KB", flush=True)


sys.exit(ended(main))
