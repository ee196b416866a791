"""ask/compose.yaml, for developing the assistant alone: valid, with the pinned images, on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ask.service import config as service_config
from tests.fixtures.full import ROOT

FILE = ROOT / "ask/compose.yaml"
SET = {"PROMETHEUS_URL": "http://192.0.2.1:9090", "ASK_CATALOGUE": str(FILE)}
RAW: dict[str, Any] = yaml.safe_load(FILE.read_text())
PINS: dict[str, str] = yaml.safe_load((ROOT / "configs/images.yaml").read_text())


def _compose(**more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | more
    argv = ["docker", "compose", "-f", str(FILE), "config", "--format", "json"]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)


def _has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    argv = ["docker", "compose", "version"]
    return subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode == 0


needs_compose = pytest.mark.skipif(not _has_compose(), reason="there is no `docker compose` here")


def test_images_are_those_of_the_hub() -> None:
    used = {name: one["image"] for name, one in RAW["services"].items()}
    assert used.pop("ask").startswith("${ASK_IMAGE:-fleetwatch.local/ask:")
    assert used == {"secrets": PINS["pgvector"], "database": PINS["pgvector"], "cache": PINS["valkey"]}
    build = RAW["services"]["ask"]["build"]
    assert ((FILE.parent / build["context"]) / build["dockerfile"]).resolve() == ROOT / "ask/Dockerfile"


def test_ports_are_published_on_loopback_alone() -> None:
    published = {name: one["ports"] for name, one in RAW["services"].items() if "ports" in one}
    assert published == {"ask": ["127.0.0.1:${ASK_PORT:-8090}:8080"]}
    assert not [one for one in RAW["services"].values() if one.get("network_mode", "none") != "none"]
    assert RAW["networks"]["inside"] == {"internal": True}
    assert {name for name, one in RAW["services"].items() if "outside" in one.get("networks", ())} == {"ask"}


def test_no_password_is_written_in_it() -> None:
    """Each is generated into a volume, and read there."""
    text = FILE.read_text()
    assert not re.search(r"PASSWORD|--requirepass", text)
    generated = re.search(r"for name in (.*?); do", text)
    assert generated is not None
    used = set(re.findall(r"/secrets/([a-z]+)\b", text))
    assert used == set(generated[1].split())


def _settings(tmp_path: Path, given: str) -> service_config.Config:
    path = tmp_path / "ask.yaml"
    path.write_text(given)
    return service_config.load(path)


def test_the_service_reads_its_settings(tmp_path: Path) -> None:
    content = RAW["configs"]["settings"]["content"]
    found = _settings(tmp_path, re.sub(r"\$\{[^{}]*\$\{[^}]*\}\}|\$\{[^}]*\}", "http://192.0.2.1:9090", content))
    assert found.database.host in RAW["services"]
    assert found.valkey is not None
    assert found.valkey.host in RAW["services"]
    mounts = RAW["services"]["ask"]["volumes"]
    assert str(found.catalogue) in [one["target"] for one in mounts if isinstance(one, dict)]


@needs_compose
def test_compose_accepts_it_and_fills_in_the_addresses(tmp_path: Path) -> None:
    made = _compose(**SET)
    assert made.returncode == 0, made.stderr
    document = json.loads(made.stdout)
    assert set(document["services"]) == {"secrets", "database", "cache", "ask"}
    (port,) = document["services"]["ask"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8090", 8080)
    found = _settings(tmp_path, document["configs"]["settings"]["content"])
    assert found.prometheus.url == found.loki.url == SET["PROMETHEUS_URL"]
    other = json.loads(_compose(**SET, LOKI_URL="http://192.0.2.2:3100", ASK_PORT="9999").stdout)
    assert other["services"]["ask"]["ports"][0]["published"] == "9999"
    assert _settings(tmp_path, other["configs"]["settings"]["content"]).loki.url == "http://192.0.2.2:3100"


@needs_compose
@pytest.mark.parametrize("name", sorted(SET))
def test_what_has_to_be_set_is_named(name: str) -> None:
    made = _compose(**{key: one for key, one in SET.items() if key != name})
    assert made.returncode != 0
    assert f"required variable {name} is missing a value: expected" in made.stderr
