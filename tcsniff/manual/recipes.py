"""What people do with tcsniff, as lines for a shell. The README tells of them at length.

Pure.
"""

from __future__ import annotations

from tcsniff.manual.blocks import Block, Example, Heading, Prose

_INTRODUCTION = """A recording, here yesterday.jsonl, is what `-o json` or `--record` has
    written. What works on one works live too: leave `--from` out."""

RECIPES = {
    "Record, see it at the same time, and look at it again later": r"""
tcsniff --all --count 1000 --record today.jsonl.gz --output lines
tcsniff --from today.jsonl.gz --state failed,exception --output lines
gzip -dc today.jsonl.gz | tcsniff --from - --worker-type gaia \
  --columns time,lag,event,task
""",
    "Count what failed, by label": r"""
tcsniff --from yesterday.jsonl task-failed --dedupe |
  jq -r '.payload.task.tags.label' | sort | uniq -c | sort -rn | head
""",
    "Find all runs of a day whose worker went away; count their worker types": r"""
tcsniff --from yesterday.jsonl task-exception --reason claim-expired \
  --dedupe \
  --where "time >= '2026-11-23' && time < '2026-11-24'" \
  --select "join(' ', [time, routing.taskId, routing.runId,
            routing.workerType, routing.workerId])" -r > lost.txt
cut -d ' ' -f 4 lost.txt | sort | uniq -c | sort -rn
""",
    "How long after it happened did we hear of it, at worst?": r"""
tcsniff --from yesterday.jsonl --where "lag" \
  --select "[lag, event, routing.taskId]" |
  jq -sc 'sort_by(-.[0])[:5][]'
""",
    "Wait for a task in a shell script": r"""
task=fN1SbArXTPSVFNUvaOlinQ
status=0
tcsniff --task "$task" --quiet --select "event" -r \
  --until "event=='task-completed'" \
  --fail-on "event=='task-failed' ||
             event=='task-exception' && payload.status.state=='exception'" \
  --timeout 1h || status=$?
case $status in
  0) echo "$task is completed" ;;
  10) echo "$task went wrong" ;;
  124) echo "$task is not done after an hour" ;;
  *) echo "could not listen: status $status" ;;
esac
""",
}
"""What for, and the lines; each stands in the README too, perhaps broken elsewhere."""


def recipes() -> list[Block]:
    """Tell all of them."""
    told: list[Block] = [Prose(_INTRODUCTION)]
    for title, lines in RECIPES.items():
        told += [Heading(title), Example(lines)]
    return told
