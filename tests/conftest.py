"""The broker that tests of several files share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from kombu.connection import Connection
from rabbitmq import ADMIN, RabbitMQ, Taskcluster, program, release


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Start the one server of the session at its first use; tests take `rabbitmq`."""
    if program() is None:
        _leave_out("tests that need a RabbitMQ left out: `apt-get install rabbitmq-server`")
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


def _leave_out(reason: str) -> None:
    # Skips are for people without a broker at hand; where everything has to run, it is an error.
    if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
