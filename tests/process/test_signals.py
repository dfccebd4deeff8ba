"""Signals at moments at which the program does something else than receive events."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import PATIENCE, Running, command, environment
from tcsniff.settings.web_server import WebServer
from tcsniff.signals import ENDING, signal_handler
from tcsniff.sources.interruptible import call_interruptibly
from tcsniff.sources.queue_api import QueueApi

DEMO = ("--demo", "--seed", "1")
QUICK = 8  # seconds; less than any time limit of a connection
GROUP = "fN1SbArXTPSVFNUvaOlinQ"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def fifo(tmp_path) -> str:
    """Return a named pipe without a reader and a writer."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


def await_waiting(process: subprocess.Popen[bytes]) -> None:
    """Wait until a program that has started does nothing."""
    stat = Path(f"/proc/{process.pid}/stat")
    used = -1
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.3)
        fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
        now = int(fields[11]) + int(fields[12])
        if fields[0] == "S" and now == used and now > 1:  # asleep, for 0.3 seconds
            return
        used = now
    raise AssertionError("it is still busy")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(number):
    """As Ctrl-C after ``&`` in a script, and HUP under nohup: it reads on to the end."""
    script = f"trap '' {number.value}; exec \"$@\""
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", *command(*DEMO, "-n", "400", "-o", "json")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    process.send_signal(number)
    lines += process.stdout.read().splitlines()
    process.stdout.close()

    assert process.wait(PATIENCE) == 0
    assert len(lines) == 400


@pytest.mark.parametrize(
    "words",
    [
        (*DEMO, "--record", "PIPE"),
        (*DEMO, "--save-svg", "PIPE"),
        ("graph", *DEMO, "--record", "PIPE"),
        ("graph", *DEMO, "--save-svg", "PIPE"),
        ("task", *DEMO, "--record", "PIPE"),
        ("top", *DEMO, "--record", "PIPE"),
        ("top", *DEMO, "--save-svg", "PIPE"),
        ("simulate", "--broker", "amqp://localhost", "--graph", "PIPE"),
        ("--from", "PIPE"),
        ("top", "--from", "PIPE"),
        ("graph", "--no-wait", "--graph", "PIPE"),
        ("config", "--config", "PIPE"),
        ("doctor", "--broker", "amqp://u@localhost", "--password-file", "PIPE"),
    ],
    ids=" ".join,
)
def test_one_ctrl_c_ends_the_wait_for_a_named_pipe(words, fifo):
    """No other program has opened it, to read or to write."""
    words = [fifo if word == "PIPE" else word for word in words]
    with Running(*words) as running:
        if "--save-svg" in words:
            running.lines(1)  # written at the end
        else:
            await_waiting(running.process)

        assert running.signal(signal.SIGINT) == 130
        assert "Traceback" not in running.said()


@pytest.mark.parametrize(
    "words",
    [
        ("task-failed", "--broker", "amqp://u:p@127.0.0.1:PORT"),
        ("task-failed", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("task-failed", "--resume", "1m", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("task-failed", "--queue", "q", "--delete-queue", "--broker", "amqp://u:p@127.0.0.1:PORT"),
        ("top", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("doctor", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("simulate", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("graph", GROUP, "--no-api", "--broker", "amqps://u:p@127.0.0.1:PORT"),
        ("graph", GROUP, "--no-wait", "--root-url", "http://127.0.0.1:PORT"),
        ("task", GROUP, "--no-wait", "--root-url", "http://127.0.0.1:PORT"),
        ("task", GROUP, "--root-url", "http://127.0.0.1:PORT", "--broker", "amqp://u:p@localhost"),
    ],
    ids=" ".join,
)
def test_one_ctrl_c_ends_a_connection_that_is_not_answered(words, silent_port):
    """Neither to AMQP, nor to TLS or HTTP; soon, not after a time limit."""
    words = [word.replace("PORT", str(silent_port)) for word in words]
    with Running(*words) as running:
        await_waiting(running.process)
        started = time.monotonic()

        assert running.signal(signal.SIGINT) == 130
        assert time.monotonic() - started < QUICK
        assert "Traceback" not in running.said()


def test_a_call_that_cannot_be_interrupted_is_abandoned():
    """As that of the system's resolver: the exception of a signal ends the wait for it."""
    released = threading.Event()
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        call_interruptibly(released.wait, "waits")

    timer.join()
    released.set()


def test_a_call_in_a_thread_is_as_one_without():
    """It returns the result, and raises what the function raises."""
    assert call_interruptibly(lambda: 1, "works") == 1
    with pytest.raises(ValueError, match="of the call"):
        call_interruptibly(lambda: int("of the call"), "fails")


@pytest.mark.parametrize("module", ["click", "kombu", "msgspec", "orjson", "json"])
def test_ctrl_c_during_an_import_leaves_no_traceback(module, tmp_path):
    """Python still imports what the program needs: status 130, nothing is printed."""
    # Found before the installed module of that name.
    (tmp_path / f"{module}.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", encoding="ascii"
    )
    done = subprocess.run(
        command("task-failed", "--broker", "amqp://localhost:1"),
        env=environment({"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_ctrl_c_ends_a_full_standard_error():
    """A pipe that nobody reads blocks the messages, but not the end."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while os.write(write_end, b"x" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(write_end, True)
    process = subprocess.Popen(
        command(*DEMO), env=environment(), stdout=subprocess.DEVNULL, stderr=write_end
    )
    os.close(write_end)
    try:
        await_waiting(process)
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()
        process.wait()
        os.close(read_end)


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
def test_usr1_is_harmless_without_standard_error(target):
    """The counters cannot be printed; events go on."""
    redirection = "2>&-" if target == "closed" else f"2>{target}"
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*DEMO, "-n", "300")],
        env=environment(),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    process.send_signal(signal.SIGUSR1)
    lines += process.stdout.read().splitlines()
    process.stdout.close()

    assert (process.wait(PATIENCE), len(lines)) == (0, 300)


def test_ctrl_c_ends_a_question_of_a_run_that_only_wakes(silent_port):
    """The run goes on until its loop looks for the signal, which an API may keep waiting."""
    previous = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGUSR1)}
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    api = QueueApi(WebServer(f"http://127.0.0.1:{silent_port}"))
    try:
        signal_handler.install()
        with signal_handler.deferred(lambda: None):
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                api.fetch_status(GROUP)
        with pytest.raises(KeyboardInterrupt):  # nor is anything asked after it
            api.fetch_status(GROUP)
    finally:
        timer.join()
        signal_handler.received = None
        for number, handler in previous.items():
            signal.signal(number, handler)
