"""Real servers for the tests of this directory: processes that run the toy application."""

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from websockets.sync.client import connect

from realtime.serving import uvicorn as on_uvicorn
from tests.realtime.serving.pairs import pairs

TOY = Path(__file__).with_name("toy.py")
ROOT = Path(__file__).parents[3]
PATIENCE = 20  # seconds until a test gives up waiting for what must happen


class ServerProcess:
    """A toy server, what it tells, and ways to talk to it."""

    def __init__(self, name, log_level="WARNING", **limits):
        self.name = name
        self.told = []
        self._news = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, TOY, name, log_level, json.dumps(limits)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONWARNINGS": "default"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._errors = []
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.port = self.hears("listening")["port"]

    def _read(self):
        for line in self._process.stdout:
            self._news.put(json.loads(line))

    def _read_errors(self):
        for line in self._process.stderr:
            self._errors.append(line)

    @property
    def errors(self):
        return "".join(self._errors)

    def hears(self, event, **details):
        """Return the next thing of that name, and with these details, that the server tells."""
        while True:
            try:
                news = self._news.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(
                    f"never told of {event} {details}, but of {self.told}; errors:\n{self.errors}"
                ) from None
            self.told.append(news["event"])
            if news["event"] == event and details.items() <= news.items():
                return news

    def socket(self, path, **options):
        """Open a WebSocket as a client of the library does."""
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None, open_timeout=PATIENCE, **options)

    def raw(self, *lines, receive_buffer=None):
        """Open a connection, send these lines as they are, and leave the rest to the test."""
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(PATIENCE)
        try:
            raw.connect(("127.0.0.1", self.port))
            raw.sendall("".join(f"{line}\r\n" for line in lines).encode())
        except OSError:
            raw.close()
            raise
        return raw

    def handshake(self, path):
        """Return the lines of a handshake."""
        return (
            f"GET {path} HTTP/1.1",
            "Host: usher.test",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "",
        )

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def sent_at_rest(self, name):
        """Return how many pieces of a flood or a download were sent, once that number has stopped growing."""
        counts = []
        while len(counts) < 10 or len(set(counts[-10:])) > 1:
            time.sleep(0.05)
            counts.append(self.get(f"/sent?name={name}")["sent"])
        return counts[-1]

    def resident_megabytes(self):
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def terminate(self, by=signal.SIGTERM):
        self._process.send_signal(by)

    def exit_code(self):
        """Wait for the end of the process; ``told`` and ``errors`` are complete then."""
        code = self._process.wait(timeout=PATIENCE)
        for reader in self._readers:
            reader.join()
        while not self._news.empty():
            self.told.append(self._news.get()["event"])
        return code

    def kill(self):
        self._process.kill()
        self.exit_code()
        self._process.stdout.close()
        self._process.stderr.close()


@pytest.fixture(params=["daphne", "uvicorn"], scope="session")
def server_name(request):
    return request.param


@pytest.fixture(scope="session")
def server(server_name):
    """A server that many tests share; a test that stops its server or wants other limits starts its own."""
    process = ServerProcess(server_name)
    yield process
    process.kill()


@pytest.fixture(scope="session")
def hasty(server_name):
    """A server with little patience."""
    process = ServerProcess(server_name, handshake_seconds=1, answer_seconds=1)
    yield process
    process.kill()


@pytest.fixture
def start(server_name):
    """Start a server with these limits, and perhaps another ``log_level``."""
    processes = []

    def start(**options):
        processes.append(ServerProcess(server_name, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def quiet_config(monkeypatch):
    """A configuration of uvicorn's leaves the logging of this process as it is."""
    monkeypatch.setattr(on_uvicorn.Config, "configure_logging", lambda self: None)


@pytest.fixture
async def open_pair(quiet_config):
    """Open a socket under uvicorn in this process, handshake and all."""
    async with pairs() as open_pair:
        yield open_pair
