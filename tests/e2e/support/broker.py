"""The real broker as a process: started, stopped, killed and started again on the same port."""

import atexit
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from . import settings
from .waiting import eventually
from .wire import Closed, Connection, Stream

# What a sanitizer says about a process. A broker that a test kills has no exit status that tells of it.
REPORT = re.compile(r"(ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: ).*", re.DOTALL)

SUPPORT = settings.ROOT / "tests/support"

_alive = set()
_folders = set()


def _clean_up():
    for process in list(_alive):
        process.kill()
        process.wait()
    for folder in list(_folders):
        shutil.rmtree(folder, ignore_errors=True)


atexit.register(_clean_up)


def temporary_folder(prefix="tidings-e2e-"):
    folder = tempfile.mkdtemp(prefix=prefix)
    _folders.add(folder)
    return folder


def free_port():
    """Below the range the system takes outgoing ports from, so that it is still free at a restart."""
    while True:
        port = random.SystemRandom().randrange(18000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def environment(extra=None, traced=False):
    """The broker refuses variables of its own that it does not know, so ours are taken out."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TIDINGS_")}
    clean.update(extra or {})
    clean.update(sanitizer_options(traced))
    return clean


def sanitizer_options(traced):
    if settings.sanitizer == "address":
        # What was freed stays out of use for a while: less of it, so that bounds on memory mean something. To find leaks it
        # traces its own threads, which nobody else may do then.
        return {"ASAN_OPTIONS": f"quarantine_size_mb=16:detect_leaks={int(not traced)}", "UBSAN_OPTIONS": "print_stacktrace=1",
                "LSAN_OPTIONS": f"suppressions={SUPPORT}/leaks.txt:print_suppressions=0"}
    if settings.sanitizer == "thread":
        return {"TSAN_OPTIONS": f"suppressions={SUPPORT}/races.txt"}
    return {}


def run_tidings(*arguments, env=None, timeout=30, cwd=None):
    """A command that ends by itself."""
    return subprocess.run([str(settings.broker_path), *arguments], env=environment(env), cwd=cwd,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=settings.seconds(timeout))


class Broker:
    def __init__(self, options=None, config=None, arguments=(), env=None, data_dir=None, port=None, prefix=(), host="127.0.0.1"):
        """`options`: for --set; `config`: text of a TOML file; `prefix`: command that becomes the broker, such as prlimit."""
        self.folder = temporary_folder()
        self.data_dir = data_dir or os.path.join(self.folder, "data")
        self.config_path = os.path.join(self.folder, "tidings.toml") if config is not None else None
        self.log_path = os.path.join(self.folder, "log")
        if config is not None:
            self.write_config(config)
        # Machines that test have small disks.
        self.options = {"storage.reserve": "64MiB", **(options or {})}
        self.arguments = list(arguments)
        self.prefix = list(prefix)
        self.env = env
        self.port = port or free_port()
        self.address = (host, self.port)
        self.url = f"http://{host}:{self.port}"
        self.tls = None
        self.process = None

    # -- life ------------------------------------------------------------------------------------

    def write_config(self, text):
        with open(self.config_path, "w") as file:
            file.write(text)

    def command(self):
        words = [*self.prefix, str(settings.broker_path), "serve", "--listen", "%s:%d" % self.address,
                 "--data-dir", self.data_dir]
        if self.config_path:
            words += ["--config", self.config_path]
        for key, value in self.options.items():
            words += ["--set", f"{key}={value}"]
        return words + self.arguments

    def start(self, wait=True, timeout=20.0):
        assert not self.running, "already running"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=environment(self.env, "strace" in self.prefix))
        _alive.add(self.process)
        if wait:
            self.wait_ready(timeout)
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def is_ready(self):
        try:
            return self.get("/readyz", timeout=5).status == 200
        except (OSError, ValueError, Closed):
            return False

    def wait_ready(self, timeout=20.0):
        def ready():
            if not self.running:
                raise AssertionError(f"the broker ended with {self.process.returncode}:\n{self.log_tail()}")
            return self.is_ready()

        eventually(ready, timeout, f"{self.url}/readyz\n{self.log_tail()}")

    def wait_exit(self, timeout=20.0):
        code = self.process.wait(settings.seconds(timeout))
        _alive.discard(self.process)
        return code

    def kill(self):
        """kill -9"""
        self.process.kill()
        self.process.wait()
        _alive.discard(self.process)

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self, timeout=20.0):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_exit(timeout)

    def dispose(self):
        if self.running:
            self.kill()
        report = self.sanitizer_report()
        shutil.rmtree(self.folder, ignore_errors=True)
        _folders.discard(self.folder)
        if report:
            raise AssertionError(f"{self.url}:\n{report}")

    # -- what the system says about it ---------------------------------------------------------------

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def sanitizer_report(self):
        if not settings.sanitizer or not os.path.exists(self.log_path):
            return None
        found = REPORT.search(self.log())
        return found and found.group()[:8000]

    def log_tail(self, lines=40):
        try:
            return "\n".join(self.log().splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def memory(self, field="VmRSS"):
        """Bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise KeyError(field)

    def forget_peak(self):
        """From here on VmHWM is the highest memory since now."""
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")

    def processor_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        """A counter without labels."""
        return int(re.search(rf"^{name}(?:{{}})? (\d+)", self.get("/metrics").text, re.M)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def descriptors_but_store(self):
        """Without the files of the store, which come and go."""
        found = 0
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found += not os.readlink(f"/proc/{self.pid}/fd/{name}").startswith(self.data_dir)
            except FileNotFoundError:
                pass
        return found

    def sockets(self):
        found = 0
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found += os.readlink(f"/proc/{self.pid}/fd/{name}").startswith("socket:")
            except FileNotFoundError:
                pass
        return found

    def unsent_bytes(self):
        """What the kernel holds on its connections that the other side's kernel has not taken."""
        held = 0
        with open("/proc/net/tcp") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if int(fields[1].split(":")[1], 16) == self.port and fields[3] == "01":
                    held += int(fields[4].split(":")[0], 16)
        return held

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    # -- talking to it -------------------------------------------------------------------------------

    def connect(self, **options):
        return Connection(self.address, tls=self.tls, **options)

    def request(self, method, target, headers=None, body=None, timeout=20.0):
        with self.connect(timeout=timeout) as link:
            return link.request(method, target, headers, body)

    def get(self, target, headers=None, timeout=20.0):
        return self.request("GET", target, headers, timeout=timeout)

    def post(self, target, body="", headers=None, timeout=20.0):
        return self.request("POST", target, headers, body, timeout)

    def page(self, target, headers=None, timeout=20.0):
        answer = self.get(target, {"Accept": "application/json", **(headers or {})}, timeout)
        if answer.status != 200:
            raise AssertionError(f"{target}: {answer!r}")
        return answer.json

    def stream(self, target, headers=None, **options):
        return Stream(self.address, target, headers, tls=self.tls, **options)

    def log_events(self, target="/events", limit=1000, since="earliest"):
        """Everything that is kept, in log order, page by page."""
        joint = "&" if "?" in target else "?"
        events, cursor = [], since
        while True:
            page = self.page(f"{target}{joint}since={cursor}&limit={limit}", timeout=60)
            events += page["events"]
            if not page["more"]:
                return events
            cursor = page["next"]
