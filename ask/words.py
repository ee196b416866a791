"""From text to content terms: synonyms, stems, compounds and spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from ask import lexicon
from ask.phrases import PHRASES

_PHRASES = tuple((re.compile(pattern), replacement) for pattern, replacement in PHRASES)
_WORD = re.compile(r"[^\W_]+(?:[_'][^\W_]+)*")


def stem(word: str) -> str:
    """A light stem: plurals, -ing, -ed and a final e."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=1)
def _canonical() -> dict[str, str]:
    table: dict[str, str] = {}
    for canonical, written in lexicon.SYNONYMS.items():
        for word in (canonical, *written.split()):
            table.setdefault(word, canonical)
    for canonical, written in lexicon.SYNONYMS.items():
        for word in written.split():
            table.setdefault(stem(word), canonical)
    return table


def canonical(word: str) -> str:
    """The word that stands for this one and its synonyms."""
    table = _canonical()
    return table.get(word) or table.get(stem(word)) or stem(word)


def is_known(word: str) -> bool:
    """Whether the lexicon has the word, its stem, or knows it to have no content."""
    table = _canonical()
    return word in lexicon.STOP or word in table or stem(word) in table


def phrases(text: str) -> str:
    """Lower case, with phrases of several terms replaced."""
    text = re.sub(r"\s+", " ", text.lower().replace("\u2019", "'"))
    for pattern, replacement in _PHRASES:
        text = re.sub(r" +", " ", pattern.sub(replacement, text))
    return text


def split(text: str) -> list[str]:
    """The terms of a text without stop terms, not yet canonical."""
    return [word for word in _WORD.findall(text) if word not in lexicon.STOP]


def content(text: str) -> tuple[str, ...]:
    """The canonical content terms of a phrasing."""
    return tuple(dict.fromkeys(canonical(word) for word in split(phrases(text))))


def compound(word: str) -> tuple[str, ...]:
    """A German compound of two known terms ("Speicherauslastung"), else nothing."""
    for cut in range(3, len(word) - 2):
        left, right = word[:cut], word[cut:]
        for joint in ("", "s", "n", "en"):
            if joint and not left.endswith(joint):
                continue
            head = left[: len(left) - len(joint)] if joint else left
            if len(head) >= 3 and head in _canonical() and right in _canonical():
                return canonical(head), canonical(right)
    return ()


def distance(left: str, right: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two terms; limit + 1 if there are more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    rows = [list(range(len(right) + 1))]
    for i, one in enumerate(left, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        rows.append(row)
    return rows[-1][-1]


def cut(text: str, found: re.Match[str], instead: str = " ") -> str:
    """The text with something else in the place of what was found."""
    return f"{text[: found.start()]}{instead}{text[found.end() :]}"


def closest(word: str, known: set[str]) -> str:
    """The known word that this one was meant to be, if exactly one is near enough."""
    limit = 0 if len(word) < 4 else 1 if len(word) < 9 else 2
    if not limit:
        return ""
    near: dict[int, list[str]] = {}
    for other in known:
        if len(other) >= 4 and other[0] == word[0]:
            edits = distance(word, other, limit)
            if edits <= limit:
                near.setdefault(edits, []).append(other)
    if not near:
        return ""
    best = near[min(near)]
    return best[0] if len({canonical(one) for one in best}) == 1 else ""
