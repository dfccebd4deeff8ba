"""A web server as a source: failures, gaps, large and broken messages, and speed."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import pytest
from websockets.frames import Frame, Opcode

import tcsniff
from running import PATIENCE
from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, UsageError
from tcsniff.pipeline import ConnectionObserver
from tcsniff.selection.bind import bind
from tcsniff.selection.select import Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.web_server import WebServer as Target
from tcsniff.sources.websocket import WebListener
from web_server import BOTH, FRAMES, GRAPHQL, WebServer, report_problem, respond

QUEUE = "exchange/taskcluster-queue/v1/"
KEY = "primary.fN1SbArXTPSVFNUvaOlinQ.0.us.i-1.aws.gaia.sched.fN1SbArXTPSVFNUvaOlinQ._"
FAILED = bind("task-failed")


class Observer(ConnectionObserver):
    """Remembers what it is told."""

    def __init__(self):
        self.texts, self.gaps, self.gap_arrived = [], [], threading.Event()

    def notify(self, text):
        self.texts.append(text)

    def add_gap(self, gap):
        self.gaps.append(gap)
        self.gap_arrived.set()


@contextmanager
def listening(server, selection=FAILED, **more):
    """Listen to a server; yields the listener, its observer, and a function that waits."""
    observer = Observer()
    listener = WebListener(Target(server.root_url), selection, observer=observer, **more)
    with listener:
        batches = listener.batches()
        received = []

        def receive(number):
            deadline = time.monotonic() + PATIENCE
            while len(received) < number:
                assert time.monotonic() < deadline, (len(received), observer.texts)
                received.extend(next(batches))
            return received

        yield listener, observer, receive


def publish(server, number, **more):
    return server.publish(QUEUE + "task-failed", KEY, {"number": number, **more})


def numbers(deliveries):
    return [json.loads(delivery.body)["number"] for delivery in deliveries]


@pytest.mark.parametrize("paths", [[FRAMES], [GRAPHQL]])
@pytest.mark.parametrize(
    ("code", "close", "words"),
    [
        ("InsufficientScopes", 4403, "gives the scope web:read-pulse only to clients"),
        ("AuthenticationFailed", 4401, "refused the credentials"),
    ],
)
def test_a_refusal_is_explained(paths, code, close, words):
    """By both protocols."""
    with (
        WebServer(paths, on_hello=report_problem(code, "oh dear", close)) as server,
        pytest.raises(Refused, match=words),
        listening(server),
    ):
        pass


@pytest.mark.parametrize(
    ("close", "status", "words"),
    [
        (4400, 3, "the server did not understand tcsniff, oh dear (close code 4400)"),
        (4401, 4, "refused the credentials"),
        (4403, 4, "web:read-pulse"),
        (1011, 3, "internal error of the server, oh dear (close code 1011)"),
        (1013, 3, "the server is overloaded"),
        (4999, 3, "closed by the server, oh dear (close code 4999)"),
    ],
)
def test_close_codes_are_explained(close, status, words):
    """Also without an error before them."""
    with (
        WebServer(on_hello=lambda client: client.close(close, "oh dear")) as server,
        pytest.raises(TcsniffError) as raised,
        listening(server),
    ):
        pass

    assert raised.value.exit_status == status
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (respond(404), 3, "HTTP status 404, so it has no Taskcluster web server"),
        (respond(403), 4, "HTTP status 403"),
        (respond(503), 3, "HTTP status 503; try again later"),
        (respond(301, Location="https://else.example/"), 3, "redirects to https://else.example/"),
    ],
    ids=["404", "403", "503", "301"],
)
def test_a_refused_handshake_is_explained(answer, status, words):
    """After both protocols were tried; a redirect is not followed, as credentials are sent."""
    with (
        WebServer(on_request=lambda _: answer) as server,
        pytest.raises(TcsniffError) as raised,
        listening(server),
    ):
        pass

    assert server.requested == [FRAMES, GRAPHQL]
    assert raised.value.exit_status == status
    assert words in str(raised.value)


@pytest.mark.parametrize("paths", [[FRAMES], [GRAPHQL]])
def test_an_exchange_that_flags_selected_may_be_missing(paths):
    """It is left out with a message, and the others are received."""
    selection = Selection(
        (*FAILED.clauses, *bind("exchange/nobody/here").clauses),
        optional=frozenset(["exchange/nobody/here"]),
    )
    with WebServer(paths) as server, listening(server, selection) as (listener, observer, receive):
        receive(0)
        threading.Thread(
            target=lambda: server.subscribed() and publish(server, 1), daemon=True
        ).start()

        assert numbers(receive(1)) == [1]

    assert listener.missing_exchanges == ["exchange/nobody/here"]
    assert "has no exchange 'exchange/nobody/here'; it is left out" in observer.texts[0]


@pytest.mark.parametrize("code", [None, 1001, 1012, 4408])
def test_a_lost_connection_is_restored_and_the_gap_reported(code):
    """By the protocol that worked before; the gap covers what was missed."""
    with (
        WebServer([GRAPHQL]) as server,
        listening(server, settle=0.01) as (_listener, observer, receive),
    ):
        (first,) = server.subscribed()
        publish(server, 1)
        receive(1)
        before = time.time()
        if code is None:
            server.cut()
        else:
            server.close(code)
        server.gone(first)
        after = time.time()
        assert publish(server, 2) == 0

        pump = threading.Thread(target=lambda: (server.connected(2), publish(server, 3)))
        pump.start()
        deliveries = receive(2)
        pump.join()

    assert numbers(deliveries) == [1, 3]
    assert server.requested == [FRAMES, GRAPHQL, GRAPHQL]
    (gap,) = observer.gaps
    assert gap.missed
    assert gap.since <= timestamp(before)
    assert gap.until >= timestamp(after)
    assert len(observer.texts) == 1
    assert observer.texts[0].endswith("; trying again")


def timestamp(seconds):
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        + f".{int(seconds % 1 * 1000):03}Z"
    )


def test_the_gap_covers_every_message_that_is_missing():
    """Publishing goes on meanwhile, and each message has the time when it was published."""
    published, stop = {}, threading.Event()
    with (
        WebServer() as server,
        listening(server, settle=0.01) as (_listener, observer, receive),
    ):
        (first,) = server.subscribed()

        def publish_on():
            while not stop.wait(0.002):
                number = len(published)
                published[number] = timestamp(time.time())
                publish(server, number)

        pump = threading.Thread(target=publish_on)
        pump.start()
        receive(100)
        server.cut()
        server.gone(first)
        while not observer.gap_arrived.is_set():
            receive(len(receive(0)) + 1)
        before_end = len(receive(0))
        deliveries = receive(before_end + 100)
        stop.set()
        pump.join()

    received = numbers(deliveries)
    missing = set(range(received[-1])) - set(received)
    (gap,) = observer.gaps
    assert missing
    assert received == sorted(received)
    assert all(gap.since <= published[number] <= gap.until for number in missing)


def test_a_second_connection_takes_over_without_a_gap():
    """Before the server's limit; what arrives over both is received once."""
    with (
        WebServer() as server,
        listening(server, life=0.3, overlap=0.3) as (_listener, observer, receive),
    ):
        count = 0
        while server.opened < 4:  # three new connections took over
            count += bool(publish(server, count))
            receive(count)
        deliveries = receive(count)

    assert numbers(deliveries) == list(range(count))
    assert observer.gaps == []


def test_a_refusal_after_a_lost_connection_ends_the_run():
    """No further attempt can succeed."""
    with WebServer() as server, listening(server) as (_, _observer, receive):
        server.subscribed()
        server._on_hello = report_problem("InsufficientScopes", "no more", 4403)  # noqa: SLF001
        server.cut()

        with pytest.raises(Refused, match="web:read-pulse"):
            receive(1)


def test_large_messages_are_skipped():
    """With their exchange and size; the connection and the messages around them stay."""
    with (
        WebServer() as server,
        listening(server, max_body=1000) as (_, observer, receive),
    ):
        publish(server, 1)
        publish(server, 2, text="x" * 2_000)  # small enough for the frame
        publish(server, 3, text="x" * 3_000_000)
        publish(server, 4)

        assert numbers(receive(2)) == [1, 4]

    (near, far) = observer.texts
    assert near.startswith("skipped a message of 2,0")
    assert far.startswith("skipped a message of 3,000,")
    for text in observer.texts:
        assert f"on {QUEUE}task-failed ({KEY}); --max-size allows 1,000" in text
    assert observer.gaps == []


def test_a_message_in_dripping_frames_is_received():
    """One byte at a time, in several frames, with a ping between them."""
    with WebServer([FRAMES]) as server, listening(server) as (_, _observer, receive):
        (subscription,) = server.subscribed()
        text = json.dumps(
            {
                "type": "data",
                "subscriptionId": subscription.id,
                "message": {
                    "payload": {"number": 1},
                    "exchange": QUEUE + "task-failed",
                    "routingKey": KEY,
                },
            }
        ).encode()
        data = (
            Frame(Opcode.TEXT, text[:20], fin=False).serialize(mask=False)
            + Frame(Opcode.PING, b"p").serialize(mask=False)
            + Frame(Opcode.CONT, text[20:]).serialize(mask=False)
        )
        sock = subscription.connection.socket

        def drip():
            for byte in data:
                sock.sendall(bytes([byte]))

        pump = threading.Thread(target=drip)
        pump.start()
        assert numbers(receive(1)) == [1]
        pump.join()


@pytest.mark.parametrize(
    "text", [b'{"type":"data","message":{"\xff', b"nonsense", b'{"type":"data"}']
)
def test_what_is_not_a_message_is_reported(text):
    """It may have been one, so it counts as a gap; the connection stays."""
    with WebServer([FRAMES]) as server, listening(server) as (_, observer, receive):
        (subscription,) = server.subscribed()
        subscription.connection.send(text, text=True)
        publish(server, 2)

        assert numbers(receive(1)) == [2]

    assert f"skipped {len(text)} bytes from {server.root_url}" in observer.texts[0]
    assert observer.gaps[0].missed


def test_wrong_utf_8_in_a_payload_is_kept():
    """The message is shown as one that cannot be decoded."""
    with WebServer([FRAMES]) as server, listening(server) as (_, observer, receive):
        (subscription,) = server.subscribed()
        subscription.connection.send(
            b'{"type":"data","subscriptionId":"%b","message":{"payload":{"a":"\xff"},'
            b'"exchange":"exchange/x","routingKey":"a"}}' % subscription.id.encode(),
            text=True,
        )

        assert receive(1)[0].body == b'{"a":"\xff"}'

    assert (observer.texts, observer.gaps) == ([], [])


def test_nothing_is_lost_or_reordered_at_full_speed():
    """20,000 messages, over a connection that carries as much as it can."""
    count = 20_000
    with WebServer() as server, listening(server) as (_, observer, receive):
        pump = threading.Thread(
            target=lambda: [publish(server, number) for number in range(count)]
        )
        pump.start()
        deliveries = receive(count)
        pump.join()

    assert numbers(deliveries) == list(range(count))
    assert observer.gaps == []


def test_a_caller_that_is_busy_stays_connected(monkeypatch):
    """Meanwhile a thread answers pings, and reads no more than fits into its buffer."""
    monkeypatch.setattr("tcsniff.sources.websocket._KEEP_ALIVE", 0.01)
    monkeypatch.setattr("tcsniff.sources.websocket._MAX_BUFFER", 50_000)
    with WebServer() as server, listening(server) as (listener, _, receive):
        (subscription,) = server.subscribed()
        receive(0)

        assert subscription.connection.ping().wait(PATIENCE)
        pump = threading.Thread(
            target=lambda: [publish(server, n, text="x" * 10_000) for n in range(2_000)]
        )
        pump.start()
        subscription.connection.ping()  # the thread has read what came before
        held = listener._bytes  # noqa: SLF001
        deliveries = receive(2_000)
        pump.join()

    assert numbers(deliveries) == list(range(2_000))
    assert held < 50_000 + (1 << 18) + 10_000


@pytest.mark.parametrize("paths", [BOTH, [GRAPHQL]])
def test_stop_ends_a_wait_at_once(paths):
    """Also one that has hours to go."""
    with WebServer(paths) as server, listening(server, max_wait=3600) as (listener, _, _receive):
        batches = listener.batches()
        next(batches)
        threading.Timer(0.1, listener.stop).start()

        assert [one for batch in batches for one in batch] == []


def test_merged_bindings_are_checked_on_arrival():
    """More than 100 bindings are asked for as one, and others' messages are dropped."""
    types = [f"w{number}" for number in range(150)]
    selection = build_selection(SelectionArgs(["task-failed"], {"workerType": types}))
    with WebServer() as server, listening(server, selection) as (listener, _, receive):
        (subscription,) = server.subscribed()
        publish(server, 0)
        server.publish(QUEUE + "task-failed", KEY.replace("gaia", "w149"), {"number": 1})

        assert numbers(receive(1)) == [1]

    assert len(subscription.bindings) == 1
    assert listener.unselected == 1
    assert "150 are merged into 1" in listener.describe_merging()


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    """Status 3, after a time limit."""
    monkeypatch.setattr("tcsniff.sources.websocket.OPEN_TIMEOUT", 0.2)
    release = threading.Event()
    with WebServer(on_hello=lambda _: release.wait(PATIENCE)) as server:
        with pytest.raises(ConnectionFailed, match=r"did not answer within 0\.2 s"):
            WebListener(Target(server.root_url), FAILED).__enter__()
        release.set()
        for thread in threading.enumerate():
            if thread.name == "web server":  # it closes the connection that is late
                thread.join(PATIENCE)


def test_the_library_listens_without_an_account():
    """`listen(web(root_url), ...)` yields events, until the time limit."""
    gaps = []
    with WebServer() as server:
        selection = tcsniff.bind("task-failed", route="index.#")
        with tcsniff.listen(
            tcsniff.web(server.root_url), selection, timeout=PATIENCE, on_gap=gaps.append
        ) as events:
            server.subscribed()
            server.publish(QUEUE + "task-failed", KEY, {"number": 1}, ["index.a"])
            event = next(events)
            events.stop()
            assert list(events) == []

    assert (event.payload, event.routes) == ({"number": 1}, None)


def test_arguments_for_brokers_are_refused():
    """A web server keeps no queue."""
    with pytest.raises(UsageError, match="need a broker"):
        tcsniff.listen(tcsniff.web("http://localhost:1"), FAILED, queue="q")
