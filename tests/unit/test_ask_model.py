"""The assistant's language model on the hub: its settings and their mistakes, its key, its rules and its panels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ask.service import config as service_config
from configs import names, rules, services
from configs.dashboards.hub import assistant
from configs.model_use import language_model
from configs.services import ask
from configs.settings import load, read
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, small
from tests.unit.test_ask_hub import LATE, SPECS
from tests.unit.test_ask_hub import _settings as settings_with

MODEL = {"provider": "anthropic", "name": "a-model", "api_key": "model-s3cret"}


def test_the_models_key_is_a_file_of_the_assistant_alone() -> None:
    specs = {one.role: one for one in services.hub_specs(rendering.context(settings_with({"model": MODEL}), "hub"))}
    assert specs["ask"].secrets[names.ASK_MODEL_KEY].render(LATE) == "model-s3cret\n"
    text = specs["ask"].files["ask.yaml"].render(LATE)
    assert "s3cret" not in text
    assert yaml.safe_load(text)["model"] == {
        "provider": "anthropic",
        "name": "a-model",
        "key_file": f"{names.SECRETS}/{names.ASK_MODEL_KEY}",
        "daily_tokens": 200_000,
        "timeout": 30,
        "share_label_values": False,
    }
    assert not [role for role in ("ask-database", "ask-cache") if names.ASK_MODEL_KEY in specs[role].secrets]
    assert "model" not in yaml.safe_load(SPECS["ask"].files["ask.yaml"].render(LATE))
    assert names.ASK_MODEL_KEY not in SPECS["ask"].secrets


def test_the_rendered_settings_are_those_that_the_service_reads(tmp_path: Path) -> None:
    for model in (
        MODEL,
        {"provider": "ollama", "name": "qwen3:8b", "base_url": "http://10.0.0.5:11434", "timeout": "2m"},
    ):
        found = settings_with({"model": model})
        assert found.hub.ask is not None
        path = tmp_path / "ask.yaml"
        path.write_text(ask.config(found, found.hub.ask, "https://x"))
        read_back = service_config.load(path).model
        assert read_back is not None
        assert (read_back.provider, read_back.name) == (model["provider"], model["name"])


def test_a_model_on_the_hubs_machine_has_its_name_in_the_hosts_file() -> None:
    for url, hosts in (("http://host.docker.internal:11434", {names.DOCKER_HOST}), ("http://10.0.0.5:11434", set())):
        given = {"model": {"provider": "ollama", "name": "qwen3", "base_url": url}}
        specs = {one.role: one for one in services.hub_specs(rendering.context(settings_with(given), "hub"))}
        assert set(specs["ask"].hosts) == hosts


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"provider": "claude", "name": "m"}, "hub.ask.model.provider: "),
        ({"provider": "anthropic", "name": "m"}, "hub.ask.model: expected `api_key` ("),
        ({"provider": "openai", "name": "m"}, "hub.ask.model: expected `api_key` ("),
        ({"provider": "ollama", "name": "m"}, "hub.ask.model: expected `base_url`, the address of the Ollama server"),
        ({"provider": "ollama", "name": "m m", "base_url": "http://o"}, "hub.ask.model.name: "),
        ({"provider": "ollama", "name": "m", "base_url": "ollama:11434"}, "base_url: expected a URL that begins with"),
        ({"provider": "ollama", "name": "m", "base_url": "http://localhost:11434"}, "host.docker.internal:11434"),
        ({"provider": "ollama", "name": "m", "base_url": "http://u:s3cret@o"}, "expected a URL without a user"),
        ({"provider": "ollama", "name": "m", "base_url": "http://o/v1?x=1"}, "expected an address without ? and #"),
        (
            MODEL | {"base_url": "http://models.example.com/v1"},
            "expected https://, because the key would be sent in clear",
        ),
        (MODEL | {"daily_tokens": 5}, "hub.ask.model.daily_tokens: "),
        (MODEL | {"timeout": "5m"}, "hub.ask.model.timeout: "),
        (MODEL | {"api_key": 5}, "hub.ask.model.api_key: expected a secret text"),
        (MODEL | {"key_file": "/tmp/key"}, "hub.ask.model.key_file: "),
    ],
)
def test_bad_values_of_the_model_get_a_sentence(model: Any, expected: str) -> None:
    problems = read(small(hub={"local": {}, "ask": {"model": model}}), SOURCE)[1]
    assert len(problems) == 1
    assert expected in problems[0]
    assert "s3cret" not in problems[0]


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000/v1", "http://models:8000/v1", "https://models.example.com/v1"])
def test_a_key_may_be_sent_in_a_private_network_or_by_tls(url: str) -> None:
    assert read(small(hub={"local": {}, "ask": {"model": MODEL | {"base_url": url}}}), SOURCE)[1] == []


def test_the_preview_states_where_questions_go() -> None:
    assert language_model(settings_with()) == language_model(load(small(), SOURCE)) == ""
    text = language_model(settings_with({"model": MODEL}))
    assert (
        "are sent to api.anthropic.com (anthropic, a-model), with names of metrics and labels, with pseudonyms" in text
    )
    assert text.endswith("at most 200000 tokens a day")
    assert "with the names of hosts" in language_model(settings_with({"model": MODEL | {"share_label_values": True}}))


def test_rules_and_panels_about_the_model_exist_only_with_one() -> None:
    def rendered(given: Any) -> tuple[set[str], set[str]]:
        settings = settings_with(given)
        names_of_rules = {rule.name for group in rules.groups(settings) if group.name == "ask" for rule in group.rules}
        return names_of_rules, {row.title for row in assistant.rows(settings)}

    ollama = {"provider": "ollama", "name": "m", "base_url": "http://o"}
    always = {"Assistant", "Assistant's answers"}
    assert rendered({}) == ({"AskDown", "AskDependencyDown"}, always)
    with_model = {"AskDown", "AskDependencyDown", "AskModelFails", "AskModelBudgetUsed"}
    assert rendered({"model": ollama}) == (with_model, always | {"Assistant's language model"})
    aliases = {"claude_api_requests_total", "claude_api_errors_total", "claude_api_token_usage_total"}
    assert rendered({"model": MODEL})[0] == with_model | aliases
    embeddings = {"provider": "ollama", "name": "m", "dimensions": 768, "base_url": "http://o"}
    assert rendered({"embeddings": embeddings}) == (
        {"AskDown", "AskDependencyDown", "AskEmbeddingsFail"},
        always | {"Assistant's embeddings"},
    )
