"""The queue's REST API on a local port, with content for tests.

Routes, answers and paging follow ``services/queue/src/api.js`` of the taskcluster
repository at v106.0.0.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

import mohawk
import orjson

from tcsniff.messages.parts import STATES
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.planning import Plan, PlannedTask

_API = "/api/queue/v1"
_PAGE = 1000  # tasks, by default
ERROR_TEXT = "Client ID static/example does not have sufficient scopes\n\n---\n\n* method: x"
_TIME = "2026-11-23T18:00:00.000Z"

Json = dict[str, Any]


class Member(NamedTuple):
    """A task of a group, as ``listTaskGroup`` returns it."""

    status: Json
    task: Json


class Content(NamedTuple):
    """A task group; its members in the queue's order, by ID."""

    group: Json
    members: list[Member]

    def pages(self, size: int) -> list[Json]:
        """Format it as answers of ``listTaskGroup``."""
        starts = range(0, max(1, len(self.members)), size)
        return [self.page(start, size) for start in starts]

    def page(self, start: int, size: int) -> Json:
        """Format an answer of ``listTaskGroup``."""
        tasks = [member._asdict() for member in self.members[start : start + size]]
        answer = {**self.group, "tasks": tasks}
        if start + size < len(self.members):
            answer["continuationToken"] = f"token-{start + size}"
        return answer


def content(plan: Plan, deliveries: Iterable[Delivery] = ()) -> Content:
    """Create what the queue knows about a group after some of its messages were sent."""
    group: Json = {
        "taskGroupId": plan.task_group_id,
        "schedulerId": plan.scheduler_id,
        "expires": _TIME,
    }
    statuses: dict[str, Json] = {}
    for delivery in deliveries:
        payload = orjson.loads(delivery.body)
        status = payload.get("status")
        if status is None:
            if payload["taskGroupId"] == plan.task_group_id and "sealed" in payload:
                group["sealed"] = payload["sealed"]
        elif status["taskGroupId"] == plan.task_group_id:
            known = statuses.get(status["taskId"])
            if known is None or _age(status) >= _age(known):
                statuses[status["taskId"]] = status
    members = [
        Member(statuses.get(one.task_id) or _unscheduled(plan, one), definition(plan, one))
        for one in sorted(plan.tasks)
    ]
    return Content(group, members)


def list_runs(members: Iterable[Member], pool: str, state: str) -> list[Json]:
    """Format the pending or claimed tasks of a worker pool, the first ones first."""
    run_state, time = {
        "pending": ("pending", "scheduled"),
        "claimed": ("running", "started"),
    }[state]
    items = []
    for status, task in members:
        if status["taskQueueId"] == pool and status["state"] == run_state:
            run = status["runs"][-1]
            item = {"taskId": status["taskId"], "runId": run["runId"]}
            if state == "pending":
                item["inserted"] = run[time]
            else:
                worker = {name: run[name] for name in ("workerGroup", "workerId")}
                item |= {**worker, "claimed": run[time]}
            items.append({**item, "task": {**task, "deadline": status["deadline"]}})
    return sorted(items, key=lambda item: item.get("inserted") or item["claimed"])


def definition(plan: Plan, task: PlannedTask) -> Json:
    """Format a task as in its creation."""
    return {
        "provisionerId": task.provisioner_id,
        "workerType": task.worker_type,
        "taskQueueId": f"{task.provisioner_id}/{task.worker_type}",
        "schedulerId": plan.scheduler_id,
        "projectId": "none",
        "taskGroupId": plan.task_group_id,
        "dependencies": list(task.dependencies),
        "requires": task.requires,
        "routes": list(task.routes),
        "priority": task.priority,
        "retries": task.retries,
        "created": _TIME,
        "deadline": _TIME,
        "expires": _TIME,
        "scopes": [],
        "payload": {"maxRunTime": 3600},
        "metadata": {
            "name": task.label,
            "description": "Made up.",
            "owner": "dev@example.com",
            "source": "https://example.com",
        },
        "tags": dict(task.tags),
        "extra": {},
    }


def _age(status: Json) -> tuple[int, int]:
    return len(status["runs"]), STATES.index(status["state"])


def _unscheduled(plan: Plan, task: PlannedTask) -> Json:
    return {
        "taskId": task.task_id,
        "provisionerId": task.provisioner_id,
        "workerType": task.worker_type,
        "taskQueueId": f"{task.provisioner_id}/{task.worker_type}",
        "schedulerId": plan.scheduler_id,
        "projectId": "none",
        "taskGroupId": plan.task_group_id,
        "priority": task.priority,
        "deadline": _TIME,
        "expires": _TIME,
        "retriesLeft": task.retries,
        "state": "unscheduled",
        "runs": [],
    }


class QueueServer:
    """A server that listens inside its ``with`` block.

    Attributes:
        groups: What it knows, by the ids of groups; may be changed meanwhile.
        page_size: How many tasks it hands out at a time.
        delay: Seconds that it takes for an answer.
        status: What it refuses every request with; 0 to answer.
        error_text: The message of that refusal.
        failures: How many requests it still fails, with status 500.
        refusals: Statuses of the next answers, and how many seconds to wait.
        raw: What it answers instead of anything else; None to answer.
        headers: Headers of every answer, in addition to the usual ones.
        drip: Seconds between two bytes of an answer; 0 for all at once.
        tokens: Access tokens by client ID; if there are any, each request must be signed.
        certificates: What the signed requests had in addition, decoded.
        counts: Pending and claimed tasks of worker pools.
        refused_lists: Of the lists of a worker pool, ``pending`` and ``claimed``, those that
            the caller lacks the scope for.
        is_old: Whether it doesn't know newer calls.
        artifact_lists: Artifacts, by task and run.
        repeats_token: Whether its continuation token is always the same.
        overlap: How many tasks of a page come on the next one again.
        artifacts: Bodies of artifacts, by path; compressed, and behind a redirect.
        redirects: Where paths lead, other than to `artifacts`.
        requests: Paths of the requests that came, in order.
        authorizations: The header of that name of each; empty for none.
        received_headers: All headers of each.
    """

    def __init__(
        self,
        *contents: Content,
        page_size: int = _PAGE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.groups = {one.group["taskGroupId"]: one for one in contents}
        self.page_size = page_size
        self.delay = 0.0
        self.status = 0
        self.error_text = ERROR_TEXT
        self.failures = 0
        self.refusals: list[tuple[int, str]] = []
        self.drip = 0.0
        self.tokens: dict[str, str] = {}
        self.certificates: list[Json | None] = []
        self.counts: dict[str, tuple[int, int]] = {}
        self.refused_lists: set[str] = set()
        self.is_old = False
        self.artifact_lists: dict[tuple[str, int], list[Json]] = {}
        self.raw: bytes | None = None
        self.headers: Mapping[str, str] = {}
        self.repeats_token = False
        self.overlap = 0
        self.artifacts: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        self.received_headers: list[Mapping[str, str]] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.behind = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Its root URL."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        """Return the HTTP status and the body of the answer to a request."""
        self.requests.append(path)
        self.authorizations.append(authorization)
        if self.delay:
            self.released.wait(self.delay)
        refused = self._refuse(path, authorization)
        if refused is not None:
            return refused
        if path in self.redirects:
            return 303, b""
        if (body := self.artifacts.get(path.removeprefix("/storage"))) is not None:
            return (200, gzip.compress(body)) if path.startswith("/storage") else (303, b"")
        found = self._found(path)
        if found is None:
            return 404, _failure("ResourceNotFound", f"{path} does not exist\n\n---\n\n* more")
        return 200, json.dumps(found).encode()  # also what is not valid

    def _refuse(self, path: str, authorization: str) -> tuple[int, bytes] | None:
        if self.failures:
            self.failures -= 1
            return 500, _failure("InternalServerError", "Internal Server Error")
        if self.raw is not None:
            return self.status or 200, self.raw
        if self.status:
            return self.status, _failure("InsufficientScopes", self.error_text)
        if any(path.partition("?")[0].endswith(f"/{name}") for name in self.refused_lists):
            return 403, _failure("InsufficientScopes", self.error_text)
        if self.tokens and (reason := self._check_signature(path, authorization)):
            return 401, _failure("AuthenticationFailed", reason)
        return None

    def _check_signature(self, path: str, authorization: str) -> str:
        # Return what is wrong with it.
        def find_client(name: str) -> Json:
            return {"id": name, "key": self.tokens[name], "algorithm": "sha256"}

        try:
            receiver = mohawk.Receiver(
                find_client,
                authorization,
                self.url + path,
                "GET",
                content="",
                content_type="",
                accept_untrusted_content=True,
            )
        except (mohawk.exc.HawkFail, KeyError) as error:
            return f"Unauthorized: {error}"
        ext = receiver.parsed_header.get("ext")
        self.certificates.append(ext and orjson.loads(base64.urlsafe_b64decode(ext)))
        return ""

    def _found(self, path: str) -> Json | None:
        parts = urlsplit(path)
        words = parts.path.removeprefix(_API).strip("/").split("/")
        match words:
            case ["task-group", name, "list"] if name in self.groups:
                return self._listed(self.groups[name], parse_qs(parts.query))
            case ["task-group", name] if name in self.groups:
                return self.groups[name].group
            case ["task", name]:
                member = self._member(name)
                return member and member.task
            case ["task", name, "status"]:
                member = self._member(name)
                return member and {"status": member.status}
        return self._found_elsewhere(words, parse_qs(parts.query))

    def _found_elsewhere(self, words: list[str], query: Mapping[str, list[str]]) -> Json | None:
        match words:
            case ["task-queues" | "pending", *_]:
                return self._found_pool(words, query)
            case ["task", name, "dependents"] if self._member(name):
                return self._dependents(name, query)
            case ["task", name, "runs", run, "artifacts"]:
                return self._artifacts(name, int(run), query)
            case ["task", name, "artifacts"]:
                runs = [run for task, run in self.artifact_lists if task == name]
                return self._artifacts(name, max(runs, default=0), query)
        return None

    def _found_pool(self, words: list[str], query: Mapping[str, list[str]]) -> Json | None:
        match words:
            case ["task-queues", name, "counts"] if not self.is_old:
                return self._counted(unquote(name))
            case ["task-queues", name, "pending" | "claimed" as state] if not self.is_old:
                return self._listed_runs(unquote(name), state, query)
            case ["pending", name]:
                counted = self._counted(unquote(name))
                return {key: value for key, value in counted.items() if key != "claimedTasks"}
        return None

    def _dependents(self, task_id: str, query: Mapping[str, list[str]]) -> Json:
        members = [
            member._asdict()
            for group in self.groups.values()
            for member in group.members
            if task_id in member.task["dependencies"]
        ]
        start = int(query.get("continuationToken", ["0"])[0])
        answer: Json = {"taskId": task_id, "tasks": members[start : start + self.page_size]}
        if start + self.page_size < len(members):
            answer["continuationToken"] = str(start + self.page_size)
        return answer

    def _counted(self, pool: str) -> Json:
        provisioner_id, _, worker_type = pool.partition("/")
        pending, claimed = self.counts.get(pool, (0, 0))
        return {
            "provisionerId": provisioner_id,
            "workerType": worker_type,
            "taskQueueId": pool,
            "pendingTasks": pending,
            "claimedTasks": claimed,
        }

    def _listed_runs(self, pool: str, state: str, query: Mapping[str, list[str]]) -> Json:
        members = (member for group in self.groups.values() for member in group.members)
        items = list_runs(members, pool, state)
        start = int(query.get("continuationToken", ["0"])[0])
        answer: Json = {"tasks": items[start : start + self.page_size]}
        if start + self.page_size < len(items):
            answer["continuationToken"] = str(start + self.page_size)
        return answer

    def _artifacts(self, task_id: str, run: int, query: Mapping[str, list[str]]) -> Json | None:
        artifacts = self.artifact_lists.get((task_id, run))
        if artifacts is None:
            return None
        start = int(query.get("continuationToken", ["0"])[0])
        answer: Json = {"artifacts": artifacts[start : start + self.page_size]}
        if start + self.page_size < len(artifacts):
            answer["continuationToken"] = str(start + self.page_size)
        return answer

    def _listed(self, group: Content, query: Mapping[str, list[str]]) -> Json:
        size = min(int(query.get("limit", ["1000"])[0]), self.page_size)
        token = query.get("continuationToken", ["token-0"])[0]
        start = int(token.removeprefix("token-"))
        answer = group.page(start, size)
        if self.repeats_token:
            answer["continuationToken"] = "token-0"
        elif self.overlap and "continuationToken" in answer:
            answer["continuationToken"] = f"token-{start + size - self.overlap}"
        return answer

    def _member(self, task_id: str) -> Member | None:
        members = (member for group in self.groups.values() for member in group.members)
        return next((one for one in members if one.status["taskId"] == task_id), None)


def _failure(code: str, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": message, "requestInfo": {}})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    behind: QueueServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnected while they had to wait."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise each answer waits 40 ms for a delayed ACK
    server: _Server

    def do_GET(self) -> None:
        behind = self.server.behind
        behind.received_headers.append(self.headers)
        status, body = behind.answer(self.path, self.headers.get("Authorization", ""))
        wait = ""
        if behind.refusals:
            status, wait = behind.refusals.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if wait:
            self.send_header("Retry-After", wait)
        if status == 303 and behind.raw is None:
            target = behind.redirects.get(self.path, f"/storage{self.path}")
            self.send_header("Location", target)
        if self.path.startswith("/storage"):
            self.send_header("Content-Encoding", "gzip")
        for name, value in behind.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(body)

    def _send(self, body: bytes) -> None:
        behind = self.server.behind
        if not behind.drip:
            self.wfile.write(body)
            return
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            if behind.released.wait(behind.drip):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Write no log."""
