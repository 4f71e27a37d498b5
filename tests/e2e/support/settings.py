"""How this run is to be done; set by run.py before a test is loaded."""

import mmap
import os
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[3]

broker_path = ROOT / "build/release/tidings"
sanitizer = None  # that the broker was built with
quick = False
seed = int(os.environ.get("TIDINGS_SEED") or random.SystemRandom().randrange(1 << 32))
cycles = None  # of tests in rounds; None: their own default
deadline = None  # monotonic time at which a test in rounds begins no further one
model_steps = None


# How many times longer things may take with a sanitizer, and how many times the memory.
SLOWER = {None: 1, "address": 4, "thread": 8}
LARGER = {None: 1, "address": 4, "thread": 8}


def use_broker(path):
    global broker_path, sanitizer
    broker_path = path.resolve()
    if not broker_path.exists():
        return  # the tests that need it say so
    with open(broker_path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
        sanitizer = next((x for x, name in (("address", b"__asan_init"), ("thread", b"__tsan_init")) if code.find(name) >= 0), None)


def seconds(bound):
    """A bound on time that is about the speed of the code, not about a setting."""
    return bound * SLOWER[sanitizer]


def memory(bound):
    """A bound on the memory of the broker."""
    return bound * LARGER[sanitizer]


def randomness(name):
    """A source of chance of its own for each name, the same whenever the seed is."""
    return random.Random(f"{seed}/{name}")


def pick(full, few, longest=None):
    """A count: the full one, few in a quick run, or what TIDINGS_LONG=1 asks for, which takes minutes."""
    if longest is not None and os.environ.get("TIDINGS_LONG"):
        return longest
    return few if quick else full
