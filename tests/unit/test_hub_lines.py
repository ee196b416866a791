"""Secrets that programs of the hub write into their logs do not reach Loki."""

from __future__ import annotations

import re

import re2

from configs.render import hub_lines
from configs.secret_paths import REDACTED

LINE = (
    'level=WARN msg="Notify attempt failed, will retry later" receiver=team integration=telegram[0] err="telebot: Post '
    '\\"https://api.telegram.org/bot123456:AAE_s3cret-x/sendMessage\\": dial tcp: i/o timeout"'
)


def test_token_of_a_telegram_bot_is_redacted() -> None:
    (stage,) = [
        one for one in hub_lines.stages("fleetwatch") if "fleetwatch-alertmanager" in str(one.values["selector"])
    ]
    replace = stage.stages[0]
    assert replace.kind == "replace"
    expression = str(replace.values["expression"])
    (found,) = re2.findall(expression, LINE)
    assert found == "123456:AAE_s3cret-x", "the agents replace what the group matches"
    assert replace.values["replace"] == REDACTED
    assert re.search(expression, LINE.replace(found, REDACTED).replace("sendMessage", "other")) is None
