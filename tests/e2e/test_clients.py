"""Clients that others wrote, unmodified, against a closed broker that is killed and stopped under them."""

import http.server
import json
import os
import subprocess
import threading

from checker import check_history
from support import outside_clients, tokens
from support.broker import environment
from support.case import OwnBrokerTest, fault
from support.relay import Relay
from support.sse import Parser
from support.texts import TEXTS, shown
from support.waiting import eventually
from support.webdriver import Browser
from test_identity import api_key_table, key_table

COUNT = 300
APP_KEY = "publisher-0123456789abcdef0123456789abcdef"
SHAPES = [("message", "plain text"), ("paid", '{"total":12}'), ("message", "line one\nline two\n\nline four, ä € 𝄞"),
          ("paid", "  leading and trailing blanks  "), ("message", "<b>&amp;</b> \"quoted\" \\ back")]
PIECES = 3  # bytes that arrive at once while texts are sent


class Driver:
    """A process that prints what its client gets, an event a line."""

    def __init__(self, command, folder, read=None):
        self.seen = []
        self.error_path = os.path.join(folder, "driver.log")
        with open(self.error_path, "wb") as log:
            self.process = subprocess.Popen([str(x) for x in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            env=environment(), start_new_session=True)
        self._reader = threading.Thread(target=read or self._read_json, args=() if read is None else (self,), daemon=True)
        self._reader.start()

    def _read_json(self):
        for line in self.process.stdout:
            value = json.loads(line)
            self.seen.append((value["type"] or "message", value["data"], value["id"]))

    def read_stream(self):
        """For a client that shows the stream as it is."""
        parser = Parser()
        while chunk := self.process.stdout.read1(65536):
            self.seen += [(x.type, x.data, x.id) for x in parser.feed(chunk) if x.kind == "event"]

    def close(self):
        os.killpg(self.process.pid, 9)  # its own session: the driver and what it started
        self.process.wait()
        self._reader.join(10)
        self.process.stdout.close()

    def log(self):
        with open(self.error_path, errors="replace") as file:
            return file.read()[-2000:]


class ClientTest(OwnBrokerTest):
    """What holds for every client. A client says how it is started, in `start`, and what it saw, in `seen`."""

    def setUp(self):
        super().setUp()
        key = tokens.Key("HS256", secret=b"a secret of the tests, 32 bytes or more")
        self.the_broker = self.broker(
            start=False, config=key_table("tests", key, None) + api_key_table("publisher", APP_KEY, publish=["feed"], subscribe=["feed"], admin=True),
            options={"stream.retry-min": "200ms", "stream.retry-max": "400ms"})
        self.token = tokens.token(key, tokens.claims("reader", tidings={"subscribe": ["feed"]}))
        self.relay = Relay(self, self.the_broker.address, PIECES)
        self.url = f"{self.relay.url}/topics/feed"

    def run_driver(self, command, read=None):
        self.driver = Driver(command, self.the_broker.folder, read)
        self.addCleanup(self.driver.close)

    def everything_seen(self):
        """(type, data, id) of each event."""
        return list(self.driver.seen)

    def understood(self, data):
        """What this client makes of these data; None: nothing. What it does not get right is its own fault, and is
        listed with it."""
        return data

    def seen(self):
        """Without the broker's own events."""
        return [x for x in self.everything_seen() if not x[0].startswith("tidings.")]

    def logs(self):
        return super().logs() + (f"\n--- log of the client\n{self.driver.log()}" if hasattr(self, "driver") else "")

    def publish(self, data, event_type="message", key=None):
        """Until it is stored, however often the broker dies meanwhile."""
        query = "" if event_type == "message" else f"?type={event_type}"
        headers = {"X-API-Key": APP_KEY, **({"Idempotency-Key": key} if key else {})}

        def stored():
            try:
                return self.the_broker.post(f"/topics/feed{query}", data, headers, timeout=5).status in (200, 201)
            except Exception:  # the broker is away, or dies while it answers
                return False

        eventually(stored, 30, f"{data!r} is stored")

    def wait_until_open(self):
        eventually(lambda: any(x[0] == "tidings.ready" for x in self.everything_seen()), 30, "the stream is open")

    def check(self):
        broker = self.the_broker.start()
        self.start()
        self.wait_until_open()
        shapes = SHAPES + [("paid", x) for x in TEXTS if len(x) < 1000]
        for event_type, data in shapes:
            self.publish(data, event_type)
        expected = [(event_type, self.understood(shown(data))) for event_type, data in shapes]
        expected = [x for x in expected if x[1] is not None]
        eventually(lambda: len(self.seen()) >= len(expected), 60, lambda: f"every shape of event: {self.seen()[-3:]}")
        self.assertEqual([x[:2] for x in self.seen()], expected)
        self.assertGreater(self.relay.pieces, 1000)
        self.relay.size = None

        # Events come all the time while the broker is killed, stopped and killed again.
        publisher = threading.Thread(target=lambda: [self.publish(f"number {i}\nand a line", "numbered", f"n-{i}") for i in range(COUNT)],
                                     daemon=True)
        publisher.start()
        opened = 0
        for round_, how in enumerate(("kill", "stop", "kill"), 1):
            goal = len(expected) + round_ * COUNT // 4
            eventually(lambda: len(self.seen()) >= goal, 60, f"{goal} events before the {how}")
            getattr(broker, how)()
            broker.start()
            opened += 1
        publisher.join(60)
        self.assertFalse(publisher.is_alive())
        total = len(shapes) + COUNT
        eventually(lambda: len(self.seen()) >= len(expected) + COUNT, 60, "everything")
        self.publish("the end")
        eventually(lambda: self.seen()[-1][1] == "the end", 20, "the end")
        log = [(x["type"] or "message", self.understood(shown(x["data"])), x["id"]) for x in self.stored()]
        self.assertEqual(len(log), total + 1)
        log = [x for x in log if x[1] is not None]
        verdict = check_history([x[2] for x in log], [x[2] for x in self.seen()])
        self.assertTrue(verdict.good, str(verdict))
        self.assertEqual(self.seen(), log)
        self.note(f"{self.name()}: {total + 1} events over {opened} restarts, none lost, none twice, in log order")

    def stored(self):
        page = self.the_broker.page("/topics/feed?since=earliest&limit=1000", {"X-API-Key": APP_KEY})
        self.assertFalse(page["more"])
        return page["events"]


class OutsideClientTest(ClientTest):
    """Of a client that is fetched from a registry."""

    needs_registry = True


class Curl(ClientTest):
    @fault("C11", "C12")
    def test_curl(self):
        self.check()

    def name(self):
        return f"curl {outside_clients.version('curl')}"

    def start(self):
        self.run_driver([outside_clients.SOURCES / "with_curl.sh", self.url, self.token], Driver.read_stream)


class NodeEventSource(OutsideClientTest):
    @fault("C11", "C12")
    def test_npm_eventsource(self):
        self.check()

    def name(self):
        return f"npm eventsource {outside_clients.npm_version('eventsource')}, Node {outside_clients.version('node')}"

    def start(self):
        self.run_driver(outside_clients.node_command("eventsource.js", self.url, self.token, "tidings.ready", "paid", "numbered"))


class FetchEventSource(OutsideClientTest):
    """In the browser that it was made for, from a page of another origin, with a header that needs to be permitted."""

    @fault("C11", "C12")
    def test_npm_fetch_event_source(self):
        self.check()

    def name(self):
        return (f"npm @microsoft/fetch-event-source {outside_clients.npm_version('@microsoft/fetch-event-source')}, "
                f"Chromium {self.browser.version}")

    def setUp(self):
        super().setUp()
        folder = outside_clients.node()
        package = folder / "node_modules/@microsoft/fetch-event-source/lib/esm"

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.partition("?")[0]
                if path == "/":
                    return self.send(folder / "fetch-event-source.html", "text/html")
                name = path.rpartition("/")[2]
                file = package / (name if name.endswith(".js") else name + ".js")  # a bundler's work: its imports have no ending
                if not file.is_file():
                    return self.send_error(404)
                self.send(file, "text/javascript")

            def send(self, file, media_type):
                body = file.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        self.addCleanup(pages.server_close)
        self.addCleanup(pages.shutdown)
        self.origin = f"http://127.0.0.1:{pages.server_port}"
        self.the_broker.options["server.cors-origins"] = self.origin

    def start(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.open(f"{self.origin}/?url={self.url}&token={self.token}")

    def everything_seen(self):
        return [(x["type"] or "message", x["data"], x["id"]) for x in self.browser.run("return window.seen || []")]

    def understood(self, data):
        """The package joins lines with a line end only if there is something before it, and takes a byte order mark
        from each line."""
        found = ""
        for line in data.split("\n"):
            line = line.removeprefix("\ufeff")
            found = f"{found}\n{line}" if found else line
        return found


class SseclientPy(OutsideClientTest):
    @fault("C11", "C12")
    def test_pypi_sseclient_py(self):
        self.check()

    def name(self):
        return f"PyPI {outside_clients.python_version('sseclient-py')}, Python {outside_clients.version('python')}"

    def start(self):
        self.run_driver(outside_clients.python_command("with_sseclient.py", self.url, self.token))


class HttpxSse(OutsideClientTest):
    @fault("C11", "C12")
    def test_pypi_httpx_sse(self):
        self.check()

    def name(self):
        return f"PyPI {outside_clients.python_version('httpx-sse')}, Python {outside_clients.version('python')}"

    def start(self):
        self.run_driver(outside_clients.python_command("with_httpx_sse.py", self.url, self.token))

    def understood(self, data):
        """The package makes events of no data where only the position has moved; the driver cannot tell those from
        others."""
        return data or None


class GoSse(OutsideClientTest):
    @fault("C11", "C12")
    def test_go_r3labs_sse(self):
        self.check()

    def name(self):
        return f"Go {outside_clients.go_version('github.com/r3labs/sse/v2')}, Go {outside_clients.version('go')}"

    def start(self):
        self.run_driver(outside_clients.go_command(self.url, self.token))
