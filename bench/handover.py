"""
How long an event takes from a sign-up's request to the sockets, and how fast a log is replayed.

    make bench
    .venv/bin/python bench/handover.py --server uvicorn --sockets 200 --signups 300 --rate 20

A real server on SQLite in a folder of its own, real sockets, sign-ups through REST. Client and server share this
machine, so the clients' work is in the numbers: compare runs with each other, not with another machine's.
"""

import argparse
import asyncio
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

PROJECT = Path(__file__).resolve().parent.parent
PASSWORD = "usher-demo"  # noqa: S105  of the demo people, who exist in this run's database alone
WATCHERS = ("alice", "bob")
REPLAYED = 1000


@dataclass
class Listener:
    """A socket, and when each event reached it."""

    connection: ClientConnection
    heard: dict[str, float] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def has_heard(self, events: int) -> None:
        """Return when so many events have come."""
        while len(self.heard) < events:
            self.news.clear()
            await self.news.wait()

    async def listen(self) -> None:
        """Note what arrives, until the socket is closed."""
        async for text in self.connection:
            frame = json.loads(text)
            match frame["type"]:
                case "user.created":
                    self.heard[frame["data"]["username"]] = time.perf_counter()
                    self.ids.append(frame["id"])
                    self.news.set()
                case "synced":
                    self.synced.set()
                case "ping":
                    await self.connection.send('{"type":"pong"}')


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the variables of a server that lives in ``folder`` and refuses nobody for being quick."""
    return os.environ | {
        "USHER_ENV_FILE": "",
        "USHER_SECRET_KEY": secrets.token_hex(32),
        "USHER_JWT_KEY": secrets.token_hex(32),
        "USHER_DEMO": "1",
        "USHER_SIGNUP_RATE": "100000/min",
        "USHER_LOG_LEVEL": "ERROR",
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "PORT": str(port),
    }


def manage(variables: dict[str, str], *arguments: str) -> None:
    """Run a command of the project."""
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=PROJECT, env=variables, check=True, stdout=subprocess.DEVNULL)


def import_people(variables: dict[str, str]) -> None:
    """Put a log of some length into the database."""
    code = (
        "from accounts.users import Newcomer, import_users; from tenants.models import Tenant; "
        "import_users(tenant=Tenant.objects.get(slug='acme'), "
        f"people=[Newcomer(username=f'old {{n}}') for n in range({REPLAYED})])"
    )
    manage(variables, "shell", "--no-imports", "--command", code)


async def log_in(client: httpx.AsyncClient, username: str) -> str:
    """Return an access token."""
    body = {"tenant": "acme", "username": username, "password": PASSWORD}
    answer = await client.post("/api/v1/auth/token", json=body)
    return str(answer.raise_for_status().json()["access"])


async def open_listener(port: int, token: str, query: str = "") -> Listener:
    """Open a socket and start to listen."""
    url = f"ws://127.0.0.1:{port}/ws/user_notifications/{query}"
    header = {"Authorization": f"Bearer {token}"}
    listener = Listener(await connect(url, additional_headers=header, compression=None, proxy=None, ping_interval=None))
    asyncio.get_running_loop().create_task(listener.listen())
    return listener


async def sign_up(
    client: httpx.AsyncClient, count: int, rate: float, prefix: str = "new"
) -> tuple[dict[str, float], list[float]]:
    """Sign people up one after the other, ``rate`` a second at most; return when each was sent and how long it took."""
    sent, took = {}, []
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        name = f"{prefix} {number}"
        sent[name] = time.perf_counter()
        answer = await client.post("/api/v1/tenants/acme/signup", json={"username": name, "password": "correct-horse"})
        answer.raise_for_status()
        took.append(time.perf_counter() - sent[name])
    return sent, took


def told(title: str, seconds: list[float]) -> str:
    """Return a line with the usual percentiles in milliseconds."""
    ordered = sorted(seconds)
    at = {share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95, 0.99)}
    return f"{title:<34} p50 {at[0.5]:8.1f} ms   p95 {at[0.95]:8.1f} ms   p99 {at[0.99]:8.1f} ms"


async def measure_live(client: httpx.AsyncClient, port: int, tokens: list[str], options: argparse.Namespace) -> str:
    """Sign people up while everybody is live; returns the last event's id."""
    listeners = [await open_listener(port, tokens[number % len(tokens)]) for number in range(options.sockets)]
    await asyncio.gather(*(listener.synced.wait() for listener in listeners))
    sent, took = await sign_up(client, options.signups, options.rate)
    async with asyncio.timeout(60):
        for listener in listeners:
            await listener.has_heard(len(sent))
    arrivals = [listener.heard[name] - at for listener in listeners for name, at in sent.items()]
    print(told("sign-up: request to answer", took))
    print(told("sign-up: request to each socket", arrivals))
    for listener in listeners:
        await listener.connection.close()
    return listeners[0].ids[-1]


async def measure_replay(client: httpx.AsyncClient, port: int, token: str, cursor: str, rate: float) -> None:
    """Come back after many events, while sign-ups go on."""
    stream = asyncio.create_task(sign_up(client, int(rate * 3), rate, prefix="meanwhile"))
    began = time.perf_counter()
    listener = await open_listener(port, token, f"?after={cursor}")
    await listener.synced.wait()
    seconds = time.perf_counter() - began
    print(f"{'replay: open to synced':<34} {seconds * 1000:8.1f} ms for {len(listener.ids)} events")
    await stream
    await listener.connection.close()


async def measure(port: int, options: argparse.Namespace, variables: dict[str, str]) -> None:
    """Run both measurements and print what they find."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        tokens = [await log_in(client, name) for name in WATCHERS]
        cursor = await measure_live(client, port, tokens, options)
        await asyncio.to_thread(import_people, variables)
        await measure_replay(client, port, tokens[0], cursor, options.rate)


def main() -> None:
    """Prepare a server of this run's own, measure, end it."""
    parser = argparse.ArgumentParser(description="Sign-up to socket, and replay, on a real server.")
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--sockets", type=int, default=100)
    parser.add_argument("--signups", type=int, default=100)
    parser.add_argument("--rate", type=float, default=10)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.server}")
    print(f"{options.sockets} sockets; {options.signups} sign-ups, at most {options.rate:g} a second; SQLite")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        variables = environment(Path(folder), port)
        manage(variables, "migrate", "--verbosity", "0")
        manage(variables, "load_demo")
        command = [sys.executable, "manage.py", "serve", "--server", options.server]
        with subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=subprocess.PIPE, text=True) as server:
            try:
                # The first line says that it listens.
                if not server.stdout or not server.stdout.readline():
                    sys.exit("the server did not start; what it said is above")
                asyncio.run(measure(port, options, variables))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
