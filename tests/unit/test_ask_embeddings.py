"""The assistant's embeddings on the hub: its settings and their mistakes, its key, and what the preview states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ask.service import config as service_config
from configs import names, services
from configs.memory import assistant
from configs.model_use import embeddings
from configs.services import ask
from configs.settings import load, read
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, small
from tests.unit.test_ask_hub import LATE, SPECS
from tests.unit.test_ask_hub import _settings as settings_with

KEY = {"api_key": "embedding-s3cret"}  # pragma: allowlist secret
GIVEN = {"provider": "openai", "name": "an-embedding", "dimensions": 1536} | KEY
LOCAL = {"provider": "ollama", "name": "nomic-embed-text", "base_url": "http://10.0.0.5:11434", "dimensions": 768}


def test_the_key_is_a_file_of_the_assistant_alone() -> None:
    found = settings_with({"embeddings": GIVEN})
    specs = {one.role: one for one in services.hub_specs(rendering.context(found, "hub"))}
    assert specs["ask"].secrets[names.ASK_EMBEDDINGS_KEY].render(LATE) == "embedding-s3cret\n"
    text = specs["ask"].files["ask.yaml"].render(LATE)
    assert "s3cret" not in text
    assert yaml.safe_load(text)["embeddings"] == {
        "provider": "openai",
        "name": "an-embedding",
        "dimensions": 1536,
        "key_file": f"{names.SECRETS}/{names.ASK_EMBEDDINGS_KEY}",
        "timeout": 2,
        "share_label_values": False,
    }
    others = [role for role, one in specs.items() if role != "ask" and names.ASK_EMBEDDINGS_KEY in one.secrets]
    assert others == []
    assert "embeddings" not in yaml.safe_load(SPECS["ask"].files["ask.yaml"].render(LATE))
    assert names.ASK_EMBEDDINGS_KEY not in SPECS["ask"].secrets
    assert assistant(found) == assistant(settings_with()), "they cost no memory"


@pytest.mark.parametrize("given", [GIVEN, LOCAL, LOCAL | {"timeout": "10s", "share_label_values": True}])
def test_the_rendered_settings_are_those_that_the_service_reads(tmp_path: Path, given: dict[str, Any]) -> None:
    found = settings_with({"embeddings": given})
    assert found.hub.ask is not None
    path = tmp_path / "ask.yaml"
    path.write_text(ask.config(found, found.hub.ask, "https://x"))
    read_back = service_config.load(path).embeddings
    assert read_back is not None
    assert (read_back.provider, read_back.name, read_back.dimensions) == (
        given["provider"], given["name"], given["dimensions"],
    )  # fmt: skip


def test_a_provider_on_the_hubs_machine_has_its_name_in_the_hosts_file() -> None:
    for url, hosts in (("http://host.docker.internal:11434", {names.DOCKER_HOST}), ("http://10.0.0.5:11434", set())):
        found = settings_with({"embeddings": LOCAL | {"base_url": url}})
        specs = {one.role: one for one in services.hub_specs(rendering.context(found, "hub"))}
        assert set(specs["ask"].hosts) == hosts


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GIVEN | {"provider": "anthropic"}, "hub.ask.embeddings.provider: "),
        ({"provider": "openai", "name": "m", "dimensions": 8}, "`make secret KEY=hub.ask.embeddings.api_key` sets it"),
        ({"provider": "ollama", "name": "m", "dimensions": 8}, "expected `base_url`, the address of the Ollama server"),
        (LOCAL | {"base_url": "http://localhost:11434"}, "host.docker.internal:11434"),
        (LOCAL | {"dimensions": 4}, "hub.ask.embeddings.dimensions: "),
        (LOCAL | {"dimensions": "many"}, "hub.ask.embeddings.dimensions: "),
        ({key: one for key, one in LOCAL.items() if key != "dimensions"}, "hub.ask.embeddings.dimensions: "),
        (LOCAL | {"timeout": "5m"}, "hub.ask.embeddings.timeout: "),
        (GIVEN | {"base_url": "http://models.example.com/v1"}, "the key would be sent in clear to models.example.com"),
        (GIVEN | {"key_file": "/tmp/key"}, "hub.ask.embeddings.key_file: "),
    ],
)
def test_bad_values_get_a_sentence(given: Any, expected: str) -> None:
    problems = read(small(hub={"local": {}, "ask": {"embeddings": given}}), SOURCE)[1]
    assert len(problems) == 1
    assert expected in problems[0]
    assert "s3cret" not in problems[0]


def test_the_preview_states_where_questions_go() -> None:
    assert embeddings(settings_with()) == embeddings(load(small(), SOURCE)) == ""
    text = embeddings(settings_with({"embeddings": LOCAL}))
    assert "are sent to 10.0.0.5:11434 (ollama, nomic-embed-text), with pseudonyms for the names of hosts" in text
    shared = embeddings(settings_with({"embeddings": GIVEN | {"share_label_values": True}}))
    assert "are sent to api.openai.com (openai, an-embedding), with the names of hosts" in shared
