"""What a question wants done with the values: the largest N, a threshold, an aggregate over time, groups, a chart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ask import times
from ask.words import cut

_NUM = r"(?P<v>\d+(?:[.,]\d+)?)"
_SIZES = {"k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "tb": 1e12}
_SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_LENGTHS = {"ms": 1e-3, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "min": 60, "mins": 60, "minute": 60}
_LENGTHS |= {"minutes": 60, "h": 3600, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400, "week": 604800}
_LENGTHS |= {"weeks": 604800, "milliseconds": 1e-3, "d": 86400, "month": 2592000, "months": 2592000}
_LENGTHS |= {"sekunden": 1, "minuten": 60, "stunden": 3600, "tage": 86400, "tagen": 86400, "segundos": 1, "minutos": 60}
_UNIT = "|".join(sorted({*_SIZES, *_LENGTHS}, key=len, reverse=True))
_MORE = (
    r"(?:more|greater|higher|larger|bigger|longer|older|slower|worse) than|over|above|exceed(?:s|ing)?|beyond|at least|"
    r">=?|über|mehr als|größer als|más de|mayor(?:es)? (?:que|de)|por encima de"
)
_LESS = (
    r"(?:less|lower|smaller|fewer|shorter|younger|faster) than|under|below|at most|<=?|unter|weniger als|kleiner als|"
    r"menos de|por debajo de"
)
_FRACTIONS = {"half": "50", "a quarter": "25", "one quarter": "25", "three quarters": "75", "three-quarters": "75"}
_FRACTIONS |= {"a third": "33.3", "one third": "33.3", "two thirds": "66.7", "two-thirds": "66.7"}
_FRACTION = re.compile(
    rf"\b(?P<bound>than|over|above|below|under)\s+(?P<part>{'|'.join(_FRACTIONS)})\b(?! of an| an hour)"
)
_THRESHOLD = re.compile(
    rf"(?<![\w-])(?:(?P<more>{_MORE})|(?P<less>{_LESS}))\s*(?:a |an )?{_NUM}\s*"
    rf"(?P<unit>%|percent\b|prozent\b|por ciento\b|(?:{_UNIT})\b)?(?:\s*(?:per|/)\s*s(?:ec(?:ond)?)?\b)?"
)
# What a comparison measures by its own word.
_IMPLIED = ((r"bigger|larger|größer", "size"), (r"slower|faster", "latency"))
_WITHIN = re.compile(rf"\b(?:within|in less than|in under|in|binnen|innerhalb von|en)\s+(?:the next\s+)?{times.SPAN}")
_COUNT = r"(?P<n>\d{1,3}|" + "|".join(k for k in times.NUMBERS if k not in {"a", "an", "half", "un"}) + ")"
_HIGH = (
    r"most|highest|largest|biggest|busiest|fullest|slowest|hottest|worst|heaviest|longest|oldest|loudest|noisiest|"
    r"más usan|"
    r"top|meisten?|usan más|höchste[rns]?|größte[rns]?|vollste[rns]?|usa más|más usa|"
    r"con más(?! de)|nearest|closest|maximum|max"
)
_LOW = (
    r"soonest|(?:disk|space|full|up) first|bottom|"
    r"least|lowest|smallest|fewest|emptiest|fastest|shortest|newest|youngest|minimum|min|wenigsten?|niedrigste[rns]?"
)
_NAMED = (
    re.compile(rf"\b(?:top|bottom|the)\s+{_COUNT}\b(?!\s*(?:%|percent|hours?|days?|minutes?))"),
    re.compile(rf"\b{_COUNT}\s+(?=(?:{_HIGH}|{_LOW})\b)"),
    re.compile(
        rf"\b{_COUNT}\s+(?=(?:hosts?|containers?|servers?|services?|databases?|tables?|disks?|machines?|queues?)\b.*"
        rf"\b(?:{_HIGH}|{_LOW})\b)"
    ),
)
_SUPERLATIVE = re.compile(rf"\b(?:(?P<high>{_HIGH})|(?P<low>{_LOW}))\b")
_EVER = re.compile(r"\b(?:at (?:some|any) (?:time|point|moment)|ever|even once)\b")
_OF_WHICH = re.compile(
    rf"\b(?:which|what|welche[rns]?|qu[eé]|{_HIGH}|{_LOW})\s+(?:containers?|hosts?|servers?|services?|apps?|tables?|"
    r"queues?|databases?|disks?|file ?systems?|hypertables?)\b"
)
_LISTED = re.compile(
    r"^\s*(?:please\s+)?(?:list|show|name|which|what|welche)\s+(?:(?:me|are|all|the|of|our|my)\s+)*"
    r"(?P<what>hosts|servers|machines|containers)\b"
    r"(?:\s+(?:do we have|are there|exist|are running|running|runs?|laufen|on|in|of|for|there))*\s*[?.]*\s*$"
)
_IN_ORDER = re.compile(rf",?\s*\b(?:{_HIGH}|{_LOW})\s+first\b")
_HIGH_IS_GOOD = re.compile(r"\b(?:hit|hits|free|available|left|uptime|compression)\b")
SEVERAL = 5  # shown for a plural without a number
_WHICH_OF_SEVERAL = re.compile(
    r"\b(?:which|what|welche|qu[eé]|cu[aá]les)\s+(?:of the\s+)?(?:hosts|servers|machines|boxes|nodes|rechner|"
    r"servidores|containers|contenedores|disks|file ?systems|mount ?points|databases|dbs|"
    r"datenbanken|services|apps|dienste|servicios|queues|tables|hypertables|jobs|volumes)\b"
)
_OVER_TIME = (
    ("max", re.compile(r"\b(?:max(?:imum)?|peak(?:ed)?|highest|spike[ds]?|höchste[rns]?|máxim[ao])\b")),
    ("min", re.compile(r"\b(?:min(?:imum)?|lowest|niedrigste[rns]?|mínim[ao])\b")),
    ("avg", re.compile(r"\b(?:average|avg|mean|averaged|durchschnitt\w*|mittlere[rns]?|promedi[ao]|medi[ao])\b")),
)
_CHART = re.compile(
    r"\b(?:graph|plot|chart|draw|trend(?:s|ing)?|history|development|over time|curve|verlauf|gráfic[ao])\b"
)
_TOTAL = re.compile(r"\b(?:total|in total|altogether|overall|combined|sum|summe|insgesamt|gesamt)\b")
_YES_NO = re.compile(r"^\s*(?:is|are|was|were|does|do|did|has|have|any|ist|sind|hat|gibt|está|están|hay)\b")
_IN_UNIT = (
    ("bytes", re.compile(r"\bin (?:bytes|[kmgt]i?b)\b")),
    ("share", re.compile(r"\bin (?:percent|prozent|%)(?!\w)")),
    ("time", re.compile(r"\bin (?:seconds|minutes|hours|ms|sekunden|minuten)\b")),
)
_COUNTED = re.compile(r"\b(?:how many|number of|count of|anzahl|wie viele|cu[aá]nt[oa]s)\b")
_PER_MINUTE = re.compile(r"\b(?:per|a|each|pro|por)\s+(?P<unit>minute|hour|day|minuto|hora|stunde|tag)\b|/ ?min\b")
_GROUPS = {
    "host": r"hosts?|servers?(?! version)|machines?|box(?:es)?|nodes?|rechner|servidor(?:es)?",
    "container": r"containers?|contenedor(?:es)?",
    "mountpoint": r"mount ?points?|disks?|file ?systems?",
    "database": r"database servers?",
    "datname": r"databases?|dbs?|datenbank(?:en)?",
    "job": r"services?|apps?|jobs?|dienste?|servicios?",
    "queue": r"queues?",
    "status": r"status(?:es)?|status codes?",
    "state": r"states?",
    "level": r"levels?",
    "hypertable": r"hypertables?",
    "table": r"tables?",
    "reason": r"reasons?",
    "mode": r"modes?",
    "compose_project": r"(?:compose )?projects?",
}
_GROUP = re.compile(
    r"(?<!used )(?<!taken )(?<!consumed )(?<!eaten )"
    r"\b(?:(?:split|broken down|divided|grouped) )?(?:per|by|(?:for|on|of|in) (?:each|every)|each|pro|je|jede[rnms]?"
    r"|por|(?:(?:de|en|por) )?cada)\s+(?:"
    + "|".join(f"(?P<{label}>{names})" for label, names in _GROUPS.items())
    + r")\b"
)


@dataclass(frozen=True)
class Threshold:
    """A bound that values are compared with. `kind`: what its unit measures."""

    op: str
    value: float
    kind: str = ""
    written: str = ""


@dataclass(frozen=True)
class Wants:
    """What is wanted of the values; `rest` is the text that is left."""

    top: int = 0
    lowest: bool = False
    threshold: Threshold | None = None
    over_time: str = ""
    chart: bool = False
    total: bool = False
    yes_no: bool = False
    per: float = 1
    groups: tuple[str, ...] = field(default=())
    superlative: str = ""
    counted: bool = False
    rest: str = ""


def parse(text: str, window: bool, several: bool) -> Wants:
    """`window`: the question names a span of time. `several`: it does not name a single thing."""
    if listed := _LISTED.match(text):
        containers = listed["what"] == "containers"
        return Wants(
            groups=("host", "container") if containers else ("host",),
            rest="number of containers" if containers else "number of hosts",
        )
    text = _IN_ORDER.sub(" ", text)
    yes_no = bool(_YES_NO.search(text))
    total, chart = bool(_TOTAL.search(text)), bool(_CHART.search(text))
    several = several or bool(_OF_WHICH.search(text))
    threshold, text = _threshold(_FRACTION.sub(lambda found: f"{found['bound']} {_FRACTIONS[found['part']]}%", text))
    per, text = _per(text)
    groups = tuple(label for found in _GROUP.finditer(text) for label, hit in found.groupdict().items() if hit)
    top, lowest, over_time = 0, False, ""
    named = next((found for pattern in _NAMED if (found := pattern.search(text))), None)
    superlative = _SUPERLATIVE.search(text)
    if window and not named:
        over_time = next((name for name, pattern in _OVER_TIME if pattern.search(text)), "")
        if threshold and not over_time and (ever := _EVER.search(text)):
            over_time, text = "min" if "<" in threshold.op else "max", cut(text, ever)
    if named:
        top = int(named["n"]) if named["n"].isdecimal() else int(times.NUMBERS[named["n"]])
        text = cut(text, named)
    elif superlative and not over_time and several and superlative[0] not in {"max", "maximum", "min", "minimum"}:
        top = 1 if not re.search(rf"\b(?:{_HIGH}|{_LOW})\s+\w+s\b", text) else 10
        top = SEVERAL if _WHICH_OF_SEVERAL.search(text) else top
        top = SEVERAL if groups and top == 1 else top
        top = 1 if re.search(r"\b(?:uses?|has|have|with|gets?|eats?|takes?|writes?)\b", text) and top == 10 else top
    if top:
        lowest = bool(superlative and superlative["low"])
        lowest = lowest or bool(superlative and superlative[0] == "worst" and _HIGH_IS_GOOD.search(text))
    word = superlative[0] if superlative and top and not named else ""
    counted = bool(_COUNTED.search(text))
    rest = _without(text, over_time)
    return Wants(top, lowest, threshold, over_time, chart, total, yes_no, per, groups, word, counted, rest)


def unit(text: str) -> tuple[str, str]:
    """The kind of unit that is wanted ("in GB"), and the text without it."""
    for kind, pattern in _IN_UNIT:
        if found := pattern.search(text):
            return kind, cut(text, found)
    return "", text


def _without(text: str, over_time: str) -> str:
    """Without the terms whose meaning is taken; a term such as "largest" still states what is measured."""
    if over_time:
        for _, pattern in _OVER_TIME:
            text = pattern.sub(" ", text)
    return _GROUP.sub(lambda found: " " + found[0].split()[-1] + " ", text)


def _per(text: str) -> tuple[float, str]:
    found = _PER_MINUTE.search(text)
    if not found:
        return 1, text
    lengths = {"hour": 3600, "hora": 3600, "stunde": 3600, "day": 86400, "tag": 86400}
    return lengths.get(found["unit"] or "", 60), cut(text, found, " rate ")


def _threshold(text: str) -> tuple[Threshold | None, str]:
    found = _THRESHOLD.search(text)
    if found:
        value, kind = _value(float(found["v"].replace(",", ".")), found["unit"] or "")
        op = "<" if found["less"] else ">"
        op += "=" if re.match(r"at least|at most|>=|<=", found[0].strip()) else ""
        implied = next((word for pattern, word in _IMPLIED if re.search(pattern, found[0])), "")
        return Threshold(op, value, kind, found[0].strip()), cut(text, found, f" {implied} ")
    if re.search(r"\b(?:full|fill\w*|voll|space)\b", text) and (found := _WITHIN.search(text)):
        length = times.length(found["n"], found["u"])
        return Threshold("<", length, "time", found[0].strip()), cut(text, found)
    return None, text


def _value(number: float, unit: str) -> tuple[float, str]:
    if unit in {"%", "percent", "prozent", "por ciento"}:
        return number / 100, "share"
    if unit in _LENGTHS:
        return number * _LENGTHS[unit], "time"
    if unit in _SIZES:
        return number * _SIZES[unit], "bytes"
    return number, ""
