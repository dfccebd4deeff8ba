"""Help topics say what the manual says."""

from __future__ import annotations

import re

import pytest

from man import generate
from running import needed, output_of
from tcsniff.cli import main
from tcsniff.commands.help_format import list_topics

TOPICS = list_topics()
PAGES = [text for path, text in generate.build_pages().items() if path.startswith("man/")]


@pytest.fixture(scope="module")
def manual() -> str:
    """Give all words of the manual, in one line."""
    shown = [output_of(needed("mandoc"), "-Tutf8", "-Owidth=500", given=page) for page in PAGES]
    return words_of(re.sub(r".\x08", "", "".join(shown)))


def words_of(text: str) -> str:
    return " ".join(text.replace("`", "").split())


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_says_what_the_manual_says(topic, manual, capsys):
    """Word for word, paragraph by paragraph."""
    status = main(["help", topic])

    told = capsys.readouterr().out
    assert status == 0
    paragraphs = re.split(r"\n\n|\n(?=  \S)", told.strip())[1:]  # without its title
    assert [one for one in paragraphs if words_of(one).lower() not in manual.lower()] == []
