"""A TCP connection that can be disturbed: `Proxy(port)` relays to a server on loopback and counts what passes."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["up", "down"]  # to the server, from it
CHUNK = 16_384
RESET = struct.pack("ii", 1, 0)  # closing says so with RST, not with an end that looks like a good one


@dataclass
class Cut:
    """Break all connections when so many bytes more have passed; `times` such cuts, one after the other."""

    direction: Direction
    after: int
    times: int = 1
    passed: int = 0


@dataclass(frozen=True)
class Hold:
    """Let nothing pass when so many bytes have, and keep connections open: what a dead line looks like."""

    direction: Direction
    after: int


@dataclass(frozen=True)
class Outage:
    """When a request begins with these bytes, break all connections, and the next ones as they come.

    So many of them, or for so many seconds.
    """

    request: str
    refuse: int = 0
    seconds: float = 0.0


@dataclass
class Proxy:
    """Relays connections; what is set here takes effect at once.

    cut, hold: as they say; outages: one after the other; refuse: so many of the next connections are broken as they
    come; rate: bytes a second in each direction of a connection; passed: bytes so far; refused, cuts, holding: what was
    done.
    """

    target: int
    port: int = 0
    cut: Cut | None = None
    hold: Hold | None = None
    outages: list[Outage] = field(default_factory=list)
    refuse: int = 0
    back: float = 0.0  # of the clock, until when all connections are refused
    rate: int | None = None
    passed: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    refused: int = 0
    cuts: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: list[socket.socket] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self, listener: socket.socket) -> None:
        while not self.closed.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                broken = self.refuse > 0 or time.monotonic() < self.back
                self.refuse = max(0, self.refuse - 1)
                self.refused += broken
            if broken:
                _reset(client)
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            with self.lock:
                self.open += [client, server]
            for source, sink, direction in ((client, server, "up"), (server, client, "down")):
                threading.Thread(target=self.relay, args=(source, sink, direction), daemon=True).start()

    def relay(self, source: socket.socket, sink: socket.socket, direction: Direction) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                if self.rate:
                    self.closed.wait(len(chunk) / self.rate)
                if self.goes_out(chunk) or not self.may_pass(len(chunk), direction):
                    return
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)

    def goes_out(self, chunk: bytes) -> bool:
        """Begin the next outage, where it is time."""
        with self.lock:
            if not self.outages or not chunk.startswith(self.outages[0].request.encode()):
                return False
            outage = self.outages.pop(0)
            self.refuse += outage.refuse
            self.back = time.monotonic() + outage.seconds
            self.break_all()
            return True

    def may_pass(self, size: int, direction: Direction) -> bool:
        """Count a chunk, and do to it what was ordered."""
        with self.lock:
            if self.hold and self.passed[self.hold.direction] + size > self.hold.after:
                self.holding.set()
            else:
                self.passed[direction] += size
                if not (self.cut and self.cut.times and self.cut.direction == direction):
                    return True
                self.cut.passed += size
                if self.cut.passed < self.cut.after:
                    return True
                self.cut.passed, self.cut.times = 0, self.cut.times - 1
                self.cuts += 1
                self.break_all()
                return False
        self.closed.wait()  # held
        return False

    def break_all(self) -> None:
        for one in self.open:
            _reset(one)
        self.open.clear()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy of a port of this machine, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(target=port, port=listener.getsockname()[1])
    thread = threading.Thread(target=proxy.accept, args=(listener,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.closed.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        with proxy.lock:
            proxy.break_all()
        thread.join()


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
