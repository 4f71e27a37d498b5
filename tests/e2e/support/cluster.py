"""Several brokers that form one cluster: on this machine's loopback, or each in a network namespace of its own."""

import os
import re
import signal

from .broker import Broker, free_port, temporary_folder
from .network import Network
from .position import components, place_of
from .tokens import openssl
from .waiting import eventually

LINK_EVENT = re.compile(r"(linked|link lost) member=(\S+)")
SECRET = "a secret of the tests, long enough to be one"


class Authority:
    """Signs certificates for members, whose names are in them as DNS names."""

    def __init__(self):
        self.folder = temporary_folder("tidings-authority-")
        self.path = self._file("ca.pem")
        self._make("ca", "/CN=Tests")

    def _file(self, name):
        return os.path.join(self.folder, name)

    def _make(self, name, subject, *options):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2", "-subj", subject,
                "-keyout", self._file(f"{name}.key"), "-out", self._file(f"{name}.pem"), *options)

    def options(self, name):
        """Settings for the member of that name."""
        if not os.path.exists(self._file(f"{name}.pem")):
            self._make(name, f"/CN={name}", "-CA", self.path, "-CAkey", self._file("ca.key"),
                       "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE")
        return {"cluster.certificate": self._file(f"{name}.pem"), "cluster.key": self._file(f"{name}.key"), "cluster.authority": self.path}


class Node(Broker):
    """A member. `name` is the one it has in the cluster."""

    def __init__(self, name, cluster_address, **keywords):
        super().__init__(**keywords)
        self.name = name
        self.cluster_address = cluster_address
        self._log_start = 0

    def start(self, wait=True, timeout=20.0):
        self._log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        return super().start(wait, timeout)

    def log_since_start(self):
        with open(self.log_path, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def linked(self):
        """Names of the members that it has a link with, by its log."""
        links = {}
        for word, member in LINK_EVENT.findall(self.log_since_start()):
            links[member] = word == "linked"
        return {x for x, up in links.items() if up}

    def pause(self):
        """SIGSTOP; returns when every thread stands still."""
        self.signal(signal.SIGSTOP)
        eventually(self._stands_still, 20, f"{self.name} stands still")

    def _stands_still(self):
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "T":
                    return False
        return True

    def go_on(self):
        self.signal(signal.SIGCONT)

    def view(self):
        """The cluster as this node sees it; up to half a second old."""
        return self.page("/cluster", timeout=5)

    def head(self):
        """How far it has the records of each node."""
        return components(self.page("/events?since=now&limit=1", timeout=5)["next"])

    def records(self, target="/events"):
        """node id -> [(place, data)] in the order in which this node tells them."""
        found = {}
        for x in self.log_events(target):
            node, place = place_of(x["id"])
            found.setdefault(node, []).append((place, x["data"]))
        return found


class Cluster:
    """Nodes a, b, c…; not running yet. Everything that belongs to them goes with the test."""

    def __init__(self, test, count=3, options=None, tls=False, network=False, data_dirs=None, config=None):
        """`network`: each in a namespace of its own, joined by a bridge, which needs TLS and root."""
        self.test = test
        names = [chr(ord("a") + i) for i in range(count)]
        self.authority = Authority() if tls or network else None
        self.network = Network(test, names) if network else None
        self.options, self.config = options or {}, config
        ports = {x: 7400 if network else free_port() for x in names}
        self.hosts = self.network.addresses if network else {x: "127.0.0.1" for x in names}
        self.addresses = {x: (self.hosts[x], ports[x]) for x in names}
        self.members = ",".join("%s=%s:%d" % (x, *self.addresses[x]) for x in names)
        self.nodes = []
        for name in names:
            self.nodes.append(self.make(name, data_dir=(data_dirs or {}).get(name)))

    def make(self, name, data_dir=None, options=None):
        """A node as this member, beside those that are there."""
        settings = {"cluster.node": name, "cluster.members": self.members, "cluster.secret": SECRET, **self.options}
        if self.authority:
            settings.update(self.authority.options(name))
        if self.network:
            settings.update({"cluster.listen": "%s:%d" % self.addresses[name], "server.allow-open": "true"})
        node = Node(name, self.addresses[name], options={**settings, **(options or {})}, config=self.config, data_dir=data_dir, host=self.hosts[name],
                    port=7300 if self.network else None, prefix=self.network.prefix(name) if self.network else ())
        self.test.add_broker(node)
        return node

    def __iter__(self):
        return iter(self.nodes)

    def __getitem__(self, name):
        return next(x for x in self.nodes if x.name == name)

    def running(self):
        return [x for x in self.nodes if x.running]

    def start(self, *nodes):
        """All that do not run, or these; returns when each is ready and they are linked."""
        nodes = nodes or [x for x in self.nodes if not x.running]
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_ready()
        self.wait_linked()
        return self

    def wait_linked(self, timeout=20):
        """Until all that run are linked with each other."""
        names = {x.name for x in self.running()}
        eventually(lambda: all(x.linked() == names - {x.name} for x in self.running()), timeout, f"links among {names}")

    def wait_equal(self, timeout=20):
        """Until all that run have the same records of every node."""
        def equal():
            heads = [x.head() for x in self.running()]
            return all(x == heads[0] for x in heads)

        eventually(equal, timeout, "the same records on all nodes")

    def check_equal(self, timeout=20):
        """The same records, in the same order per origin, on all that run, and no alarm. Returns them."""
        self.wait_equal(timeout)
        first, *rest = self.running()
        records = first.records()
        for node, rows in records.items():
            places = [x for x, _ in rows]
            if places != sorted(set(places)):
                raise AssertionError(f"order of {node} on {first.name}: {places}")
        for other in rest:
            if (theirs := other.records()) != records:
                only = lambda one, two: [(x, *y) for x, rows in one.items() for y in rows if y not in two.get(x, [])][:5]
                raise AssertionError(f"only on {first.name}: {only(records, theirs)}; only on {other.name}: {only(theirs, records)}")
        for node in self.running():
            if alarms := node.view()["alarms"]:
                raise AssertionError(f"{node.name}: {alarms}")
        return records

    def stop(self):
        for node in self.running():
            node.go_on()
            node.stop()
