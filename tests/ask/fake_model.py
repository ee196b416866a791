"""A stand-in for the providers of language models: a server on loopback that speaks Anthropic's messages and OpenAI's
chat completions, and replies what a test has written. It keeps every byte that it receives, and refuses what the real
servers would refuse. It is no model: what it proves is the plumbing, never how good proposals are.

A reply is a mapping with one key: `propose` (the fields of a proposal), `refuse`, `text` (free text), `raw` (the body),
`status` (an error; `after` is its Retry-After), `wait` (seconds, then the next reply), `drip` (a byte at a time),
`close` (without a response), `large`. `usage: false` leaves the tokens out.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.ask import wire

KEY = "key-of-the-stand-in-s3cret"
MODEL = "stand-in-1"
TOKENS = (1200, 80)  # of each response
_PATHS = {"/v1/messages": "anthropic", "/v1/chat/completions": "openai"}


@dataclass
class Fake:
    """`replies` are used one after the other; the last one stays. `received` has the whole requests."""

    replies: list[dict[str, Any]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    key: str = KEY
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The requests' bodies."""
        return [json.loads(one.partition(b"\r\n\r\n")[2]) for one in self.received]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What the user's messages contain."""
        return [json.loads(one["messages"][-1]["content"]) for one in self.bodies]

    def keep(self, received: bytes) -> None:
        """A whole request."""
        with self._lock:
            self.received.append(received)

    def take(self) -> dict[str, Any]:
        """The next reply."""
        with self._lock:
            return self.replies.pop(0) if len(self.replies) > 1 else dict(self.replies[0])


class _Handler(wire.Handler[Fake]):
    def answer(self, fake: Fake, request: wire.Request) -> None:
        path, headers, body = request.path, request.headers, request.body
        fake.keep(request.received)
        reply = fake.take()
        if "wait" in reply:
            time.sleep(reply["wait"])
            reply = fake.take()
        provider = _PATHS.get(path)
        if provider is None:
            return self.send(404, {"error": {"message": f"no path {path}"}})
        given = headers.get("x-api-key") if provider == "anthropic" else headers.get("authorization", "")[7:]
        if fake.key and given != fake.key:
            return self.send(401, {"error": {"message": f"invalid key {given}"}})
        if problem := (_of_messages if provider == "anthropic" else _of_chat)(headers, body):
            return self.send(400, {"error": {"message": problem}})
        if "close" in reply:
            return None
        if "status" in reply:
            more = {"retry-after": str(reply["after"])} if "after" in reply else {}
            return self.send(reply["status"], {"error": {"message": "as the test wants it"}}, more)
        raw = reply.get("raw")
        if "large" in reply:
            raw = "x" * 1_000_000
        if "drip" in reply:
            return self._drip(reply["drip"])
        return self.send(200, raw if raw is not None else _document(provider, reply))

    def _drip(self, seconds: float) -> None:
        """A byte each tenth of a second."""
        self.wfile.write(b"HTTP/1.1 200 X\r\ncontent-length: 100000\r\n\r\n")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.wfile.write(b" ")
            time.sleep(0.1)


def _of_messages(headers: dict[str, str], body: Any) -> str:
    if headers.get("anthropic-version") != "2023-06-01":
        return "anthropic-version"
    wanted = {"model", "max_tokens", "system", "messages", "tools", "tool_choice"}
    if set(body) != wanted or body["model"] != MODEL:
        return f"expected {sorted(wanted)} and the model {MODEL}"
    if [one["role"] for one in body["messages"]] != ["user"]:
        return "messages: expected one of the user"
    tool, choice = body["tools"][0], body["tool_choice"]
    if choice != {"type": "tool", "name": tool["name"]} or tool["input_schema"]["type"] != "object":
        return "tool_choice"
    return ""


def _of_chat(_: dict[str, str], body: Any) -> str:
    wanted = {"model", "messages", "response_format", "max_tokens"}
    if set(body) != wanted or body["model"] != MODEL:
        return f"expected {sorted(wanted)} and the model {MODEL}"
    if [one["role"] for one in body["messages"]] != ["system", "user"]:
        return "messages: expected system and user"
    form = body["response_format"]
    schema = form["json_schema"]["schema"]
    if form["type"] != "json_schema" or form["json_schema"]["strict"] is not True:
        return "response_format"
    if sorted(schema["required"]) != sorted(schema["properties"]) or schema["additionalProperties"] is not False:
        return "strict: every property is required, and there are no others"
    return ""


def _document(provider: str, reply: dict[str, Any]) -> dict[str, Any]:
    text = reply.get("text", "")
    usage = reply.get("usage", True)
    if provider == "anthropic":
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        if "propose" in reply:
            content.append({"type": "tool_use", "id": "toolu_1", "name": "propose", "input": reply["propose"]})
        stop = "refusal" if "refuse" in reply else "tool_use" if "propose" in reply else "end_turn"
        found: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "content": content}
        found |= {"stop_reason": stop, "model": MODEL}
        return found | ({"usage": {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]}} if usage else {})
    if "propose" in reply:
        text = json.dumps(reply["propose"])
    message: dict[str, Any] = {"role": "assistant", "content": text}
    message |= {"content": None, "refusal": "I cannot help with that."} if "refuse" in reply else {"refusal": None}
    found = {"id": "chatcmpl-1", "object": "chat.completion", "model": MODEL}
    found |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return found | ({"usage": {"prompt_tokens": TOKENS[0], "completion_tokens": TOKENS[1]}} if usage else {})


def serving(*replies: dict[str, Any], key: str = KEY) -> AbstractContextManager[Fake]:
    """The stand-in on a free port."""
    return wire.serving(Fake(list(replies), key=key), _Handler)
