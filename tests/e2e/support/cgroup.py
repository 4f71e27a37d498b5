"""Bounds on memory and processor for a process of a test's own, in either version of control groups. Needs root."""

import os

from .waiting import eventually

ROOT = "/sys/fs/cgroup"


def _write(folder, name, value):
    with open(os.path.join(folder, name), "w") as file:
        file.write(str(value))


class Group:
    def __init__(self, test, memory=None, processor=None):
        """`memory`: bytes; `processor`: share of one core. `prefix` is for a Broker."""
        name = f"tidings-test-{os.getpid()}-{id(self):x}"
        self.folders = []
        if os.path.exists(os.path.join(ROOT, "cgroup.controllers")):
            folder = self._make(os.path.join(ROOT, name))
            if memory:
                _write(folder, "memory.max", memory)
                _write(folder, "memory.swap.max", 0)
            if processor:
                _write(folder, "cpu.max", f"{int(processor * 100000)} 100000")
        else:
            if memory:
                _write(self._make(os.path.join(ROOT, "memory", name)), "memory.limit_in_bytes", memory)
            if processor:
                folder = self._make(os.path.join(ROOT, "cpu", name))
                _write(folder, "cpu.cfs_period_us", 100000)
                _write(folder, "cpu.cfs_quota_us", int(processor * 100000))
        joins = "".join(f"echo $$ > {x}/cgroup.procs; " for x in self.folders)
        self.prefix = ["sh", "-c", joins + 'exec "$@"', "sh"]
        test.addCleanup(self.remove)

    def _make(self, folder):
        os.mkdir(folder)
        self.folders.append(folder)
        return folder

    def remove(self):
        def gone():
            for folder in self.folders:
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    pass
                except OSError:
                    return False
            return True

        eventually(gone, 20, "the group is empty")
