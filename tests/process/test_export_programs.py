"""Task graphs for other programs, read by `dot` and written by `tcsniff graph`."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import OTHER_TASK, TASK
from export_samples import (
    FORMATS,
    GROUPS,
    ROOT,
    START,
    TEXT,
    UNTRUSTED,
    build_untrusted_graph,
    graph,
    node,
    simulated,
)
from running import finished
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.exports import dot
from tcsniff.taskgraph.exports import json as document


@pytest.mark.parametrize("name", FORMATS)
def test_graph_writes_what_it_has_followed(name):
    """In the end, instead of all else; the exit status is that of the group."""
    done = finished("graph", "--demo", "--seed", "7", "--format", name)
    summed = finished("graph", "--demo", "--seed", "7", "--json")

    summary = json.loads(summed.stdout.splitlines()[-1])["summary"]
    assert done.returncode == summed.returncode
    assert summary["taskGroupId"] in done.stdout
    wrong = [one["label"] for one in summary["wrong"]]
    assert {label for label in wrong if label not in done.stdout} == set()


# Graphviz.


def drawn(text, form):
    """Give what `dot` makes of a text; it must have nothing to complain of."""
    if shutil.which("dot") is None:
        reason = "left out, as it needs Graphviz: `apt-get install graphviz`"
        if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        ["dot", f"-T{form}"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


@pytest.mark.parametrize("group", GROUPS[:3])
def test_dot_reads_the_tasks_and_who_waits_for_whom(group):
    """As planned: an arrow from each dependency, dashed if its success is not needed."""
    known = simulated(*group)

    read = json.loads(drawn(dot.export_dot(known.graph, known.now, ROOT), "json0"))

    boxes = [one for one in read["objects"] if not one["name"].startswith("cluster")]
    names = {one["_gvid"]: one["name"] for one in boxes}
    arrows = {(names[one["tail"]], names[one["head"]]): one for one in read["edges"]}
    assert set(names.values()) == known.planned.keys()
    assert set(arrows) == known.arrows
    for (_, waiting), arrow in arrows.items():
        assert (arrow.get("style") == "dashed") is (
            known.planned[waiting].requires != "all-completed"
        )
    for box in boxes:
        state = known.graph.nodes[box["name"]].state
        assert box["label"].startswith(f"{known.planned[box['name']].label}\\n")
        assert state in box["label"]
        assert box["URL"] == f"{ROOT}/tasks/{box['name']}"


def test_dot_puts_each_kind_into_a_box():
    """Named for it."""
    known = simulated(*GROUPS[1])

    read = json.loads(drawn(dot.export_dot(known.graph, known.now), "json0"))

    kinds = {
        one["label"]: {read["objects"][place]["name"] for place in one["nodes"]}
        for one in read["objects"]
        if one["name"].startswith("cluster")
    }
    assert kinds == {
        kind: {name for name, task in known.planned.items() if task.kind == kind}
        for kind in {task.kind for task in known.planned.values()}
    }


def test_dot_has_the_critical_path_in_bold():
    """Its tasks, and the arrows between them."""
    known = simulated(7, 40, 1500)
    path = [
        step["taskId"]
        for step in json.loads(document.export_json(known.graph, known.now))["criticalPath"]
    ]

    read = json.loads(drawn(dot.export_dot(known.graph, known.now), "json0"))

    names = {one["_gvid"]: one["name"] for one in read["objects"]}
    bold = {one["name"] for one in read["objects"] if one.get("penwidth") == "3"}
    arrows = {
        (names[one["tail"]], names[one["head"]]) for one in read["edges"] if "penwidth" in one
    }
    assert len(path) > 3
    assert bold == set(path)
    assert arrows == set(itertools.pairwise(path)) & known.arrows


def written(svg):
    """Give the lines of text in a drawing; runs of spaces are kept by unbreakable ones."""
    texts = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314 - dot's own
    return ["".join(one.itertext()).replace("\xa0", " ") for one in texts]


def test_dot_draws_hostile_labels_as_they_are():
    """Quotes, backslashes, what looks like HTML or an entity, escapes: all of it is text."""
    lines = written(drawn(dot.export_dot(build_untrusted_graph(UNTRUSTED), START, ROOT), "svg"))

    missing = [label for label in UNTRUSTED if sanitize(label) not in lines]
    assert missing == []


@given(st.lists(TEXT, min_size=1, max_size=12))
def test_dot_draws_any_label_as_it_is(labels):
    """Each twice: in its task, and as the name of its kind."""
    lines = Counter(written(drawn(dot.export_dot(build_untrusted_graph(labels), START), "svg")))

    wanted = Counter(sanitize(label).replace("\xa0", " ") for label in labels if label)
    assert {text for text, number in wanted.items() if lines[text] < number} == set()


def test_dot_shows_what_is_of_another_group():
    """By its id; an id that is none gets a name that is no text of a stranger's."""
    strange = '"];x[\\'

    read = json.loads(
        drawn(
            dot.export_dot(graph(node(dependencies=(OTHER_TASK, strange))), START, ROOT), "json0"
        )
    )

    boxes = {one["name"]: one for one in read["objects"]}
    assert boxes[OTHER_TASK]["label"] == f"{OTHER_TASK}\\nof another group"
    assert boxes[OTHER_TASK]["URL"] == f"{ROOT}/tasks/{OTHER_TASK}"
    [other] = boxes.keys() - {TASK, OTHER_TASK} - {one for one in boxes if "cluster" in one}
    assert re.fullmatch(r"task \d", other)
    assert "URL" not in boxes[other]
    assert len(read["edges"]) == 2


def test_dot_draws_a_circle():
    """Tasks that wait for each other, and one that waits for itself."""
    first = node("a", TASK, (OTHER_TASK, TASK))
    second = node("b", OTHER_TASK, (TASK,))

    read = json.loads(drawn(dot.export_dot(graph(first, second), START), "json0"))

    assert len(read["edges"]) == 3
