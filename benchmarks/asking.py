"""A client that asks at a steady rate, whatever the answers do, and is not itself the bottleneck.

One thread over sockets that do not block, without an event loop's tasks: some 0.05 ms a request, so
that a core keeps thousands a second. A request is sent when it is due, not when the one before was
answered, and its time counts from when it was due: an answer that keeps others waiting counts for
all of them (no coordinated omission).
"""

import random
import select
import socket
import time
from dataclasses import dataclass

# Within this time of the next request it looks again and again: the system wakes it too late.
_NEAR_S = 0.0015
_LONGEST_S = 30.0


@dataclass
class Answer:
    """What became of a request.

    Attributes:
        kind: its method.
        status: of the answer; 0 for none.
        seconds: from when it was due until its answer was read.
        told: whether the answer said Retry-After.
        late: seconds from when it was due until it was sent: if they are many, it is this program,
            or its core, that cannot keep the rate.
    """

    kind: str
    status: int
    seconds: float
    told: bool
    late: float


class Connection:
    """A socket, what it was asked last, and what it has answered of that so far."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.used = False

    def ask(self, request, due):
        """Send a request that was due at a time."""
        self.request, self.due, self.sent, self.heard = request, due, time.perf_counter(), b""
        self.socket.send(request)

    def whole(self):
        """Read what there is; the head if that is all of an answer, else None.

        Raises:
            OSError: the other end has closed the connection.
        """
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionResetError
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if not found:
            return None
        head = head.lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return head if len(body) >= length else None


class Connections:
    """Connections that are kept open and used again, as many as there are requests under way."""

    def __init__(self, port):
        self.port, self.idle, self.busy, self.poll = port, [], {}, select.epoll()
        self.answers = []

    def ask(self, request, due, fresh=False):
        """Send a request over whatever connection is free."""
        connection = self.idle.pop() if self.idle and not fresh else self._open()
        self.busy[connection.socket.fileno()] = connection
        try:
            connection.ask(request, due)
        except OSError:
            self._lost(connection)

    def read(self, wait_s):
        """Wait for answers at most so long; how many requests came to an end."""
        before = len(self.answers)
        for number, _ in self.poll.poll(wait_s):
            connection = self.busy.get(number)
            if connection is None:
                self._idle_closed(number)
                continue
            try:
                head = connection.whole()
            except OSError:
                self._lost(connection)
                continue
            if head is not None:
                self._answered(connection, head)
        return len(self.answers) - before

    def give_up(self):
        """Count what is still under way as unanswered."""
        for connection in list(self.busy.values()):
            self._note(connection, 0, b"")

    def _open(self):
        connection = Connection(self.port)
        self.poll.register(connection.socket, select.EPOLLIN)
        return connection

    def _close(self, connection):
        self.busy.pop(connection.socket.fileno(), None)
        self.poll.unregister(connection.socket)
        connection.socket.close()

    def _idle_closed(self, number):
        for connection in self.idle:
            if connection.socket.fileno() == number:
                self.idle.remove(connection)
                self._close(connection)
                return

    def _lost(self, connection):
        """A service may close what was idle just as it is used again: then once more, afresh."""
        self._close(connection)
        if connection.used:
            self.ask(connection.request, connection.due, fresh=True)
        else:
            self._note(connection, 0, b"")

    def _answered(self, connection, head):
        self._note(connection, int(head[9:12]), head)
        connection.used = True
        if b"connection: close" in head:
            self._close(connection)
        else:
            del self.busy[connection.socket.fileno()]
            self.idle.append(connection)

    def _note(self, connection, status, head):
        seconds, late = time.perf_counter() - connection.due, connection.sent - connection.due
        kind = connection.request.split(b" ", 1)[0].decode()
        self.answers.append(Answer(kind, status, seconds, b"retry-after" in head, late))


def steady(port, rate, seconds, make, seed=0):
    """The answers to requests that come at random, so many a second on average.

    Args:
        port: of the service.
        rate: requests a second.
        seconds: for how long.
        make: a request's bytes, from a random generator.
        seed: of the times and the requests.
    """
    rng, asker = random.Random(seed), Connections(port)
    began = time.perf_counter()
    due, ends = began + rng.expovariate(rate), began + seconds
    while due < ends:
        request = make(rng)
        while (left_s := due - time.perf_counter()) > 0:
            asker.read(max(0.0, left_s - _NEAR_S))
        asker.ask(request, due)
        asker.read(0)
        due += rng.expovariate(rate)
    patience = time.perf_counter() + _LONGEST_S
    while asker.busy and time.perf_counter() < patience:
        asker.read(0.1)
    asker.give_up()
    return asker.answers


def capacity(port, seconds, make, clients=8):
    """Requests a second that clients get answered who each wait for their answers."""
    rng, asker = random.Random(0), Connections(port)
    ends = time.perf_counter() + seconds
    for _ in range(clients):
        asker.ask(make(rng), time.perf_counter())
    while (now := time.perf_counter()) < ends:
        for _ in range(asker.read(0.1)):
            asker.ask(make(rng), now)
    return sum(answer.status == 200 for answer in asker.answers) / seconds


def ready(port, path="/readyz"):
    """Wait until a service answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for _ in range(600):
        try:
            asker = Connections(port)
            asker.ask(request, time.perf_counter())
            while asker.busy:
                asker.read(0.1)
            if asker.answers[0].status:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise OSError("the service does not answer")
