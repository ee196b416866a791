"""`make alert-test`: its script with the real Alertmanager and amtool, every kind of receiver at the stand-in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from configs.services.alertmanager.kinds import AWS_PROFILES, KINDS
from tests.fixtures.receiver_sink import Sink
from tests.integration.rig import free_ports
from tests.rendered.conftest import program
from tests.rendered.receivers_rig import settings_at, write
from tools import alert_test
from tools.alert_test import Answer
from tools.errors import ToolError

REFUSED = {
    "slack": (r"/slack.*", 404, "no_service", "unexpected status code 404: no_service"),
    "telegram": (
        r"/telegram.*", 200, '{"ok": false, "error_code": 401, "description": "Unauthorized"}',
        "telegram: Unauthorized (401)",
    ),
    "wechat": (r"/wechat/gettoken.*", 200, '{"errcode": 40013}', "invalid APISecret for CorpID: corp1"),
    "rocketchat": (r"/rocketchat.*", 200, '{"success": false, "error": "invalid-channel"}', "invalid-channel"),
    "pushover": (
        r"/1/messages.*", 400, '{"errors": ["application token is invalid"]}', "application token is invalid",
    ),
}  # fmt: skip


@dataclass
class Deployed:
    """The rendered files of a hub's Alertmanager in `folder`."""

    folder: Path
    sink: Sink

    @property
    def config(self) -> str:
        return (self.folder / "alertmanager.yml").read_text()

    def run(self, config: str) -> str:
        """The log that the script prints for this configuration of one receiver."""
        count = len(alert_test.services_of(config))
        work = self.folder / "work"
        variables = {
            **alert_test.script_variables("team", count, str(work)),
            "PORT": str(free_ports(1)[0]),
            "ENVIRONMENT": "test",
            "DASHBOARD": "https://m.example/",
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / AWS_PROFILES),
        }
        argv = program("alertmanager", self.folder, self.sink.folder, env=variables)
        if argv[0] == "docker":
            argv[argv.index("--entrypoint") + 1] = "sh"
            argv.insert(argv.index("--rm"), "-i")
        else:
            argv = ["sh"]
            for name in ("alertmanager", "amtool"):
                (self.folder / "bin").mkdir(exist_ok=True)
                (self.folder / "bin" / name).unlink(missing_ok=True)
                (self.folder / "bin" / name).symlink_to(program(name)[0])
        path = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder)}
        command = [*argv, "-s"]
        done = subprocess.run(
            command,
            input=alert_test.script(config),
            capture_output=True,
            text=True,
            env=variables | path,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        assert not work.exists(), "the script leaves nothing behind"
        return done.stdout


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    (tmp_path / "sink").mkdir()
    sink = Sink(tmp_path / "sink")
    write(tmp_path, settings_at(sink), sink)
    try:
        yield Deployed(tmp_path, sink)
    finally:
        sink.close()


def test_test_alert_reaches_every_service_and_its_end_too(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    config = alert_test.only(deployed.config, "team")
    services = alert_test.services_of(config)
    assert len(services) == len(KINDS)
    found = alert_test.answers(deployed.run(config), services)
    assert found == [Answer(service, None, None) for service in services]
    assert alert_test.show("team", found) == 0
    assert capsys.readouterr().out.count("delivered, the resolved message too") == len(KINDS)
    hooks = [request.json for request in deployed.sink.requests("/webhook/")]
    assert [hook["status"] for hook in hooks] == ["firing", "resolved"]
    assert hooks[0]["alerts"][0]["labels"]["alertname"] == "ReceiverTest"
    assert hooks[0]["alerts"][0]["annotations"]["summary"] == "Test of receiver team"


def test_error_of_each_service_is_shown_and_the_others_are_delivered(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.sink.refuses = {path: (status, body) for path, status, body, _ in REFUSED.values()}
    config = alert_test.only(deployed.config, "team")
    found = alert_test.answers(deployed.run(config), alert_test.services_of(config))
    errors = {answer.service.partition("[")[0]: answer.alert for answer in found if answer.alert is not None}
    assert set(errors) == set(REFUSED)
    for kind, (_, _, _, expected) in REFUSED.items():
        assert expected in str(errors[kind]), errors[kind]
    assert [answer.end for answer in found if answer.alert is None] == [None] * (len(KINDS) - len(REFUSED))
    assert alert_test.show("team", found) == 1
    assert f"team: {len(REFUSED)} of {len(KINDS)} services failed" in capsys.readouterr().out


def test_error_of_a_server_that_is_down_has_no_token(deployed: Deployed) -> None:
    """Telegram's token is a part of the address, and the error has the address."""
    config = yaml.safe_load(alert_test.only(deployed.config, "team"))
    (receiver,) = config["receivers"]
    telegram = receiver["telegram_configs"][0] | {"api_url": f"http://127.0.0.1:{free_ports(1)[0]}"}
    config["receivers"] = [{"name": "team", "telegram_configs": [telegram]}]
    log = deployed.run(yaml.safe_dump(config))
    assert "s3cret" in log, "Alertmanager itself does not hide it any more"
    (answer,) = alert_test.answers(log, ["telegram[0]"])
    assert "/bot<token>/sendMessage" in str(answer.alert)
    assert "connection refused" in str(answer.alert)
    assert "s3cret" not in str(answer)


def test_alertmanager_that_does_not_start_gives_its_reason(deployed: Deployed) -> None:
    config = alert_test.only(deployed.config, "team").replace("chat_id: -", "chat_id: x")
    with pytest.raises(ToolError, match="Alertmanager did not send the test alert: .*cannot unmarshal"):
        alert_test.answers(deployed.run(config), ["telegram[0]"])


def test_unknown_receiver_names_the_deployed_ones(deployed: Deployed) -> None:
    with pytest.raises(ToolError, match=r"^RECEIVER=tema: expected the name of a receiver that is deployed \(team\)"):
        alert_test.only(deployed.config, "tema")
