"""IDs and addresses as people paste them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, TASK
from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import Address, find_address, find_root_url, parse_address
from tcsniff.pulse.urls import (
    build_artifact_url,
    build_group_url,
    build_log_url,
    build_messages_url,
    build_run_url,
    build_task_url,
)

ROOT = "https://firefox-ci-tc.services.mozilla.com"
DASHED = "-N1SbArXTPSVFNUvaOlinQ"
ENCODED = f"https%3A%2F%2Ffirefox-ci-tc.services.mozilla.com%2Ftasks%2F{TASK}"

slug_ids = st.from_regex(
    r"\A[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]\Z"
)
roots = st.sampled_from(
    [ROOT, "http://localhost:8080", "https://[::1]:5080", "https://tc.example/deployment"]
)
runs = st.integers(0, 50)


@given(slug_ids, slug_ids, roots, runs)
def test_every_address_that_tcsniff_prints_is_read(task, group, root, run):
    """Pages of tasks, runs and groups, logs and artifacts, of any deployment."""
    assert find_address(build_task_url(root, task)) == Address(task, "task", None, root)
    assert find_address(build_run_url(root, task, run)) == Address(task, "task", run, root)
    assert find_address(build_log_url(root, task, run)) == Address(task, "task", run, root)
    assert find_address(build_group_url(root, group)) == Address(group, "group", None, root)
    assert find_address(build_artifact_url(root, task, run, "public/a.zip")) == Address(
        task, "task", run, root
    )


@given(slug_ids)
def test_an_id_alone_may_be_a_task_or_a_group(slug_id):
    """Only the queue knows which; IDs that start with a hyphen are IDs, too."""
    assert find_address(slug_id) == Address(slug_id)


@pytest.mark.parametrize(
    ("text", "run", "root"),
    [
        (f"{ROOT}/tasks/{TASK}/", None, ROOT),
        (f"{ROOT}/tasks/{TASK}#artifacts", None, ROOT),
        (f"{ROOT}/tasks/{TASK}?x=1", None, ROOT),
        (f"{ROOT}//tasks//{TASK}", None, ROOT),
        (f"{ROOT}/tasks/{TASK}/definition", None, ROOT),
        (f"{ROOT}/tasks/{TASK}/connect", None, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/1/", 1, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/2/logs/live/public/logs/live.log#L12", 2, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/0/logs/https%3A%2F%2Fx%2Fapi%2Fqueue%2Fv1%2Ftask", 0, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/0/public%2Fbuild%2Ftarget.zip", 0, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/abc", None, ROOT),
        (f"{ROOT}/tasks/{TASK}/runs/1001", None, ROOT),
        (f"{ROOT}/api/queue/v1/task/{TASK}", None, ROOT),
        (f"{ROOT}/api/queue/v1/task/{TASK}/status", None, ROOT),
        (f"{ROOT}/api/queue/v1/task/{TASK}/artifacts/public/a", None, ROOT),
        (f"{ROOT}/api/web-server/v1/task/{TASK}/profile", None, ROOT),
        (f"HTTPS://Firefox-CI-TC.services.mozilla.com/tasks/{TASK}", None, ROOT),
        (f"https://user:secret@tc.example/tasks/{TASK}", None, "https://tc.example"),
        (f"firefox-ci-tc.services.mozilla.com/tasks/{TASK}", None, ROOT),
        (f"tc.example:8080/tasks/{TASK}", None, "https://tc.example:8080"),
        (f"/tasks/{TASK}/runs/1", 1, None),
        (f"tasks/{TASK}", None, None),
        (f"{TASK}/0", 0, None),
        (f"{TASK}.12", 12, None),
        (f"{TASK}/runs/3", 3, None),
        (f"https://firefoxci.taskcluster-artifacts.net/{TASK}/1/public/a.json", 1, ROOT),
        (f"https://other.taskcluster-artifacts.net/{TASK}/1/public/a.json", 1, None),
        (ENCODED, None, ROOT),
        (f"https://www.google.com/url?q={ENCODED}&sa=D", None, ROOT),
        (f"https://out.example/?u={ENCODED.replace('%', '%25')}", None, ROOT),
        (f"  <{ROOT}/tasks/{TASK}>\n", None, ROOT),
        (f"“{ROOT}/tasks/{TASK}”,", None, ROOT),
        (f"[the task]({ROOT}/tasks/{TASK}).", None, ROOT),
        (f"failed: {ROOT}/tasks/{TASK} (again)", None, ROOT),
    ],
)
def test_addresses_of_tasks(text, run, root):
    """Pages, API calls, stored artifacts, other people's links, and what was copied around."""
    assert find_address(text) == Address(TASK, "task", run, root)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        (f"{ROOT}/tasks/groups/{GROUP}#mochitest", ROOT),
        (f"({ROOT}/tasks/groups/{GROUP})", ROOT),
        (f"{ROOT}/api/queue/v1/task-group/{GROUP}/list?limit=5", ROOT),
        (f"{ROOT}/api/web-server/v1/task-group/{GROUP}/profile", ROOT),
        (
            "https://profiler.firefox.com/from-url/https%3A%2F%2Ftc.example%2Fapi%2Fweb-server"
            f"%2Fv1%2Ftask-group%2F{GROUP}%2Fprofile/flame-graph",
            "https://tc.example",
        ),
        (f"/tasks/groups/{GROUP}", None),
    ],
)
def test_addresses_of_groups(text, root):
    """The page, the API, and the page that Taskcluster opens in the profiler."""
    assert find_address(text) == Address(GROUP, "group", None, root)


@pytest.mark.parametrize("text", [f" {TASK}\n", f"`{TASK}`", f"'{TASK}',", f"**{TASK}**"])
def test_what_was_copied_with_an_id_is_ignored(text):
    """Quotes, brackets, spaces, and the punctuation of a sentence."""
    assert find_address(text) == Address(TASK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "failed",
        "queue/task-running",
        f"task-defined:task-id={TASK}",
        f"{TASK}x",
        f"x{TASK}",
        TASK[:-1],
        f"{ROOT}/tasks/{TASK}x",
        f"{ROOT}/tasks/create",
        f"{ROOT}/tasks/index/gecko.v2",
        f"{ROOT}/{TASK}",
        build_messages_url(ROOT, []),
        "https://",
        "/" * 3999,
        "https://h" * 400,
        "tasks/" * 600,
        "%25" * 1300,
        "a." * 1900,
        f"{ROOT}/tasks/{TASK}" + "x" * 4000,
    ],
)
def test_other_texts_are_no_addresses_and_take_no_time(text):
    """Events, other pages, longer words; a long one is looked at in milliseconds."""
    start = time.process_time()

    assert find_address(text) is None
    assert time.process_time() - start < 5  # 0.1 s; minutes if the patterns backtracked


def test_an_error_says_what_is_expected():
    """An ID's form, or an address's."""
    with pytest.raises(UsageError, match=r"'abc' is not a task ID \(22 characters, like f"):
        parse_address("abc", "task")
    with pytest.raises(UsageError, match=r"https://x\.y/z is not the address of a task or task g"):
        parse_address("https://x.y/z")
    assert parse_address(TASK).slug_id == TASK


def test_every_page_names_a_deployment():
    """A page, a stored artifact, the page for messages; an ID names none."""
    assert find_root_url(f"<{ROOT}/tasks/{TASK}>") == ROOT
    assert find_root_url(f"{ROOT}/pulse-messages?x") == ROOT
    assert find_root_url(f"https://firefoxci.taskcluster-artifacts.net/{TASK}/1/a") == ROOT
    assert find_root_url(TASK) is None
    assert find_root_url("failed") is None
    assert find_address(DASHED) == Address(DASHED)
