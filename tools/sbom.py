"""`make sbom`: a CycloneDX bill of materials, written outside the checkout.

The Python packages come from cyclonedx-py; the images and the Go modules of the offline builds are added.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from configs import images, services
from tools import ci_tools
from tools.cli import Commands
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV, cache_dir
from tools.processes import run
from tools.progress import say
from tools.registry import Reference

_VALIDATE = (
    "import sys\n"
    "from cyclonedx.schema import SchemaVersion\n"
    "from cyclonedx.validation.json import JsonStrictValidator\n"
    "wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())\n"
    "sys.exit(f'not CycloneDX 1.6: {wrong}' if wrong else 0)\n"
)


def register(commands: Commands) -> None:
    parser = commands.add("sbom", _sbom, "a CycloneDX bill of materials")
    parser.add_argument("out", nargs="?", default="", help="the file to write; default: in the cache")


def _sbom(options: argparse.Namespace) -> int:
    return sbom(Path(options.out) if options.out else cache_dir("sbom") / "fleetwatch.cdx.json")


def sbom(out: Path) -> int:
    """Write the bill of materials and check it against CycloneDX's schema."""
    if out.resolve().is_relative_to(CHECKOUT):
        raise ToolError(f"OUT={out}: expected a place outside the checkout; a bill of materials is not kept in git.")
    tools = ci_tools.folder()
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
        pin = Reference.parse(text)
        name = pin.name.rpartition("/")[2]
        # https://github.com/package-url/purl-spec, type oci: the version is the digest, where it is known.
        version = f"@{pin.digest.replace(':', '%3A')}" if pin.digest else ""
        component: dict[str, Any] = {
            "type": "container",
            "bom-ref": f"image-{key}",
            "name": pin.name,
            "version": pin.tag,
            "purl": f"pkg:oci/{name}{version}?repository_url={pin.name}&tag={pin.tag}",
            "licenses": [{"license": {"id": services.LICENCES[key]}}],
        }
        found.append(component)
    return found


def _modules() -> list[dict[str, Any]]:
    """The direct requirements in the go.mod files of the offline builds; go.sum has the indirect ones."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((CHECKOUT / "tools" / "offline").glob("*/go.mod")):
        lines = [line for line in file.read_text().splitlines() if "// indirect" not in line and "=>" not in line]
        for module, version in re.findall(
            r"^(?:require )?\s*([\w.-]+\.\w+/\S+) (v\S+)", "\n".join(lines), re.MULTILINE
        ):
            purl = f"pkg:golang/{module}@{version}"
            found[purl] = {"type": "library", "bom-ref": purl, "name": module, "version": version, "purl": purl}
    return list(found.values())
