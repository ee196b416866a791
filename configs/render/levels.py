"""The stages that find the level of a line, the same for Promtail and Alloy.

JSON is parsed as JSON, logfmt is read key by key, and any other text by the formats of level_formats.py, without its
colour codes. The level is written as one of trace, debug, info, warn, error, fatal; filters on levels keep lines that
have none. What is inside quotes never counts: a stranger writes there (path, user agent).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from configs.render.level_formats import (
    APART,
    GENERIC,
    LATER_JSON,
    LATER_LOGFMT,
    SPELLINGS,
    WORD,
    own,
)
from configs.render.log_stages import Stage, match

_ALL = '{job=~".+"}'
_BRACE = r"^\\s*\\{"  # quoted once more inside a selector
_KEY_VALUE = r"^\\s*[\\w.@/-]+=[^=]"
# Nextcloud has other numbers: 0 is debug, 4 is fatal.
_NEXTCLOUD = "reqId && userAgent && join('', ['nc', to_string(level)])"
_JSON_KEYS = (
    _NEXTCLOUD,
    "level", "lvl", "severity", "severity_text", "levelname", "loglevel", '"@l"', '"log.level"', "log.level",
    "log_level", "level_name", "levelName", "Level", "LogLevel", "logLevel", "severityText", "SeverityText", "Severity",
    '"@level"', "error_severity", "PRIORITY", "LEVEL", "SEVERITY", "record.level.name", "[s][?type(@)=='string'] | [0]",
    "type == 'log' && tags",  # Kibana 7, OpenSearch Dashboards
    "\"@mt\" && 'info'",  # Serilog's compact form leaves `@l` out then
)  # fmt: skip
# Of the list of values that these keys have: the first that is a level.
_JSON_VALUE = (
    rf'[\[,]"? *(?:\\u001b\[[0-9;]*m)*(?P<json>(?i:{WORD}|http|notic|any|silly|dpanic|informational'
    rf"|nc[0-4]|[tdiwefcn])|\d{{1,3}})(?i:[1-5])?(?:[^\w.]|$)"
)
# The same, of which the parts have colours.
_COLOURED_KEY_VALUE = r"^(\\x1b\\[[0-9;]*m|\\s)+[\\w.@/-]+(\\x1b\\[[0-9;]*m)*=[^=]"
_LOGFMT = (
    r"^(?:\s*[^\s=\"]+(?:=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*))?\s)*?\s*@?(?:(?i:level|lvl|severity|severity_text|levelname|loglevel"
    rf"|log\.level|at)|log_level|prio)=[\"']?(?P<logfmt>(?i:{WORD}|dpanic|[tdiwefcn])|[1-6]0)(?:[^\w]|$)"
)
HEAD = 256  # bytes of a line in which a level is looked for


@cache  # every host has them
def stages(json_keys: tuple[str, ...] = ()) -> tuple[Stage, ...]:
    """Sets `level`. `json_keys`: keys of JSON to look at before the usual ones, of which `level` is the first."""
    own_keys = tuple(f'"{key}"' for key in json_keys if key != "level")
    return (
        match(f'{_ALL} |~ "{_BRACE}"', *_json((*own_keys, *_JSON_KEYS))),
        match(f'{_ALL} |~ "{_KEY_VALUE}"', Stage("regex", {"expression": _LOGFMT}), _level(["logfmt"])),
        match(f'{_ALL} !~ "{_BRACE}" !~ "{_KEY_VALUE}"', *_text()),
    )


def _json(keys: tuple[str, ...]) -> tuple[Stage, ...]:
    return (
        Stage("json", {"expressions": {"found": f"[{', '.join(keys)}]"}}),
        Stage("regex", {"source": "found", "expression": _JSON_VALUE}),
        _level(["json"]),
    )


def _text() -> tuple[Stage, ...]:
    formats = own()
    groups = [f"own{number}" for number in range(max(len(inner) for _, inner in formats))]
    later_json = {"source": "head", "expression": LATER_JSON}
    return (
        Stage("template", {"source": "head", "template": f"{{{{ trunc {HEAD} .Entry }}}}"}),
        match(
            f'{_ALL} |= "\\x1b"',
            Stage("replace", {"source": "head", "expression": r"(\x1b\[[0-9;]*[A-Za-z])", "replace": ""}),
            match(f'{_ALL} |~ "{_COLOURED_KEY_VALUE}"', Stage("regex", {"source": "head", "expression": _LOGFMT})),
        ),
        *(Stage("regex", {"source": "head", "expression": expression}) for expression, _ in formats),
        Stage("regex", {"source": "head", "expression": GENERIC}),
        Stage("regex", {"source": "word", "expression": APART}),
        match(f'{_ALL} |= "level="', Stage("regex", {"source": "head", "expression": LATER_LOGFMT})),
        *(match(f'{_ALL} |= "{key}\\":"', Stage("regex", later_json)) for key in ("level", "severity")),
        _level([*groups, "upper", "apart", "later", "later_json", "logfmt"]),
    )


def _level(groups: Iterable[str]) -> Stage:
    """The level of the first group that is set. `pri` is a priority of syslog: its last three bits are the severity."""
    found = " ".join(f".{group}" for group in groups)
    pri = "{{ with .pri }}{{ $l = toString (mod (atoi .) 8) }}{{ end }}"
    cases = "".join(
        f"{{{{ {'else ' if index else ''}if eq $l {' '.join(map(_quoted, SPELLINGS[level]))} }}}}{level}"
        for index, level in enumerate(SPELLINGS)
    )
    text = f'{{{{ $l := ToLower (or {found} "") }}}}{pri}{{{{ if $l }}}}{cases}{{{{ end }}}}{{{{ end }}}}'
    return Stage("template", {"source": "level", "template": text})


def _quoted(text: str) -> str:
    return f'"{text}"'
