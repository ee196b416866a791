"""Writes data as YAML: in the given order, in block style, without aliases."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Writes a string of several lines as a literal block (`|`)."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(data: Any, heading: str = "") -> str:
    """`data` as YAML below a comment, `heading`, that names the origin of the file."""
    lines = f"# {heading}\n" if heading else ""
    return lines + yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
