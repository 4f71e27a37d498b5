"""Where things lie, and what this machine is."""

import ctypes
import os
import pathlib
import platform
import random
import signal
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOAD = ROOT / "build/bench/tidings-bench-load"
FLOOR = ROOT / "build/bench/tidings-bench-floor"
MIB = 1024 * 1024


def die_with_parent():
    # Also when this script is killed the hard way nothing stays behind.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port():
    """Below the range the system takes outgoing ports from, so that it is still free at a restart."""
    while True:
        port = random.randrange(18000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    except OSError:
        return ""


def describe_machine(work):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    memory = int(open("/proc/meminfo").readline().split()[1]) // 1024
    return {
        "cpu": cpu, "cores": os.cpu_count(), "memory_mib": memory, "kernel": platform.release(),
        "work_filesystem": output_of("stat", "-f", "-c", "%T", str(work)),
        "load_average_at_begin": round(os.getloadavg()[0], 2),
    }
