"""The picture of a task graph, as text: what a screen of any size shows of a group of any size."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from wcwidth import wcswidth

from graphs import START, graph, history, node
from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_timestamp
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.graph.graph_parts import format_rows
from tcsniff.renderers.graph.graph_picture import draw_graph, share_rows
from tcsniff.renderers.graph.heading import format_verdict
from tcsniff.renderers.graph.scene import Scene, build_scene
from tcsniff.renderers.stream import StreamStatus
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.verdict import Verdict

GROUP = "fN1SbArXTPSVFNUvaOlinQ"
STATUS = StreamStatus("firefox-ci", 412, 38.0, 0.2, 0.4, "")
CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
UNTRUSTED = "[red]x[/red]\x1b[31m\x9b1m[link=http://e.org]\u202e\n\r\x00\u200b"
WIDE = "構築する-窓" * 5  # more cells than the room for it, but fewer characters


def ran(state: str, *times: int, number: int = 0, reason: str | None = None) -> Run:
    """Make a run; times, in seconds: scheduled, started and resolved, as many as there are."""
    names = ("scheduled", "started", "resolved")
    told = {name: format_timestamp(START + one) for name, one in zip(names, times, strict=False)}
    where = {"worker_group": "us-east-1", "worker_id": "i-77f0aa12"} if len(times) > 1 else {}
    if len(times) > 2:
        told["reason_resolved"] = reason or state
    return Run(number, state, **told, **where)


def task(label: str, kind: str, *dependencies: str, runs: tuple[Run, ...] = ()) -> Node:
    return node(label, *dependencies, kind=kind, pool=f"gecko-3/{kind}", runs=runs)


def decided(*nodes: Node, **known: Any) -> Graph:
    decision = node(
        GROUP,
        label="Gecko Decision Task",
        kind="decision-task",
        pool="gecko-3/decision",
        runs=(ran("completed", 0, 5, 75),),
    )
    tasks = {one.task_id: one for one in (decision, *nodes)}
    return Graph(GROUP, "gecko-level-3", tasks, **{"is_whole": True, **known})


CLANG = task("toolchain-clang", "toolchain", GROUP, runs=(ran("completed", 76, 80, 130),))
LINUX = ran("completed", 131, 135, 260)
BUILD = task("build-linux64/opt", "build", "toolchain-clang", runs=(LINUX,))
WINDOWS = "build-win64/opt"
SIGNING = task("signing-win64/opt", "signing", WINDOWS)
FAILED = task("test-linux64/opt-1", "test", BUILD.task_id, runs=(ran("failed", 262, 270, 300),))
TESTED = task("test-linux64/opt-2", "test", BUILD.task_id, runs=(ran("completed", 262, 264, 310),))
TESTING = task("test-linux64/opt-3", "test", BUILD.task_id, runs=(ran("running", 262, 290),))
TESTS = (*(task(f"test-win64/opt-{number}", "test", WINDOWS) for number in range(1, 5)),)

BEGUN = decided(CLANG._replace(state="running", runs=(ran("running", 76, 80),)))
IN_THE_MIDDLE = decided(
    CLANG,
    BUILD,
    task(WINDOWS, "build", "toolchain-clang", runs=(ran("running", 131, 140),)),
    SIGNING,
    FAILED,
    TESTED,
    TESTING,
    *TESTS,
)
RETRIED = decided(
    CLANG,
    task(
        WINDOWS,
        "build",
        "toolchain-clang",
        runs=(
            ran("exception", 131, 140, 200, reason="claim-expired"),
            ran("pending", 201, number=1),
        ),
    ),
    SIGNING,
)
BLOCKED = decided(
    CLANG,
    task(WINDOWS, "build", "toolchain-clang", runs=(ran("failed", 131, 140, 200),)),
    SIGNING,
    *TESTS,
)
RESOLVED = decided(CLANG, BUILD, FAILED, TESTED, is_resolved=True, is_sealed=True)


def pictured(
    graph: Graph, width: int, height: int, *, at: int = 312, status: StreamStatus | None = STATUS
) -> list[str]:
    """Draw a moment, in seconds from the start, without colors."""
    scene = build_scene(graph, START + at, utc=True)
    return draw_graph(scene, status, width, height, color=False)


@functools.cache
def large(tasks: int, share: float) -> Scene:
    """Simulate a group up to a share of its events."""
    simulated = history(3, tasks, groups=1)
    count = round(share * len(simulated.deliveries))
    graph = simulated.graph(0, simulated.deliveries[:count])
    return build_scene(graph, START + 900)


def check(picture: list[str], width: int, height: int) -> None:
    """See that it fits: no wider, no higher, and nothing in it moves a cursor."""
    assert len(picture) <= height
    for line in picture:
        assert wcswidth(line) <= width, line
        assert not [one for one in line if unicodedata.category(one) in CONTROLS]


PICTURES = [
    (
        BEGUN,
        100,
        80,
        24,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   2 tasks   1 m 40 s
on its way: 1 of 2 done, about 50 s left
██████████████████████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓  ✔ 1  ▶ 1

✔ decision-task      1
  ✔ Gecko Decision Task  1 m 10 s   gecko-3/decision
▶ toolchain          1
  ▶ toolchain-clang  20 s   gecko-3/toolchain   us-east-1 i-77f0aa12

critical path 1 m 40 s   Gecko Decision Task 1 m 16 s → toolchain-clang 24 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends
""",
    ),
    (
        IN_THE_MIDDLE,
        312,
        80,
        24,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   12 tasks   5 m 12 s
failing: 1 failed, 2 running, about 1 m 08 s left
████████████████████▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖  ✔ 4  ▶ 2  ○ 5  ✖ 1

✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-ea… i-77f0aa12

✔ decision-task      1
  ✔ Gecko Decision Task  1 m 10 s   gecko-3/decision
✔ toolchain          1
  ✔ toolchain-clang  50 s   gecko-3/toolchain
▶ build              2  ✔ 1 ▶ 1
  ▶ build-win64/opt    2 m 52 s   gecko-3/build   us-east-1 i-77f0aa12
  ✔ build-linux64/opt  2 m 05 s   gecko-3/build
○ signing            1
  ○ signing-win64/opt  waits for build-win64/opt ▶   gecko-3/signing
▶ test               7  ✔ 1 ▶ 1 ○ 4 ✖ 1
  ▶ test-linux64/opt-3  22 s   gecko-3/test   us-east-1 i-77f0aa12
  ○ 4 × waits for build-win64/opt ▶: test-win64/opt-1, -2, -3, -4
  ✖ test-linux64/opt-1  30 s   gecko-3/test
  ✔ test-linux64/opt-2  46 s   gecko-3/test

critical path 5 m 12 s   … → toolchain-clang 55 s → build-win64/opt 3 m 01 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends
""",
    ),
    (
        IN_THE_MIDDLE,
        312,
        80,
        10,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   12 tasks   5 m 12 s
failing: 1 failed, 2 running, about 1 m 08 s left
████████████████████▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖  ✔ 4  ▶ 2  ○ 5  ✖ 1
✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-ea… i-77f0aa12
▶ build              2  ✔ 1 ▶ 1  build-win64/opt 2 m 52 s
○ signing            1  waits for build-win64/opt ▶
▶ test               7  ✔ 1 ▶ 1 ○ 4 ✖ 1  test-linux64/opt-3 22 s
… and 2 more kinds with 2 tasks
critical path 5 m 12 s   … → toolchain-clang 55 s → build-win64/opt 3 m 01 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends
""",
    ),
    (
        IN_THE_MIDDLE,
        312,
        80,
        6,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   12 tasks   5 m 12 s
failing: 1 failed, 2 running, about 1 m 08 s left
████████████████████▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖  ✔ 4  ▶ 2  ○ 5  ✖ 1
✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-ea… i-77f0aa12
critical path 5 m 12 s   … → toolchain-clang 55 s → build-win64/opt 3 m 01 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends
""",
    ),
    (
        IN_THE_MIDDLE,
        312,
        40,
        14,
        """\
fN1SbArXTPSVFNUvaOlinQ   12 tasks
failing: 1 failed, 2 running
██████▓▓▓░░░░░░░░░░✖  ✔ 4  ▶ 2  ○ 5  ✖ 1

✖ test-linux64/opt-1  run 0 failed afte…

✔ decision-task      1
✔ toolchain          1
▶ build              2  ✔ 1 ▶ 1  2 m 52…
○ signing            1  waits for build…
▶ test               7  ✔ 1 ▶ 1 ○ 4 ✖ 1…

critical path 5 m 12 s
● firefox-ci  412 events  last 0.2 s ago
""",
    ),
    (
        IN_THE_MIDDLE,
        312,
        120,
        24,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   12 tasks   began 18:00, 5 m 12 s ago
failing: 1 failed, 2 running, about 1 m 08 s left
████████████████████▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖  ✔ 4  ▶ 2  ○ 5  ✖ 1

✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-east-1 i-77f0aa12

✔ decision-task      1
  ✔ Gecko Decision Task  1 m 10 s   gecko-3/decision
✔ toolchain          1
  ✔ toolchain-clang  50 s   gecko-3/toolchain
▶ build              2  ✔ 1 ▶ 1
  ▶ build-win64/opt    2 m 52 s   gecko-3/build   us-east-1 i-77f0aa12
  ✔ build-linux64/opt  2 m 05 s   gecko-3/build
○ signing            1
  ○ signing-win64/opt  waits for build-win64/opt ▶   gecko-3/signing
▶ test               7  ✔ 1 ▶ 1 ○ 4 ✖ 1
  ▶ test-linux64/opt-3  22 s   gecko-3/test   us-east-1 i-77f0aa12
  ○ 4 × waits for build-win64/opt ▶: test-win64/opt-1, -2, -3, -4
  ✖ test-linux64/opt-1  30 s   gecko-3/test
  ✔ test-linux64/opt-2  46 s   gecko-3/test

critical path 5 m 12 s   Gecko Decision Task 1 m 16 s → toolchain-clang 55 s → build-win64/opt 3 m 01 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                                                    Ctrl-C ends
""",  # noqa: E501
    ),
    (
        IN_THE_MIDDLE,
        312,
        200,
        9,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   12 tasks   began 18:00, 5 m 12 s ago
failing: 1 failed, 2 running, about 1 m 08 s left
████████████████████▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖  ✔ 4  ▶ 2  ○ 5  ✖ 1
✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-east-1 i-77f0aa12
▶ build              2  ✔ 1 ▶ 1  build-win64/opt 2 m 52 s
▶ test               7  ✔ 1 ▶ 1 ○ 4 ✖ 1  test-linux64/opt-3 22 s
… and 3 more kinds with 3 tasks
critical path 5 m 12 s   Gecko Decision Task 1 m 16 s → toolchain-clang 55 s → build-win64/opt 3 m 01 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                                                                                                                                    Ctrl-C ends
""",  # noqa: E501
    ),
    (
        RETRIED,
        230,
        120,
        24,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   4 tasks   began 18:00, 3 m 50 s ago
waiting for machines: 1 task pending up to 29 s on gecko-3/build, none running
██████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░░░░░░  ✔ 2  ◷ 1  ○ 1

✔ decision-task      1
  ✔ Gecko Decision Task  1 m 10 s   gecko-3/decision
✔ toolchain          1
  ✔ toolchain-clang  50 s   gecko-3/toolchain
◷ build              1
  ◷ build-win64/opt  waits 29 s  after run 0 claim-expired   gecko-3/build
○ signing            1
  ○ signing-win64/opt  waits for build-win64/opt ◷   gecko-3/signing

critical path 3 m 50 s   Gecko Decision Task 1 m 16 s → toolchain-clang 55 s → build-win64/opt 1 m 39 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                                                    Ctrl-C ends
""",  # noqa: E501
    ),
    (
        BLOCKED,
        230,
        80,
        12,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   8 tasks   3 m 20 s
stuck: 5 tasks can never run; they wait for build-win64/opt, which failed
███████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░✖✖✖✖✖✖✖  ✔ 2  ○ 5  ✖ 1
✖ build-win64/opt  blocks 5   run 0 failed after 1 m 00 s   gecko-3/build
✔ decision-task      1
✔ toolchain          1
✖ build              1
○ signing            1  waits for build-win64/opt ✖
○ test               4  wait for build-win64/opt ✖

critical path 3 m 20 s   … → toolchain-clang 55 s → build-win64/opt 1 m 09 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends
""",
    ),
    (
        RESOLVED,
        900,
        120,
        24,
        """\
task group fN1SbArXTPSVFNUvaOlinQ   gecko-level-3   5 tasks   began 18:00, took 5 m 10 s   resolved   sealed
failed: 1 of 5 tasks failed, in 5 m 10 s
████████████████████████████████████████████████✖✖✖✖✖✖✖✖✖✖✖✖  ✔ 4  ✖ 1

✖ test-linux64/opt-1  run 0 failed after 30 s   gecko-3/test   us-east-1 i-77f0aa12

✔ decision-task      1
  ✔ Gecko Decision Task  1 m 10 s   gecko-3/decision
✔ toolchain          1
  ✔ toolchain-clang  50 s   gecko-3/toolchain
✔ build              1
  ✔ build-linux64/opt  2 m 05 s   gecko-3/build
✖ test               2  ✔ 1 ✖ 1
  ✖ test-linux64/opt-1  30 s   gecko-3/test
  ✔ test-linux64/opt-2  46 s   gecko-3/test

critical path 5 m 10 s   … → toolchain-clang 55 s → build-linux64/opt 2 m 11 s → test-linux64/opt-2 48 s
● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                                                    Ctrl-C ends
""",  # noqa: E501
    ),
]


@pytest.mark.parametrize(
    ("moment", "at", "width", "height", "picture"),
    PICTURES,
    ids=[
        "begun",
        "in the middle",
        "10 lines",
        "6 lines",
        "40 columns",
        "120 columns",
        "200 columns",
        "retried",
        "blocked",
        "resolved",
    ],
)
def test_a_small_group_looks_like_this(
    moment: Graph, at: int, width: int, height: int, picture: str
) -> None:
    """What went wrong, what runs and for how long, what waits and for what, the critical path."""
    assert pictured(moment, width, height, at=at) == picture.splitlines()
    check(picture.splitlines(), width, height)


def test_ten_thousand_tasks_fit_any_screen() -> None:
    """Folded by kind, a line each, with what is most worth knowing of it."""
    screens = [(80, 24), (40, 6), (200, 60), (120, 10)]
    for share, (width, height) in itertools.product([0.05, 0.6], screens):
        picture = draw_graph(large(10_000, share), STATUS, width, height, color=False)

        check(picture, width, height)
        assert "10,000 tasks" in picture[0], (share, width)
        assert picture[-1].startswith("● firefox-ci"), (share, width)


def test_ten_thousand_tasks_on_24_lines() -> None:
    """Every kind, how far it is, the worst failures, how many more, and the time left."""
    scene = large(10_000, 0.6)

    picture = draw_graph(scene, STATUS, 80, 24, color=False)

    text = "\n".join(picture)
    for kind, nodes in scene.kinds.items():
        assert any(kind in line and f" {len(nodes):,} " in f"{line} " for line in picture), kind
    for state in ("completed", "running", "failed"):
        assert f" {scene.graph.states[state]:,}" in picture[2]
    assert text.count("✖ test-") >= 3
    assert "more that went wrong" in text
    assert picture[1].startswith("known in part: 10,000 tasks announced")
    assert "critical path" in text


@given(
    st.integers(1, 250),
    st.integers(1, 70),
    st.sampled_from([40, 400]),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    st.booleans(),
)
def test_a_picture_fits_its_screen(
    width: int,
    height: int,
    tasks: int,
    share: float,
    is_live: bool,
) -> None:
    """No line is wider than the screen, and there are never more than asked for."""
    picture = draw_graph(
        large(tasks, share), STATUS if is_live else None, width, height, color=False
    )

    check(picture, width, height)
    assert picture


LABELS = [
    UNTRUSTED,
    WIDE,
    "x" * 10_000,
    "\x1b]8;;http://e.org\x1b\\" * 100,
    "",
    "[bold]",
    "🏳️‍🌈" * 30,
]


@pytest.mark.parametrize("name", LABELS, ids=range(len(LABELS)))
@pytest.mark.parametrize(("width", "height"), [(1, 1), (20, 24), (80, 24), (200, 60)])
def test_untrusted_names_cannot_break_the_picture(name: str, width: int, height: int) -> None:
    """Labels, kinds, pools, workers, reasons, states and ids are theirs to choose."""
    wrong = ran("failed", 1, 2, 3, reason=name)
    odd = Run(0, name, None, name, name, name, *(3 * [format_timestamp(START)]))
    nodes = [
        node(f"{name}{number}", *others, label=name, kind=kind, pool=name, runs=runs)
        for number, (others, kind, runs) in enumerate(
            [
                ((), name, (wrong,)),
                ((f"{name}0",), "build", ()),
                ((f"{name}0", name), "build", ()),
                ((), "build", (replace(ran("running", 1, 2), worker_id=name),)),
                ((), "", (odd,)),
            ]
        )
    ]
    made = graph(*nodes, group=name)

    check(pictured(made, width, height), width, height)


def test_columns_stay_columns_whatever_the_script() -> None:
    """Wide characters take two cells each."""
    made = decided(
        task(WIDE, "test", runs=(ran("running", 1, 2),)),
        task("窓", "test", runs=(ran("running", 1, 3),)),
        task("short", "test", runs=(ran("running", 1, 4),)),
    )

    picture = pictured(made, 64, 24)

    rows = [line for line in picture if line.startswith("  ▶")]
    assert len({wcswidth(row.partition("5 m ")[0]) for row in rows}) == 1
    assert sum("…" in row.partition("5 m ")[0] for row in rows) == 1  # what was cut off is marked
    assert len(rows) == 3


def test_a_label_is_cut_where_it_tells_least() -> None:
    """Chunks of a test differ at the end of their labels."""
    made = decided(
        *(
            task(
                f"test-{'linux' * 20}/opt-mochitest-{number}", "test", runs=(ran("running", 1, 2),)
            )
            for number in range(3)
        )
    )

    picture = pictured(made, 100, 24)

    for number in range(3):
        rows = [line for line in picture if line.startswith("  ▶")]
        assert sum(f"mochitest-{number} " in line for line in rows) == 1


def test_ascii_is_enough() -> None:
    """Where the terminal knows no other signs, ours are spelled."""
    picture = [to_ascii(line) for line in pictured(IN_THE_MIDDLE, 80, 24)]

    assert all(line.isascii() for line in picture), [row for row in picture if not row.isascii()]


def test_without_definitions_nothing_is_made_up() -> None:
    """What waits for what is then not known, and is not said to be."""
    nodes = (one._replace(dependencies=(), is_defined=False) for one in (CLANG, SIGNING))

    text = "\n".join(pictured(graph(*nodes, group=GROUP), 100, 24))

    assert "waits; dependencies unknown" in text
    assert "(dependencies unknown)" in text


def test_the_path_is_not_drawn_where_dependencies_are_unknown() -> None:
    """It would be a guess, even if those of other tasks are known."""
    unknown = TESTED._replace(dependencies=(), is_defined=False)

    assert path_of(decided(CLANG, BUILD), 120).startswith("critical path 4 m 20 s")
    assert path_of(decided(CLANG, BUILD, unknown), 120).startswith("critical path unknown")


def test_the_path_tells_apart_run_wait_and_the_deadline_of_another() -> None:
    """A task that ran for a minute is not to blame for the hour until its dependents' deadline."""
    lost = task(WINDOWS, "build", GROUP, runs=(ran("exception", 80, 380, 440),))
    late = task("test-win64/opt-1", "test", WINDOWS)
    never_ran = Run(
        0,
        "exception",
        reason_created="exception",
        reason_resolved="deadline-exceeded",
        scheduled=format_timestamp(START + 4000),
        resolved=format_timestamp(START + 4000),
    )

    path = path_of(decided(lost, late._replace(state="exception", runs=(never_ran,))), 200)

    assert path == (
        "critical path 1 h 06 m   Gecko Decision Task 1 m 20 s → build-win64/opt ran 1 m 00 s "
        "(waited 5 m 00 s for a worker, idle 59 m 20 s until the deadline of test-win64/opt-1)"
    )


def canceled(number: int, at: int = 720) -> Node:
    runs = (ran("exception", 1, 2, at + number % 7, reason="canceled"),)
    return task(f"test-linux/opt-{number}", "test", GROUP, runs=runs)


def test_equal_rows_are_one_row_with_chunks_in_natural_order() -> None:
    """What somebody has canceled is one event, not 57."""
    made = decided(*(canceled(number) for number in range(57, 0, -1)))

    (row,) = [line for line in pictured(made, 80, 24) if line.startswith("! ") and "×" in line]

    assert row.startswith("! 57 × canceled at 18:12: test-linux/opt-1, -2, -3, -4, ")
    assert row.endswith(" more")


def test_a_replay_shows_times_of_day() -> None:
    """Nothing in it is ago."""
    scene = build_scene(IN_THE_MIDDLE, START + 312, has_times=True, utc=True)

    picture = draw_graph(scene, None, 120, 24, color=False)

    assert picture[0].endswith("12 tasks   began 18:00, now 18:05")
    assert any("run 0 failed after 30 s at 18:05" in line for line in picture)


@given(
    st.sampled_from([40, 400]),
    st.sampled_from([0.1, 0.5, 0.9, 1.0]),
    st.integers(60, 200),
    st.integers(8, 40),
)
def test_what_is_left_out_agrees_with_the_counts(
    tasks: int, share: float, width: int, height: int
) -> None:
    """The rows of what went wrong, and how many more there are, are all of it; none is retried."""
    scene = large(tasks, share)
    wrong = sum(one.went_wrong for one in scene.graph.nodes.values())

    picture = draw_graph(scene, None, width, height, color=False)

    shown = more = 0
    for line in picture[3:]:
        if line.startswith("… and") and line.endswith("more that went wrong"):
            more += int(line.split()[2].replace(",", ""))
        elif re.match(r"[✖!] ", line) and not re.match(r"[✖!] \S+ +[0-9,]+( |$)", line):
            folded = re.match(r"[✖!] ([0-9,]+) × ", line)
            shown += int(folded[1].replace(",", "")) if folded else 1
    if shown + more:
        assert shown + more == wrong


def test_a_circle_is_told_and_ends_nothing() -> None:
    """In a graph file anything may stand."""
    made = decided(task("a", "x", "b"), task("b", "x", "a"), task("c", "y", "c", "gone"))

    picture = pictured(made, 80, 24)

    check(picture, 80, 24)
    assert any("a" in line and "waits for b" in line for line in picture)
    assert any("of another group" in line for line in picture)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (None, "waits for docker-image of another group"),
        (
            task("docker-image", "image", runs=(ran("running", 1, 2),)),
            "▶ running in another group",
        ),
        (task("docker-image", "image", runs=(ran("failed", 1, 2, 3),)), "✖ failed in another"),
        (task("docker-image", "image", "lost"), "in another group, which can never run"),
    ],
)
def test_a_dependency_in_another_group_says_how_it_is_doing(image: Node | None, text: str) -> None:
    """Its name, its state, and whether it can still complete, as far as it was asked for."""
    lost = task("lost", "image", runs=(ran("failed", 1, 2, 3),))
    known = {image.task_id: image, "lost": lost} if image else {}

    picture = pictured(decided(task("b", "build", "docker-image"), outside=known), 120, 30)

    assert any(text in line for line in picture)


def test_what_ended_at_once_has_an_order_too() -> None:
    """As the tasks of a group that was canceled, in whichever order we heard of them."""
    ended = [task(f"t{number}", "test", runs=(ran("failed", 1, 2, 190),)) for number in range(9)]

    assert pictured(decided(*ended), 80, 24) == pictured(decided(*reversed(ended)), 80, 24)


def test_names_on_the_path_are_shortened_before_steps_are_left_out() -> None:
    """Who took the time is told of as far as there is room, the last ones first."""
    image = task(
        "docker-image-ubuntu1804-test", "image", GROUP, runs=(ran("completed", 76, 78, 90),)
    )
    built = task(
        "build-android-arm64-shippable/opt",
        "build",
        image.task_id,
        runs=(ran("completed", 91, 95, 300),),
    )
    tested = task(
        "test-android-hw-p6/opt-mochitest-plain-1",
        "test",
        built.task_id,
        runs=(ran("failed", 301, 305, 400),),
    )
    made = decided(image, built, tested)

    chains = {width: path_of(made, width) for width in (60, 120, 200)}

    assert [chain.count("→") for chain in chains.values()] == [1, 3, 3]
    assert chains[60].startswith("critical path 6 m 40 s   … → ")
    assert built.label not in chains[120]
    assert built.label in chains[200]


def path_of(made: Graph, width: int) -> str:
    (line,) = [one for one in pictured(made, width, 30, at=400) if one.startswith("critical")]
    return line


def test_the_worst_failure_comes_first() -> None:
    """The one that most others wait for; behind it those that nobody waits for."""
    harmless = task("zzz", "lint", runs=(ran("failed", 1, 2, 190),))
    made = decided(*(one for one in BLOCKED.nodes.values()), harmless)

    picture = [line for line in pictured(made, 120, 30, at=230) if line.startswith("✖")]

    assert picture[0].startswith("✖ build-win64/opt  blocks 5   run 0 failed")
    assert " ".join(picture[1].split()).startswith("✖ zzz run 0 failed after 3 m 08 s")


ROOT = "https://firefox-ci-tc.services.mozilla.com"
LOG = f"{ROOT}/api/queue/v1/task/{GROUP}/runs/0/artifacts/public/logs/live.log"


def logged(width: int, height: int) -> list[str]:
    """Draw a group whose decision task failed, on a deployment whose address is known."""
    made = decided()
    failed = made.nodes[GROUP]._replace(state="failed", runs=(ran("failed", 0, 5, 75),))
    scene = build_scene(graph(failed, CLANG, group=GROUP), START + 90, ROOT, has_links=False)
    return draw_graph(scene, STATUS, width, height, color=False)


@pytest.mark.parametrize(("width", "height"), [(140, 24), (124, 40)])
def test_the_address_of_a_log_stands_below_its_failure(width: int, height: int) -> None:
    """Where there is room for all of it."""
    picture = logged(width, height)

    (place,) = (number for number, row in enumerate(picture) if row.startswith("✖ Gecko"))
    assert picture[place + 1] == f"  {LOG}"
    check(picture, width, height)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 24), (140, 8)])
def test_the_address_of_a_log_is_whole_or_not_there(width: int, height: int) -> None:
    """Half of one leads nowhere, and the figures go before it."""
    assert "artifacts" not in "\n".join(logged(width, height))


@pytest.mark.parametrize(
    ("width", "shown"), [(140, "error: no"), (170, "[task 2026-"), (60, "error")]
)
def test_the_end_of_a_log_is_below_its_address(width: int, shown: str) -> None:
    """With the time of each line where there is room, and safe for a terminal."""
    failed = decided().nodes[GROUP]._replace(state="failed", runs=(ran("failed", 0, 5, 75),))
    scene = build_scene(graph(failed, CLANG, group=GROUP), START + 90, ROOT, has_links=False)
    lines = ["[task 2026-11-23T18:00:00.123Z] error: no", UNTRUSTED * 100]
    scene = dataclasses.replace(scene, tails={(GROUP, 0): lines})

    picture = draw_graph(scene, STATUS, width, 24, color=False)

    check(picture, width, 24)
    (first, second) = [row for row in picture if row.startswith("  │ ")]
    assert first.startswith(f"  │ {shown}")
    assert second.startswith("  │ [red]x[/red]\\x1b[31m")


VERDICTS = [
    ("on its way: 8 of 60 done, about 6 m 57 s left", 40, "on its way: 8 of 60 done"),
    (
        "ended with exceptions: 2 of 214 (1 canceled, 1 deadline-exceeded), in 1 h",
        68,
        "ended with exceptions: 2 of 214 (1 canceled, 1 deadline-exceeded)",
    ),
    (
        "ended with exceptions: 2 of 214 (1 canceled, 1 deadline-exceeded), in 1 h",
        60,
        "ended with exceptions: 2 of 214",
    ),
    (
        "stuck: 5 tasks can never run; they wait for build/opt, which failed (deadline 18:40)",
        40,
        "stuck: 5 tasks can never run",
    ),
]


@pytest.mark.parametrize(("text", "width", "shown"), VERDICTS)
def test_a_verdict_loses_whole_clauses(text: str, width: int, shown: str) -> None:
    """A time that is cut would be another time."""
    scene = build_scene(IN_THE_MIDDLE, START + 312)
    scene = dataclasses.replace(scene, verdict=Verdict("running", text))

    assert format_verdict(scene, width).plain == shown
    assert format_verdict(scene, 250).plain == text


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 9)), st.integers(0, 30))
def test_a_kind_gets_two_rows_or_none(numbers: dict[str, int], room: int) -> None:
    """A line that only counts what is left out would say less than the kind's own line."""
    shown = share_rows(numbers, room)

    assert sum(shown.values()) <= room
    assert all(shown[name] <= number for name, number in numbers.items())
    assert all(shown[name] != 1 or number == 1 for name, number in numbers.items())
    assert sum(shown.values()) == sum(numbers.values()) or sum(shown.values()) >= min(
        room - 1, sum(numbers.values())
    )


def test_durations_of_a_kind_are_a_column() -> None:
    """So that the pools after them are one, too."""
    runs = (ran("completed", 0, 4, 130), ran("completed", 0, 4, 9))
    tasks = [task(f"test-{n}", "test", GROUP, runs=(run,)) for n, run in enumerate(runs)]

    picture = pictured(decided(*tasks), 120, 24)

    places = {line.index("   gecko") for line in picture if line.startswith("  ✔ test-")}
    assert len(places) == 1


@pytest.mark.parametrize("width", range(66, 140, 6))
def test_what_a_kind_waits_for_is_counted_to_the_end(width: int) -> None:
    """Names that have no room are counted; the last one is not cut at its end."""
    names = [f"test-linux1804-64/opt-mochitest-browser-chrome-{number}" for number in range(5)]
    tests = [task(name, "test", GROUP, runs=(ran("running", 90, 95),)) for name in names]
    after = [task(f"summary-{number}", "summary", *names) for number in range(2)]

    picture = pictured(decided(*tests, *after), width, 9)

    [row] = [line for line in picture if line.startswith("○ summary")]
    assert re.search(r"wait for test-.*chrome-0 ▶(, .*chrome-1 ▶ and 3| and 4) more$", row)


@given(st.lists(st.text("ab-/1日é👍", min_size=1, max_size=70), min_size=1), st.integers(40, 249))
def test_a_wider_screen_shows_no_less_of_a_name(names: list[str], width: int) -> None:
    """Of tasks in a group, in cells; pools and workers get what is left."""
    tests = [task(name, "test", runs=(ran("running", 0, 5),)) for name in names]
    scene = build_scene(decided(*tests), START + 60)
    rows = scene.kinds["test"].list_rows()

    narrow, wide = (format_rows(rows, scene, cells) for cells in (width, width + 1))

    for one, other in zip(narrow, wide, strict=True):
        room, more = (line.plain.index("  5") for line in (one, other))
        assert cell_len(one.plain[:room]) <= cell_len(other.plain[:more])
