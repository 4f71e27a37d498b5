"""A real browser: headless Chromium, driven through chromedriver's plain HTTP interface."""

import base64
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request

from .broker import free_port, temporary_folder
from .waiting import eventually

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-dev-shm-usage",
         "--no-default-browser-check", "--window-size=900,700"]


class Browser:
    def __init__(self):
        driver = shutil.which("chromedriver")
        self.binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if not driver or not self.binary:
            raise AssertionError("no chromium or chromedriver; scripts/setup test installs them")
        self.folder = temporary_folder()
        self.port = free_port()
        with open(os.path.join(self.folder, "driver.log"), "wb") as log:
            self.process = subprocess.Popen([driver, f"--port={self.port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.session = None
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self):
        eventually(self._answers, 20, "chromedriver")
        options = {"binary": self.binary, "args": FLAGS + [f"--user-data-dir={self.folder}/profile"]}
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.session = f"/session/{made['sessionId']}"
        self.version = made["capabilities"]["browserVersion"]

    def _answers(self):
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _call(self, method, path, value=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if value is None else json.dumps(value).encode(),
                                         headers={"Content-Type": "application/json"})
        # No proxy: what the environment may name is not for the loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as failure:
            raise AssertionError(f"{method} {path}: {failure.read().decode()[:500]}") from None

    def open(self, url):
        self._call("POST", f"{self.session}/url", {"url": url})

    def run(self, script):
        return self._call("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def new_tab(self):
        """Opens a tab, goes to it and returns its handle."""
        handle = self._call("POST", f"{self.session}/window/new", {"type": "tab"})["handle"]
        self.go_to(handle)
        return handle

    def tab(self):
        return self._call("GET", f"{self.session}/window")

    def go_to(self, handle):
        self._call("POST", f"{self.session}/window", {"handle": handle})

    def devtools(self, command, **parameters):
        """A command of the Chrome DevTools Protocol, for the tab that is in front."""
        return self._call("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", f"{self.session}/screenshot")))

    def close(self):
        try:
            if self.session:
                self._call("DELETE", self.session)
        except (OSError, AssertionError):
            pass
        finally:
            self.process.terminate()
            self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
