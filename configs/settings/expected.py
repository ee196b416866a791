"""What the standard checks of the models expect, in the terms of a stack file."""

from __future__ import annotations

import math
import re
from typing import Any

from configs.units import show_duration, show_size

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
MAPPINGS = frozenset({"dict_type", "model_type", "model_attributes_type"})
_BOUNDS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "at least",
    "max_length": "at most",
}
_RANGES = {"A-Z": "letters", "a-z": "letters", "0-9": "digits"}


def expected(mistake: Any) -> str:
    """`expected ...` for a mistake of the types that pydantic itself checks; else pydantic's text."""
    kind, context, value = mistake["type"], mistake.get("ctx", {}), mistake.get("input")
    if isinstance(value, float) and not math.isfinite(value):
        return "expected a number"
    if kind in _KINDS:
        return f"expected {_KINDS[kind]}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"expected one of {', '.join(choices)}"
    if kind == "string_pattern_mismatch":
        return f"expected {_pattern(context['pattern'])}"
    for name, bound in _BOUNDS.items():
        if name in context:
            return f"expected {bound} {_limit(context[name], name, mistake)}"
    return f"expected {re.sub(r'^(Input should be |[A-Z][a-z]+ should )', '', mistake['msg'])}"


def _limit(limit: Any, name: str, mistake: Any) -> str:
    """A limit with its unit; that of a duration or a size as people write it."""
    if "length" in name:
        is_text = isinstance(mistake["input"], str)
        entries, one = ("characters", "character") if is_text else ("entries", "entry")
        return f"{limit} {one if limit == 1 else entries}"
    if isinstance(mistake["input"], str):
        return show_size(limit) if mistake["input"].casefold().endswith("b") else show_duration(limit)
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _pattern(pattern: str) -> str:
    """`^[A-Z0-9_]+$` as "only letters, digits and _"; any other regular expression as it is."""
    found = re.fullmatch(r"\^\[([^\]^]+)\]\+\$", pattern)
    if not found:
        return f"a text that matches {pattern}"
    named = [name for text, name in _RANGES.items() if text in found[1]]
    signs = re.sub("|".join(_RANGES), "", found[1])
    if "letters" in named and not {"A-Z", "a-z"} <= {text for text in _RANGES if text in found[1]}:
        named[named.index("letters")] = "lower-case letters" if "a-z" in found[1] else "upper-case letters"
    parts = [*dict.fromkeys(named), *([" ".join(signs)] if signs else [])]
    return "only " + (", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0])
