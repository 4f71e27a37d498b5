"""The contenders as processes: one server, or the nodes of a cluster."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from .machine import FLOOR, ROOT, die_with_parent, free_port


def status_of(port, path):
    """The status of a GET, or None while nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            head = s.recv(64)
            return int(head.split()[1]) if head.startswith(b"HTTP/1.") else None
    except (OSError, IndexError, ValueError):
        return None


class Server:
    """One contender, started for one measurement."""

    running = []

    def __init__(self, bench, kind, cores, settings=(), data=None, port=None, wait=True):
        self.kind = kind
        self.cores = cores
        self.port = port or free_port()
        self.folder = bench.work / f"{kind}-{len(bench.runs)}-{self.port}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        command = getattr(self, "command_" + kind)(bench, settings, data)
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", cores, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        Server.running.append(self)
        if wait:
            self.wait_ready()

    def command_tidings(self, bench, settings, data):
        self.data = data or self.folder / "data"
        command = [bench.broker, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.data]
        for x in settings:
            command += ["--set", x]
        return [str(x) for x in command]

    def command_floor(self, bench, settings, data):
        return [str(FLOOR), str(self.port)]

    def command_nchan(self, bench, settings, data):
        values = {
            "PORT": self.port,
            "MODULES": nginx_modules(),
            # As root nginx drops to a user who may not reach our folder.
            "USER": "user root;" if os.geteuid() == 0 else "",
            "BUFFER": 1000,
            "HEARTBEAT": 15,
        }
        text = (ROOT / "bench/peers/nchan.conf").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)
        return ["nginx", "-p", f"{self.folder}/", "-e", "error.log", "-c", "nginx.conf"]

    def wait_ready(self):
        path = {"tidings": "/readyz", "nchan": "/"}.get(self.kind)
        while True:
            if self.process.poll() is not None:
                sys.exit(f"{self.kind} ended at its start:\n{self.log.read_text()}")
            if self.kind == "floor":
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", self.port)) == 0:
                        break
            elif status_of(self.port, path) in (200, 404):
                break
            if time.monotonic() - self.started > 60:
                sys.exit(f"{self.kind} is not ready after 60 s:\n{self.log.read_text()}")
            time.sleep(0.002)
        self.ready_seconds = time.monotonic() - self.started

    def pids(self):
        if self.kind != "nchan":
            return str(self.process.pid)
        # The master sleeps; the worker is what serves.
        pid = self.process.pid
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]

    def stop(self, hard=False):
        if self in Server.running:
            Server.running.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def nginx_modules():
    for folder in ("/usr/lib/nginx/modules", "/usr/lib/x86_64-linux-gnu/nginx/modules"):
        if os.path.exists(f"{folder}/ngx_nchan_module.so"):
            return folder
    sys.exit("nchan is not installed: libnginx-mod-nchan")


class Cluster:
    """Nodes of the broker that are linked with each other. To the load generator it is its first node."""

    kind = "tidings"

    def __init__(self, bench, cores, settings=(), count=3):
        self.bench, self.cores, self.settings = bench, cores, settings
        self.names = [chr(ord("a") + i) for i in range(count)]
        self.links = {x: free_port() for x in self.names}
        self.started = []
        self.nodes = [self.start(x) for x in self.names]
        for node in self.nodes:
            node.wait_ready()
        self.wait_linked()

    def start(self, name, before=None):
        """A node; `before`: the one that was this member until now."""
        members = ",".join(f"{x}=127.0.0.1:{port}" for x, port in self.links.items())
        settings = (f"cluster.node={name}", f"cluster.members={members}",
                    "cluster.secret=a secret of the benchmarks, long enough to be one", *self.settings)
        again = {"data": before.data, "port": before.port} if before else {}
        self.started.append(Server(self.bench, "tidings", self.cores, settings, wait=False, **again))
        return self.started[-1]

    def restart(self, index):
        """SIGTERM, start, ready. Its streams look for another node meanwhile."""
        old = self.nodes[index]
        old.stop()
        self.nodes[index] = self.start(self.names[index], old)
        self.nodes[index].wait_ready()

    def wait_linked(self):
        deadline = time.monotonic() + 30
        while not all(self.is_linked(x) for x in self.nodes):
            if time.monotonic() > deadline:
                sys.exit("the nodes of the cluster do not find each other")
            time.sleep(0.05)

    def is_linked(self, node):
        with urllib.request.urlopen(f"http://127.0.0.1:{node.port}/cluster", timeout=5) as answer:
            view = json.load(answer)
        return all(x["self"] or x.get("linked") for x in view["members"])

    @property
    def port(self):
        return self.nodes[0].port

    @property
    def ports(self):
        return [x.port for x in self.nodes]

    def pids(self):
        return ",".join(x.pids() for x in self.nodes)

    def stop(self):
        for node in self.nodes:
            node.stop()

    def remove(self):
        self.stop()
        for node in self.started:
            node.remove()
