"""Markers, Hypothesis profiles, and the broker that tests share."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from kombu.connection import Connection

from rabbitmq import ADMIN, RabbitMQ, Taskcluster, program, release
from running import NO_NETWORK, PATIENCE

os.environ.update(NO_NETWORK)
os.environ["TCSNIFF_CONFIG"] = "-"  # ignore the settings of the person who runs the tests
# A shell starts `make test &` with Ctrl-C ignored, and so would all programs that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

pytest_plugins = ["shared_fixtures"]

TESTS = Path(__file__).parent
MARKED_FOLDERS = {"process", "broker", "docs"}
NO_BROKER = "tests that need RabbitMQ are skipped; to run them: apt-get install rabbitmq-server"

# `make test` asks for `--hypothesis-profile=thorough`. No test fails because the machine is busy.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _PATIENT, max_examples=5, derandomize=True)
settings.register_profile(
    "thorough", _PATIENT, max_examples=100, derandomize=True, print_blob=True
)
settings.load_profile("fast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and whatever uses RabbitMQ with `broker`."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        markers = MARKED_FOLDERS & {folder}
        if "rabbitmq_server" in getattr(item, "fixturenames", ()):
            markers.add("broker")
        for marker in sorted(markers):
            item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Let the garbage collector run rarely; it took a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Give all tests that are skipped without RabbitMQ one line in the summary."""
    report = yield
    if report.skipped and NO_BROKER in str(report.longrepr):
        report.longrepr = (__file__, None, NO_BROKER)
    return report


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return the ID of a parameter: a function's name, without its address; words as words."""
    if callable(val):
        return getattr(val, "__name__", None)
    if isinstance(val, list | tuple) and all(isinstance(word, str) for word in val):
        return " ".join(val)[:60]
    return None


@pytest.fixture(autouse=True)
def await_api_threads() -> Iterator[None]:
    """Wait for requests to the queue's API that a test has abandoned.

    Taskcluster's client retries in a thread, after a pause that `random` gives,
    and Hypothesis does not allow `random` to be used in parallel to its tests.
    """
    yield
    for thread in threading.enumerate():
        if thread.name in ("queue API", "fetch"):
            thread.join(PATIENCE)


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Start the server of this process (of each xdist worker) when it is first used.

    Tests use `rabbitmq`.
    """
    if program() is None:
        _skip_without_broker()
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        with Connection(server.url(*ADMIN)) as connection:
            Taskcluster(connection).declare()
        yield server


@pytest.fixture
def rabbitmq(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    """Return a running server that has Taskcluster's exchanges in the vhost ``/``.

    A test may stop, kill or pause it; the next test finds it running again.
    """
    rabbitmq_server.start()
    return rabbitmq_server


@pytest.fixture
def admin(rabbitmq: RabbitMQ) -> Iterator[Connection]:
    """Connect to the vhost ``/`` as guest, who has all permissions."""
    connection = Connection(rabbitmq.url(*ADMIN))
    connection.connect()
    yield connection
    release(connection)


@pytest.fixture
def taskcluster(rabbitmq: RabbitMQ) -> Iterator[Taskcluster]:
    """Publish as Taskcluster does, over a separate connection."""
    connection = Connection(rabbitmq.url(*ADMIN))
    connection.connect()
    yield Taskcluster(connection)
    release(connection)


def _skip_without_broker() -> None:
    if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
        pytest.fail(NO_BROKER)
    pytest.skip(NO_BROKER)
