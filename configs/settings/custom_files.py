"""The user's own dashboards, rules and message templates, as they were read (components/custom_folder.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CustomFiles:
    """By folder and name; `folder` is their common folder for messages, `problems` what kept files from being read.
    `tests`: promtool's unit tests of rules, in the folder `rules`."""

    folder: str = ""
    dashboards: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    log_rules: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def path(self, folder: str, name: str) -> str:
        """A file's path for messages."""
        return f"{self.folder}/{folder}/{name}"

    def __bool__(self) -> bool:
        return bool(self.dashboards or self.rules or self.log_rules or self.templates or self.tests or self.problems)
