"""What the project is made of: licences that are allowed, a bill of materials, and what an audit's answer means."""

from __future__ import annotations

import json
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

from configs import images, services
from tests.fixtures.full import ROOT
from tools import audit, licences, sbom
from tools.errors import ToolError


def test_no_package_has_an_unknown_or_forbidden_licence() -> None:
    assert len(licences.locked()) > 50
    assert list(licences.problems()) == []


def test_the_committed_page_is_what_the_packages_say() -> None:
    assert licences.PAGE.read_text() == licences.page(), "docs/licences.md is behind: `make licences`"


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True), ("Apache-2.0 OR BSD-2-Clause", True), ("GPL-3.0-only OR MIT", True), ("MIT AND PSF-2.0", True),
        ("GPL-3.0-or-later", False), ("MIT AND GPL-2.0-only", False), ("AGPL-3.0-only", False), ("UNKNOWN", False),
        ("", False),
    ],
)  # fmt: skip
def test_which_expressions_are_allowed(expression: str, fine: bool) -> None:
    assert licences.allowed(expression) is fine


def _package(monkeypatch: pytest.MonkeyPatch, **said: str) -> str | None:
    message = Message()
    for key, value in said.items():
        message[key.replace("_", "-")] = value
    monkeypatch.setattr(metadata, "metadata", lambda _name: message)
    return licences.licence_of("some-package")


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License_Expression": "MIT"}, "MIT"), ({"License": "Apache-2.0"}, "Apache-2.0"),
        ({"License": "see the file"}, None), ({}, None),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}, None),
        ({"License_Expression": "GPL-3.0-only"}, "GPL-3.0-only"),
    ],
)  # fmt: skip
def test_what_a_packages_metadata_says(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], licence: str | None
) -> None:
    assert _package(monkeypatch, **said) == licence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"License_Expression": "GPL-3.0-only"}, "GPL-3.0-only is not among the licences"),
        ({"License": "ours"}, "its metadata names no known licence"),
    ],
)
def test_such_a_package_is_told(monkeypatch: pytest.MonkeyPatch, said: dict[str, str], sentence: str) -> None:
    _package(monkeypatch, **said)
    monkeypatch.setattr(licences, "locked", lambda: ["some-package"])
    (told,) = licences.problems()
    assert told.startswith("some-package: ")
    assert sentence in told


def test_a_tool_may_be_gpl_but_not_under_another_licence_than_the_one_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(licences, "locked", lambda: ["yamllint"])
    assert list(licences.problems()) == []
    monkeypatch.setattr(licences, "licence_of", lambda _name: "SSPL-1.0")
    assert len(list(licences.problems())) == 1


def test_a_pin_without_a_service_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "pins", lambda: {"mystery": "x/y:1"})
    assert list(licences.problems()) == ["mystery: no service uses this image; remove its pin (configs/images.yaml)"]


@pytest.mark.parametrize("licence", ["", "Apache 2.0"])
def test_a_service_without_an_spdx_licence_is_reported(monkeypatch: pytest.MonkeyPatch, licence: str) -> None:
    monkeypatch.setitem(services.LICENCES, "caddy", licence)
    assert list(licences.problems()) == [
        "caddy: expected an SPDX identifier as `licence` of its service (configs/services)"
    ]


def test_the_bill_has_every_image_and_the_modules_of_the_offline_builds() -> None:
    found = {component["name"]: component["version"] for component in sbom._images()}
    assert len(found) == len(images.pins())
    modules = {component["name"]: component["version"] for component in sbom._modules()}
    assert modules["github.com/prometheus/prometheus"].startswith("v0.")
    assert modules["github.com/caddyserver/caddy/v2"] == f"v{found['docker.io/library/caddy'].split('-')[0]}"
    assert "github.com/grafana/loki/v3" in modules


def test_a_digest_is_in_the_bill_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "pins", lambda: {"caddy": f"docker.io/library/caddy:2.0.0@sha256:{'a' * 64}"})
    (component,) = sbom._images()
    assert component["purl"].startswith(f"pkg:oci/caddy@sha256%3A{'a' * 64}?")
    assert component["version"] == "2.0.0"


def test_a_bill_inside_the_checkout_is_refused() -> None:
    with pytest.raises(ToolError, match="expected a place outside the checkout"):
        sbom.sbom(ROOT / "bill.json")


def _report(tmp_path: Path, dependencies: list[dict[str, object]]) -> Path:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"dependencies": dependencies}))
    return file


CLEAN = {"name": "attrs", "version": "26.1.0", "vulns": []}
BAD = {"name": "h11", "version": "0.1", "vulns": [{"id": "PYSEC-2025-1", "fix_versions": ["0.16.0"]}]}
SKIPPED = {"name": "pulumi", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "code", "sentence"),
    [
        ([CLEAN], 0, "1 packages checked, 0 known vulnerabilities"),
        ([CLEAN, BAD], audit.VULNERABLE, "h11 0.1: PYSEC-2025-1, fixed in 0.16.0"),
        ([CLEAN, SKIPPED], audit.UNKNOWN, "the service does not know pulumi"),
        ([SKIPPED], audit.UNKNOWN, "unknown, the server in place of PyPI's vulnerability service"),
    ],
)
def test_what_an_audits_answer_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dependencies: list[dict[str, object]], code: int, sentence: str
) -> None:
    assert audit._result("requirements.txt", _report(tmp_path, dependencies), "") == code
    assert sentence in capsys.readouterr().out


def test_an_audit_that_could_not_ask_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "Traceback\nERROR:pip_audit: could not connect to PyPI's vulnerability feed\n"
    assert audit._result("requirements.txt", tmp_path / "none.json", said) == audit.UNKNOWN
    assert "cannot be queried: ERROR:pip_audit: could not connect" in capsys.readouterr().out
