"""Made-up task graphs that resemble those of Firefox.

Pure. A graph has a decision task, images and toolchains for builds, builds, tests in
chunks, signing, uploads and a summary of each build's tests. In addition, it has tasks
of two old kinds, gaia and b2g, without dependencies.
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
    """A task to be defined.

    Attributes:
        task_id: Task ID.
        label: Name, also in the tag ``label`` except for decision tasks.
        kind: Kind, such as ``build`` or ``decision-task``.
        dependencies: IDs of tasks of the same group.
        provisioner_id: First half of the worker pool.
        worker_type: Second half of the worker pool.
        duration: Usual duration of a run, in seconds.
        routes: Routes without ``route.``.
        tags: Names and values, in the order of messages.
        requires: ``all-completed`` or ``all-resolved``.
        priority: One of `messages.PRIORITIES`.
        retries: Maximum number of retries by the queue.
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
    """A task group to be created.

    Attributes:
        task_group_id: Task group ID, also the decision task's ID.
        scheduler_id: Scheduler ID of all tasks.
        tasks: The decision task, then the others, each after its dependencies.
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
    (platform, build_type) for build_type in ("opt", "debug") for platform in _PLATFORMS
)  # the first, linux64/opt, is built in every group
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
# Free text: these punctuation marks have no meaning in a routing key.
_SUBSCRIPTIONS = (
    "notify.email.dev+try@example.com.on-failed",
    "notify.matrix-room.!gBxblkbeeBSadzOniu:mozilla.org.on-resolved",
    "notify.irc-channel.#sheriffs.on-failed",
    "project.example.coverage",
)
_SUBSCRIBED = 0.06  # share of tasks with one of these
_SUMMARY = "test-summary"  # runs when all tests are resolved, also failed ones
_RETRIES = {"gaia": 0, "b2g": 0}  # so that some exceptions are final
# Minimum and maximum duration of a run in seconds, by kind.
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
_TASKS_PER_BUILD = 14  # approximate number of tasks for each build
_FIXED_TASKS_PER_BUILD = 4  # build, signing, upload and summary


def plan_group(random: Random, *, tasks: int) -> Plan:
    """Return a made-up task group.

    Args:
        random: Source of randomness; the same state gives the same group.
        tasks: Number of tasks; below 20 it is approximate, as every group has a build
            with its tests, signing, upload and summary.
    """
    author = random.choice(_AUTHORS)
    revision = f"{random.getrandbits(160):040x}"
    name, level = random.choice(_PROJECTS)
    builder = _GroupBuilder(random, _Project(name, level, revision, author))
    decision = builder.add_decision_task()
    gaia = builder.add_old_tasks("gaia", _GAIA, 2 + tasks // 30)
    b2g = builder.add_old_tasks("b2g", _PHONES, 1 + tasks // 40)
    images = [builder.add_image(name, decision) for name in _IMAGES[: 1 + tasks // 40]]
    toolchains = [
        builder.add_toolchain(name, random.choice(images))
        for name in _TOOLCHAINS[: 1 + tasks // 30]
    ]
    remaining = tasks - 1 - len(gaia) - len(b2g) - len(images) - len(toolchains)
    variants = _VARIANTS[: max(1, remaining // _TASKS_PER_BUILD)]
    tests = max(1, remaining - _FIXED_TASKS_PER_BUILD * len(variants))
    for number, (platform, build_type) in enumerate(variants):
        share = (tests + number) // len(variants)
        builder.add_build(platform, build_type, (images[-1], random.choice(toolchains)), share)
    return Plan(decision, f"gecko-level-{level}", tuple(builder.tasks))


class _GroupBuilder:
    """A task graph under construction; methods return the IDs of the tasks that they add."""

    def __init__(self, random: Random, project: _Project) -> None:
        self.tasks: list[PlannedTask] = []
        self._random = random
        self._project = project

    def add_decision_task(self) -> str:
        name, level, revision, author = self._project
        task = PlannedTask(
            task_id=draw_slug_id(self._random),
            label="Gecko Decision Task",
            kind="decision-task",
            dependencies=(),
            provisioner_id=f"gecko-{level}",
            worker_type="decision",
            duration=self._draw_duration("decision-task"),
            routes=(
                self._treeherder_route,
                f"index.gecko.v2.{name}.revision.{revision}.taskgraph.decision",
            ),
            tags=(("createdForUser", author), ("kind", "decision-task")),
            priority="very-low",
        )
        self.tasks.append(task)
        return task.task_id

    def add_old_tasks(self, kind: str, names: tuple[str, ...], count: int) -> list[str]:
        pool = f"aws-provisioner/{kind}"
        labels = (
            f"{kind}-{names[number % len(names)]}-{number // len(names) + 1}"
            for number in range(count)
        )
        return [self._add_task(label, kind, pool, ()) for label in labels]

    def add_image(self, name: str, decision: str) -> str:
        return self._add_task(
            f"docker-image-{name}", "docker-image", self._trusted_pool, (decision,)
        )

    def add_toolchain(self, name: str, image: str) -> str:
        pool = f"gecko-{self._project.level}/b-linux-docker"
        return self._add_task(f"toolchain-linux64-{name}", "toolchain", pool, (image,))

    def add_build(
        self, platform: _Platform, build_type: str, needs: tuple[str, ...], tests: int
    ) -> None:
        name = f"{platform.name}/{build_type}"
        pool = f"gecko-{self._project.level}/{platform.builder}"
        system = platform.system
        routes = self._list_index_routes(f"firefox.{platform.name}-{build_type}")
        built = self._add_task(f"build-{name}", "build", pool, needs, system=system, routes=routes)
        signed = self._add_task(
            f"build-signing-{name}", "build-signing", self._trusted_pool, (built,)
        )
        self._add_task(f"upload-{name}", "upload", self._trusted_pool, (signed,))
        tested = tuple(self._add_tests(platform, build_type, built, tests))
        self._add_task(f"test-summary-{name}", _SUMMARY, self._trusted_pool, tested or (built,))

    def _add_tests(
        self, platform: _Platform, build_type: str, built: str, count: int
    ) -> Iterator[str]:
        suites = self._random.sample(_SUITES, len(_SUITES))
        for number in range(count):
            suite = suites[number % len(suites)]
            on = f"{platform.tested_on}/{build_type}"
            yield self._add_task(
                f"test-{on}-{suite}-{number // len(suites) + 1}",
                "test",
                f"gecko-t/{platform.tester}",
                (built,),
                system=platform.system,
                more_tags=(("test-suite", suite), ("test-platform", on)),
            )

    def _add_task(
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
            task_id=draw_slug_id(self._random),
            label=label,
            kind=kind,
            dependencies=dependencies,
            provisioner_id=provisioner_id,
            worker_type=worker_type,
            duration=self._draw_duration(kind),
            routes=(self._treeherder_route, *routes, *subscription),
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
    def _trusted_pool(self) -> str:
        return f"gecko-{self._project.level}/images-gcp"

    @property
    def _treeherder_route(self) -> str:
        return f"tc-treeherder.v2.{self._project.name}.{self._project.revision}"

    def _list_index_routes(self, name: str) -> tuple[str, ...]:
        project = f"index.gecko.v2.{self._project.name}"
        revision = self._project.revision
        return f"{project}.revision.{revision}.{name}", f"{project}.latest.{name}"

    def _draw_duration(self, kind: str) -> float:
        return self._random.uniform(*_DURATIONS[kind])


def draw_slug_id(random: Random) -> str:
    """Return a random ID, a version 4 UUID as in Taskcluster; some begin with a hyphen."""
    random_uuid = uuid.UUID(int=random.getrandbits(128), version=4)
    return base64.urlsafe_b64encode(random_uuid.bytes).decode().rstrip("=")


def to_definitions(plan: Plan) -> tuple[Definition, ...]:
    """Return the definitions of the tasks of a group."""
    return tuple(
        Definition(
            task.task_id,
            task.label,
            task.kind,
            task.dependencies,
            task.requires,
            f"{task.provisioner_id}/{task.worker_type}",
            task.priority,
            task.routes,
        )
        for task in plan.tasks
    )


def format_task_graph(plans: Iterable[Plan]) -> bytes:
    """Return task groups in the form of one ``task-graph.json``, with their decision tasks."""
    return orjson.dumps(
        {task.task_id: entry for plan in plans for task, entry in _build_entries(plan)},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def _build_entries(plan: Plan) -> Iterator[tuple[PlannedTask, dict[str, object]]]:
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
                "dependencies": {labels[task_id]: task_id for task_id in task.dependencies},
                "soft_dependencies": (),
                "task": definition,
                "task_id": task.task_id,
            },
        )
