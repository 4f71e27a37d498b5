"""Disks of a test's own: small ones, and one whose power can be cut. Needs root and loop devices."""

import fcntl
import filecmp
import os
import shutil
import struct
import subprocess

from .broker import temporary_folder
from .waiting import eventually

# EXT4_IOC_SHUTDOWN and its flag to leave even the journal unflushed.
SHUTDOWN = 0x8004587D
WITHOUT_FLUSH = struct.pack("I", 2)

MIB = 1 << 20


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


class Disk:
    """Mounted from the start; `path` is where."""

    def __init__(self, test, kind, source, options):
        self.path = temporary_folder("tidings-disk-")
        self._mount = ["mount", "-t", kind, "-o", options, source, self.path]
        run(*self._mount)
        # Lazily: should a process hang on it, the mount still goes with it.
        test.addCleanup(subprocess.run, ["umount", "-l", self.path], stderr=subprocess.DEVNULL)

    def unmount(self):
        run("umount", self.path)

    def folder(self, name="data"):
        return os.path.join(self.path, name)

    def free(self):
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def resize(self, mebibytes):
        run("mount", "-o", f"remount,size={mebibytes}m", self.path)

    def fill(self, leave):
        """Takes room until only `leave` bytes are free. Returns the file to remove."""
        path = self.folder("ballast")
        with open(path, "ab") as file:
            while True:
                free = self.free() - leave
                if free < 4096:
                    return path
                try:
                    file.write(b"\0" * min(free, MIB))
                    file.flush()
                except OSError:
                    return path


class SmallDisk(Disk):
    """In memory."""

    def __init__(self, test, mebibytes):
        super().__init__(test, "tmpfs", "tidings-e2e", f"size={mebibytes}m")


class PowerDisk(Disk):
    """ext4 in a file: what was synced is there after a cut, what was not is gone."""

    def __init__(self, test, mebibytes=512):
        self.image = os.path.join(temporary_folder("tidings-image-"), "disk")
        with open(self.image, "wb") as file:
            file.truncate(mebibytes * MIB)
        run("mkfs.ext4", "-q", "-F", self.image)
        super().__init__(test, "ext4", self.image, "loop")
        test.addCleanup(shutil.rmtree, os.path.dirname(self.image), ignore_errors=True)

    def cut(self):
        """From now on nothing reaches the disk. Whoever writes to it has to be stopped before, lest a sync that is under way
        returns success."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSH)
        finally:
            os.close(handle)

    def power_up(self):
        """Mounts what was on the disk; the journal is replayed."""
        self.unmount()
        run(*self._mount)

    def copy(self, test):
        """A disk that holds what this one holds at one moment, as if the power had gone then. Whoever writes to it
        stands still; the kernel may go on for a moment, so that only two copies that are the same are those of a moment."""
        path = os.path.join(temporary_folder("tidings-image-"), "disk")
        test.addCleanup(shutil.rmtree, os.path.dirname(path), ignore_errors=True)

        def same():
            run("cp", "--sparse=always", self.image, path)
            return filecmp.cmp(self.image, path, shallow=False)

        eventually(same, 30, "nothing is written any more")
        return Disk(test, "ext4", path, "loop")
