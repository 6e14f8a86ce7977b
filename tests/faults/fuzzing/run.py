"""
Fuzz one target: ``python -m tests.faults.fuzzing.run frames --seconds 3 --seed 42 --keep var/fuzzing``.

A target is a module beside this one. ``SEEDS`` are inputs to begin with, ``WORDS`` what to put into them, and
``check(data)`` raises for what must never happen. The modules in ``GUIDES`` tell the fuzzer which of their branches an
input took, so that it goes on from inputs that took new ones. It ends after so many seconds, or so many ``--inputs``,
which with the same seed are the same on every machine. Whatever makes ``check`` raise is printed and kept as a
file; to see it again, give that file in place of the seconds: ``--again var/fuzzing/frames-crash-….``.
"""

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import atheris
import django

from tests.environment import without_ours

GUIDES = (
    *("realtime.protocol", "realtime.cursors", "realtime.handshake", "realtime.origin"),
    *("accounts.tokens", "accounts.keys", "accounts.authentication", "jwt", "rest_framework_simplejwt"),
)
LONGEST_INPUT = 12 * 1024
"""Bytes. More than any of the readers takes, so that their bounds are passed too."""
SECONDS_FOR_ONE_INPUT = 5


def main() -> None:
    """Read the arguments and fuzz; ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--inputs", type=int, default=-1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("var/fuzzing"))
    parser.add_argument("--again", type=Path)
    asked = parser.parse_args()

    target = load(asked.target)
    if asked.again is not None:
        target.check(asked.again.read_bytes())
        return
    asked.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        atheris.Setup(
            [
                sys.argv[0],
                f"-max_total_time={asked.seconds}",
                f"-runs={asked.inputs}",
                f"-seed={asked.seed % 2**32}",
                f"-artifact_prefix={asked.keep}/{asked.target}-",
                f"-max_len={LONGEST_INPUT}",
                f"-timeout={SECONDS_FOR_ONE_INPUT}",
                f"-dict={_write_words(target, Path(folder))}",
                "-print_final_stats=1",
                "-rss_limit_mb=1024",
                str(_write_seeds(target, Path(folder))),
            ],
            target.check,
        )
        atheris.Fuzz()


def load(name: str) -> ModuleType:
    """Return a target, with what guides the fuzzer made to tell of its branches."""
    os.environ.update(
        without_ours()
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "USHER_ENV_FILE": "",
            # The same in every run, so that an input that was kept means the same again.
            "USHER_SECRET_KEY": "this-key-signs-nothing-but-what-tests-make",
            "USHER_JWT_KEY": "this-key-signs-no-token-but-those-of-tests",
        }
    )
    with atheris.instrument_imports(include=[*GUIDES, f"tests.faults.fuzzing.{name}"]):
        django.setup()
        return importlib.import_module(f"tests.faults.fuzzing.{name}")


def _write_seeds(target: ModuleType, folder: Path) -> Path:
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.SEEDS):
        (seeds / str(number)).write_bytes(seed)
    return seeds


def _write_words(target: ModuleType, folder: Path) -> Path:
    words = folder / "words"
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.WORDS)
    words.write_text("".join(f'"{word}"\n' for word in escaped))
    return words


if __name__ == "__main__":
    main()
