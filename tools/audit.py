"""`make audit`: known vulnerabilities of the locked Python packages, by pip-audit."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tools import ci_tools
from tools.cli import Commands
from tools.paths import CHECKOUT, cache_dir
from tools.progress import say

AUDITED = (
    *("requirements.txt", "requirements-ci.txt", "ask/requirements.txt", "tests/app/requirements.txt"),
    *("policy/requirements.txt", "tests/pictures/requirements.txt", "tests/bench/requirements.txt"),
)
VULNERABLE, UNKNOWN = 1, 2  # exit codes of `audit`


def register(commands: Commands) -> None:
    commands.add("audit", lambda _options: audit(), "known vulnerabilities of the locked Python packages")


def audit() -> int:
    """Query PyPI's vulnerability service for every locked package. 1: some are vulnerable; 2: it did not answer."""
    tools, worst = ci_tools.folder(), 0
    for name in AUDITED:
        report = cache_dir("audit") / f"{name.replace('/', '-')}.json"
        report.unlink(missing_ok=True)
        argv = [str(tools / "pip-audit"), "--requirement", str(CHECKOUT / name), "--require-hashes", "--disable-pip"]
        argv += ["--format", "json", "--output", str(report), "--progress-spinner", "off", *_service()]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        worst = max(worst, _result(name, report, done.stderr), key=(0, UNKNOWN, VULNERABLE).index)
    return worst


def _service() -> list[str]:
    """Another service than PyPI's, such as `osv`."""
    return ["--vulnerability-service", chosen] if (chosen := os.environ.get("FLEETWATCH_AUDIT_SERVICE")) else []


def _result(name: str, report: Path, errors: str) -> int:
    """pip-audit ends with 1 both when it finds something and when it fails; only in the first is there a report."""
    try:
        packages = json.loads(report.read_text())["dependencies"]
    except (OSError, ValueError, KeyError):
        last = (errors.strip().splitlines() or ["no output"])[-1]
        say(f"{name}: unknown, the vulnerability service cannot be queried: {last[:300]}")
        return UNKNOWN
    skipped = [package["name"] for package in packages if package.get("skip_reason")]
    if packages and len(skipped) == len(packages):
        say(f"{name}: unknown, the server in place of PyPI's vulnerability service knows none of its packages")
        return UNKNOWN
    vulnerable = [(package, found) for package in packages for found in package.get("vulns") or []]
    for package, found in vulnerable:
        fixed = ", ".join(found.get("fix_versions") or []) or "no version yet"
        say(f"{name}: {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    say(
        f"{name}: {len(packages) - len(skipped)} packages checked, {len(vulnerable)} known vulnerabilities"
        + (f"; the service does not know {', '.join(skipped)}" if skipped else "")
    )
    return VULNERABLE if vulnerable else UNKNOWN if skipped else 0
