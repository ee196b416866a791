"""`make outdated` against a stand-in for a registry on loopback: what is behind, what is not known, what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fixtures.full import ROOT
from tests.fixtures.registry_standin import RegistryStandIn, serving
from tools import outdated
from tools.errors import ToolError
from tools.images import _listed_as
from tools.registry import Reference, Registry

CADDY = ["2.11.9-alpine", "2.11.10-alpine", "2.12.0", "2.9.1-alpine", "latest", "3.0.0-alpine", "2.11.11-rc.1-alpine"]
PROMETHEUS = ["v3.15.0", "v3.14.0", "v3.16.0-rc.0", "3.99.0", "main"]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryStandIn]:
    monkeypatch.delenv("FLEETWATCH_OFFLINE", raising=False)
    with serving(RegistryStandIn({"library/caddy": CADDY, "prom/prometheus": PROMETHEUS})) as made:
        yield made


def _file(tmp_path: Path, registry: RegistryStandIn, **tags: str) -> Path:
    file = tmp_path / "images.yaml"
    repositories = {"caddy": "library/caddy", "prometheus": "prom/prometheus", "other": "somebody/else"}
    lines = [f"{key}: {registry.host}/{repositories[key]}:{tag}" for key, tag in tags.items()]
    file.write_text("# a comment that stays\n" + "\n".join(lines) + "\n")
    return file


def test_newer_tags_of_the_same_kind_are_named(
    registry: RegistryStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = outdated.check(_file(tmp_path, registry, caddy="2.11.9-alpine", prometheus="v3.15.0"))
    said = capsys.readouterr().out
    assert code == outdated.BEHIND
    assert re.search(r"caddy +2\.11\.9-alpine +behind: 2\.11\.10-alpine and 3\.0\.0-alpine\n", said), said
    assert re.search(r"prometheus +v3\.15\.0 +current; not pinned by digest yet", said), said


def test_a_newer_one_on_a_later_page_is_found(registry: RegistryStandIn) -> None:
    registry.images["library/caddy"] = [f"2.11.{n}-alpine" for n in range(9, 40)]
    reference = Reference.parse(f"{registry.host}/library/caddy:2.11.9-alpine")
    assert len(Registry(reference).tags()) == 31
    assert sum("tags/list" in path for path in registry.asked) > 5, "the stand-in gives pages"


def test_a_registry_that_wants_a_token_gives_one(registry: RegistryStandIn, tmp_path: Path) -> None:
    registry.token = "anonymous"
    assert outdated.check(_file(tmp_path, registry, prometheus="v3.15.0")) == outdated.CURRENT
    assert any("scope=repository" in path for path in registry.asked)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(403, "without an account"), (429, "too many requests"), (404, "has no"), (500, "answered 500")],
)
def test_what_a_registry_refuses_is_not_known_and_said(
    registry: RegistryStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, sentence: str
) -> None:
    registry.status = status
    assert outdated.check(_file(tmp_path, registry, caddy="2.11.9-alpine")) == outdated.UNKNOWN
    said = capsys.readouterr().out
    assert sentence in said, said
    assert "Unknown: caddy" in said


def test_a_proxys_page_is_no_answer(registry: RegistryStandIn, tmp_path: Path) -> None:
    registry.broken = True
    file = _file(tmp_path, registry, caddy="2.11.9-alpine")
    before = file.read_text()
    assert outdated.check(file, write=True) == outdated.UNKNOWN
    assert file.read_text() == before, "a digest of a proxy's page would have been written"


@pytest.mark.parametrize(
    ("platforms", "missing"), [(("amd64", "riscv64"), "arm64"), (("arm64",), "amd64"), ((), "amd64 and arm64")]
)
def test_pin_without_a_processor_is_named(
    registry: RegistryStandIn,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    platforms: tuple[str, ...],
    missing: str,
) -> None:
    registry.platforms = platforms
    assert outdated.check(_file(tmp_path, registry, prometheus="v3.15.0")) == outdated.BEHIND
    assert f"no image for {missing} in its index, but hosts with it are accepted\n" in capsys.readouterr().out


def test_manifest_is_requested_once(registry: RegistryStandIn, tmp_path: Path) -> None:
    assert outdated.check(_file(tmp_path, registry, prometheus="v3.15.0")) == outdated.CURRENT
    assert sum("/manifests/" in path for path in registry.asked) == 1, "registries limit them"


def test_a_registry_that_is_away_is_told_and_one_that_is_behind_counts_more(
    registry: RegistryStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, registry, caddy="2.11.9-alpine")
    file.write_text(file.read_text() + "gone: 127.0.0.1:9/x/y:v1.0.0\n")
    assert outdated.check(file) == outdated.BEHIND
    assert "127.0.0.1:9 cannot be reached (Connection refused)" in capsys.readouterr().out


def test_image_that_no_registry_has_is_not_looked_for(
    registry: RegistryStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, registry, caddy="2.11.9-alpine")
    code = outdated.check(file)
    file.write_text(file.read_text() + "ask: fleetwatch.local/ask:0.1.0\n")
    capsys.readouterr()
    assert outdated.check(file) == code
    assert "ask" not in capsys.readouterr().out


def test_offline_nothing_is_asked(registry: RegistryStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_OFFLINE", "1")
    assert outdated.check(_file(tmp_path, registry, caddy="2.11.9-alpine")) == outdated.UNKNOWN
    assert registry.asked == []


def test_write_adds_the_registrys_digest_and_nothing_else(registry: RegistryStandIn, tmp_path: Path) -> None:
    file = _file(tmp_path, registry, caddy="2.11.9-alpine", other="1.0.0")
    assert outdated.check(file, write=True) == outdated.BEHIND
    comment, caddy, other = file.read_text().splitlines()
    assert comment == "# a comment that stays"
    assert (
        caddy
        == f"caddy: {registry.host}/library/caddy:2.11.9-alpine@{registry.digest('library/caddy', '2.11.9-alpine')}"
    )
    assert other.endswith("/somebody/else:1.0.0"), "no digest is invented for what cannot be asked"
    before = file.read_text()
    outdated.check(file, write=True)
    assert file.read_text() == before


def test_a_tag_that_names_another_image_now_is_told_and_kept(
    registry: RegistryStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, registry, prometheus=f"v3.15.0@sha256:{'0' * 64}")
    assert outdated.check(file, write=True) == outdated.BEHIND
    assert "the tag names another image now" in capsys.readouterr().out
    assert "0" * 64 in file.read_text()


@pytest.mark.parametrize(
    "text", ["caddy:2", "docker.io/library/caddy", "docker.io/library/caddy:latest", "x/y:1@sha256:0"]
)
def test_a_pin_that_is_not_exact_is_told_with_its_key(tmp_path: Path, text: str) -> None:
    file = tmp_path / "images.yaml"
    file.write_text(f"caddy: {text}\n")
    with pytest.raises(ToolError, match="caddy: expected registry/repository:tag with an exact tag"):
        outdated.check(file)


def test_docker_hubs_address_is_not_its_name() -> None:
    assert (
        Reference.parse("docker.io/prom/prometheus:v3.15.0").base == "https://registry-1.docker.io/v2/prom/prometheus"
    )
    assert Reference.parse("ghcr.io/google/cadvisor:v0.60.5").base == "https://ghcr.io/v2/google/cadvisor"
    assert Reference.parse("prom/prometheus:v3.15.0").base == "https://registry-1.docker.io/v2/prom/prometheus"
    assert Reference.parse("registry:5000/a/caddy:2.11.8").base == "https://registry:5000/v2/a/caddy"
    assert Reference.parse("[::1]:5000/caddy:2.11.8").base == "http://[::1]:5000/v2/caddy"


def test_an_image_that_is_pinned_by_digest_is_found_in_docker() -> None:
    digest = f"sha256:{'a' * 64}"
    assert _listed_as(f"docker.io/library/caddy:2.11.9-alpine@{digest}") == f"caddy@{digest}"
    assert _listed_as("docker.io/prom/prometheus:v3.15.0") == "prom/prometheus:v3.15.0"
    assert _listed_as("quay.io/x/y:v1") == "quay.io/x/y:v1"


def test_every_pin_of_ours_is_exact() -> None:
    assert set(outdated._pins(ROOT / "configs" / "images.yaml")) >= {"caddy", "prometheus", "alloy"}


def test_the_bots_pattern_finds_every_pin_and_its_digest() -> None:
    """renovate.json's own expression (RE2, which takes what Python takes here) on the real file."""
    manager = json.loads((ROOT / "renovate.json").read_text())["customManagers"][0]
    (pattern,) = manager["matchStrings"]
    (files,) = manager["managerFilePatterns"]
    assert re.search(files.strip("/"), "configs/images.yaml")
    text = (ROOT / "configs" / "images.yaml").read_text()
    python = re.compile(pattern.replace("(?<", "(?P<"))
    found = {f"{m['depName']}:{m['currentValue']}": m["currentDigest"] for m in python.finditer(text)}
    pins = [Reference.parse(ref) for ref in yaml.safe_load(text).values()]
    assert found == {f"{pin.name}:{pin.tag}": pin.digest for pin in pins}
    one = next(python.finditer(f"caddy: docker.io/library/caddy:2.11.9-alpine@sha256:{'a' * 64}\n"))
    assert one["currentDigest"] == f"sha256:{'a' * 64}"
