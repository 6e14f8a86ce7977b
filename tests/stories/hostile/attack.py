"""
An attack as a process of its own, so that it costs those who are watched meanwhile nothing but the server's time.

    python -m tests.stories.hostile.attack '{"targets": [["http://127.0.0.1:8000", "<token>"]], "seed": 1, …}'

It sends inputs of all classes, chosen by the seed, to one server after the other, and prints what came of them as JSON.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from random import Random

from config.env import PROJECT
from tests.stories.hostile.frames import FRAMES
from tests.stories.hostile.handshakes import HANDSHAKES
from tests.stories.hostile.http_requests import REQUESTS
from tests.stories.hostile.wire import Wire

KINDS = (FRAMES, HANDSHAKES, REQUESTS)


@dataclass(frozen=True, slots=True)
class Plan:
    """``targets`` are addresses with a good token each; ``per_second`` 0 means as fast as they are answered."""

    targets: list[tuple[str, str]]
    seed: int
    inputs: int
    per_second: float = 0


@dataclass(slots=True)
class Result:
    """What came of an attack."""

    sent: int = 0
    classes: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was answered with something else than its table says."""
    seconds: list[float] = field(default_factory=list)
    """How long each answer took."""

    def quantile(self, part: float) -> float:
        """Return the time within which this part of the inputs was answered."""
        return sorted(self.seconds)[int(part * (len(self.seconds) - 1))]


def attack(plan: Plan) -> Result:
    """Carry out a plan."""
    random, result, seen = Random(plan.seed), Result(), set()
    began = time.monotonic()
    for number in range(plan.inputs):
        if plan.per_second:
            time.sleep(max(0.0, began + number / plan.per_second - time.monotonic()))
        address, token = plan.targets[number % len(plan.targets)]
        given = random.choice(random.choice(KINDS))
        seen.add(given.name)
        started = time.monotonic()
        outcome = _outcome(given, address, token, random)
        result.seconds.append(time.monotonic() - started)
        result.sent += 1
        if outcome not in given.expected:
            result.wrong.append(f"{given.name} at {address}: {outcome}, expected {sorted(given.expected)}")
    result.classes = len(seen)
    return result


def begin(plan: Plan) -> "subprocess.Popen[str]":
    """Begin to carry out a plan in a process of its own; see ``result_of``."""
    command = [sys.executable, "-m", "tests.stories.hostile.attack", json.dumps(asdict(plan))]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def result_of(process: "subprocess.Popen[str]") -> Result:
    """Wait for an attack's end and return what came of it."""
    output, _ = process.communicate()
    assert process.returncode == 0, f"the attack itself failed with {process.returncode}"
    return Result(**json.loads(output))


def _outcome(given: object, address: str, token: str, random: Random) -> str:
    with Wire(address) as wire:
        if given in FRAMES:
            status = wire.open(token)
            return wire.verdict_on(given.make(random), token, may_stay=given.may_stay) if status == "101" else status
        if given in HANDSHAKES:
            wire.send(given.bytes_of(token, random))
            return wire.answer()
        wire.send(given.make(token, random))
        return wire.answers()


if __name__ == "__main__":
    print(json.dumps(asdict(attack(Plan(**json.loads(sys.argv[1]))))))
