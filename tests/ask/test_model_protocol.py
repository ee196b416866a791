"""Requests and responses of the two protocols as values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ask.model import protocol
from ask.model.protocol import Endpoint


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (Endpoint("anthropic", "m"), "https://api.anthropic.com/v1/messages"),
        (Endpoint("anthropic", "m", "https://proxy.test/claude/"), "https://proxy.test/claude/v1/messages"),
        (Endpoint("anthropic", "m", "https://proxy.test/v1"), "https://proxy.test/v1/messages"),
        (Endpoint("openai", "m"), "https://api.openai.com/v1/chat/completions"),
        (Endpoint("openai", "m", "https://models.test/api/v3"), "https://models.test/api/v3/chat/completions"),
        (Endpoint("ollama", "m", "http://ollama:11434"), "http://ollama:11434/v1/chat/completions"),
        (Endpoint("ollama", "m", "http://ollama:11434/"), "http://ollama:11434/v1/chat/completions"),
        (Endpoint("ollama", "m", "http://ollama:11434/v1"), "http://ollama:11434/v1/chat/completions"),
    ],
)
def test_addresses(endpoint: Endpoint, url: str) -> None:
    assert protocol.call(endpoint, "s", "d", {}).url == url


def test_the_bound_of_tokens_has_the_name_that_the_server_knows() -> None:
    for endpoint, name in (
        (Endpoint("openai", "m"), "max_completion_tokens"),
        (Endpoint("openai", "m", "https://models.test/v1"), "max_tokens"),
        (Endpoint("ollama", "m", "http://ollama:11434"), "max_tokens"),
        (Endpoint("anthropic", "m"), "max_tokens"),
    ):
        body = json.loads(protocol.call(endpoint, "s", "d", {}).body)
        assert {one for one in body if "tokens" in one} == {name}


def test_without_a_key_no_header_is_sent() -> None:
    found = protocol.call(Endpoint("ollama", "m", "http://ollama:11434"), "s", "d", {})
    assert "authorization" not in found.headers


def test_the_key_is_in_no_representation() -> None:
    endpoint = Endpoint("anthropic", "m", key="s3cret")
    assert "s3cret" not in repr(endpoint) + repr(protocol.call(endpoint, "s", "d", {}))


@pytest.mark.parametrize("provider", protocol.PROVIDERS)
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"content": null}',
        b'{"content": [1, {"type": "tool_use", "input": 5}]}',
        b'{"choices": []}', b'{"choices": [5]}', b'{"choices": [{"message": null}]}', b'{"usage": 5, "content": "x"}',
        b'{"choices": [{"message": {"content": "} {"}}]}', b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": [{"message": {"content": "{\\"a\\": NaN"}}]}', b'{"content": {"0": 1}}',
    ],
)  # fmt: skip
def test_no_response_raises(provider: str, body: bytes) -> None:
    found = protocol.reply(provider, body)
    assert (found.proposal, found.problem) == (None, "invalid")


@pytest.mark.parametrize("count", [-1, "5", 1.5, True, None, 10**12])
def test_tokens_that_cannot_be_are_none(count: Any) -> None:
    body = json.dumps({"usage": {"input_tokens": count, "output_tokens": 7}}).encode()
    found = protocol.reply("anthropic", body)
    assert (found.tokens_in, found.tokens_out) == (None, 7)


def test_refusals_are_not_answers() -> None:
    for provider, document in (
        ("anthropic", {"stop_reason": "refusal", "content": [{"type": "tool_use", "input": {"answer": "none"}}]}),
        ("openai", {"choices": [{"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"}]}),
        ("openai", {"choices": [{"message": {"content": "{}"}, "finish_reason": "content_filter"}]}),
    ):
        assert protocol.reply(provider, json.dumps(document).encode()).problem == "refused"
