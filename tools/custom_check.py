"""The user's own rules and templates, checked by the programs that use them: promtool, Loki's ruler and amtool.

`make up` and `make preview` do so before anything is changed, `make check` for every stack, together with the tests of
rules. A program is the one that was built, else that of the image. Where there is neither, a sentence names what
was not checked; the hub checks rules and templates once more before it uses them, but not Loki's.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from components import custom_folder
from configs.custom import rule_files
from configs.settings.custom_files import CustomFiles
from tools import stack_names, test_programs, working_copy
from tools.cli import Commands
from tools.errors import ToolError
from tools.net import free_port, without_proxy
from tools.paths import CHECKOUT, shown_path
from tools.processes import try_output
from tools.progress import say, step
from tools.stack import Stack
from tools.stack_settings import complete_settings

READY = 30  # seconds for Loki to answer
_OPENER = without_proxy()
_LOKI = """\
auth_enabled: false
server: {{http_listen_address: {address}, http_listen_port: {port}, grpc_listen_port: 0, log_level: error}}
common:
  compactor_address: http://127.0.0.1:{port}
  path_prefix: {work}
  replication_factor: 1
  ring: {{instance_addr: 127.0.0.1, kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {work}/chunks, rules_directory: {work}/rules}}}}
schema_config:
  configs:
  - {{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}
ruler: {{enable_api: true}}
analytics: {{reporting_enabled: false}}
"""


@dataclass(frozen=True)
class Programs:
    """Where promtool, amtool and Loki come from. `overrides`: images that replace pins, by key."""

    overrides: Mapping[str, str]

    def command(
        self, name: str, folder: Path, options: Sequence[str] = test_programs.NO_NETWORK
    ) -> tuple[str, ...] | None:
        """The command line, which sees `folder`; None if the program is not here and cannot be pulled."""
        seen = ("-v", f"{folder}:{folder}", *options)
        return test_programs.present(name, seen, overrides=self.overrides, pull=True)


def register(commands: Commands) -> None:
    parser = commands.add("custom", _custom, "check own dashboards, rules and templates; run the tests of rules")
    parser.add_argument("files", nargs="*", type=Path, help="stack files; without any: all of stacks/")


def _custom(options: argparse.Namespace) -> int:
    files = [file.resolve() for file in options.files] or sorted((CHECKOUT / "stacks").glob("Pulumi.*.yaml"))
    folders = {custom.folder: custom for file in files if (custom := _of_file(file))}
    found = [problem for custom in folders.values() for problem in problems(custom, Programs({}), tests=True)]
    for problem in found:
        say(f"  - {problem}")
    say(f"{len(folders)} folders with own files, {len(found)} problems")
    return 1 if found else 0


def _of_file(file: Path) -> CustomFiles:
    shown, env = shown_path(file), stack_names.of_file(file)
    config = working_copy.read(file).get("config") or {}
    settings = complete_settings(config, env, shown)
    return custom_folder.added(settings, CHECKOUT).custom if settings is not None else CustomFiles()


def require(stack: Stack) -> None:
    """ToolError with every problem that the programs find in the stack's own files. What only the form of a file is,
    the program of the stack reports."""
    settings = stack.settings()
    custom = custom_folder.added(settings, CHECKOUT).custom if settings is not None else CustomFiles()
    if not custom or custom.problems or settings is None:
        return
    with step(f"Checking own rules and templates in {custom.folder}"):
        found = problems(custom, Programs({**settings.images.given(), **(stack.images or {})}), tests=False)
    if found:
        lines = "\n".join(f"  - {problem}" for problem in found)
        count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
        raise ToolError(f"{count} in own files, nothing was changed:\n{lines}")


def problems(custom: CustomFiles, programs: Programs, *, tests: bool) -> list[str]:
    """What the programs find, each with its file."""
    with tempfile.TemporaryDirectory(prefix="fleetwatch-custom-") as name:
        work = Path(name)
        work.chmod(0o755)  # a program in a container is another user
        return [
            *_rules(custom, programs, work / "rules", tests),
            *_log_rules(custom, programs, work / "loki"),
            *_templates(custom, programs, work / "templates"),
        ]


def _written(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _rules(custom: CustomFiles, programs: Programs, folder: Path, tests: bool) -> Iterator[str]:
    if not custom.rules and not custom.tests:
        return
    _written(folder, {**custom.rules, **custom.tests})
    promtool = programs.command("promtool", folder)
    if promtool is None:
        say("  promtool is not on this machine: rules are not checked here, the hub checks them before it uses them")
        return
    refused = False
    for name in custom.rules:
        if reason := _refused([*promtool, "check", "rules", "--lint=none", str(folder / name)], folder):
            refused = True
            yield f"{custom.path('rules', name)}: {reason}"
    for name in custom.tests if tests and not refused else ():
        if reason := _refused([*promtool, "test", "rules", str(folder / name)], folder):
            yield f"{custom.path('rules', name)}: {reason}"


def _templates(custom: CustomFiles, programs: Programs, folder: Path) -> Iterator[str]:
    if not custom.templates:
        return
    _written(folder, custom.templates)
    amtool = programs.command("amtool", folder)
    if amtool is None:
        say("  amtool is not on this machine: templates are not checked here, the hub checks them before it uses them")
        return
    for name in custom.templates:
        config = folder / "alertmanager.yml"
        receivers = {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}
        config.write_text(yaml.safe_dump({**receivers, "templates": [str(folder / name)]}))
        if reason := _refused([*amtool, "check-config", str(config)], folder):
            yield f"{custom.path('templates', name)}: {reason}"


def _refused(argv: Sequence[str], folder: Path) -> str:
    """The program's reason, on one line without the names of temporary files; "" if it accepts the files."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    except subprocess.TimeoutExpired:
        return f"{argv[0]} has not ended within 120 s"
    if done.returncode == 0:
        return ""
    # promtool writes its reason to stderr, amtool to stdout, after a line with FAILED.
    reason = done.stdout.partition("FAILED")[2].strip(": \n") or done.stderr or done.stdout
    lines = [line.strip().replace(f"{folder}/", "") for line in reason.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("Checking ", "SUCCESS"))]
    return " ".join(kept).removeprefix("FAILED:").strip() or f"refused ({done.returncode})"


def _log_rules(custom: CustomFiles, programs: Programs, work: Path) -> Iterator[str]:
    """Loki's ruler checks a group before it looks for a place to store it: 400 is a refusal, all else is none."""
    if not custom.log_rules:
        return
    work.mkdir()
    work.chmod(0o777)
    port, name = free_port(), f"fleetwatch-custom-{secrets.token_hex(4)}"
    loki = programs.command("loki", work, ("-p", f"127.0.0.1:{port}:{port}", "--name", name))
    if loki is None:
        say("  Loki is not on this machine: rules about log lines are not checked")
        return
    container = loki[0] == "docker"
    address = "0.0.0.0" if container else "127.0.0.1"
    (work / "loki.yml").write_text(_LOKI.format(address=address, port=port, work=work))
    argv = [*loki, f"-config.file={work}/loki.yml", "-target=ruler"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}/loki/api/v1/format_query?query=vector(1)")
            for file, text in custom.log_rules.items():
                document, _ = rule_files.parse(text)
                for group in document.get("groups", []):
                    if reason := _posted(f"http://127.0.0.1:{port}/loki/api/v1/rules/custom", yaml.safe_dump(group)):
                        yield f"{custom.path('log-rules', file)}: {reason}"
        finally:
            process.terminate()
            if container:
                try_output(["docker", "rm", "-f", "-v", name])


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end and process.poll() is None:
        try:
            with _OPENER.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise ToolError(f"Rules about log lines could not be checked: Loki does not answer within {READY} s.")


def _posted(url: str, group: str) -> str:
    request = urllib.request.Request(url, group.encode(), {"Content-Type": "application/yaml"})
    try:
        with _OPENER.open(request, timeout=30):
            return ""
    except urllib.error.HTTPError as error:
        return " ".join(error.read(2000).decode(errors="replace").split()) if error.code == 400 else ""
    except OSError as error:
        raise ToolError("Rules about log lines could not be checked: Loki stopped answering; try again.") from error
