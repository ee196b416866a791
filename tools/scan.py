"""`make scan`: finds secrets in the repository with detect-secrets. Findings that are none are in .secrets.baseline.

Nothing is sent anywhere: detect-secrets can query services whether a secret is valid, and that is switched off.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from detect_secrets.__version__ import VERSION
from detect_secrets.core import baseline
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings, transient_settings

from tools.cli import Commands
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV
from tools.progress import say

BASELINE = ".secrets.baseline"
_ASKS_SERVICES = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
_OURS = {"name": "FleetTokenDetector", "path": f"file://{CHECKOUT / 'tools' / 'scan_tokens.py'}"}
# Of its detectors those for what could get in here; each of the others (of other clouds, chats and shops) takes time.
_DETECTORS = (
    "AWSKeyDetector", "Base64HighEntropyString", "BasicAuthDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "HexHighEntropyString", "JwtTokenDetector", "KeywordDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SlackDetector",
)  # fmt: skip
# Hashes of packages and modules, thousands of them.
_LOCKS = ("requirements.txt", "requirements-ci.txt", "go.sum", BASELINE)


def register(commands: Commands) -> None:
    parser = commands.add("scan", _scan, "check that the repository holds no secret")
    parser.add_argument("--accept", action="store_true", help="accept every present finding as no secret")


def files() -> list[str]:
    """What is, or would be, in the repository of the current folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if Path(name).is_file() and Path(name).name not in _LOCKS]


def found(names: Sequence[str]) -> SecretsCollection:
    """Everything that looks like a secret, by file names as they are given: as the baseline has them."""
    with _settings():
        secrets = SecretsCollection()
        secrets.scan_files(*names)
    return secrets


def unseen(names: Sequence[str], marks: Path) -> list[str]:
    """Those that were not looked at and found clean before: a whole scan takes ten seconds, this is for every save."""
    clean = set(json.loads(marks.read_text())) if marks.exists() else set()
    return [name for name in names if _mark(name) not in clean]


def remember(names: Sequence[str], marks: Path) -> None:
    """Mark what the last scan found nothing in at all; a file with a known finding is looked at every time."""
    known = json.loads(Path(BASELINE).read_text())["results"] if Path(BASELINE).exists() else {}
    beside = marks.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps([_mark(name) for name in names if name not in known]))
    beside.replace(marks)


def _mark(name: str) -> str:
    """Changes with the file and with how it is scanned."""
    digest = hashlib.sha256(f"{VERSION} {name}\0".encode())
    for part in (Path(__file__), CHECKOUT / "tools" / "scan_tokens.py", Path(name)):
        digest.update(part.read_bytes() + b"\0")
    return digest.hexdigest()


def new(names: Sequence[str]) -> list[str]:
    """One line for each place that is not in the baseline: where, and of which kind; never what."""
    file = Path(BASELINE)
    known = SecretsCollection.load_from_baseline(json.loads(file.read_text())) if file.exists() else SecretsCollection()
    kinds: dict[tuple[str, int], set[str]] = {}
    for name, secret in found(names) - known:
        kinds.setdefault((name, secret.line_number), set()).add(secret.type)
    return [f"{name}:{line}: {', '.join(sorted(kinds[name, line]))}" for name, line in sorted(kinds)]


def accept() -> int:
    """Write the baseline, without line numbers, so that it changes only when a finding does; their number."""
    secrets = found(files())
    with _settings():
        content = baseline.format_for_output(secrets, is_slim_mode=True)
    results = content["results"]
    # The code names the detectors: a path of this machine does not belong into the file.
    kept = {"version": content["version"], "plugins_used": [], "filters_used": [], "results": results}
    Path(BASELINE).write_text(json.dumps(kept, indent=1) + "\n")
    return sum(map(len, results.values()))


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    with default_settings() as settings:
        config = settings.json()
    config["plugins_used"] = [*(one for one in config["plugins_used"] if one["name"] in _DETECTORS), _OURS]
    config["filters_used"] = [one for one in config["filters_used"] if one["path"] != _ASKS_SERVICES]
    with transient_settings(config):
        get_mapping_from_secret_type_to_class.cache_clear()  # it was filled before ours was named
        yield


def _scan(options: argparse.Namespace) -> int:
    os.chdir(CHECKOUT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the scan's worker processes are ended by it
    if options.accept:
        say(f"{BASELINE}: {accept()} findings accepted as no secrets. Check each before you commit the file.")
        return 0
    names, marks = files(), VENV / "scan-clean.json"
    lines = new(unseen(names, marks))
    if lines:
        raise ToolError(
            f"{len(lines)} new finding(s) that look like secrets. A real one: take it out of the file and of git's "
            "history, and revoke it where it was issued. If it is none: `# pragma: allowlist secret` in its line, or "
            "`make scan ACCEPT=1`.\n" + "\n".join(lines)
        )
    if marks.parent.is_dir():
        remember(names, marks)
    say(f"{len(names)} files, no new secret")
    return 0
