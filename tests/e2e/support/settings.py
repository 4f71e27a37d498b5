"""How this run is to be done; set by run.py before a test is loaded."""

import os
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[3]

broker_path = ROOT / "build/release/tidings"
quick = False
seed = int(os.environ.get("TIDINGS_SEED") or random.SystemRandom().randrange(1 << 32))
cycles = None  # of tests in rounds; None: their own default
deadline = None  # monotonic time at which a test in rounds begins no further one
model_steps = None


def randomness(name):
    """A source of chance of its own for each name, the same whenever the seed is."""
    return random.Random(f"{seed}/{name}")


def pick(full, few, longest=None):
    """A count: the full one, few in a quick run, or what TIDINGS_LONG=1 asks for, which takes minutes."""
    if longest is not None and os.environ.get("TIDINGS_LONG"):
        return longest
    return few if quick else full
