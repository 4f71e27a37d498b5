"""Networks of a test's own: a bridge at which the test itself stands, and a network namespace for each name. Needs root."""

import itertools
import os
import subprocess

_numbers = itertools.count()


def run(text, **options):
    return subprocess.run(text.split(), check=True, capture_output=True, text=True, **options)


class Network:
    """Packets from one name to another can be dropped, in one direction or both, without either side being told."""

    def __init__(self, test, names):
        number = next(_numbers)
        tag = f"td{os.getpid() % 100000}{chr(ord('a') + number % 26)}"
        subnet = f"10.{214 + number % 20}.{os.getpid() % 250}"
        self._spaces = {name: f"{tag}-{name}" for name in names}
        self.addresses = {name: f"{subnet}.{i}" for i, name in enumerate(names, 1)}
        self._dropped = set()
        bridge = f"{tag}"
        test.addCleanup(self._remove, bridge)
        run(f"ip link add {bridge} type bridge")
        run(f"ip addr add {subnet}.254/24 dev {bridge}")
        run(f"ip link set {bridge} up")
        for i, (name, space) in enumerate(self._spaces.items()):
            run(f"ip netns add {space}")
            run(f"ip link add {bridge}{i} type veth peer name eth0 netns {space}")
            run(f"ip link set {bridge}{i} master {bridge} up")
            run(f"ip -n {space} addr add {self.addresses[name]}/24 dev eth0")
            run(f"ip -n {space} link set eth0 up")
            run(f"ip -n {space} link set lo up")

    def _remove(self, bridge):
        for space in self._spaces.values():
            subprocess.run(["ip", "netns", "del", space], capture_output=True)  # and with it its end of the link
        subprocess.run(["ip", "link", "del", bridge], capture_output=True)

    def prefix(self, name):
        """Of a command that becomes a process in that namespace. Not `ip netns exec`: its copy of all mounts would hold the disks
        of other tests."""
        return ["nsenter", f"--net=/run/netns/{self._spaces[name]}"]

    def drop(self, sender, receiver):
        """In this direction alone."""
        self._set(self._dropped | {(sender, receiver)})

    def cut(self, one, other):
        self._set(self._dropped | {(one, other), (other, one)})

    def mend(self, one, other):
        self._set(self._dropped - {(one, other), (other, one)})

    def split(self, *sides):
        """Names of different sides hear nothing of each other."""
        self._set({(a, b) for x in sides for y in sides if x is not y for a in x for b in y})

    def heal(self):
        self._set(set())

    def _set(self, dropped):
        for name in {receiver for _, receiver in self._dropped ^ dropped}:
            rules = "".join(f"    ip saddr {self.addresses[a]} drop\n" for a, b in sorted(dropped) if b == name)
            text = ("table ip cut\ndelete table ip cut\ntable ip cut {\n  chain in {\n"
                    f"    type filter hook input priority 0;\n{rules}  }}\n}}\n")
            subprocess.run([*self.prefix(name), "nft", "-f", "-"], input=text, check=True, capture_output=True, text=True)
        self._dropped = set(dropped)
