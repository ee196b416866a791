"""Alerts about RabbitMQ, from its plugin rabbitmq_prometheus."""

from __future__ import annotations

from configs.rules.counters import COUNT
from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds

ALARMS = "|".join(
    f"rabbitmq_alarms_{name}"
    for name in ("memory_used_watermark", "free_disk_space_watermark", "file_descriptor_limit")
)


def _alarm(matchers: str, _: Thresholds) -> str:
    found = f'{{__name__=~"{ALARMS}",job="rabbitmq"{matchers}}}'
    return f'max by ({BY}, alarm) (label_replace({found}, "alarm", "$1", "__name__", "rabbitmq_alarms_(.+)")) == 1'


def _no_consumers(matchers: str, _: Thresholds) -> str:
    """Both numbers are of the queues on this node. `rabbitmq_consumers` is of the connections to it: in a cluster, a
    consumer may be connected to another node."""
    selector = f'{{job="rabbitmq"{matchers}}}'
    ready = f"sum by ({BY}) (rabbitmq_queue_messages_ready{selector})"
    return f"{ready} > 0 and sum by ({BY}) (rabbitmq_queue_consumers{selector}) == 0"


RULES = (
    down(
        "rabbitmq",
        "RabbitMQ",
        "",
        "The page of its plugin rabbitmq_prometheus does not answer: RabbitMQ stopped, or the plugin is not enabled.",
    ),
    Alert(
        name="RabbitmqAlarm",
        expr=_alarm,
        wait="1m",
        severity="critical",
        summary="RabbitMQ " + SERVER + " has the alarm {{ $labels.alarm }}",
        description="While an alarm about memory or disk space is on, RabbitMQ accepts no message from any publisher "
        "of the cluster; at the limit of file descriptors it accepts no connection.",
        board="rabbitmq",
    ),
    Alert(
        name="RabbitmqNoConsumers",
        expr=_no_consumers,
        wait="10m",
        summary="RabbitMQ " + SERVER + " has " + COUNT + " ready messages and no consumer",
        description="No application consumes from any queue of this server, so messages wait until one does.",
        board="rabbitmq",
    ),
)
