"""The story, between the fourth part and the fifth: the assistant is added, answers through Caddy, and comes back.

It stays for the parts after this one: the doctor looks at its panels and alerts, and `down` removes it.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import httpx
import pytest

from tests.integration.assistant import ROLES, Assistant, https
from tests.integration.rig import docker, eventually
from tests.integration.story import NAME, Story
from tests.integration.test_story_6_end import kill_main_process

pytestmark = pytest.mark.xdist_group("story")
MB = 1024**2
HEALTHY = {"database": "healthy", "valkey": "healthy", "prometheus": "healthy", "loki": "healthy"}
HEALTHY |= {"llm": "none", "embeddings": "none"}


@pytest.fixture(scope="module")
def ask(story: Story) -> Assistant:
    """Added to the stack that runs, its administrator signed in."""
    before = story.rig.started_all()
    story.rig.change({"hub": {"ask": {}}})
    story.rig.up()
    after = story.rig.started_all()
    touched = {name for name in before if after[name] != before[name]}
    assert touched == {story.rig.container("prometheus")}, "its limit of samples is an argument; no other was touched"
    assert set(after) - set(before) == {story.rig.container(role) for role in ROLES}
    found = Assistant(story.rig)
    found.sign_in(*found.admin())
    eventually("every component", lambda: found.components() == (200, HEALTHY), 60)
    return found


def _question(story: Story) -> str:
    return f"cpu of container {story.rig.container('talker')}"


def _answered(story: Story, ask: Assistant, when: str = "") -> tuple[str, dict[str, Any]]:
    """A question about a container that every hub has, and its answer, once its metrics are discovered."""
    question = f"cpu of container {story.rig.container('caddy')}{when}"

    def found() -> dict[str, Any]:
        one = ask.answer(question)
        return one if one["status"] == "answered" else {}

    return question, eventually("an answer about Caddy", found, 90)


def test_value_of_an_answer_is_the_one_in_prometheus(story: Story, ask: Assistant) -> None:
    found = ask.answer(f"memory of container {story.rig.container('talker')}")
    assert found["status"] == "answered", found
    assert story.rig.container("talker") in found["query"], found["query"]
    here = story.rig.hub.metrics(found["query"], at=found["at"])
    assert [float(one["value"][1]) for one in here] == [one["value"] for one in found["rows"]], found["rows"]
    assert found["links"]["explore"].startswith(f"https://{NAME}:{story.rig.ports['https']}/explore?")


def test_lines_of_an_answer_are_those_in_loki(story: Story, ask: Assistant) -> None:
    found = ask.answer(f"show the last log lines of {story.rig.container('talker')}")
    assert found["status"] == "answered", found
    assert found["language"] == "logql", found
    assert story.token in json.dumps(found["lines"]), found["lines"][:3]


def test_page_answers_a_question_of_one_who_signs_in(story: Story, ask: Assistant) -> None:
    origin = {"Origin": f"https://{NAME}:{story.rig.ports['https']}"}
    assert https(story.rig, "GET", "/ask").headers["location"] == "/ask/"
    assert "sign-in" in https(story.rig, "GET", "/ask/").headers["location"]
    name, password = ask.admin()
    form = {"name": name, "password": password}
    assert https(story.rig, "POST", "/ask/sign-in", data=form).status_code == 403, "a form of another page"
    signed = https(story.rig, "POST", "/ask/sign-in", data=form, headers=origin)
    assert signed.status_code == 303, signed.text
    assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(signed.headers["set-cookie"].split("; "))
    cookie = {"Cookie": f"ask_session={signed.cookies['ask_session']}"}
    start = https(story.rig, "GET", "/ask/", headers=cookie)
    token = re.findall(r'name="token" value="([0-9a-f]+)"', start.text)[0]
    sentence = ask.answer(_question(story))["sentence"]
    sent = {"token": token, "question": _question(story), "previous": ""}
    page = https(story.rig, "POST", "/ask/", data=sent, headers={**cookie, **origin})
    assert page.status_code == 200, page.text[:500]
    assert escape(sentence) in page.text, f"expected {sentence}"
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_api_refuses_everyone_else(story: Story, ask: Assistant) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-API-Key": "obs_ai_x"}):
        got = https(story.rig, "POST", "/ask/api/v1/query", json={"question": "cpu"}, headers=headers)
        assert got.status_code == 401, f"{headers}: {got.status_code}"
    name, password = story.admin()  # Grafana's
    got = https(story.rig, "POST", "/ask/auth/login", json={"name": name, "password": password})
    assert got.status_code == 401, got.text


def test_an_assistant_of_another_program_gets_an_answer_over_mcp_with_a_key(story: Story, ask: Assistant) -> None:
    made = ask.call("POST", "api/v1/admin/api-keys", json={"name": "mcp", "days": 1, "per_hour": 10})
    assert made.status_code == 201, made.text
    key = {"Authorization": f"Bearer {made.json()['key']}"}

    def sent(method: str, headers: dict[str, str], **params: Any) -> httpx.Response:
        accepted = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return https(story.rig, "POST", "/ask/mcp", json=body, headers={**accepted, **headers})

    assert sent("tools/list", {}).status_code == 401
    listed = sent("tools/list", key)
    assert listed.status_code == 200, listed.text
    assert "ask" in {one["name"] for one in listed.json()["result"]["tools"]}
    question, expected = _answered(story, ask)
    answered = sent("tools/call", key, name="ask", arguments={"question": question})
    assert answered.status_code == 200, answered.text
    result = answered.json()["result"]
    assert not result.get("isError"), result
    assert result["structuredContent"]["status"] == "answered"
    assert result["structuredContent"]["query"] == expected["query"]
    assert result["content"][0]["text"].startswith(result["structuredContent"]["sentence"])
    foreign = sent("tools/list", {**key, "Origin": "https://evil.example.com"})
    assert foreign.status_code == 403, "a page of another site"


def test_make_ask_is_answered_by_the_assistant(story: Story, ask: Assistant) -> None:
    question, expected = _answered(story, ask, " in the last 7 minutes")
    done = story.rig.tool("ask", question, "--json")
    assert done.returncode == 0, done.stdout
    assert "Answered without the assistant" not in done.stdout
    found = json.loads(done.stdout[done.stdout.index("{") :])
    assert (found["status"], found["query"]) == ("answered", expected["query"])
    eventually("the history has both", lambda: ask.history().count(question) >= 2, 20)


def test_its_three_parts_take_less_than_300_mb(story: Story, ask: Assistant) -> None:
    def measured() -> dict[str, float]:
        """In MB, once cAdvisor has looked at containers that have started."""
        used = {}
        for role in ROLES:
            (series,) = story.metrics(f'container_memory_working_set_bytes{{container="{story.rig.container(role)}"}}')
            used[role] = float(series["value"][1]) / MB
        return used if all(size > 1 for size in used.values()) and used["ask"] > 20 else {}

    used = eventually("memory of the three parts", measured, patience=60)
    assert sum(used.values()) < 300, used
    print(f"memory of the assistant's parts, in MB: {used}")


def test_secrets_are_in_no_argument_environment_and_log(story: Story, ask: Assistant) -> None:
    folder = story.files.parent / "hub" / "ask" / "secrets"
    secrets = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert len(secrets) == 4
    seen = "".join(
        docker("inspect", name) + docker("logs", name) + docker("top", name, "-eo", "pid,args")
        for name in map(story.rig.container, ROLES)
    )
    assert not [name for name, secret in secrets.items() if secret in seen]


def test_a_preview_shows_no_change(story: Story, ask: Assistant) -> None:
    assert story.planned() == {}


def test_a_second_process_has_the_sessions_and_answers_of_the_first(story: Story, ask: Assistant) -> None:
    first, name = story.rig.container("ask"), story.rig.container("ask-2")
    image = docker("inspect", "-f", "{{.Config.Image}}", first).strip()
    options = ("--name", name, "--volumes-from", first, "--network", f"{story.rig.prefix}-ask", "--read-only")
    story.rig.run(image, "--config", "/etc/ask/ask.yaml", options=(*options, "--tmpfs", "/tmp"))
    docker("network", "connect", f"{story.rig.prefix}-hub", name)
    networks = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", name))
    address = networks[f"{story.rig.prefix}-hub"]["IPAddress"]
    question = f"cpu of container {story.rig.container('caddy')}"
    asked = ask.answer(question)
    headers = {"Authorization": f"Bearer {ask.token}"}

    def answered() -> dict[str, object]:
        with httpx.Client(trust_env=False, timeout=30) as client:
            url = f"http://{address}:8080/ask/api/v1/query"
            got = client.post(url, json={"question": question}, headers=headers)
        assert got.status_code == 200, got.text
        found: dict[str, object] = got.json()
        return found

    try:
        found = eventually("an answer of the second process", answered, 60)
        assert found["cached"], "the answer of the first"
        assert found["query"] == asked["query"]
    finally:
        docker("rm", "-f", name)


@pytest.mark.parametrize(("role", "component"), [("ask-database", "database"), ("ask-cache", "valkey")])
def test_health_names_the_part_that_is_down(story: Story, ask: Assistant, role: str, component: str) -> None:
    docker("stop", story.rig.container(role))
    try:
        status, found = ask.components()
        assert status == 503
        assert found == {**HEALTHY, component: "unhealthy"}
        got = ask.call("POST", "api/v1/query", json={"question": _question(story)})
        assert (got.status_code, got.json()["error"]) == (503, f"{component}_down"), got.text
    finally:
        docker("start", story.rig.container(role))
    eventually("every component", lambda: ask.components() == (200, HEALTHY), 60)


@pytest.mark.parametrize("role", ROLES)
def test_killed_part_comes_back_and_the_answer_too(story: Story, ask: Assistant, role: str) -> None:
    before = story.rig.started(role)
    kill_main_process(story, role)
    eventually(f"{role} runs again", lambda: story.rig.started(role)[1] != before[1], 30)
    assert story.rig.started(role)[0] == before[0], "it is the same container"
    eventually("every component", lambda: ask.components() == (200, HEALTHY), 60)
    ask.sign_in(*ask.admin())  # the cache keeps nothing
    asked = f"{_question(story)} in the last {10 + ROLES.index(role)} minutes"
    found = ask.answer(asked)
    assert found["status"] == "answered", found
    assert not found["cached"]
    eventually("the history has it", lambda: asked in ask.history(), 20)


def test_no_container_has_an_anonymous_volume(story: Story, ask: Assistant) -> None:
    """Docker makes one for each VOLUME of an image without a mount; nothing removes it."""
    found = {}
    for name in story.our_containers():
        mounts = json.loads(docker("inspect", "-f", "{{json .Mounts}}", name))
        volumes = [mount["Name"] for mount in mounts if mount["Type"] == "volume"]
        if unknown := [volume for volume in volumes if not volume.startswith(f"{story.rig.prefix}-")]:
            found[name] = unknown
    assert not found
