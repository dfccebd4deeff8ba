"""A check that texts use the project's words: ``python tests/docs/words.py [--count]``.

Reads comments and strings of Python files (docstrings, help texts, errors), and all of
Markdown and text files. Names in backquotes are code, and are not checked.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CHECKED = ("*.md", "docs/**/*.md", "man/*.txt", "man/*.py", "completions/*.py", ".github/**/*")
PYTHON = ("tcsniff/**/*.py", "tcsniff/**/*.txt", *CHECKED)

# What not to write: what to write instead. Whole words; upper or lower case.
WORDS = {
    r"tells?|telling|told": "print, show, report",
    r"takes? in|taken in|taking in": "receive, add, read",
    r"besides": "also, in addition",
    r"in the end": "finally, at exit, when it ends",
    r"so long|so many": "this long, N",
    r"(?<!there )(is|are) no(?! longer| more)(?= )": "is not a",
    r"pass(es|ed|ing)? over": "skip, ignore",
    r"word(ed|ing)|to word": "format",
    r"(?<![-_])settle[ds]?(?!:)": "acknowledge; wait until nothing changes",
    r"nobody|somebody|whoever|strangers?": "users, callers, other programs",
    r"hostile|foreign|abroad": "untrusted, external",
    r"inbox": "receive buffer",
    r"comes? true": "holds, matches",
    r"amiss": "wrong",
    r"colours?|coloured": "color",
}
ALLOWED = {  # in these files, for the reason given
    "tests/docs/words.py": "the list",
    "CHANGELOG.md": "names flags as they were",
}
_PATTERN = re.compile(
    "|".join(f"(?P<w{number}>\\b(?:{word})\\b)" for number, word in enumerate(WORDS)),
    re.IGNORECASE,
)
_INSTEAD = list(WORDS.values())


class Finding(NamedTuple):
    """A word to replace."""

    path: str
    line: int
    word: str
    instead: str


def find_words(path: Path) -> Iterator[Finding]:
    """Yield the words of a file that are not used here."""
    text = path.read_text(encoding="utf-8")
    name = str(path.relative_to(ROOT))
    parts = _read_python(text) if path.suffix == ".py" else [(1, _blank_code(text))]
    for start, part in parts:
        for match in _PATTERN.finditer(re.sub(r"`[^`\n]*`", _blank, part)):
            number = int((match.lastgroup or "w0").removeprefix("w"))
            line = start + part.count("\n", 0, match.start())
            yield Finding(name, line, match[0].lower(), _INSTEAD[number])


def _read_python(text: str) -> Iterator[tuple[int, str]]:
    # Comments, and strings that are more than a name or key.
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_text = token.type == tokenize.COMMENT or (
            tokenize.tok_name[token.type] in ("STRING", "FSTRING_MIDDLE") and " " in token.string
        )
        if is_text:
            yield token.start[0], re.sub(r"\{[^{}\n]*\}", _blank, token.string)


def _blank_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```$", _blank, text, flags=re.MULTILINE | re.DOTALL)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def main(arguments: list[str]) -> int:
    """Print what is found, or its number by file and word; the exit status."""
    paths = sorted({path for pattern in PYTHON for path in ROOT.glob(pattern) if path.is_file()})
    found = [
        finding
        for path in paths
        if str(path.relative_to(ROOT)) not in ALLOWED
        for finding in find_words(path)
    ]
    if "--count" in arguments:
        for counts in (Counter(one.word for one in found), Counter(one.path for one in found)):
            print(*(f"{number:5} {name}" for name, number in counts.most_common()), sep="\n")  # noqa: T201
        return 0
    for one in found:
        print(f"{one.path}:{one.line}: {one.word!r}; write: {one.instead}")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
