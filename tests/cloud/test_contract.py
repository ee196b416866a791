"""Every route, in one session: what is sent and answered has the fields, types and codes of the specification.

FLEETWATCH_API_SPEC=<file> (the specification as JSON) compares the same session with the specification itself too.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from localcloud.cloud.server import ROUTES
from tests.cloud import facts
from tests.cloud.rig import FakeMachines, running
from tests.cloud.session import walk

Exchange = tuple[str, str, Any, int, Any]
SPEC = os.environ.get("FLEETWATCH_API_SPEC", "")
# Required for a new uptime check, and described nowhere.
FLAWS = {"method"}


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    seen: list[Exchange] = []
    with running(tmp_path_factory.mktemp("cloud"), FakeMachines()) as cloud:
        cloud.check = lambda *exchange: seen.append(exchange)
        walk(cloud)
    return seen


def _validate(content: Any, schema: dict[str, Any], what: str) -> None:
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    errors = [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(content)]
    assert not errors, f"{what}: {errors}"


def test_every_route_is_in_the_session(exchanges: list[Exchange]) -> None:
    missing = [
        f"{route.method} {route.pattern}"
        for route in ROUTES
        if not any(code < 300 and route.match(method, path) is not None for method, path, _, code, _ in exchanges)
    ]
    assert not missing, "a route that no session uses is not compared with anything"


def test_answers_and_requests_are_as_the_facts_say(exchanges: list[Exchange]) -> None:
    for method, path, sent, code, content in exchanges:
        what = f"{method} {path} {code}"
        if code >= 400:
            shape = "tag_error" if path == "/v2/tags" else "error"
            _validate(content, facts.schema(facts.SHAPES[shape]), what)
            continue
        request, expected, fields = facts.row(method, path)
        assert code == expected, what
        if fields:
            _validate(content, facts.schema(fields), what)
        else:
            assert content is None, f"{what}: expected no body"
        if request:
            _validate(sent, facts.schema(facts.SHAPES[request]), f"request of {what}")


def test_the_facts_can_be_broken(exchanges: list[Exchange]) -> None:
    found = next(e for e in exchanges if e[:2] == ("GET", "/v2/droplets") and e[4]["droplets"])
    broken = json.loads(json.dumps(found[4]))
    broken["droplets"][0]["size"]["vcpus"] = "two"
    with pytest.raises(AssertionError, match="vcpus"):
        _validate(broken, facts.schema(facts.row("GET", "/v2/droplets")[2]), "broken")


@pytest.mark.skipif(not SPEC, reason="FLEETWATCH_API_SPEC does not name the specification")
def test_answers_and_requests_are_as_the_specification_says(exchanges: list[Exchange]) -> None:
    spec = json.loads(Path(SPEC).read_text())
    for method, path, sent, code, content in exchanges:
        operation = _operation(spec, method, path)
        answer = _resolved(spec, operation["responses"].get(str(code), {}))
        # 422 and the like are not listed for each route: then it is the common error.
        listed = answer.get("content", {}).get("application/json", {}).get("schema")
        if code < 300:
            assert answer, f"{method} {path}: {code} is not in the specification"
        if listed or code >= 400:
            schema = listed or {"$ref": "#/components/schemas/error"}
            _validate(content, _plain(spec, schema), f"{method} {path} {code}")
        body = _resolved(spec, operation.get("requestBody", {})).get("content", {}).get("application/json", {})
        if code < 300 and "schema" in body:
            _validate(sent, _plain(spec, body["schema"]), f"request of {method} {path}")


def _operation(spec: Any, method: str, path: str) -> Any:
    patterns = sorted(spec["paths"], key=lambda pattern: pattern.count("{"))
    for pattern in patterns:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) and method.lower() in spec["paths"][pattern]:
            return spec["paths"][pattern][method.lower()]
    raise AssertionError(f"{method} {path} is not in the specification")


def _resolved(spec: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        found = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _plain(spec: Any, node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON schema: references put in, `nullable` made a type, oneOf loosened to anyOf."""
    node = _resolved(spec, node)
    if isinstance(node, list):
        return [_plain(spec, item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key not in {"example", "examples", "discriminator"}}
    # The specification's alternatives overlap (an empty object is any of them).
    found = {("anyOf" if key == "oneOf" else key): _plain(spec, value) for key, value in kept.items()}
    if "required" in found:
        found["required"] = [name for name in found["required"] if name not in FLAWS]
    if found.pop("nullable", False):
        return {"anyOf": [{"type": "null"}, found]}
    return found
