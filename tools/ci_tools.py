"""`make sbom` and `make audit`: tools that CI and a release use, in a virtualenv of their own in the cache.

Their lock is requirements-ci.txt. The bill of materials is CycloneDX JSON: the Python packages by cyclonedx-py, and
with them what it cannot see, the images and the Go modules of the offline builds. It is written outside the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from configs import images
from tools import licences
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV, cache_dir, only_one
from tools.progress import run, say, step
from tools.registry import Reference

LOCK = CHECKOUT / "requirements-ci.txt"
AUDITED = (
    *("requirements.txt", "requirements-ci.txt", "tests/app/requirements.txt"),
    *("policy/requirements.txt", "tests/pictures/requirements.txt"),
)
VULNERABLE, UNKNOWN = 1, 2  # exit codes of `audit`
_VALIDATE = (
    "import sys\n"
    "from cyclonedx.schema import SchemaVersion\n"
    "from cyclonedx.validation.json import JsonStrictValidator\n"
    "wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())\n"
    "sys.exit(f'not CycloneDX 1.6: {wrong}' if wrong else 0)\n"
)


def folder() -> Path:
    """The virtualenv's programs; made when the lock has changed."""
    with only_one("ci tools"):
        place = cache_dir("ci-tools", hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12])
        if not (place / "complete").exists():
            with step(f"Tools of CI: installing {LOCK.name} into a virtualenv of their own"):
                run(
                    [str(VENV / "bin" / "python"), "-m", "venv", "--clear", str(place)], what="venv for the tools of CI"
                )
                pip = [
                    str(place / "bin" / "python"),
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--no-input",
                ]
                run([*pip, "--require-hashes", "-r", str(LOCK)], what="pip install tools of CI")
            (place / "complete").touch()
    return place / "bin"


def sbom(out: Path) -> int:
    """Write the bill of materials and check it against CycloneDX's schema."""
    if out.resolve().is_relative_to(CHECKOUT):
        raise ToolError(
            f"OUT={out}: expected a place outside the checkout, a bill of materials is made, not kept in git."
        )
    tools = folder()
    out.parent.mkdir(parents=True, exist_ok=True)
    argv = [str(tools / "cyclonedx-py"), "environment", "--output-reproducible", "--sv", "1.6", "--of", "JSON"]
    argv += ["--pyproject", str(CHECKOUT / "pyproject.toml"), "-o", str(out), str(VENV / "bin" / "python")]
    run(argv, what="cyclonedx-py")
    bill = json.loads(out.read_text())
    bill["components"] += [*_images(), *_modules()]
    out.write_text(json.dumps(bill, indent=2) + "\n")
    run([str(tools / "python"), "-c", _VALIDATE, str(out)], what="CycloneDX validation")
    kinds = [component["type"] for component in bill["components"]]
    say(f"{out}: {len(kinds)} components, {kinds.count('container')} of them images; valid CycloneDX 1.6")
    return 0


def _images() -> list[dict[str, Any]]:
    found = []
    for key, text in images.pins().items():
        pin = Reference.of(text)
        name = pin.name.rpartition("/")[2]
        # https://github.com/package-url/purl-spec, type oci: the version is the digest, where it is known.
        version = f"@{pin.digest.replace(':', '%3A')}" if pin.digest else ""
        component: dict[str, Any] = {
            "type": "container",
            "bom-ref": f"image-{key}",
            "name": pin.name,
            "version": pin.tag,
            "purl": f"pkg:oci/{name}{version}?repository_url={pin.name}&tag={pin.tag}",
            "licenses": [{"license": {"id": licences.PROGRAMS[key]}}],
        }
        found.append(component)
    return found


def _modules() -> list[dict[str, Any]]:
    """What the go.mod files of the offline builds ask for by themselves; go.sum has what those bring along."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((CHECKOUT / "tools" / "offline").glob("*/go.mod")):
        lines = [line for line in file.read_text().splitlines() if "// indirect" not in line and "=>" not in line]
        for module, version in re.findall(
            r"^(?:require )?\s*([\w.-]+\.\w+/\S+) (v\S+)", "\n".join(lines), re.MULTILINE
        ):
            purl = f"pkg:golang/{module}@{version}"
            found[purl] = {"type": "library", "bom-ref": purl, "name": module, "version": version, "purl": purl}
    return list(found.values())


def audit() -> int:
    """Ask PyPI's vulnerability service about every locked package. 1: some are vulnerable; 2: it did not answer."""
    tools, worst = folder(), 0
    for name in AUDITED:
        report = cache_dir("audit") / f"{name.replace('/', '-')}.json"
        report.unlink(missing_ok=True)
        argv = [str(tools / "pip-audit"), "--requirement", str(CHECKOUT / name), "--require-hashes", "--disable-pip"]
        argv += ["--format", "json", "--output", str(report), "--progress-spinner", "off", *_service()]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        worst = max(worst, _told(name, report, done.stderr), key=(0, UNKNOWN, VULNERABLE).index)
    return worst


def _service() -> list[str]:
    """Another service than PyPI's, such as `osv`."""
    return ["--vulnerability-service", chosen] if (chosen := os.environ.get("FLEETWATCH_AUDIT_SERVICE")) else []


def _told(name: str, report: Path, said: str) -> int:
    """pip-audit ends with 1 both when it finds something and when it fails; only in the first is there a report."""
    try:
        packages = json.loads(report.read_text())["dependencies"]
    except (OSError, ValueError, KeyError):
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        say(f"{name}: not known, the vulnerability service could not be asked: {last[:300]}")
        return UNKNOWN
    skipped = [package["name"] for package in packages if package.get("skip_reason")]
    if packages and len(skipped) == len(packages):
        say(f"{name}: not known, what answers in place of PyPI's vulnerability service knows none of its packages")
        return UNKNOWN
    vulnerable = [(package, found) for package in packages for found in package.get("vulns") or []]
    for package, found in vulnerable:
        fixed = ", ".join(found.get("fix_versions") or []) or "no version yet"
        say(f"{name}: {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    say(
        f"{name}: {len(packages) - len(skipped)} packages asked about, {len(vulnerable)} known vulnerabilities"
        + (f"; the service knows nothing of {', '.join(skipped)}" if skipped else "")
    )
    return VULNERABLE if vulnerable else UNKNOWN if skipped else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.ci_tools", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("sbom").add_argument("out", nargs="?", default="")
    commands.add_parser("audit")
    options = parser.parse_args()
    try:
        if options.command == "audit":
            return audit()
        return sbom(Path(options.out) if options.out else cache_dir("sbom") / "fleetwatch.cdx.json")
    except ToolError as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
