"""What the alerts about all kinds of servers have in common."""

from __future__ import annotations

from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds

BY = "env, host, server"
SERVER = "{{ $labels.server }} on {{ $labels.host }}"


def down(job: str, program: str, metric: str, description: str) -> Alert:
    """`<Job>Down`: the exporter, or by `metric` its connection to the server, is down. An exporter that
    is down has no value of `metric` any more. Without `metric` the server itself is scraped."""

    def expression(matchers: str, _: Thresholds) -> str:
        selector = f'job="{job}"{matchers}'
        series = f'{{__name__=~"up|{metric}",{selector}}}' if metric else f"up{{{selector}}}"
        return f"min by ({BY}) ({series}) == 0"

    return Alert(
        name=f"{job.capitalize()}Down",
        expr=expression,
        wait="1m",
        severity="critical",
        summary=f"{program} {SERVER} is unreachable",
        description=description,
        board=job,
    )
