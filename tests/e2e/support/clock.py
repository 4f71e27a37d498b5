"""Wall clocks of a broker's own (libfaketime), and what of its store has been cleaned away by them."""

import email.utils
import glob
import os
import time

from .broker import temporary_folder
from .waiting import eventually


class Clock:
    """The broker's wall clock, set while it runs."""

    def __init__(self):
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not libraries:
            raise AssertionError("no libfaketime; scripts/setup test installs it")
        self.path = os.path.join(temporary_folder(), "time")
        self.offset = 0
        self.env = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
        self.set(0)

    def set(self, seconds):
        """Seconds away from the right time."""
        self.offset = seconds
        with open(self.path + ".new", "w") as file:
            file.write(f"{seconds:+d}s\n")
        os.rename(self.path + ".new", self.path)

    def now(self):
        return time.time() + self.offset

    def wait(self, broker):
        """Until the broker, by its own answers, has this time."""
        told = lambda: email.utils.parsedate_to_datetime(broker.get("/healthz").header("date")).timestamp()
        eventually(lambda: abs(told() - self.now()) < 5, 30, "the broker has the clock")


def on_disk(broker, mark):
    """Whether a file of its store holds this text."""
    for name in os.listdir(broker.data_dir):
        if name.endswith((".sst", ".log")):
            try:
                with open(os.path.join(broker.data_dir, name), "rb") as file:
                    if mark.encode() in file.read():
                        return True
            except FileNotFoundError:
                pass  # a compaction was faster
    return False
