"""Checks of Alertmanager's templates. Their syntax is checked by amtool."""

from __future__ import annotations

import re
from collections.abc import Iterator

from configs.settings.custom_files import CustomFiles

_DEFINE = re.compile(r"\{\{-?\s*define\s+\"([^\"]+)\"")


def problems(custom: CustomFiles) -> Iterator[str]:
    """Templates are called by name, so that each name is defined once."""
    seen: dict[str, str] = {}
    for name, text in custom.templates.items():
        path = custom.path("templates", name)
        defined = _DEFINE.findall(text)
        if not defined:
            yield f'{path}: defines no template, expected {{{{ define "name" }}}} ... {{{{ end }}}}'
        for one in defined:
            if one in seen:
                yield f"{path}: template {one} is defined in {seen[one]} already; expected each name once, rename one"
            seen.setdefault(one, path)
