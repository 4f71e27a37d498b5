"""Clients that others wrote: fetched from their registries at fixed versions, and installed below build/."""

import hashlib
import json
import re
import shutil
import subprocess
import sys

from . import settings

SOURCES = settings.ROOT / "tests" / "e2e" / "clients"
INSTALLED = settings.ROOT / "build" / "clients"


def _run(name, *words, folder):
    done = subprocess.run([str(x) for x in words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300, errors="replace")
    if done.returncode != 0:
        raise AssertionError(f"{name} could not be installed; run with --without-outside-clients where no registry can be reached\n"
                             f"{' '.join(map(str, words))}: {done.stdout[-3000:]}")


def _program(name):
    found = shutil.which(name)
    if not found:
        raise AssertionError(f"there is no {name}; scripts/setup clients installs it")
    return found


def _installed(name, install):
    """The folder that `install(folder)` filled, now or in an earlier run with the same sources."""
    digest = hashlib.sha256()
    for path in sorted((SOURCES / name).iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    folder, mark = INSTALLED / name, digest.hexdigest()
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SOURCES / name, folder)
        install(folder)
        stamp.write_text(mark)
    return folder


def node():
    """A folder with the drivers and node_modules."""
    return _installed("node", lambda folder: _run(
        "the npm packages", _program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder))


def node_command(script, *arguments):
    return [_program("node"), node() / script, *arguments]


def python_command(script, *arguments):
    def install(folder):
        _run("a Python environment", sys.executable, "-m", "venv", folder / "environment", folder=folder)
        _run("the Python packages", folder / "environment/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes",
             "--only-binary=:all:", "-r", "requirements.txt", folder=folder)

    folder = _installed("python", install)
    return [folder / "environment/bin/python", folder / script, *arguments]


def go_command(*arguments):
    def install(folder):
        _run("the Go client", _program("go"), "build", "-o", "client", ".", folder=folder)

    return [_installed("go", install) / "client", *arguments]


# -- for the report of a run -----------------------------------------------------------------------


def version(program):
    if program == "python":
        return sys.version.split()[0]
    words, place = {"curl": (["--version"], 1), "node": (["--version"], 0), "go": (["version"], 2)}[program]
    done = subprocess.run([_program(program), *words], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=True)
    return done.stdout.split()[place].lstrip("vgo")


def npm_version(package):
    return json.loads((SOURCES / "node/package.json").read_text())["dependencies"][package]


def python_version(package):
    return re.search(rf"^{re.escape(package)}==\S+", (SOURCES / "python/requirements.txt").read_text(), re.MULTILINE)[0].replace("==", " ")


def go_version(module):
    return re.search(rf"{re.escape(module)} v\S+", (SOURCES / "go/go.mod").read_text())[0]
