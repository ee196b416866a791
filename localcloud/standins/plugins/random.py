"""Stand-in for the random provider: `RandomPassword` and `RandomString`.

Made once and kept in the state; every change of an input makes a new one. A password's `result` and `bcryptHash` are
secrets.

Limits: no other random resource, no import of an existing one.
"""

from __future__ import annotations

import secrets
import string
from typing import Any

import bcrypt

from localcloud.standins.plugins.provider import Package, State
from localcloud.standins.plugins.schema import Prop, Table
from localcloud.standins.plugins.server import Log

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"  # the real provider's set
SETS = (
    ("lower", "minLower", string.ascii_lowercase),
    ("upper", "minUpper", string.ascii_uppercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", SPECIAL),
)
BCRYPT_LIMIT = 72  # bytes; bcrypt looks at no more


def _flag(default: Any = True, kind: str = "bool") -> Prop:
    return Prop(kind=kind, default=default, replace=True)


TABLE = Table(
    token="random:index/randomPassword:RandomPassword",
    meta={"__meta": '{"schema_version":"3"}'},
    props={
        "length": Prop(kind="int", required=True, replace=True),
        "special": _flag(),
        "upper": _flag(),
        "lower": _flag(),
        "numeric": _flag(),
        "minSpecial": _flag(0, "int"),
        "minUpper": _flag(0, "int"),
        "minLower": _flag(0, "int"),
        "minNumeric": _flag(0, "int"),
        "overrideSpecial": Prop(kind="str", replace=True),
        "keepers": Prop(kind="map", replace=True),
        "result": Prop(kind="str", output=True, secret=True),
        "bcryptHash": Prop(kind="str", output=True, secret=True),
    },
)


STRING = Table(
    token="random:index/randomString:RandomString",
    meta={"__meta": '{"schema_version":"2"}'},
    props={
        **{key: prop for key, prop in TABLE.props.items() if not prop.output},
        "result": Prop(kind="str", output=True),
    },
)


class RandomPassword:
    table = TABLE

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        result = password(inputs)
        return "none", {"number": inputs["numeric"], "result": result, "bcryptHash": _hash(result)}

    def read(self, resource_id: str, state: State) -> State | None:
        return state

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        return None


class RandomString(RandomPassword):
    """The same, not secret; its id is its result."""

    table = STRING

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        result = password(inputs)
        return result, {"number": inputs["numeric"], "result": result}


def password(inputs: State) -> str:
    """At least the requested number of each kind, the rest from all allowed kinds, in random order."""
    chosen: list[str] = []
    allowed = ""
    for flag, minimum, letters in SETS:
        if flag == "special":
            letters = inputs.get("overrideSpecial") or letters
        if inputs[flag]:
            allowed += letters
        chosen += [secrets.choice(letters) for _ in range(inputs[minimum])]
    length = inputs["length"]
    if length < max(1, len(chosen)):
        raise ValueError(
            f"length: expected at least {max(1, len(chosen))} (1, and the sum of min_upper, min_lower, "
            f"min_numeric and min_special), got {length}"
        )
    if not allowed:
        raise ValueError("expected at least one of special, upper, lower, numeric to be true: nothing to choose from")
    chosen += [secrets.choice(allowed) for _ in range(length - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def _hash(result: str) -> str:
    return bcrypt.hashpw(result.encode()[:BCRYPT_LIMIT], bcrypt.gensalt(10)).decode()


def package(log: Log) -> Package:
    return Package(
        "random",
        Table(token="pulumi:providers:random", props={}),
        {TABLE.token: RandomPassword(), STRING.token: RandomString()},
    )
