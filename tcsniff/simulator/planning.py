"""Made-up task graphs, in the manner of Firefox's.

Pure. A decision task, the images and toolchains that builds need, builds, their
tests in chunks, signing, upload and a summary of each build's tests; besides,
two kinds of the old days (gaia and b2g) that wait for nobody.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

import orjson

from tcsniff.taskgraph.definitions import Definition


class PlannedTask(NamedTuple):
    """A task as the decision task would create it.

    Attributes:
        task_id: Its slug id.
        label: What people call it; also its tag ``label``, if it has that.
        kind: What it is for, such as ``build``; the decision task's is
            ``decision-task``.
        dependencies: Ids of the tasks of the same group that it waits for.
        provisioner_id: First half of its worker pool.
        worker_type: Second half of its worker pool.
        duration: How long a run of it usually takes, in seconds.
        routes: Where its messages are CC'ed to, without ``route.``.
        tags: Names and values, in the order in which messages have them.
        requires: ``all-completed`` if only success of its dependencies will
            do, else ``all-resolved``.
        priority: One of Taskcluster's seven, such as ``low``.
        retries: How often the queue itself may run it again.
    """

    task_id: str
    label: str
    kind: str
    dependencies: tuple[str, ...]
    provisioner_id: str
    worker_type: str
    duration: float
    routes: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    requires: str = "all-completed"
    priority: str = "low"
    retries: int = 5


class Plan(NamedTuple):
    """A task group as it will be created.

    Attributes:
        task_group_id: Its id, which is also the decision task's.
        scheduler_id: The scheduler that all of its tasks name.
        tasks: The decision task, then the others, each behind the tasks that
            it depends on.
    """

    task_group_id: str
    scheduler_id: str
    tasks: tuple[PlannedTask, ...]


class _Platform(NamedTuple):
    name: str
    tested_on: str
    system: str
    builder: str
    tester: str


class _Project(NamedTuple):
    name: str
    level: int
    revision: str
    author: str


_PLATFORMS = (
    _Platform("linux64", "linux1804-64", "linux", "b-linux-docker", "t-linux-docker"),
    _Platform("win64", "windows11-64-24h2", "windows", "b-win2022", "t-win11-64-24h2"),
    _Platform("macosx64", "macosx1500-aarch64", "macosx", "b-osx-1015", "t-osx-1500-m4"),
    _Platform("android-arm64", "android-hw-p6", "android", "b-linux-docker", "t-bitbar-p6"),
)
_VARIANTS = tuple(
    (platform, flavour) for flavour in ("opt", "debug") for platform in _PLATFORMS
)  # linux64/opt comes first, so it is built in every group
_SUITES = (
    "mochitest-plain",
    "mochitest-browser-chrome",
    "web-platform-tests",
    "xpcshell",
    "reftest",
    "crashtest",
    "marionette",
    "talos",
)
_IMAGES = ("debian12-base", "ubuntu1804-test", "android-build")
_TOOLCHAINS = ("clang-18", "rust-1.80", "node-20", "sccache", "cbindgen")
_GAIA = ("unit", "build", "integration", "linter", "python-integration")
_PHONES = ("emulator-kk", "flame-kk", "nexus-5-l", "dolphin")
_PROJECTS = (("try", 1), ("autoland", 3), ("mozilla-central", 3))
_AUTHORS = ("dev@example.com", "sheriff@example.com", "ana.silva@example.org")
# Free text: none of these signs means anything in a routing key.
_SUBSCRIPTIONS = (
    "notify.email.dev+try@example.com.on-failed",
    "notify.matrix-room.!gBxblkbeeBSadzOniu:mozilla.org.on-resolved",
    "notify.irc-channel.#sheriffs.on-failed",
    "project.example.coverage",
)
_SUBSCRIBED = 0.06  # share of tasks that name one of these
_SUMMARY = "test-summary"  # of failures too, so it waits for tests to end, not to succeed
_RETRIES = {"gaia": 0, "b2g": 0}  # so that an exception is final now and then
# In seconds: least and most that a run of a kind usually takes.
_DURATIONS = {
    "decision-task": (20, 90),
    "docker-image": (60, 120),
    "toolchain": (90, 300),
    "build": (300, 950),
    "test": (90, 600),
    "build-signing": (40, 90),
    "upload": (20, 60),
    _SUMMARY: (10, 30),
    "gaia": (40, 240),
    "b2g": (120, 480),
}
_TASKS_A_BUILD = 14  # about how many tasks there are for each build
_AROUND_A_BUILD = 4  # itself, signing, upload and summary


def plan_group(random: Random, *, tasks: int) -> Plan:
    """Make a task group up.

    Args:
        random: Where chance comes from; the same state makes the same group.
        tasks: About how many tasks it is to have; exactly, from 20 on. No
            graph is smaller than one build with all that belongs to it.
    """
    author = random.choice(_AUTHORS)
    revision = f"{random.getrandbits(160):040x}"
    name, level = random.choice(_PROJECTS)
    made = _Graph(random, _Project(name, level, revision, author))
    decision = made.decide()
    gaia = made.old_days("gaia", _GAIA, 2 + tasks // 30)
    b2g = made.old_days("b2g", _PHONES, 1 + tasks // 40)
    images = [made.image(name, decision) for name in _IMAGES[: 1 + tasks // 40]]
    toolchains = [
        made.toolchain(name, random.choice(images)) for name in _TOOLCHAINS[: 1 + tasks // 30]
    ]
    left = tasks - 1 - len(gaia) - len(b2g) - len(images) - len(toolchains)
    variants = _VARIANTS[: max(1, left // _TASKS_A_BUILD)]
    tests = max(1, left - _AROUND_A_BUILD * len(variants))
    for number, (platform, flavour) in enumerate(variants):
        share = (tests + number) // len(variants)
        made.build(platform, flavour, (images[-1], random.choice(toolchains)), share)
    return Plan(decision, f"gecko-level-{level}", tuple(made.tasks))


class _Graph:
    """A task graph as it grows; its methods return the ids of what they add."""

    def __init__(self, random: Random, project: _Project) -> None:
        self.tasks: list[PlannedTask] = []
        self._random = random
        self._project = project

    def decide(self) -> str:
        name, level, revision, author = self._project
        task = PlannedTask(
            task_id=self._slug_id(),
            label="Gecko Decision Task",
            kind="decision-task",
            dependencies=(),
            provisioner_id=f"gecko-{level}",
            worker_type="decision",
            duration=self._duration("decision-task"),
            routes=(
                self._treeherder,
                f"index.gecko.v2.{name}.revision.{revision}.taskgraph.decision",
            ),
            tags=(("createdForUser", author), ("kind", "decision-task")),
            priority="very-low",
        )
        self.tasks.append(task)
        return task.task_id

    def old_days(self, kind: str, names: tuple[str, ...], count: int) -> list[str]:
        pool = f"aws-provisioner/{kind}"
        labels = (
            f"{kind}-{names[number % len(names)]}-{number // len(names) + 1}"
            for number in range(count)
        )
        return [self._add(label, kind, pool, ()) for label in labels]

    def image(self, name: str, decision: str) -> str:
        return self._add(f"docker-image-{name}", "docker-image", self._trusted, (decision,))

    def toolchain(self, name: str, image: str) -> str:
        pool = f"gecko-{self._project.level}/b-linux-docker"
        return self._add(f"toolchain-linux64-{name}", "toolchain", pool, (image,))

    def build(self, platform: _Platform, flavour: str, needs: tuple[str, ...], tests: int) -> None:
        name = f"{platform.name}/{flavour}"
        pool = f"gecko-{self._project.level}/{platform.builder}"
        system = platform.system
        routes = self._index(f"firefox.{platform.name}-{flavour}")
        built = self._add(f"build-{name}", "build", pool, needs, system=system, routes=routes)
        signed = self._add(f"build-signing-{name}", "build-signing", self._trusted, (built,))
        self._add(f"upload-{name}", "upload", self._trusted, (signed,))
        tested = tuple(self._tests(platform, flavour, built, tests))
        self._add(f"test-summary-{name}", _SUMMARY, self._trusted, tested or (built,))

    def _tests(self, platform: _Platform, flavour: str, built: str, count: int) -> Iterator[str]:
        suites = self._random.sample(_SUITES, len(_SUITES))
        for number in range(count):
            suite = suites[number % len(suites)]
            on = f"{platform.tested_on}/{flavour}"
            yield self._add(
                f"test-{on}-{suite}-{number // len(suites) + 1}",
                "test",
                f"gecko-t/{platform.tester}",
                (built,),
                system=platform.system,
                more_tags=(("test-suite", suite), ("test-platform", on)),
            )

    def _add(
        self,
        label: str,
        kind: str,
        pool: str,
        dependencies: tuple[str, ...],
        *,
        system: str = "linux",
        routes: tuple[str, ...] = (),
        more_tags: tuple[tuple[str, str], ...] = (),
    ) -> str:
        provisioner_id, worker_type = pool.split("/")
        subscription: tuple[str, ...] = ()
        if self._random.random() < _SUBSCRIBED:
            subscription = (self._random.choice(_SUBSCRIPTIONS),)
        task = PlannedTask(
            task_id=self._slug_id(),
            label=label,
            kind=kind,
            dependencies=dependencies,
            provisioner_id=provisioner_id,
            worker_type=worker_type,
            duration=self._duration(kind),
            routes=(self._treeherder, *routes, *subscription),
            tags=(
                ("createdForUser", self._project.author),
                ("kind", kind),
                ("label", label),
                ("project", self._project.name),
                ("trust-domain", "gecko"),
                ("retrigger", "true"),
                ("os", system),
                ("worker-implementation", "generic-worker"),
                *more_tags,
            ),
            requires="all-resolved" if kind == _SUMMARY else "all-completed",
            retries=_RETRIES.get(kind, 5),
        )
        self.tasks.append(task)
        return task.task_id

    @property
    def _trusted(self) -> str:
        return f"gecko-{self._project.level}/images-gcp"

    @property
    def _treeherder(self) -> str:
        return f"tc-treeherder.v2.{self._project.name}.{self._project.revision}"

    def _index(self, name: str) -> tuple[str, ...]:
        project = f"index.gecko.v2.{self._project.name}"
        revision = self._project.revision
        return f"{project}.revision.{revision}.{name}", f"{project}.latest.{name}"

    def _duration(self, kind: str) -> float:
        return self._random.uniform(*_DURATIONS[kind])

    def _slug_id(self) -> str:
        # Version 4 UUIDs, as Taskcluster's own: both "nice" ones, whose first
        # letter is no hyphen, and others.
        made = uuid.UUID(int=self._random.getrandbits(128), version=4)
        return base64.urlsafe_b64encode(made.bytes).decode().rstrip("=")


def to_definitions(plan: Plan) -> tuple[Definition, ...]:
    """Tell what the tasks of a made-up group are created as."""
    return tuple(
        Definition(
            task.task_id,
            task.label,
            task.kind,
            task.dependencies,
            task.requires,
            f"{task.provisioner_id}/{task.worker_type}",
        )
        for task in plan.tasks
    )


def format_task_graph(plans: Iterable[Plan]) -> bytes:
    """Word task groups as ``task-graph.json`` does, all in one; the decision tasks among them."""
    return orjson.dumps(
        {task.task_id: entry for plan in plans for task, entry in _entries(plan)},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def _entries(plan: Plan) -> Iterator[tuple[PlannedTask, dict[str, object]]]:
    labels = {task.task_id: task.label for task in plan.tasks}
    for task in plan.tasks:
        definition = {
            "provisionerId": task.provisioner_id,
            "workerType": task.worker_type,
            "taskQueueId": f"{task.provisioner_id}/{task.worker_type}",
            "dependencies": task.dependencies,
            "requires": task.requires,
            "priority": task.priority,
            "retries": task.retries,
            "routes": task.routes,
            "tags": dict(task.tags),
            "metadata": {"name": task.label},
        }
        yield (
            task,
            {
                "kind": task.kind,
                "label": task.label,
                "attributes": {"kind": task.kind},
                "dependencies": {labels[one]: one for one in task.dependencies},
                "soft_dependencies": (),
                "task": definition,
                "task_id": task.task_id,
            },
        )
