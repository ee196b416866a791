"""The alerts of RabbitMQ in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs import rules
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="rabbitmq",env="test",host="hub",server="queue"}'
SETTINGS = settings_of({"hub": {"exporters": {"queue": {"rabbitmq": "queue"}}}})
READY, CONSUMERS = f"rabbitmq_queue_messages_ready{OF}", f"rabbitmq_queue_consumers{OF}"
ALARMS = ("memory_used_watermark", "free_disk_space_watermark", "file_descriptor_limit")


def _alarms(on: str = "") -> dict[str, str]:
    return {f"rabbitmq_alarms_{name}{OF}": "0x20 1x40" if name == on else "0x60" for name in ALARMS}


CASES = [
    Case(
        alert="RabbitmqDown",
        when="its page does not answer",
        series={f"up{OF}": "1x20 0x40"},
        fires=[fired("RabbitMQ queue on hub is unreachable", server="queue")],
    ),
    Case(alert="RabbitmqDown", when="it answers", series={f"up{OF}": "1x60"}),
    *(
        Case(
            alert="RabbitmqAlarm",
            when=f"{name} is on",
            series=_alarms(name),
            fires=[fired(f"RabbitMQ queue on hub has the alarm {name}", server="queue", alarm=name)],
        )
        for name in ALARMS
    ),
    Case(alert="RabbitmqAlarm", when="none is on", series=_alarms()),
    Case(
        alert="RabbitmqNoConsumers",
        when="messages wait and nobody consumes",
        series={READY: "5x100", CONSUMERS: "0x100"},
        at="20m",
        fires=[fired("RabbitMQ queue on hub has 5 ready messages and no consumer", server="queue")],
    ),
    Case(
        alert="RabbitmqNoConsumers",
        when="somebody consumes",
        series={READY: "5x100", CONSUMERS: "1x100"},
        at="20m",
    ),
    Case(
        alert="RabbitmqNoConsumers",
        when="nobody has anything to consume",
        series={READY: "0x100", CONSUMERS: "0x100"},
        at="20m",
    ),
]


def test_rabbitmq_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "rabbitmq"), CASES)


def test_every_alert_of_rabbitmq_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "rabbitmq") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}


def test_no_rabbitmq_rules_without_such_a_server() -> None:
    assert "rabbitmq" not in {group.name for group in rules.groups(settings_of())}
