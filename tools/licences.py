"""`make licences`: docs/licences.md, from the metadata of the installed packages and the licence of each service.

Every licence has to be one of `ALLOWED`, or the package one of `AS_PROGRAM` or `AS_LIBRARY`; anything else is an error,
also a package that does not say.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import metadata

from configs import images, services
from tools.cli import Commands
from tools.errors import ToolError
from tools.paths import CHECKOUT
from tools.progress import say

PAGE = CHECKOUT / "docs" / "licences.md"
ALLOWED = frozenset({"MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "MPL-2.0", "ISC"})
# Run by the checks as a program of its own: nothing here is linked with it or handed on with it.
AS_PROGRAM = {"yamllint": "GPL-3.0-or-later"}
# Run on every host beside the images, as Docker's CLI plugin; built offline from its module where no package has it.
BESIDE = {"docker compose": "Apache-2.0"}
# Locked for other systems, older Pythons or the policy pack's virtualenv; as their metadata on PyPI says.
ELSEWHERE = {
    "colorama": "BSD-3-Clause", "exceptiongroup": "MIT", "tomli": "MIT", "pulumi-policy": "Apache-2.0",
    "setuptools": "MIT", "async-timeout": "Apache-2.0", "tzdata": "Apache-2.0", "greenlet": "MIT AND PSF-2.0",
    "httpx2-jsfetch": "BSD-3-Clause", "pywin32": "PSF-2.0",
}  # fmt: skip
# Imported unchanged and replaceable, as the LGPL demands of those who use a library.
AS_LIBRARY = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
# Packages whose metadata says less than their licence file.
BY_FILE = {"google-re2": "BSD-3-Clause", "jinja2": "BSD-3-Clause", "dill": "BSD-3-Clause", "promql-parser": "MIT"}
_CLASSIFIERS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
}
_TEXTS = {"3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0", "MIT License": "MIT"}
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")  # SPDX


def register(commands: Commands) -> None:
    text = "write docs/licences.md; fails on a licence that is not allowed"
    commands.add("licences", _licences, text)


def licence_of(name: str) -> str | None:
    """The licence of a package by its SPDX expression; None if its metadata names none that is known."""
    if name in BY_FILE:
        return BY_FILE[name]
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ELSEWHERE.get(name)
    expression = _header(found, "License-Expression")
    text = expression or _header(found, "License")
    known = _TEXTS.get(text, text)
    if known in ALLOWED or expression:
        return known
    classified = {
        _CLASSIFIERS[name]
        for line in found.get_all("Classifier") or []
        if (name := line.rpartition(" :: ")[2]) in _CLASSIFIERS
    }
    return " AND ".join(sorted(classified)) or None


def _header(found: metadata.PackageMetadata, name: str) -> str:
    return str(found[name] or "")


def locked() -> list[str]:
    """Names of all packages in the locks of the program and of its policy pack."""
    text = "\n".join((CHECKOUT / name).read_text() for name in ("requirements.txt", "policy/requirements.txt"))
    return sorted(set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)))


def allowed(expression: str) -> bool:
    """Of `A OR B` one has to be allowed, of `A AND B` both."""
    plain = expression.replace("(", "").replace(")", "")
    return any(all(part.strip() in ALLOWED for part in one.split(" AND ")) for one in plain.split(" OR "))


def problems() -> Iterator[str]:
    """A sentence for each package that may not be used as it is."""
    for name in dict.fromkeys(locked()):
        licence = licence_of(name)
        if licence is None:
            yield f"{name}: its metadata names no known licence; read it (tools/licences.py)"
        elif not allowed(licence) and (AS_PROGRAM | AS_LIBRARY).get(name) != licence:
            yield f"{name}: {licence} is not among the licences that are allowed (tools/licences.py)"
    for name, licence in BESIDE.items():
        if not allowed(licence):
            yield f"{name}: {licence} is not among the licences that are allowed (tools/licences.py)"
    for key in images.pins():
        if key not in services.LICENCES:
            yield f"{key}: no service uses this image; remove its pin (configs/images.yaml)"
        elif not _IDENTIFIER.fullmatch(services.LICENCES[key]):
            yield f"{key}: expected an SPDX identifier as `licence` of its service (configs/services)"


def page() -> str:
    """The page. Without versions: those are in the locks, and a licence rarely changes with them."""
    packages = "\n".join(f"| {name} | {licence_of(name)} |" for name in dict.fromkeys(locked()))
    programs = "\n".join(f"| {key} | {services.LICENCES[key]} |" for key in images.pins())
    beside = "\n".join(f"| {name} | {licence} |" for name, licence in BESIDE.items())
    apart = "\n".join(f"- {name} ({licence})" for name, licence in AS_PROGRAM.items())
    linked = "\n".join(f"- {name} ({licence})" for name, licence in AS_LIBRARY.items())
    return f"""# Licences of what is used

Generated by `make licences` from the packages' own metadata; a test compares it with what is installed. Allowed are
{", ".join(sorted(ALLOWED))}.
Apart from these, run as a program by the checks, not linked with anything and not handed on:

{apart}

Imported as a library, unchanged and replaceable (the driver of the assistant's database):

{linked}

`make sbom` has the versions. What this repository itself is licensed under is its owner's to say.

## Python packages in `requirements.txt` and `policy/requirements.txt`

The other locks are not listed: the tools of CI, the application of the tests, what draws the pictures and what the
bench compares with (Ansible, GPL-3.0) run apart, and nothing here is handed on with them.

| package | licence |
|---|---|
{packages}

## Programs in the images

They run unchanged, each in a separate container. Of the AGPL programs, whoever offers a *changed* one to others over
a network has to offer its source; the offline builds of Loki and Promtail are the vendor's code, the latter with a
small main of ours (`tools/offline`), which is in this repository.

| program | licence |
|---|---|
{programs}

## Programs beside the images

Docker's plugin on every host and on this machine, run unchanged; the offline build is the vendor's code.

| program | licence |
|---|---|
{beside}
"""


def _licences(_options: argparse.Namespace) -> None:
    wrong = list(problems())
    if wrong:
        raise ToolError("\n".join(wrong))
    PAGE.write_text(page())
    say(f"{PAGE.name}: {len(set(locked()))} packages, {len(images.pins())} programs, every licence is allowed")
