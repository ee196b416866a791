"""The table of formats in which programs write levels. tests/rendered/test_log_lines.py tries each example."""

from __future__ import annotations

import re2

from configs.render import level_formats


def test_a_format_of_levels_has_an_address_and_an_example() -> None:
    assert len({one.name for one in level_formats.FORMATS}) == len(level_formats.FORMATS)
    assert all(one.source.startswith("https://") and one.example for one in level_formats.FORMATS)
    assert {one.level for one in level_formats.FORMATS} <= set(level_formats.LEVELS)


def test_each_spelling_of_a_level_means_one() -> None:
    spellings = [one for level in level_formats.SPELLINGS.values() for one in level]
    assert len(spellings) == len(set(spellings))
    assert set(level_formats.SPELLINGS) == set(level_formats.LEVELS)


def test_each_stage_of_own_patterns_numbers_its_groups_from_zero() -> None:
    """The template reads the groups of the longest stage; a group with another name would have no effect."""
    stages = level_formats.own()
    most = max(len(groups) for _, groups in stages)
    for expression, groups in stages:
        assert re2.compile(expression).groups == len(groups)
        assert set(groups) <= {"pri", *(f"own{number}" for number in range(most))}
