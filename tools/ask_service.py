"""A question for the assistant of a hub that has one: over its own HTTP API, so with its models, budget and audit.

The request is sent from inside its container, which needs neither the hub's domain nor its certificate. The password
goes through standard input.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ask.answer import Answer
from configs import names
from configs.services import ask
from tools.remote_access import command_on

PATIENCE = 180  # seconds: a language model may take two minutes
SCRIPT = """
import json, sys, urllib.error, urllib.request
given = json.load(sys.stdin)
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def send(path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    request = urllib.request.Request(given["url"] + path, json.dumps(body).encode(), headers)
    try:
        with direct.open(request, timeout=given["seconds"]) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as problem:
        return problem.code, json.loads(problem.read() or b"{}")
try:
    step, (status, body) = "sign-in", send("/auth/login", given["account"])
    if status == 200:
        token = body["access_token"]
        step, (status, body) = "question", send("/api/v1/query", {"question": given["question"]}, token)
        send("/auth/logout", {}, token)
    json.dump({"step": step, "status": status, "body": body}, sys.stdout)
except (OSError, ValueError) as problem:
    sys.exit("the assistant does not answer: " + type(problem).__name__)
"""


class NotUsed(Exception):
    """The assistant was not used: why."""


def answer(outputs: Mapping[str, Any], prefix: str, password: str, question: str) -> Answer:
    """The assistant's answer. Raises NotUsed if it does not run, does not accept the password, or is busy."""
    document = {
        "url": f"http://127.0.0.1:{names.ASK_PORT}{ask.PATH}",
        "seconds": PATIENCE - 20,
        "account": {"name": ask.ADMIN, "password": password},
        "question": question,
    }
    argv = ["docker", "exec", "-i", names.container(prefix, names.ASK), "python3", "-c", SCRIPT]
    try:
        made = subprocess.run(
            command_on(outputs, "hub", argv),
            input=json.dumps(document),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        found = json.loads(made.stdout) if made.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        raise NotUsed(f"its container does not answer ({type(problem).__name__})") from None
    if found is None:
        raise NotUsed((made.stderr.strip().splitlines() or ["its container does not answer"])[-1])
    return _answer(question, found["step"], int(found["status"]), found["body"])


def _answer(question: str, step: str, status: int, body: dict[str, Any]) -> Answer:
    message = str(body.get("message", f"HTTP {status}"))
    if step == "sign-in" and status == 401:
        raise NotUsed("it does not accept the generated password of its administrator, which was changed on the page")
    if status == 200 and step == "question":
        known = {one.name for one in fields(Answer)}
        return Answer(**{name: value for name, value in body.items() if name in known})
    if step == "question" and status in {413, 422}:
        return Answer(question, "refused", message, readings=list(body.get("readings", ())))
    if step == "question" and status in {502, 504}:
        return Answer(question, "failed", message)
    raise NotUsed(message)
