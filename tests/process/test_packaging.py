"""What people install: built once, then tried as pip, uv and a single file give it to them.

Needs the package index that the project itself is installed from.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from paths import ROOT
from running import ORIGINAL_PROXIES, Terminal, environment
from tcsniff import __version__
from tcsniff.errors import RecordingError

# All tests of this file in one process: what they share takes half a minute to build.
pytestmark = pytest.mark.xdist_group("packaging")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BIN = Path(sys.executable).parent
NEWEST = 14  # of Python 3, as far as is known to be out
SHIPPED = {
    "completions/tcsniff.bash": "share/bash-completion/completions/tcsniff",
    "completions/_tcsniff": "share/zsh/site-functions/_tcsniff",
    "completions/tcsniff.fish": "share/fish/vendor_completions.d/tcsniff.fish",
    **{
        str(page.relative_to(ROOT)): f"share/{page.relative_to(ROOT)}"
        for page in sorted((ROOT / "man").glob("man[0-9]/*"))
    },
}


class Built(NamedTuple):
    """What is given to people."""

    sdist: Path
    wheel: Path


def run(*words: str | Path, place: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, away from the checkout."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=place,
        env={**configure_uv(), **environment(), **ORIGINAL_PROXIES, **more},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@cache
def configure_uv() -> dict[str, str]:
    """Return variables that make uv use pip's index, and trust the same certificates.

    By default uv reads no settings of pip, and trusts only certificates that it
    brings along, so a proxy with its own authority would be refused.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings = dict(re.findall(r"^\S+?\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
    variables = {
        "SSL_CERT_FILE": settings.get("cert"),
        "UV_DEFAULT_INDEX": settings.get("index-url"),
    }
    return {"UV_SYSTEM_CERTS": "1", **{name: text for name, text in variables.items() if text}}


def done(*words: str | Path, place: Path, **more: str) -> str:
    """Run a program that has to succeed; returns its standard output."""
    ended = run(*words, place=place, **more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the sdist, and the wheel from the sdist, as the index would get them."""
    place = tmp_path_factory.mktemp("dist")
    done(BIN / "uv", "build", "--quiet", "--out-dir", place, ROOT, place=place)
    return Built(*place.glob("*.tar.gz"), *place.glob("*.whl"))


def made(place: Path, python: str | Path, *what: str | Path) -> Path:
    """Install into a new environment, by uv; returns its Python."""
    done(BIN / "uv", "venv", "--quiet", "--python", python, place / "venv", place=place)
    inside = place / "venv" / "bin" / "python"
    done(BIN / "uv", "pip", "install", "--quiet", "--python", inside, *what, place=place)
    return inside


# What is in it


COMPLETIONS = ("_tcsniff", "tcsniff.bash", "tcsniff.fish")


def test_the_wheel_holds_everything_in_its_place(built: Built) -> None:
    """Package, types, licence, pages and completions where man and the shells look."""
    with zipfile.ZipFile(built.wheel) as archive:
        names = set(archive.namelist())
        entry = archive.read(f"tcsniff-{__version__}.dist-info/entry_points.txt").decode()
        texts = {
            source: archive.read(f"tcsniff-{__version__}.data/data/{place}")
            for source, place in SHIPPED.items()
        }

    package = [*(ROOT / "tcsniff").rglob("*.py"), *(ROOT / "tcsniff").rglob("*.txt")]
    modules = {str(path.relative_to(ROOT)) for path in package}
    modules |= {f"tcsniff/commands/completion_scripts/{name}" for name in COMPLETIONS}
    data = {f"tcsniff-{__version__}.data/data/{place}" for place in SHIPPED.values()}
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == modules | data | {"tcsniff/py.typed"}
    assert {Path(name).name for name in about} >= {"LICENSE", "METADATA", "RECORD"}
    assert "tcsniff = tcsniff.__main__:run" in entry
    assert texts == {source: (ROOT / source).read_bytes() for source in SHIPPED}


def test_the_sdist_holds_all_that_a_change_needs(built: Built) -> None:
    """Tests, documents and the two commands; nothing that a build or a test left behind."""
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {"Makefile", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".ci/run"}
    assert wanted | SHIPPED.keys() <= names
    assert {"tests/conftest.py", "tests/support/running.py", "tcsniff/cli.py"} <= names
    left = re.compile(r"__pycache__|\.pyc$|^\.venv|\.coverage|\.hypothesis|^dist/")
    assert [name for name in names if left.search(name)] == []


# Installed


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with pip into a new environment; returns that."""
    place = tmp_path_factory.mktemp("pip") / "venv"
    done(sys.executable, "-m", "venv", place, place=place.parent)
    said = run(place / "bin" / "pip", "install", built.wheel, place=place.parent)
    assert said.returncode == 0, said.stderr
    assert not re.search(
        "deprecat|tcsniff.*warn|invalid", said.stdout + said.stderr, re.IGNORECASE
    )
    return place


def test_what_pip_installs_can_be_found(installed: Path) -> None:
    """The program, and what man and the shells look for below the same place."""
    assert done(installed / "bin" / "tcsniff", "--version", place=installed) == (
        f"tcsniff {__version__}\n"
    )
    assert [place for place in SHIPPED.values() if not (installed / place).is_file()] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--version", "--verbose"],
        ["--help"],
        ["help", "record"],
        ["exchanges"],
        ["schema"],
        ["completion", "bash"],
        ["explain", "task-running", "--where", "lag"],
    ],
    ids=" ".join,
)
def test_it_starts_without_a_warning(installed: Path, words: list[str]) -> None:
    """``python -m tcsniff``, where each warning is an error."""
    python = installed / "bin" / "python"

    ended = run(python, "-W", "error", "-X", "dev", "-m", "tcsniff", *words, place=installed)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


def test_it_shows_events_without_a_warning(installed: Path) -> None:
    """Of the demo, through kombu."""
    smoke(installed / "bin" / "python", installed)


def smoke(python: Path, place: Path, *strict: str) -> None:
    """See an installed tcsniff work: demo, recording, expression, messages."""
    strict = strict or ("-W", "error")
    program = [python, *strict, "-m", "tcsniff"]
    lines = done(*program, "--demo", "--seed", "1", "-n", "60", "--quiet", place=place)
    (place / "day.jsonl").write_text(lines)
    words = ["--from", "day.jsonl", "--where", "event=='task-running'", "--select", "event", "-r"]
    found = done(*program, *words, "--quiet", place=place)
    shown = done(*program, "--from", "day.jsonl", "-o", "lines", "--quiet", place=place)
    schema = json.loads(done(*program, "schema", "task-running", place=place))

    assert lines.count("\n") == shown.count("\n") == 60
    assert 0 < found.count("task-running\n") == found.count("\n") < 60
    assert "TaskRunningMessage" in schema["$defs"]
    (place / "bad").write_text("no record")
    assert run(*program, "--from", "bad", place=place).returncode == RecordingError.exit_status


def test_uv_installs_it_as_a_tool(built: Built, tmp_path: Path) -> None:
    """As ``uv tool install tcsniff`` does, and ``uv tool uninstall`` leaves nothing."""
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    tool = [BIN / "uv", "tool"]

    done(
        *tool,
        "install",
        "--quiet",
        "--python",
        sys.executable,
        built.wheel,
        place=tmp_path,
        **places,
    )
    told = done(tmp_path / "bin" / "tcsniff", "--version", place=tmp_path)
    done(*tool, "uninstall", "--quiet", "tcsniff", place=tmp_path, **places)

    assert told == f"tcsniff {__version__}\n"
    assert not (tmp_path / "bin" / "tcsniff").exists()


# With other versions


@pytest.fixture(scope="session")
def lowest(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install with the oldest versions of all dependencies that are allowed."""
    place = tmp_path_factory.mktemp("lowest")
    oldest = ["--resolution", "lowest-direct", "-r", ROOT / "pyproject.toml"]
    python = made(place, sys.executable, *oldest)
    add = [BIN / "uv", "pip", "install", "--quiet", "--no-deps", "--python", python]
    done(*add, built.wheel, place=place)
    return python


def test_the_oldest_versions_allowed_are_tried(lowest: Path) -> None:
    """Each lower bound of `pyproject.toml` is what is installed here."""
    told = dict(
        line.split()
        for line in done(
            lowest, "-m", "tcsniff", "--version", "--verbose", place=lowest.parent
        ).splitlines()
        if line.count(" ") == 1
    )

    bounds = dict(
        re.match(r"([a-z0-9]+)>=([\d.]+)", one).groups() for one in PROJECT["dependencies"]
    )
    assert {name: padded(told[name]) for name in bounds} == {
        name: padded(bound) for name, bound in bounds.items()
    }


def padded(version: str) -> list[int]:
    return [*map(int, version.split(".")), 0, 0][:3]


def test_the_oldest_versions_work(lowest: Path) -> None:
    """Events through kombu, recordings, expressions, schemas."""
    smoke(lowest, lowest.parents[2], "-W", "default")


def test_the_oldest_versions_draw_a_table(lowest: Path) -> None:
    """In a terminal."""
    program = [str(lowest), "-m", "tcsniff", "--demo", "--seed", "1", "-n", "30"]
    with Terminal(program=program, place=lowest.parent, lines=12) as terminal:
        assert terminal.status() == 0

    screen = "\n".join(terminal.screen.display)
    assert "● demo" in screen
    assert "30 printed" in screen


def test_the_oldest_versions_pass_the_tests_of_what_they_do(lowest: Path) -> None:
    """Pictures by rich, expressions by jmespath, records by msgspec and orjson."""
    tools = ["pytest", "pytest-timeout", "hypothesis", "pyte", "trustme"]
    add = [BIN / "uv", "pip", "install", "--quiet", "--python", lowest]
    done(*add, *tools, place=ROOT)
    subjects = [
        f"tests/unit/{name}"
        for name in (
            "renderers/test_lines.py",
            "selection/test_expressions.py",
            "pulse/test_records.py",
        )
    ]

    told = done(lowest, "-m", "pytest", "-q", "-p", "no:cacheprovider", *subjects, place=ROOT)

    assert " passed" in told


def others() -> Iterator[tuple[str, Path]]:
    """Find the other versions of Python that are on this machine and allowed."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(11, NEWEST + 1):
        name = f"python3.{minor}"
        candidates = [shutil.which(name), *sorted(versions.glob(f"3.{minor}.*/bin/{name}"))]
        for path in filter(None, candidates):
            asked = [path, "-c", "import sys, ensurepip, ssl; print(sys.version_info[1])"]
            answer = subprocess.run(asked, capture_output=True, text=True, check=False)
            if minor != sys.version_info[1] and answer.stdout == f"{minor}\n":
                yield name, Path(path)
                break


OTHERS = dict(others())


@pytest.mark.parametrize("name", OTHERS)
def test_other_versions_of_python_work(name: str, built: Built, tmp_path: Path) -> None:
    """Those that are here, with today's versions of all dependencies."""
    python = made(tmp_path, OTHERS[name], built.wheel)

    smoke(python, tmp_path)


# In one file


def test_all_of_it_fits_into_one_file(tmp_path: Path) -> None:
    """``make zipapp``: runs where no tcsniff is installed, from anywhere."""
    done("make", "-C", ROOT, "zipapp", f"DIST={tmp_path}", f"BIN={BIN}", place=tmp_path)
    alone = {"SHIV_ROOT": str(tmp_path / "root"), "PATH": f"{BIN}{os.pathsep}{os.defpath}"}

    shown = done(
        tmp_path / "tcsniff.pyz", "--demo", "--seed", "1", "-n", "3", place=tmp_path, **alone
    )
    told = done(tmp_path / "tcsniff.pyz", "--version", "--verbose", place=tmp_path, **alone)

    assert shown.count('"received"') == 3
    assert told.startswith(f"tcsniff {__version__}\n")
