"""The dashboard of RabbitMQ, from its plugin rabbitmq_prometheus."""

from __future__ import annotations

from configs.dashboards.exporters.shared import BY, NAME, overview, selected
from configs.dashboards.model import (
    ANY_IS_BAD,
    PER_SECOND,
    SHARE_USED,
    Column,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    largest,
)
from configs.rules.exporters.rabbitmq import ALARMS
from configs.settings import Settings

TITLE = "RabbitMQ"
DESCRIPTION = "Messages, queues, connections, memory and alarms of RabbitMQ servers."
OF = selected("rabbitmq")
IN_ALARM = f'sum by ({BY}) ({{__name__=~"{ALARMS}",{OF}}})'
MEMORY = (
    f"max by ({BY}) (rabbitmq_process_resident_memory_bytes{{{OF}}} / rabbitmq_resident_memory_limit_bytes{{{OF}}})"
)


def _now(metric: str) -> str:
    return f"sum by ({BY}) (rabbitmq_{metric}{{{OF}}})"


def _rate(metric: str) -> str:
    return f"sum by ({BY}) (rate(rabbitmq_{metric}{{{OF}}}[$__rate_interval]))"


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    return (_numbers(), Row(title="Servers", panels=(_table(count),)), *_graphs())


def _numbers() -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="RabbitMQ servers up",
                description="Servers whose plugin rabbitmq_prometheus answers.",
                unit="none",
                query=Query(expr=f"sum(up{{{OF}}})"),
            ),
            Stat(
                title="RabbitMQ alarms",
                description="Alarms about memory, disk space and file descriptors that are on. Publishers wait "
                "meanwhile.",
                unit="none",
                query=Query(expr=f"sum({IN_ALARM})"),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="Ready RabbitMQ messages",
                description="Messages in all queues that wait for a consumer.",
                unit="none",
                query=Query(expr=f"sum({_now('queue_messages_ready')})"),
            ),
            Stat(
                title="Highest RabbitMQ memory use",
                description="The largest share of the memory limit (vm_memory_high_watermark) that is used. At the "
                "limit the memory alarm is on.",
                unit="percentunit",
                query=Query(expr=f"max({MEMORY})"),
                steps=SHARE_USED,
            ),
        ),
    )


def _table(count: int) -> Table:
    return overview(
        "RabbitMQ",
        count,
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (up{{{OF}}})", unit="none"),
            Column(title="Uptime", expr=_now("erlang_uptime_seconds"), unit="s"),
            Column(title="Alarms", expr=IN_ALARM, unit="none", steps=ANY_IS_BAD),
            Column(title="Ready", expr=_now("queue_messages_ready"), unit="none"),
            Column(title="Unacked", expr=_now("queue_messages_unacked"), unit="none"),
            Column(title="Queues", expr=_now("queues"), unit="none"),
            Column(title="Consumers", expr=_now("queue_consumers"), unit="none"),
            Column(title="Memory", expr=MEMORY, unit="percentunit", steps=SHARE_USED),
        ),
        sort="Ready",
    )


def _graphs() -> tuple[Row, ...]:
    return (
        Row(
            title="Messages",
            panels=(
                Graph(
                    title="RabbitMQ message rate",
                    description="Messages per second that publishers sent, and that consumers got.",
                    unit=PER_SECOND,
                    queries=(
                        Query(expr=largest(_rate("global_messages_received_total")), legend=NAME + " published"),
                        Query(expr=largest(_rate("global_messages_delivered_total")), legend=NAME + " delivered"),
                    ),
                ),
                Graph(
                    title="RabbitMQ messages in queues",
                    description="Ready: they wait for a consumer. Unacknowledged: a consumer has them and has not "
                    "confirmed them.",
                    unit="none",
                    queries=(
                        Query(expr=largest(_now("queue_messages_ready")), legend=NAME + " ready"),
                        Query(expr=largest(_now("queue_messages_unacked")), legend=NAME + " unacknowledged"),
                    ),
                ),
            ),
        ),
        Row(
            title="Connections and resources",
            panels=(
                Graph(
                    title="RabbitMQ connections by server",
                    description="Open connections of publishers and consumers.",
                    unit="none",
                    queries=(Query(expr=largest(_now("connections")), legend=NAME),),
                ),
                Graph(
                    title="RabbitMQ memory by server",
                    description="Memory that the server uses.",
                    unit="bytes",
                    queries=(Query(expr=largest(_now("process_resident_memory_bytes")), legend=NAME),),
                ),
                Graph(
                    title="RabbitMQ free disk space",
                    description="Below its limit (disk_free_limit) the alarm about disk space is on.",
                    unit="bytes",
                    queries=(Query(expr=largest(_now("disk_space_available_bytes")), legend=NAME),),
                ),
            ),
        ),
    )
