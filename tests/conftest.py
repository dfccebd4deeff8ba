"""The broker that tests of several files share."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from kombu.connection import Connection

from rabbitmq import ADMIN, RabbitMQ, Taskcluster, program, release
from running import PATIENCE

os.environ["TCSNIFF_CONFIG"] = "-"  # whoever runs the tests may have settings of their own

LEFT_OUT = (
    "tests that need a RabbitMQ were left out; to have them: apt-get install rabbitmq-server"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Give what was left out for want of a broker one place, hence one line in the summary."""
    report = yield
    if report.skipped and LEFT_OUT in str(report.longrepr):
        report.longrepr = (__file__, None, LEFT_OUT)
    return report


def pytest_make_parametrize_id(val: object) -> str | None:
    """Give functions an ID without their address, which differs between processes."""
    return getattr(val, "__name__", None) if callable(val) else None


@pytest.fixture(autouse=True)
def end_of_questions() -> Iterator[None]:
    """Wait for questions to the queue's API that a test has given up on.

    Taskcluster's client tries again in a thread of its own, after a pause by
    `random`, which Hypothesis does not want to be used beside its tests.
    """
    yield
    for thread in threading.enumerate():
        if thread.name in ("queue API", "fetch"):
            thread.join(PATIENCE)


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Start the one server of the session at its first use; tests take `rabbitmq`."""
    if program() is None:
        _leave_out()
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        with Connection(server.url(*ADMIN)) as connection:
            Taskcluster(connection).declare()
        yield server


@pytest.fixture
def rabbitmq(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    """Give a server that runs and knows Taskcluster's exchanges in the vhost ``/``.

    A test may stop, kill or pause it; the next test finds it running again.
    """
    rabbitmq_server.start()
    return rabbitmq_server


@pytest.fixture
def admin(rabbitmq: RabbitMQ) -> Iterator[Connection]:
    """Connect as guest, who may do everything, to the vhost ``/``."""
    connection = Connection(rabbitmq.url(*ADMIN))
    connection.connect()
    yield connection
    release(connection)


@pytest.fixture
def taskcluster(rabbitmq: RabbitMQ) -> Iterator[Taskcluster]:
    """Publish as Taskcluster does, over a connection of its own."""
    connection = Connection(rabbitmq.url(*ADMIN))
    connection.connect()
    yield Taskcluster(connection)
    release(connection)


def _leave_out() -> None:
    # A skip is for people without a broker at hand; where everything has to run, it is an error.
    if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
        pytest.fail(LEFT_OUT)
    pytest.skip(LEFT_OUT)
