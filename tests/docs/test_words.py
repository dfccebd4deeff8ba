"""The check of words finds what it should, and nothing in code."""

from __future__ import annotations

import pytest

from tests.docs import words


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", '"""Tell the user."""\n', ["tell"]),
        ("a.py", "# Besides, it is no file.\n", ["besides", "is no"]),
        ("a.py", "x = 'a file'\ny = tell\n", []),
        ("a.py", 'f"nobody {tell}"\n', ["nobody"]),
        ("a.py", "# There is no file.\n", []),
        ("a.md", "In the end `besides`\n```sh\ntell\n```\n", ["in the end"]),
    ],
)
def test_words_are_found_in_text_and_not_in_code(name, text, found, tmp_path, monkeypatch):
    """Comments, strings and prose are text; names in backquotes and code blocks are not."""
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / name).write_text(text)

    assert [one.word for one in words.find_words(tmp_path / name)] == found


def test_a_word_that_is_not_used_here_fails_the_check(tmp_path, monkeypatch, capsys):
    """It names the file, the line and what to write instead."""
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "a.md").write_text("Fine.\nIn the end.\n")

    assert words.main([]) == 1
    assert capsys.readouterr().out.startswith("a.md:2: 'in the end'; write: finally")
    (tmp_path / "a.md").write_text("Fine.\n")
    assert words.main([]) == 0
