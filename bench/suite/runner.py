"""Runs the load generator and keeps what it found."""

import json
import os
import pathlib
import subprocess
import sys

from .machine import LOAD, ROOT, die_with_parent
from .servers import Server


class Bench:
    def __init__(self, options):
        self.options = options
        self.quick = options.quick
        self.broker = None
        self.work = pathlib.Path(options.work_dir or ROOT / "build/bench-run").resolve()
        self.runs = []

    def load(self, server, mode, cores="1", **options):
        """Runs the load generator once. Its JSON line, or None if the run failed."""
        timeout = options.pop("timeout", 240)
        command = self.load_command(server, mode, cores, timeout=timeout, **options)
        run = subprocess.run(command, capture_output=True, text=True, preexec_fn=die_with_parent)
        if run.returncode != 0 or run.stderr:
            print(f"    {mode}: {run.stderr.strip() or f'ended with {run.returncode}'}", file=sys.stderr)
        if run.returncode != 0:
            return None
        return json.loads(run.stdout)

    def load_command(self, server, mode, cores="1", **options):
        command = ["taskset", "-c", cores, str(LOAD), mode]
        if server:
            options = {"target": server.kind, "port": server.port, "server_pid": server.pids(), **options}
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        return command

    def pick(self, full, quick):
        return quick if self.quick else full

    def record(self, measure, contender, round_number, server_cores, load_cores, results):
        """Keeps what a run found; prints it short."""
        self.runs.append({
            "measure": measure, "contender": contender, "round": round_number,
            "server_cores": server_cores, "load_cores": load_cores,
            "load_average": round(os.getloadavg()[0], 2), "output": results})
        return results


def measurement(seconds, contenders=("tidings",), rounds_max=None):
    """Marks a function `(bench, name, contender, round_number)` as a measurement.

    `seconds`: what a round of it takes about, all contenders together.
    """
    def mark(function):
        function.seconds, function.contenders, function.rounds_max = seconds, contenders, rounds_max
        return function
    return mark


def simple(mode, seconds, contenders=("tidings", "floor", "nchan"), settings=("topics.level=written",),
           rounds_max=None, quick=None, **options):
    """A measurement that is one run of the load generator against a fresh server."""

    @measurement(seconds, contenders, rounds_max)
    def measure(bench, name, contender, round_number):
        chosen = {**options, **(quick or {})} if bench.quick else options
        server = Server(bench, contender, "0", settings)
        try:
            out = bench.load(server, mode, **chosen)
        finally:
            server.remove()
        bench.record(name, contender, round_number, "0", "1", out)

    return measure
