"""
Make the virtual environment and install what the project pins. Runs before anything is installed.

    python3 tools/install.py [runtime|page|development]

Every package must have one of the hashes in the requirements file. A stamp remembers what is installed, so that a
second run costs nothing.
"""

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / ".venv"
PYTHON = HOME / "bin" / "python"
FILES = {
    "runtime": PROJECT / "requirements.txt",
    "page": PROJECT / "requirements-page.txt",
    "development": PROJECT / "requirements-dev.txt",
}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*])?==([^ ]+)", re.MULTILINE)
COLLECTING = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)(?:\[[^]]*])?==")
OLDEST = (3, 11)
# One line that is written over and over at a terminal, a line each in a log.
LINE_END = "\r" if sys.stdout.isatty() else "\n"


def main(kind: str = "runtime") -> None:
    """Bring the virtual environment to what ``kind`` needs; say so while it takes time."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python is {sys.version.split()[0]}; expected 3.11 or newer, such as: make run PYTHON=python3.11")
    wanted = {name: hashlib.sha256(FILES[name].read_bytes()).hexdigest() for name in FILES}
    if PYTHON.exists() and _stamp(kind).exists() and _stamp(kind).read_text() == wanted[kind]:
        return
    # pip comes last: without it an earlier attempt was cut off half-way.
    if not (HOME / "bin" / "pip").exists():
        print("Making the virtual environment in .venv", flush=True)
        _make()
    _install(FILES[kind])
    # What development needs includes the others, to the same versions: all files are compiled together.
    for name in FILES if kind == "development" else (kind,):
        _stamp(name).write_text(wanted[name])


def _stamp(kind: str) -> Path:
    return HOME / f"installed-{kind}"


def _make() -> None:
    try:
        venv.create(HOME, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        # Debian keeps what venv needs in a package of its own.
        sys.exit("This Python cannot make a virtual environment with pip; on Debian: apt-get install python3-venv")


def _install(file: Path) -> None:
    total = len(PIN.findall(file.read_text()))
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command += ["--require-hashes", "--requirement", str(file)]
    print(f"Installing {total} package{'s' if total > 1 else ''} from {file.name}", flush=True)
    lines, seen = [], 0
    # pip as a module of the new environment: nothing of the calling one may decide what is installed.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as pip:
        for line in pip.stdout or ():
            lines.append(line)
            if match := COLLECTING.match(line):
                seen += 1
                print(f"  {min(seen, total):3}/{total} {match[1]:<40}", end=LINE_END, flush=True)
            elif line.startswith("Installing collected packages"):
                print(f"  {'unpacking':<50}", flush=True)
    if pip.returncode:
        sys.stdout.writelines(lines[-30:])
        sys.exit(f"pip could not install {file.name}; its last words are above")


if __name__ == "__main__":
    main(*sys.argv[1:])
