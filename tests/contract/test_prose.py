"""Texts for users and docstrings are plain standard English: none contains a word of vocabulary.py.

`python -m tests.contract.test_prose` prints the findings of every place, including those that are not checked yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract import user_texts
from tests.contract.user_texts import Texts
from tests.contract.vocabulary import VOCABULARY, Banned, findings


@dataclass(frozen=True)
class Place:
    """A kind of text. Set `checked` once it has no findings; from then on a finding fails the check."""

    name: str
    read: Callable[[], Texts]
    checked: bool = True


def _texts_of_ask() -> Texts:
    """Without the lexicon, which has the vocabulary of questions."""
    return {place: text for place, text in user_texts.strings("ask").items() if not place.startswith("ask/lexicon.py")}


def _pages_of_docs() -> Texts:
    """Without the page that measurements write."""
    found = user_texts.pages("docs/*.md", "docs/tasks/*.md", "docs/decisions/*.md")
    return {place: text for place, text in found.items() if not place.startswith("docs/figures.md")}


PLACES = (
    Place("panels", user_texts.panels),
    Place("alerts", user_texts.alerts),
    Place("reasons of empty queries", user_texts.reasons),
    Place("message templates", user_texts.templates),
    Place("runbooks", lambda: user_texts.pages("docs/runbooks/*.md")),
    Place("docs", _pages_of_docs),
    Place("README.md", lambda: user_texts.pages("README.md")),
    Place("configs/services", lambda: user_texts.strings("configs/services", "configs/render")),
    Place("configs/settings", lambda: user_texts.strings("configs/settings")),
    Place("configs/validation", lambda: user_texts.strings("configs/validation")),
    Place("configs/deploy", lambda: user_texts.scripts("configs/deploy")),
    Place("components", lambda: user_texts.strings("components")),
    Place("policy", lambda: user_texts.strings("policy")),
    Place("tools", lambda: user_texts.strings("tools")),
    Place("localcloud", lambda: user_texts.strings("localcloud")),
    Place("ask", _texts_of_ask),
    Place("docstrings of ask", lambda: user_texts.docstrings("ask")),
    Place("docstrings of configs", lambda: user_texts.docstrings("configs")),
    Place("docstrings of components", lambda: user_texts.docstrings("components")),
    Place("docstrings of tools", lambda: user_texts.docstrings("tools")),
    Place("docstrings of policy", lambda: user_texts.docstrings("policy")),
    Place("docstrings of localcloud", lambda: user_texts.docstrings("localcloud")),
)
CHECKED = [place for place in PLACES if place.checked]


@pytest.mark.parametrize("place", CHECKED, ids=lambda place: place.name)
def test_texts_contain_no_banned_word(place: Place) -> None:
    texts = place.read()
    assert texts, f"{place.name}: no texts were read"
    found = findings(texts)
    assert not found, "\n".join([f"{place.name}: {len(found)} findings", *found])


@pytest.mark.parametrize("banned", VOCABULARY, ids=lambda banned: banned.pattern)
def test_every_banned_word_is_found_in_its_example(banned: Banned) -> None:
    assert banned.found_in(banned.example)
    assert banned.better
    assert not banned.found_in("The host is down. Free disk space and run the update again.")


def test_readers_separate_literals_docstrings_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "module.py").write_text(
        '"""What it says."""\n\n\ndef f(x):\n    """Told."""\n    raise ValueError(f"no room for {x}", "plain text")\n'
    )
    (tmp_path / "code" / "script.sh").write_text('# no room\necho "host $said: no room left" >&2\nx="$said"\n')
    (tmp_path / "page.md").write_text("No room.\n\n```sh\necho no room\n```\n\n`says` is code.\n")
    monkeypatch.setattr(user_texts, "ROOT", tmp_path)
    assert sorted(user_texts.strings("code").values()) == ["no room for …", "plain text"]
    assert list(user_texts.scripts("code").values()) == ["host …: no room left"]
    assert list(user_texts.docstrings("code").items()) == [
        ("code/module.py:1", "What it says."),
        ("code/module.py:5", "Told."),
    ]
    assert findings(user_texts.pages("page.md")) == ["page.md paragraph 0: 'room' -> capacity, free space: 'No room.'"]


if __name__ == "__main__":
    for one in PLACES:
        hits = findings(one.read())
        print(f"{one.name}: {len(hits)} findings{'' if one.checked else ' (not checked)'}", *hits, sep="\n  ")
