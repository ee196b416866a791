"""Every kind of receiver in a real Alertmanager, one process for all: what arrives at a stand-in for the services."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from configs.services.alertmanager.kinds import AWS_PROFILES, KINDS
from configs.settings.custom_files import CustomFiles
from tests.fixtures.custom import examples
from tests.fixtures.receiver_sink import Request, Sink
from tests.integration.rig import eventually, free_ports
from tests.rendered.conftest import program
from tests.rendered.receivers_rig import ANNOTATIONS, Running, answers, settings_at, write


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with _started(tmp_path_factory.mktemp("alertmanager"), Sink(tmp_path_factory.mktemp("sink"))) as made:
        yield made


@contextmanager
def _started(folder: Path, sink: Sink, custom: CustomFiles | None = None) -> Iterator[Running]:
    """An Alertmanager that has got one alert."""
    (port,) = free_ports(1)
    config = write(folder, replace(settings_at(sink), custom=custom or CustomFiles()), sink)
    argv = [
        *program("alertmanager", folder, sink.folder, env=["AWS_SHARED_CREDENTIALS_FILE"]),
        f"--config.file={config}", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    env = {"AWS_SHARED_CREDENTIALS_FILE": str(folder / AWS_PROFILES), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        eventually("Alertmanager to be ready", lambda: answers(f"{url}/-/ready"), 60)
        made = Running(url, log, sink)
        made.post()
        yield made
    finally:
        process.terminate()
        process.wait(30)
        sink.close()


def _arrived(running: Running, path: str) -> Request:
    """The first request of this path; the end of Alertmanager's log if there is none."""
    try:
        return eventually(f"a request at {path}", lambda: running.sink.requests(path), 30)[0]
    except AssertionError as missing:
        pytest.fail(f"{missing}\n{running.log.read_text()[-3000:]}", pytrace=False)


def _bearer(secret: str) -> Callable[[Request], bool]:
    return lambda request: request.headers["authorization"] == f"Bearer {secret}"


def _in_path(request: Request) -> bool:
    return "s3cret" in request.path


SERVICE = "service-s3cret"
# By kind: the path of the request with the message, whether it has the secret where the service looks for it, and its
# texts for a person.
ARRIVES: dict[str, tuple[str, Callable[[Request], bool], Callable[[Request], list[str]]]] = {
    "slack": ("/slack/", _in_path, lambda r: [r.json["attachments"][0][k] for k in ("title", "text", "title_link")]),
    "email": (
        "/mail", lambda r: r.headers["login"] == "fleetwatch mail-s3cret",
        lambda r: [re.sub(r"=\n", "", r.body).replace("=3D", "=")],
    ),
    "pagerduty": (
        "/pagerduty", lambda r: r.json["routing_key"] == "pager-s3cret",
        lambda r: [r.json["payload"]["summary"], json.dumps(r.json["payload"]["custom_details"]), r.json["client_url"]],
    ),
    "webhook": ("/webhook/", _bearer("hook-t0ken"), lambda r: [json.dumps(r.json["alerts"][0]["annotations"])]),
    "telegram": (
        "/telegram/", lambda r: r.path == f"/telegram/bot1:{SERVICE}/sendMessage", lambda r: [r.json["text"]],
    ),
    "discord": ("/discord/", _in_path, lambda r: [r.json["embeds"][0][key] for key in ("title", "description")]),
    "msteams": (
        "/msteams/", _in_path, lambda r: [part["text"] for part in r.json["attachments"][0]["content"]["body"]],
    ),
    "opsgenie": (
        "/opsgenie/", lambda r: r.headers["authorization"] == f"GenieKey {SERVICE}",
        lambda r: [r.json["message"], r.json["description"]],
    ),
    "pushover": (
        "/1/messages.json", lambda r: (r.form["token"], r.form["user"]) == (SERVICE, f"user-{SERVICE}"),
        lambda r: [r.form["title"], r.form["message"], r.form["url"]],
    ),
    "sns": (
        "/sns", lambda r: f"Credential=key-of-{SERVICE}/" in r.headers["authorization"],
        lambda r: [r.form["Subject"], r.form["Message"]],
    ),
    "webex": ("/webex", _bearer(SERVICE), lambda r: [r.json["markdown"]]),
    "victorops": (
        "/victorops/", lambda r: r.path == f"/victorops/{SERVICE}/ops",
        lambda r: [r.json["entity_display_name"], r.json["state_message"]],
    ),
    "wechat": (
        "/wechat/message", lambda r: r.form["access_token"] == "wechat-access", lambda r: [r.json["text"]["content"]],
    ),
    "rocketchat": (
        "/rocketchat/", lambda r: (r.headers["x-auth-token"], r.headers["x-user-id"]) == (SERVICE, f"id-{SERVICE}"),
        lambda r: [r.json["attachments"][0][key] for key in ("title", "text", "title_link")],
    ),
    "jira": (
        "/jira/rest/api/2/issue", lambda r: r.headers["authorization"].startswith("Basic "),
        lambda r: [r.json["fields"]["summary"], r.json["fields"]["description"]],
    ),
    "incidentio": ("/incidentio/", _bearer(SERVICE), lambda r: [json.dumps(r.json["alerts"][0]["annotations"])]),
    "mattermost": (
        "/mattermost/", _in_path, lambda r: [r.json["attachments"][0][key] for key in ("title", "text", "title_link")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_message_arrives_with_its_secret_and_its_links(kind: str, running: Running) -> None:
    path, authorized, texts = ARRIVES[kind]
    request = _arrived(running, path)
    assert authorized(request), f"the secret is not where {kind} looks for it: {request}"
    text = "\n".join(texts(request))
    for part in ("summary", "dashboard", "runbook"):
        assert ANNOTATIONS[part] in text, f"{kind} has no {part}: {text}"


def test_wechat_and_jira_log_in(running: Running) -> None:
    assert _arrived(running, "/wechat/gettoken").form == {"corpid": "corp1", "corpsecret": SERVICE}
    assert (
        httpx.BasicAuth("watch@example.com", SERVICE)._auth_header
        == (  # the same encoding as the client's
            _arrived(running, "/jira/").headers["authorization"]
        )
    )


def test_own_template_replaces_the_title(tmp_path: Path) -> None:
    (tmp_path / "sink").mkdir()
    with _started(tmp_path, Sink(tmp_path / "sink"), examples()) as running:
        (message,) = _arrived(running, "/slack/").json["attachments"]
    assert message["title"] == "[FIRING] DiskUsed"
    assert ANNOTATIONS["summary"] in message["text"], "what the template does not define stays"


def test_mail_goes_to_every_recipient_over_tls_of_an_own_ca(running: Running) -> None:
    assert _arrived(running, "/mail").headers["to"] == "ops@example.com b@example.com"


@pytest.mark.parametrize(
    ("severity", "values"),
    [
        ("critical", {"opsgenie": "P1", "pushover": "1", "victorops": "CRITICAL", "pagerduty": "critical"}),
        ("info", {"opsgenie": "P5", "pushover": "0", "victorops": "INFO", "pagerduty": "info"}),
    ],
)
def test_severity_becomes_the_services_own(severity: str, values: dict[str, str], running: Running) -> None:
    running.post(alertname=f"Of{severity}", severity=severity)

    def found(kind: str) -> Request:
        def about() -> list[Request]:
            requests = running.sink.requests(ARRIVES[kind][0])
            return [one for one in requests if f"Of{severity}" in one.body + "".join(one.form.values())]

        return eventually(f"a message of {severity} at {kind}", about, 30)[0]

    assert {
        "opsgenie": found("opsgenie").json["priority"],
        "pushover": found("pushover").form["priority"],
        "victorops": found("victorops").json["message_type"],
        "pagerduty": found("pagerduty").json["payload"]["severity"],
    } == values


def test_every_kind_has_its_row() -> None:
    assert list(ARRIVES) == list(KINDS)
