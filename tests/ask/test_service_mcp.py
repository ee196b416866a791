"""The MCP endpoint with the official SDK's client over real HTTP, and requests that are refused."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from ask.service import assistants, tools
from tests.ask import stage
from tests.ask.processes import Process
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage

NAMES = {"ask", "explain_alert", "run_query", "list_metrics", "list_catalogue"}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Stage]:
    limits = {"user_per_hour": 3, "admin_per_hour": 500}
    with stage.replica(postgres, valkey, stage.fresh_database(postgres), limits=limits, cache_seconds=0) as found:
        yield found


def post(made: Stage, headers: dict[str, str], method: str, **params: Any) -> httpx2.Response:
    """One request without a client's library."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    found: httpx2.Response = made.client.post("/ask/mcp", json=body, headers={**HEADERS, **headers})
    return found


def called(made: Stage, headers: dict[str, str], name: str, **arguments: Any) -> dict[str, Any]:
    """The result of a tool."""
    found = post(made, headers, "tools/call", name=name, arguments=arguments)
    assert found.status_code == 200, found.text
    result: dict[str, Any] = found.json()["result"]
    return result


def key(made: Stage, user: str = "admin") -> dict[str, str]:
    """A new API key's header."""
    found = made.client.post("/ask/api/v1/admin/api-keys", json={"name": "mcp", "user": user}, headers=made.token())
    return {"Authorization": f"Bearer {found.json()['key']}"}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_lists_and_calls_the_tools(postgres: Server, valkey: Server, mode: str) -> None:
    """Both revisions of the protocol: with and without the handshake."""

    async def talk(url: str, token: str) -> tuple[set[str], CallToolResult, CallToolResult]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            listed = await client.list_tools()
            answer = await client.call_tool("ask", {"question": "cpu of web-1"})
            wrong = await client.call_tool("run_query", {"query": '{job=~".+"}'})
            return {one.name for one in listed.tools}, answer, wrong

    database = stage.fresh_database(postgres)
    with tempfile.TemporaryDirectory() as name, stage.served(stage.Stores()) as url:
        path = stage.written(Path(name), postgres, valkey, database, prometheus={"url": url}, loki={"url": url})
        process = Process(path)
        try:
            process.ready()
            token = json.loads(process.send("/ask/auth/login", {"name": "admin", "password": ADMIN})[1])
            address = f"http://127.0.0.1:{process.port}/ask/mcp"
            names, answer, wrong = asyncio.run(talk(address, token["access_token"]))
        finally:
            process.end()
    assert names == NAMES
    assert not answer.is_error
    assert answer.structured_content is not None
    assert answer.structured_content["status"] == "answered"
    assert isinstance(answer.content[0], TextContent)
    assert "42" in answer.content[0].text
    assert wrong.is_error
    assert wrong.structured_content is not None
    assert "does not name its metric" in wrong.structured_content["message"]


def test_every_tool_answers(made: Stage) -> None:
    headers = key(made)
    listed = post(made, headers, "tools/list").json()["result"]["tools"]
    assert {one["name"] for one in listed} == NAMES
    assert all(one["annotations"]["readOnlyHint"] for one in listed)
    answer = called(made, headers, "ask", question="and for db-1?", earlier=["load of web-1 over the last 3 hours"])
    assert any("continues" in one for one in answer["structuredContent"]["assumptions"])
    alert = called(made, headers, "explain_alert", alert="diskused")
    assert "DiskUsed" in alert["structuredContent"]["sentence"]
    query = called(made, headers, "run_query", query="node_load1")["structuredContent"]
    assert query["result"][0]["value"][1] == "0.42"
    assert query["cost"]["series"] == 1
    assert query["explanation"]
    assert "web-1" in called(made, headers, "ask", question="cpu of web-1")["content"][0]["text"]
    metrics = called(made, headers, "list_metrics", search="node_cpu")["structuredContent"]["metrics"]
    assert metrics[0]["name"].startswith("node_cpu")
    entries = called(made, headers, "list_catalogue", search="disk", kind="alert")["structuredContent"]["entries"]
    assert {"DiskUsed"} <= {one["title"] for one in entries}
    lines = called(made, headers, "run_query", query='{host="web-1"}', language="logql")
    assert not lines.get("isError"), lines


@pytest.mark.parametrize(
    ("name", "arguments", "code", "text"),
    [
        ("ask", {"question": ""}, "question_empty", "empty"),
        ("ask", {"question": "<script>x</script>"}, "refused", "not answered"),
        ("ask", {"question": "cpu", "sql": "x"}, "body_invalid", "sql: there is no such field"),
        ("ask", {}, "body_invalid", "question: "),
        ("explain_alert", {"alert": "DiskUsd"}, "not_found", "Did you mean DiskUsed"),
        ("explain_alert", {"alert": "'; DROP TABLE users; --"}, "not_found", "There is no alert"),
        ("run_query", {"query": "secret_metric"}, "refused", "no metric secret_metric"),
        ("run_query", {"query": "node_load1", "start": 1, "end": 2}, "refused", "too long ago"),
        ("run_query", {"query": "node_load1", "start": 2, "end": 1}, "body_invalid", "start: expected at most"),
        ("run_query", {"query": "node_load1", "start": 1e11, "end": 1e11}, "refused", "future"),
        ("run_query", {"query": "node_load1", "end": float("1e400")}, "body_invalid", "end"),
        ("run_query", {"query": '{job=~".+"}', "language": "logql"}, "refused", "every stream"),
        ("run_query", {"query": "node_load1", "language": "sql"}, "body_invalid", "language"),
        ("list_metrics", {"limit": 10**9}, "body_invalid", "limit"),
        ("drop_tables", {}, "tool_unknown", "expected one of ask"),
    ],
)
def test_bad_calls_get_a_sentence(made: Stage, name: str, arguments: dict[str, Any], code: str, text: str) -> None:
    if arguments.get("end") == float("inf"):
        arguments = {**arguments, "end": "Infinity"}
    found = called(made, made.token(), name, **arguments)
    assert found["isError"] is True
    assert found["structuredContent"]["error"] == code, found
    assert text in found["structuredContent"]["message"]
    assert "Traceback" not in json.dumps(found)


def test_the_same_credentials_as_the_api(made: Stage) -> None:
    assert post(made, {}, "tools/list").status_code == 401
    assert post(made, {}, "tools/list").json()["error"] == "credentials_missing"
    assert post(made, {"Authorization": "Bearer obs_ai_wrong"}, "tools/list").json()["error"] == "key_invalid"
    assert (
        post(made, {"X-API-Key": key(made)["Authorization"].removeprefix("Bearer ")}, "tools/list").status_code == 200
    )
    headers = made.token()
    made.client.post("/ask/auth/logout", headers=headers)
    assert post(made, headers, "tools/list").json()["error"] == "session_ended"


def test_the_same_limit_as_the_api(made: Stage) -> None:
    body = {"name": "limited", "password": "long enough to be used"}
    assert made.client.post("/ask/api/v1/admin/users", json=body, headers=made.token()).status_code == 201
    headers = made.token("limited", "long enough to be used")
    assert made.ask("cpu of web-1", headers).status_code == 200
    found = [called(made, headers, "ask", question="cpu of web-1") for _ in range(3)]
    assert [bool(one.get("isError")) for one in found] == [False, False, True]
    assert found[-1]["structuredContent"]["error"] == "rate_limited"
    assert int(found[-1]["structuredContent"]["retry_after"]) > 0
    assert made.ask("cpu of web-1", headers).status_code == 429
    assert not called(made, headers, "list_metrics").get("isError"), "lists are not questions"


def test_what_is_executed_is_audited(made: Stage) -> None:
    headers = made.token()
    called(made, headers, "run_query", query="node_load1 > 5")
    called(made, headers, "explain_alert", alert="DiskUsed")
    with made.service.pool.connect() as connected:
        rows = connected.exec_driver_sql("SELECT action, detail, address FROM audit").all()
    found = [tuple(map(str, one)) for one in rows]
    assert ("query", "node_load1 > 5", "198.51.100.7") in found
    assert ("question", "why did DiskUsed fire?", "198.51.100.7") in found


def test_pages_of_other_sites_and_other_methods_are_refused(made: Stage) -> None:
    headers = made.token()
    assert post(made, headers | {"Origin": "https://evil.test"}, "tools/list").status_code == 403
    assert post(made, headers | {"Origin": "http://testserver"}, "tools/list").status_code == 200
    for method in ("GET", "DELETE"):
        assert made.client.request(method, "/ask/mcp", headers=headers).status_code == 405
    for body in (b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff"):
        more = {**HEADERS, **headers, "Content-Type": "application/json"}
        found = made.client.post("/ask/mcp", content=body, headers=more)
        assert 400 <= found.status_code < 500, found.text
    assert made.client.post("/ask/mcp", content=b"x" * 70_000, headers=headers).status_code == 413


def test_valkey_down_is_the_apis_answer(made: Stage, valkey: Server) -> None:
    headers = made.token()
    with valkey.down():
        found = post(made, headers, "tools/list")
    assert (found.status_code, found.json()["error"]) == (503, "valkey_down")


def test_numbers_that_json_does_not_have_are_null() -> None:
    assert assistants.finite({"a": [float("nan"), float("inf"), 1.5], "b": ("x",)}) == {
        "a": [None, None, 1.5],
        "b": ["x"],
    }
    for tool in tools.TOOLS:
        json.dumps(tool.schema(), allow_nan=False)
