"""YAML as Pulumi reads and writes it in stack files.

PyYAML follows YAML 1.1, Pulumi's reader 1.2 with some of 1.1: `1e3` and `0o14` are numbers to Pulumi, `1:30` is one to
PyYAML. Files are read with Pulumi's numbers, and every text is written in quotes, so that both have the same values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from configs.settings.sections import PROJECT
from configs.settings.shown import NOT_SHOWN, shown_unknown_key

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_KINDS = {
    "tag:yaml.org,2002:bool": "boolean",
    _INT: "number",
    _FLOAT: "number",
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:timestamp": "date",
}
_NAMES = (f"{PROJECT}prefix", f"{PROJECT}env")
_FIRST = list("-+.0123456789")
_INT_FORM = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$")
_FLOAT_FORM = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$")


class _Loader(yaml.SafeLoader):
    """Pulumi's numbers. Keys that are no texts, and duplicate ones, are kept in `found`; the library drops the first
    of two. Such a key is read as its text, so that what is below it is read too."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.found: list[tuple[yaml.Mark, str]] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            shown = key.value if len(key.value) <= 10 else shown_unknown_key(key.value)
            if key.tag != _TEXT:
                self._expected_text(
                    key,
                    f"as key, YAML reads `{shown}` as a {_KINDS.get(key.tag, 'value')}; put it in "
                    f"quotes ('{shown}':) or choose another name",
                )
            if key.value in seen:
                self.found.append((key.start_mark, f"duplicate key `{_shown(key.value)}`"))
            seen.add(key.value)
            is_name = key.value in _NAMES and isinstance(value, yaml.ScalarNode)
            if is_name and value.tag in _KINDS and value.tag != "tag:yaml.org,2002:null":
                self._expected_text(
                    value, f"for {key.value}, YAML reads `{value.value}` as a {_KINDS[value.tag]}; put it in quotes"
                )
        return super().construct_mapping(node, deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """A date that there is not, and a number that is too long for Python, are read as texts."""
        try:
            return super().construct_object(node, deep)
        except ValueError:
            if not isinstance(node, yaml.ScalarNode):
                raise
            wanted = "a day that exists" if node.tag.endswith(":timestamp") else "a shorter number"
            self.found.append((node.start_mark, f"expected {wanted}; put the value in quotes if it is a text"))
            self.recursive_objects.pop(node, None)
            return node.value

    def _expected_text(self, node: yaml.ScalarNode, rest: str) -> None:
        self.found.append((node.start_mark, f"expected a text {rest}"))
        node.tag = _TEXT


class _Dumper(yaml.SafeDumper):
    """Every text in quotes, and no aliases, which encrypted values of renamed hosts would become."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, text, style='"')


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag not in (_INT, _FLOAT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_INT, _INT_FORM, _FIRST)
_Loader.add_implicit_resolver(_FLOAT, _FLOAT_FORM, _FIRST)
_Dumper.add_representer(str, _quoted)


@dataclass(frozen=True)
class Parsed:
    """A file's value as far as it can be read, and one line for each problem, which begins with its place."""

    value: Any
    problems: list[str] = field(default_factory=list)


def parsed(text: str, path: str) -> Parsed:
    """Of a text; `path` is what problems call it."""
    try:
        loader = _Loader(text)
        try:
            value = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Parsed(None, [f"{path}, line {line}: expected YAML, it has a control character; remove it"])
    except yaml.YAMLError as error:
        problem = str(getattr(error, "problem", None) or error)
        place = _place(path, getattr(error, "problem_mark", None))
        return Parsed(None, [f"{place}: expected YAML, {_without_texts(problem)}{_hint(text, error)}"])
    except RecursionError:
        return Parsed(None, [f"{path}: expected YAML, it is nested too deeply"])
    problems = list(_lines(path, loader.found))
    if _has_itself(value, []):
        return Parsed(None, [*problems, f"{path}: expected values without an alias (*name) inside its own anchor"])
    return Parsed(value, problems)


def _has_itself(value: Any, above: list[int]) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return id(value) in above or any(_has_itself(one, [*above, id(value)]) for one in inner)


def dumped(value: Any) -> str:
    """The value as YAML that Pulumi reads as the same value."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10**6)


def _lines(path: str, found: list[tuple[yaml.Mark, str]]) -> Iterator[str]:
    for mark, problem in sorted(found, key=lambda one: (one[0].line, one[0].column)):
        yield f"{_place(path, mark)}: {problem}"


def _shown(key: str) -> str:
    """A key, with the program's namespace if it has it."""
    namespace = PROJECT if key.startswith(PROJECT) else ""
    return namespace + shown_unknown_key(key.removeprefix(namespace))


def _place(path: str, mark: yaml.Mark | None) -> str:
    return f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path


def _hint(text: str, error: yaml.YAMLError) -> str:
    """The way out where the parser's message names none: a tab, or a value that begins with a sign of YAML."""
    mark = getattr(error, "problem_mark", None)
    sign = text[mark.index : mark.index + 1] if mark is not None else ""
    if sign == "\t":
        return "; indent with spaces, this is a tab"
    return "; put the value in quotes" if sign in ("%", "@", "`", "{") and sign else ""


def _without_texts(problem: str) -> str:
    """The parser's problem without names of the file (an alias may be a password that begins with *)."""
    return re.sub(r"'([^']*)'", lambda found: found[0] if _is_sign(found[1]) else f"(name {NOT_SHOWN}", problem)


def _is_sign(quoted: str) -> bool:
    """Whether the parser names a sign of YAML, or a token such as `<stream end>`."""
    return len(quoted) < 2 or quoted.startswith("<")
