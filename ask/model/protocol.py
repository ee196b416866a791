"""The two protocols over HTTP as plain values: Anthropic's messages, and the chat completions of OpenAI, which Ollama
and other servers implement too.

A proposal is forced by a schema: a tool of that input for Anthropic, a response format for the others. A server that
does not enforce the schema may answer with anything, so the response is read with tolerance and validated elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PROVIDERS = ("anthropic", "openai", "ollama")
BASES = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
VERSION = "2023-06-01"  # of Anthropic's API
HEADERS = {
    "content-type": "application/json", "accept": "application/json", "accept-encoding": "identity",
    "user-agent": "fleetwatch-ask",
}  # fmt: skip
OUTPUT = 2000  # tokens of one response, those of its reasoning included
TOOL = "propose"


@dataclass(frozen=True)
class Endpoint:
    """A model of a provider. `base_url` is empty for the provider's own address, `key` where none is needed."""

    provider: str
    name: str
    base_url: str = ""
    key: str = field(default="", repr=False)

    @property
    def base(self) -> str:
        """The address with the version of the API, without a slash at its end."""
        given = (self.base_url or BASES[self.provider]).rstrip("/")
        if self.provider == "anthropic":
            return given.removesuffix("/v1") + "/v1"
        return versioned(given)


@dataclass(frozen=True)
class Call:
    """A POST request."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A response: a proposal, or why there is none (`refused`, `invalid`). Tokens are None if they are not reported."""

    proposal: dict[str, Any] | None = None
    problem: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


def call(to: Endpoint, system: str, document: str, schema: Mapping[str, Any]) -> Call:
    """The request for one proposal."""
    if to.provider == "anthropic":
        headers = HEADERS | {"anthropic-version": VERSION} | ({"x-api-key": to.key} if to.key else {})
        return Call(f"{to.base}/messages", headers, dumped(_messages(to, system, document, schema)))
    return Call(f"{to.base}/chat/completions", bearing(to.key), dumped(_chat(to, system, document, schema)))


def bearing(key: str) -> dict[str, str]:
    """The headers with this key, where there is one."""
    return HEADERS | ({"authorization": f"Bearer {key}"} if key else {})


def versioned(url: str) -> str:
    """An address of OpenAI's protocol, with the version of the API where it has no path."""
    return url if urlsplit(url).path else f"{url}/v1"


def dumped(body: Mapping[str, Any]) -> bytes:
    """The body of a request."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _messages(to: Endpoint, system: str, document: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    tool = {"name": TOOL, "description": "Propose how the question is answered.", "input_schema": schema}
    return {
        "model": to.name,
        "max_tokens": OUTPUT,
        "system": system,
        "messages": [{"role": "user", "content": document}],
        "tools": [tool],
        "tool_choice": {"type": "tool", "name": TOOL},
    }


def _chat(to: Endpoint, system: str, document: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's own reasoning models refuse `max_tokens`; other servers do not know its successor."""
    bound = "max_completion_tokens" if to.provider == "openai" and not to.base_url else "max_tokens"
    return {
        "model": to.name,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": document}],
        "response_format": {"type": "json_schema", "json_schema": {"name": TOOL, "strict": True, "schema": schema}},
        bound: OUTPUT,
    }


def reply(provider: str, body: bytes) -> Reply:
    """What a response of status 200 contains. Never raises."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Reply(problem="invalid")
    if not isinstance(document, dict):
        return Reply(problem="invalid")
    usage = document.get("usage")
    names = ("input_tokens", "output_tokens") if provider == "anthropic" else ("prompt_tokens", "completion_tokens")
    counts = [_count(usage.get(name)) if isinstance(usage, dict) else None for name in names]
    proposal, problem = (_of_messages if provider == "anthropic" else _of_chat)(document)
    return Reply(proposal, problem, *counts)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


def _of_messages(document: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    if document.get("stop_reason") == "refusal":
        return None, "refused"
    blocks = document.get("content")
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict) and block.get("type") == "tool_use" and isinstance(block.get("input"), dict):
            return block["input"], ""
    return None, "invalid"


def _of_chat(document: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return None, "invalid"
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        return None, "refused"
    found = _object(message.get("content"))
    return found, "" if found is not None else "invalid"


def _object(text: object) -> dict[str, Any] | None:
    """The JSON object in a text: some servers put it after their reasoning, or in a block of code."""
    if not isinstance(text, str):
        return None
    plain = text.rpartition("</think>")[2]
    try:
        found = json.loads(plain[plain.index("{") : plain.rindex("}") + 1])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
