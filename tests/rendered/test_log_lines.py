"""Lines through a real Promtail with the rendered jobs: levels of many formats, events of many lines, files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.render.level_formats import FORMATS
from configs.settings import load
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, small
from tests.fixtures.log_agent import jobs_through_promtail, through_promtail
from tests.rendered.conftest import program

DATA = Path(__file__).parents[1] / "data"
LEVELS = DATA / "levels.tsv"


def _stages(**logs: Any) -> list[dict[str, Any]]:
    settings = load(small(hosts={"hub": {"logs": logs}}), SOURCE)
    config = yaml.safe_load(rendering.promtail_config(settings, "hub"))
    found: list[dict[str, Any]] = config["scrape_configs"][0]["pipeline_stages"]
    return found


def test_levels_of_all_formats(tmp_path: Path) -> None:
    cases = [tuple(line.split("\t", 1)) for line in LEVELS.read_text().splitlines()]
    cases += [(one.level, one.example) for one in FORMATS if "\n" not in one.example]
    stages = _stages(multiline=[{"container": "raw", "join": False}])
    entries = through_promtail(
        program("promtail", tmp_path), tmp_path, stages, [line for _, line in cases], labels={"container": "raw"}
    )
    found = {entry.line: entry.metadata.get("level", "none") for entry in entries}
    wrong = [(level, found.get(line), line) for level, line in cases if found.get(line) != level]
    assert not wrong, "the level that is expected, the one found, the line"


PYTHON = """ERROR:shop:order 7 failed
Traceback (most recent call last):
  File "/app/shop.py", line 7, in <module>
    1/0
    ~^~
ZeroDivisionError: division by zero"""
EVENTS = {
    "Python's logging": PYTHON,
    "Java": "2026-01-02 10:00:00 ERROR 1 --- [main] c.s.Main : failed\njava.lang.IllegalStateException: boom\n"
    "\tat com.shop.Main.run(Main.java:7)\nCaused by: java.io.IOException: inner\n\t... 2 more",
    "Go": "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n"
    "\t/app/main.go:7 +0x1d\nexit status 2",
    "Node": "Error: boom\n    at Object.<anonymous> (/app/index.js:1:7) {\n  code: 'X'\n}",
    ".NET": "Unhandled exception. System.InvalidOperationException: boom\n   at Shop.Main() in /app/shop.cs:line 7\n"
    "   --- End of inner exception stack trace ---",
    ".NET's logger": "fail: Shop[0]\n      boom\n      System.Exception: boom\n         at Shop.Main()",
    "Ruby": "app.rb:1:in 'foo': boom (RuntimeError)\n\tfrom app.rb:3:in '<main>'",
    "Python, chained": 'ERROR:shop:no\nTraceback (most recent call last):\n  File "/app/shop.py", line 7, in f\n'
    "OSError: [Errno 28] No space left on device\n\nThe above exception was the direct cause of the following "
    'exception:\n\nTraceback (most recent call last):\n  File "/app/shop.py", line 9, in f\nshop.errors.Refused: boom',
    "Python, of the database": "ERROR:shop:no row\nTraceback (most recent call last):\n"
    '  File "/app/shop.py", line 7, in f\npsycopg.errors.UniqueViolation: boom',
    "Python, a group": "ERROR:    Exception in ASGI app\n  + Exception Group Traceback (most recent call last):\n"
    "  | ExceptionGroup: boom (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | ValueError: 1\n"
    "    +------------------------------------",
    "Go's HTTP server": "2026/01/02 10:00:00 http: panic serving 10.0.0.1:5000: boom\ngoroutine 18 [running]:\n"
    "net/http.(*conn).serve.func1()\n\t/go/src/net/http/server.go:1 +0xbe\npanic({0x4c1a20?, 0x55e0a8?})\n"
    "\t/go/src/runtime/panic.go:770 +0x132\ncreated by net/http.(*Server).Serve in goroutine 1",
    "Node with a cause": "ERROR: outer\n    at f (/app/a.js:1:1) {\n  [cause]: Error: inner\n"
    "      at g (/app/a.js:2:2) {\n    code: 'X'\n  }\n}",
    "PHP": "PHP Fatal error:  Uncaught Exception: boom in a.php:3\nStack trace:\n#0 /app/b.php(9): f()\n#1 {main}\n"
    "  thrown in /app/a.php on line 3",
    "Laravel": '[2026-01-02 10:00:00] local.ERROR: boom {"exception":"[object] (E(code: 0): boom)\n[stacktrace]\n'
    '#0 /app/b.php(9): f()\n#1 {main}\n"} ',
    "Elixir": "10:00:00.123 [error] GenServer S terminating\n** (RuntimeError) boom\n    (shop 1.0) lib/shop.ex:3: f/1",
    "JSON over lines": '{\n  "level": "error",\n  "msg": "boom"\n}',
    "one line": "INFO: end",
}


def test_the_lines_of_an_event_are_one_entry_with_the_level_of_the_first(tmp_path: Path) -> None:
    lines = "\n".join(EVENTS.values()).split("\n")
    entries = through_promtail(program("promtail", tmp_path), tmp_path, _stages(), lines, expected=len(EVENTS))
    assert sorted(entry.line for entry in entries) == sorted(EVENTS.values())
    levels = {entry.line: entry.metadata.get("level") for entry in entries}
    assert set(levels.values()) == {"error", "fatal", "info"}
    assert levels[EVENTS["Go"]] == "fatal"


def test_events_of_many_programs_and_lines_that_only_look_like_frames(tmp_path: Path) -> None:
    """Each part of the file is one entry: what follows its first line joins it, and no other line does."""
    events = (DATA / "events.txt").read_text().removesuffix("\n").split("\n=====\n")
    lines = "\n".join(events).split("\n")
    entries = through_promtail(program("promtail", tmp_path), tmp_path, _stages(), lines, expected=len(events))
    assert sorted(entry.line for entry in entries) == sorted(events)


@pytest.mark.parametrize(
    "first",
    [
        'Traceback (most recent call last):\n  File "x"\n    y()\nshop.errors.GoneError: boom',
        "java.lang.Error: boom\n\tat a.b(C.java:1)",
        "RangeError: boom\n    at f (/app/index.js:1:7)",
    ],
)
def test_an_event_that_nothing_comes_before_is_one_entry(tmp_path: Path, first: str) -> None:
    (entry,) = through_promtail(program("promtail", tmp_path), tmp_path, _stages(), first.split("\n"), expected=1)
    assert (entry.line, entry.metadata.get("level")) == (first, "error")


@pytest.mark.parametrize("language", ["Python's logging", "Java"])
def test_events_are_joined_before_filters_apply(tmp_path: Path, language: str) -> None:
    event = EVENTS[language]
    lines = ["INFO: start", *event.split("\n"), "INFO: end"]
    (entry,) = through_promtail(
        program("promtail", tmp_path), tmp_path, _stages(keep=[{"level": "error"}]), lines, expected=1
    )
    assert entry.line == event, "the frames have no level of their own"


def test_a_level_in_a_text_drops_no_line(tmp_path: Path) -> None:
    wanted = {
        "GET /logs?level=debug 500": None,
        '{"msg":"customer level: gold","level":"error"}': "error",
        '{"msg":"now level=debug","level":"warn"}': "warn",
    }
    entries = through_promtail(
        program("promtail", tmp_path), tmp_path, _stages(drop=[{"level": "debug"}]), list(wanted), expected=len(wanted)
    )
    assert {entry.line: entry.metadata.get("level") for entry in entries} == wanted


def test_an_exception_below_another_line_is_an_error_whatever_that_line_is(tmp_path: Path) -> None:
    lines = ["INFO: start", *PYTHON.split("\n")[1:]]
    (entry,) = through_promtail(
        program("promtail", tmp_path), tmp_path, _stages(drop=[{"level": "info"}]), lines, expected=1
    )
    assert (entry.line, entry.metadata["level"]) == ("\n".join(lines), "error")


def test_multiline_off_and_a_pattern_of_the_first_line(tmp_path: Path) -> None:
    for folder in ("off", "own"):
        (tmp_path / folder).mkdir()
    labels = {"container": "worker"}
    off = _stages(multiline=[{"container": "worker", "join": False}])
    lines = PYTHON.split("\n")
    entries = through_promtail(
        program("promtail", tmp_path), tmp_path / "off", off, lines, expected=len(lines), labels=labels
    )
    assert sorted(entry.line for entry in entries) == sorted(lines)
    own = _stages(multiline=[{"container": "worker", "first_line": "^==="}])
    lines = ["=== one", "a", "b", "=== two", "c"]
    entries = through_promtail(program("promtail", tmp_path), tmp_path / "own", own, lines, expected=2, labels=labels)
    assert sorted(entry.line for entry in entries) == ["=== one\na\nb", "=== two\nc"]


def test_unreadable_container_does_not_flood_the_log(tmp_path: Path) -> None:
    """The log agent reports it every few seconds; one line is kept, others of the agent are not limited."""
    reports = [f'level=error msg="could not fetch logs for container {number}"' for number in range(20)]
    others = [f'level=warn msg="retrying {number}"' for number in range(3)]
    lines = [*reports, *others]
    for name, expected in (("fleetwatch-promtail", [reports[0], *others]), ("shop", lines)):
        folder = tmp_path / name
        folder.mkdir()
        entries = through_promtail(
            program("promtail", tmp_path),
            folder,
            _stages(multiline=[{"container": "shop", "join": False}]),
            lines,
            expected=len(expected),
            labels={"container": name},
        )
        assert sorted(entry.line for entry in entries) == sorted(expected)


def test_files_that_are_read(tmp_path: Path) -> None:
    """Rotated, compressed and excluded files are left out, whatever they hold; an encoding is decoded."""
    written = {
        "shop/a.log": b"read\n",
        "shop/a.log.1": b"rotated\n",
        "shop/a.log-20260102": b"rotated by date\n",
        "shop/a.log.gz": gzip.compress(b"compressed\n"),
        "shop/b.log.gz": b"compressed by name\n",
        "shop/debug-x.log": b"excluded\n",
        "latin/b.txt": "first äöü\nsecond ß\n".encode("latin-1"),
    }
    for name, content in written.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    files = {
        "shop": {"path": "/srv/shop/*", "exclude": ["debug-*.log"]},
        "latin": {"path": "/srv/latin/*.txt", "encoding": "ISO-8859-1"},
    }
    settings = load(small(hosts={"hub": {"logs": {"files": files}}}), SOURCE)
    config = yaml.safe_load(rendering.promtail_config(settings, "hub").replace("/srv/", f"{tmp_path}/"))
    jobs = [job for job in config["scrape_configs"] if job["job_name"].startswith("file-")]
    entries = jobs_through_promtail(program("promtail", tmp_path), tmp_path, jobs, 3)
    assert sorted(entry.line for entry in entries) == ["first äöü", "read", "second ß"]
