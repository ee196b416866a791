"""The user's own dashboards, rules and message templates: files in a folder beside the stack file.

components/custom_folder.py reads them into `CustomFiles`. `problems` checks what can be checked without the programs
that use them; tools/custom_check.py runs those programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configs.custom import boards, rule_files, templates
from configs.settings.custom_files import CustomFiles

if TYPE_CHECKING:
    from configs.settings import Settings

__all__ = ["CustomFiles", "problems"]


def problems(settings: Settings) -> Iterator[str]:
    """Each with its file, the place in it, and what was expected."""
    custom = settings.custom
    yield from custom.problems
    yield from boards.problems(custom)
    yield from rule_files.problems(settings, custom)
    yield from templates.problems(custom)
