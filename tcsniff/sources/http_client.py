"""HTTP GET requests with limits: of time, of size, and of what is trusted.

Proxies are those of the usual variables, such as ``HTTPS_PROXY`` and ``NO_PROXY``.
Certificates are checked by the system's authorities, or those of ``SSL_CERT_FILE``, and
by those that the deployment's settings name.
Redirects are not followed: only the caller knows which headers are meant for whom.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3

from tcsniff.settings.web_server import WebServer
from tcsniff.sources.proxies import find_proxy

_CONNECT_TIMEOUT = 10.0  # seconds
_IDLE_TIMEOUT = 30.0  # seconds without a byte
# Bytes that are read at once, at most. After each piece a thread waits for Python's lock, up to
# 5 ms: a page of 1,000 tasks has 1.5 MB.
_CHUNK = 1 << 20
_MAX_CONNECTIONS = 8  # that are kept open to a host


class HttpError(Exception):
    """A request failed; the text says why, in a few words.

    Attributes:
        is_passing: Whether another attempt may succeed.
    """

    is_passing: ClassVar[bool] = True


class HttpTimeout(HttpError):
    """There is no answer, or no whole answer, in time."""


class HttpTooLarge(HttpError):
    """The answer is larger than it may be."""

    is_passing = False


class HttpUntrusted(HttpError):
    """TLS failed: the certificate, the host name, or no TLS at that port."""

    is_passing = False


class Answer(NamedTuple):
    """An answer that was received completely.

    Attributes:
        status: The HTTP status.
        headers: The headers; names in any case.
        body: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """A limit for the total time of something."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the time.

        Args:
            seconds: How long it may take.
            clock: Returns the time in seconds.
        """
        self._clock = clock
        self._end = clock() + seconds

    @property
    def remaining(self) -> float:
        """The seconds that are left; 0 if there are none."""
        return max(0.0, self._end - self._clock())

    def check(self) -> None:
        """Raise `HttpTimeout` if no time is left."""
        if not self.remaining:
            raise HttpTimeout("not received in time")


class HttpClient:
    """Sends requests, each with its own limits. Thread-safe; keeps connections open."""

    def __init__(self, server: WebServer) -> None:
        """Create a client; the first request connects.

        Args:
            server: Its files and its `insecure` are for TLS with all hosts that it leads to.
        """
        self._server = server
        self._lock = threading.Lock()
        self._managers: dict[str, urllib3.PoolManager] = {}  # by the proxy's URL

    def get(
        self, url: str, headers: Mapping[str, str], *, deadline: Deadline, max_size: int
    ) -> Answer:
        """Return the answer to a request.

        Args:
            url: The URL.
            headers: The headers, in addition to those that HTTP needs.
            deadline: When the whole answer must have arrived.
            max_size: The maximum size of the body in bytes, decompressed.

        Raises:
            HttpError: If there is no connection or no whole answer, the answer is too
                large or late, or the server is not trusted.
        """
        with self.open(url, headers, deadline=deadline) as response:
            body = b"".join(read_chunks(response, deadline=deadline, max_size=max_size))
            return Answer(response.status, response.headers, body)

    @contextmanager
    def open(
        self, url: str, headers: Mapping[str, str], *, deadline: Deadline
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Send a request, and close the answer, whose body `read_chunks` reads, afterwards.

        Raises:
            HttpError: As for `get`.
        """
        deadline.check()
        timeout = urllib3.Timeout(
            connect=min(_CONNECT_TIMEOUT, deadline.remaining),
            read=min(_IDLE_TIMEOUT, deadline.remaining),
        )
        with _explaining():
            response = self._find_manager(url).request(
                "GET",
                url,
                headers={"Accept-Encoding": "gzip", **headers},
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        try:
            yield response
        finally:
            response.close()  # a connection whose answer was read completely stays open

    def _find_manager(self, url: str) -> urllib3.PoolManager:
        proxy = find_proxy(url)
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = _create_manager(proxy, self._server)
            return self._managers[proxy]


def read_chunks(
    response: urllib3.BaseHTTPResponse, *, deadline: Deadline, max_size: int
) -> Iterator[bytes]:
    """Yield the body of an answer as it arrives, decompressed.

    Raises:
        HttpError: As for `HttpClient.get`.
    """
    size = 0
    with _explaining():
        # `read1` returns what has arrived, so that an answer that drips ends, too.
        while chunk := response.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > max_size:
                raise HttpTooLarge(f"larger than {max_size >> 20} MB")
            deadline.check()
            yield chunk


def _create_manager(proxy: str, server: WebServer) -> urllib3.PoolManager:
    context = _create_context(server)
    if not proxy:
        return urllib3.PoolManager(maxsize=_MAX_CONNECTIONS, ssl_context=context)
    user = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    return urllib3.ProxyManager(
        proxy, proxy_headers=headers, maxsize=_MAX_CONNECTIONS, ssl_context=context
    )


def _create_context(server: WebServer) -> ssl.SSLContext | None:
    # None for urllib3's own, which is created only if TLS is spoken.
    if not (server.ca or server.cert or server.insecure):
        return None
    context = ssl.create_default_context()
    if server.ca:
        context.load_verify_locations(server.ca)  # in addition: logs may be elsewhere
    if server.cert:
        context.load_cert_chain(server.cert, server.key)
    if server.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # it was asked for
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except urllib3.exceptions.SSLError as error:
        raise _explain_tls_error(error) from error
    except urllib3.exceptions.NewConnectionError as error:  # to urllib3 a timeout, too
        raise HttpError(_describe_cause(error)) from error
    except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise HttpTimeout("no answer in time") from error
    except urllib3.exceptions.ProxyError as error:
        kind = type(_explain_tls_error(error.original_error))
        raise kind(f"the proxy: {_describe_cause(error)}") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        # ValueError: a header or an address that cannot be sent.
        raise HttpError(_describe_cause(error)) from error


def _explain_tls_error(error: BaseException) -> HttpError:
    cause = _find_cause(error)
    # A connection that ends during the handshake says nothing about trust.
    is_lost = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError))
    is_untrusted = isinstance(cause, ssl.SSLError) and not is_lost
    return (HttpUntrusted if is_untrusted else HttpError)(_describe_cause(error))


def _describe_cause(error: BaseException) -> str:
    cause = _find_cause(error)
    # urllib3's start with the connection's repr, or its host.
    text = re.sub(r"^\W*\w*Connection\b.*?[>)]: ", "", str(cause))
    return text or type(cause).__name__


def _find_cause(error: BaseException) -> BaseException:
    # The innermost reason: the others repeat it, each with addresses of objects.
    while (inner := _find_inner_error(error)) is not None:
        error = inner
    return error


def _find_inner_error(error: BaseException) -> BaseException | None:
    candidates = (getattr(error, "reason", None), *error.args)
    return next((inner for inner in candidates if isinstance(inner, BaseException)), None)
