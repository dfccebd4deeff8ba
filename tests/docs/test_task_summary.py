"""The topic about the summary of a task has the fields that are printed."""

from __future__ import annotations

from builders import TASK, delivery
from man.blocks import Heading, Terms, parse_topic
from tcsniff.commands.help_format import list_topics
from tcsniff.taskgraph.named_tasks import NamedTasks
from tcsniff.taskgraph.summary import summarize_change
from tcsniff.taskgraph.task_summary import summarize_task

ROOT = "https://tc.example.com"


def read_fields(title: str) -> list[str]:
    """Return the names of the fields under a heading."""
    _, blocks = parse_topic(list_topics()["task-summary"])
    place = next(
        place
        for place, block in enumerate(blocks)
        if isinstance(block, Heading) and block.text == title
    )
    terms = blocks[place + 1]
    assert isinstance(terms, Terms)
    return list(terms.rows)


def test_the_fields_of_a_summary_are_those_of_the_topic() -> None:
    """In the order in which they are printed."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-failed"))

    summary = summarize_task(tasks.tell_story(TASK, 0), 0, ROOT, [])

    assert list(summary) == read_fields("A SUMMARY")


def test_the_fields_of_a_change_are_those_of_the_topic() -> None:
    """Including those that are left out where there is nothing to say."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-running"))
    retried = tasks.apply(delivery("task-exception", retried=True))
    failed = NamedTasks([TASK]).apply(delivery("task-failed"))
    assert retried is not None
    assert failed is not None

    changes = [summarize_change(change, None, ROOT) or {} for change in (failed, retried)]

    assert list(dict.fromkeys([*changes[0], *changes[1]])) == read_fields("A CHANGE")
