"""The example of examples/dashboard, in a real browser: its page, its app and a broker with its configuration."""

import http.server
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

from support import settings
from support.broker import free_port, temporary_folder
from support.case import OwnBrokerTest
from support.waiting import eventually
from support.webdriver import Browser

EXAMPLE = settings.ROOT / "examples" / "dashboard"
GREY, GREEN, RED = "rgb(154, 161, 178)", "rgb(29, 154, 91)", "rgb(214, 63, 63)"
TITLES = {
    "connecting": "Connecting...",
    "connected": "Connected -- real-time updates active",
    "disconnected": "Disconnected -- reconnecting...",
}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class App:
    """The example's app as a process."""

    def __init__(self, broker_url):
        self.folder = temporary_folder()
        self.origin = f"http://127.0.0.1:{free_port()}"
        self.broker_url = broker_url
        self.log_path = os.path.join(self.folder, "log")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(EXAMPLE / "app.py"), "--listen", self.origin.removeprefix("http://"), "--broker", self.broker_url,
                 "--data", self.folder], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self._answers, 20, "the app")
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _answers(self):
        try:
            return self.request("GET", "/sign-in")[0] == 200
        except OSError:
            return False

    def request(self, method, path, value=None, cookie=None, **headers):
        """(status, headers, body); the body from JSON, if it is."""
        if value is not None and not isinstance(value, bytes):
            value = json.dumps(value).encode()
        fields = {"Origin": self.origin, **({"Cookie": cookie} if cookie else {}), **headers}
        request = urllib.request.Request(self.origin + path, value, fields, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
        try:
            answer = opener.open(request, timeout=20)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            body = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, answer.headers, json.loads(body) if is_json else body

    def sign_in(self, user):
        """The cookie of a user, as a header."""
        _, headers, _ = self.request("POST", "/sign-in", urllib.parse.urlencode({"user": user}).encode())
        return headers["Set-Cookie"].partition(";")[0]

    def waiting_events(self):
        with sqlite3.connect(os.path.join(self.folder, "activities.sqlite"), timeout=10) as store:
            return store.execute("SELECT count(*) FROM outbox").fetchone()[0]

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()


def activity(title, hours=1.5, date="2026-11-20", ksbs=("K1",)):
    return {"title": title, "duration_hours": hours, "activity_date": date, "ksbs": list(ksbs)}


class DashboardTest(OwnBrokerTest):
    def start_app(self, broker_url):
        app = App(broker_url).start()
        self.addCleanup(app.stop)
        return app

    def start_both(self):
        port = free_port()
        self.app = self.start_app(f"http://127.0.0.1:{port}")
        config = (EXAMPLE / "tidings.toml").read_text()
        self.assertIn('"dashboard-data/secret"', config)
        config = config.replace("dashboard-data/secret", os.path.join(self.app.folder, "secret"))
        self.the_broker = self.broker(config=config, port=port, options={
            "server.cors-origins": self.app.origin, "stream.retry-min": "100ms", "stream.retry-max": "200ms"})
        return self.app, self.the_broker


class Page(DashboardTest):
    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.tabs = [self.browser.tab()]

    # -- the browser -------------------------------------------------------------------------------

    def sign_in(self, user="ada"):
        self.browser.open(self.app.origin)
        self.assertEqual(self.browser.run("return location.pathname"), "/sign-in")
        self.browser.run(f"document.querySelector('[name=user]').value = '{user}'; document.querySelector('button').click()")
        eventually(lambda: self.browser.run("return document.getElementById('user')?.textContent") == user, 20, "signed in")

    def open_tabs(self):
        """Two tabs of one user. Each is marked, so that a reload would show."""
        self.sign_in()
        self.tabs.append(self.browser.new_tab())
        self.browser.open(self.app.origin)
        self.in_tabs(lambda: self.browser.run("window.marked = true"))
        self.wait_for_dots("connected")

    def in_tabs(self, what):
        answers = []
        for tab in self.tabs:
            self.browser.go_to(tab)
            answers.append(what())
        return answers

    def dot(self):
        """State, title and colour of the dot."""
        return self.browser.run("const x = document.getElementById('status'); "
                                "return [x.className, x.title, getComputedStyle(x).backgroundColor]")

    def assert_dots(self, state, colour):
        shown = []

        def is_shown():
            shown[:] = self.in_tabs(self.dot)
            return shown == [[f"dot {state}", TITLES[state], colour]] * len(self.tabs)

        try:
            eventually(is_shown, 30)
        except AssertionError:
            self.fail(f"dots are not {state} but {shown}")

    def wait_for_dots(self, state):
        self.assert_dots(state, {"connecting": GREY, "connected": GREEN, "disconnected": RED}[state])

    def titles(self):
        return self.browser.run("return [...document.querySelectorAll('#activities .title')].map(x => x.textContent)")

    def wait_for_titles(self, *expected, tab=None):
        for one in [tab] if tab else self.tabs:
            self.browser.go_to(one)
            eventually(lambda: self.titles() == list(expected), 30, f"the list in tab {self.tabs.index(one)}: {expected}")

    def banner(self):
        return self.browser.run("const x = document.getElementById('banner'); return x.classList.contains('shown') && "
                                "document.getElementById('banner-text').textContent")

    def submit(self, title, hours="2.5", date="2026-11-21", ksbs="K1, S3"):
        fields = {"title": title, "hours": hours, "date": date, "ksbs": ksbs}
        self.browser.run(f"const form = document.getElementById('form'); for (const [name, value] of Object.entries({json.dumps(fields)})) "
                         "form.elements[name].value = value; document.getElementById('save').click()")

    def press(self, button, title):
        """A button of the activity with that title."""
        self.browser.run(f"[...document.querySelectorAll('#activities > li')].find(x => x.querySelector('.title').textContent === "
                         f"{json.dumps(title)}).querySelector('.{button}').click()")

    def assert_never_reloaded(self):
        self.assertEqual(self.in_tabs(lambda: self.browser.run("return window.marked")), [True] * len(self.tabs))

    def logs(self):
        return super().logs() + "\n--- log of the app\n" + (self.app.log() if hasattr(self, "app") else "")

    # -- tests -------------------------------------------------------------------------------------

    def test_S4_07_what_is_done_in_one_tab_shows_in_the_other_in_place(self):
        self.start_both()
        self.open_tabs()
        first, second = self.tabs
        self.browser.go_to(first)
        self.submit("Reading \"Zen\" <b>& Übung</b>", hours="1.5")
        for tab in self.tabs:
            self.browser.go_to(tab)
            eventually(self.banner, 10, "a banner")
            self.assertEqual(self.banner(), "Activity updated")
            self.assertEqual(self.titles(), ["Reading \"Zen\" <b>& Übung</b>"])
        row = "return document.querySelector('#activities > li')"
        self.browser.run(row.replace("return", "window.row ="))
        self.assertEqual(self.browser.run(row + ".querySelector('.hours').textContent"), "1.5")
        self.assertEqual(self.browser.run(row + ".querySelector('.codes').textContent"), "K1S3")

        # An edit changes the row that is there; another date moves it.
        self.browser.go_to(first)
        self.submit("Older", date="2026-11-01")
        self.wait_for_titles("Reading \"Zen\" <b>& Übung</b>", "Older")
        self.browser.go_to(first)
        self.press("edit", "Older")
        self.submit("Newest", hours="3", date="2026-11-22", ksbs="B2")
        self.wait_for_titles("Newest", "Reading \"Zen\" <b>& Übung</b>")
        self.browser.go_to(second)
        self.assertTrue(self.browser.run("return window.row === document.querySelectorAll('#activities > li')[1]"))
        self.assertEqual(self.browser.run("return document.getElementById('total-hours').textContent"), "4.5")
        self.assertEqual(self.browser.run("return document.getElementById('total-ksbs').textContent"), "3")

        self.press("delete", "Newest")
        self.wait_for_titles("Reading \"Zen\" <b>& Übung</b>")
        for tab in self.tabs:
            self.browser.go_to(tab)
            eventually(lambda: self.banner() == "Activity deleted", 10, "the banner")
        self.assert_never_reloaded()

    def test_S4_14_tabs_are_right_after_the_broker_was_killed(self):
        _, broker = self.start_both()
        self.open_tabs()
        first, second = self.tabs
        for title in ("Kept", "To be deleted", "To be edited"):
            self.browser.go_to(first)
            self.submit(title)
            eventually(lambda: title in self.titles(), 10)
        self.wait_for_titles("To be edited", "To be deleted", "Kept")

        broker.kill()
        self.wait_for_dots("disconnected")
        self.browser.go_to(first)
        self.press("delete", "To be deleted")
        self.wait_for_titles("To be edited", "Kept", tab=first)
        self.press("edit", "To be edited")
        self.submit("Edited", hours="4")
        self.wait_for_titles("Edited", "Kept", tab=first)
        self.submit("Logged meanwhile", date="2026-11-02")
        self.wait_for_titles("Edited", "Kept", "Logged meanwhile", tab=first)
        self.wait_for_titles("To be edited", "To be deleted", "Kept", tab=second)
        self.assertEqual(self.app.waiting_events(), 3)

        broker.start()
        self.wait_for_dots("connected")
        self.wait_for_titles("Edited", "Kept", "Logged meanwhile")
        eventually(lambda: self.app.waiting_events() == 0, 20, "the outbox is empty")
        self.browser.go_to(first)
        self.submit("Afterwards", date="2026-11-23")
        self.wait_for_titles("Afterwards", "Edited", "Kept", "Logged meanwhile")
        self.assert_never_reloaded()
        # What was sent twice is stored once.
        cookie = self.app.sign_in("ada")
        stored = [x["data"] for x in broker.page("/topics/user:ada", {"Authorization": f"Bearer {cookie.partition('=')[2]}"})["events"]]
        self.assertEqual([x.get("title") for x in stored],
                         ["Kept", "To be deleted", "To be edited", None, "Edited", "Logged meanwhile", "Afterwards"])

    def test_S4_14_events_published_while_a_tab_is_away_come_when_it_is_back(self):
        app, broker, cookie, _ = self.start_with("Before")
        count = 300  # far more than the 50 that a reader of this profile may be behind
        self.while_away(broker, lambda: [app.request("POST", "/activities", activity(f"Missed {i}"), cookie) for i in range(count)])
        self.wait_for_dots("connected")
        self.wait_for_titles(*(f"Missed {i}" for i in reversed(range(count))), "Before")
        # All of it came on the stream.
        self.assertEqual(self.browser.run("return window.fetched"), [])
        self.assert_never_reloaded()

    def test_S4_14_after_a_gap_the_list_is_fetched_anew(self):
        app, broker, cookie, gone = self.start_with("Gone")
        # Only the newest event is kept, so the others are missing when the tab is back.
        broker.write_config(open(broker.config_path).read() + '\n[[topic]]\npattern = "user:*"\nkeep = 1\n')

        def change():
            app.request("DELETE", f"/activities/{gone['id']}", cookie=cookie)
            for i in range(3):
                app.request("POST", "/activities", activity(f"Missed {i}"), cookie)

        self.while_away(broker, change)
        self.wait_for_dots("connected")
        self.wait_for_titles("Missed 2", "Missed 1", "Missed 0")
        self.assertEqual(self.browser.run("return window.fetched"), ["/activities"])
        self.assert_never_reloaded()

    def start_with(self, title):
        """One activity, shown on a page that is connected and has not asked for anything since."""
        app, broker = self.start_both()
        self.sign_in()
        self.wait_for_dots("connected")
        cookie = app.sign_in("ada")
        made = app.request("POST", "/activities", activity(title), cookie)[2]
        self.wait_for_titles(title)
        self.mark_and_count_fetches()
        return app, broker, cookie, made

    def while_away(self, broker, change):
        """The tab loses its connection, changes are made and published, and only then it may come back."""
        broker.kill()
        self.wait_for_dots("disconnected")
        self.offline(True)
        broker.start()
        change()
        eventually(lambda: self.app.waiting_events() == 0, 60, "the outbox is empty")
        self.assertEqual(self.dot()[0], "dot disconnected")
        self.offline(False)

    def mark_and_count_fetches(self):
        self.browser.run("window.marked = true; const ask = window.fetch; window.fetched = []; "
                         "window.fetch = (path, ...x) => { window.fetched.push(path); return ask(path, ...x); }")

    def offline(self, away):
        self.browser.devtools("Network.enable")
        self.browser.devtools("Network.emulateNetworkConditions", offline=away, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def test_S4_14_a_refused_page_comes_back_by_itself(self):
        # A refusal ends an EventSource for good; the page opens another one that goes on where the first one was.
        app, broker, cookie, _ = self.start_with("Before")
        broker.kill()
        broker.options["server.cors-origins"] = "http://elsewhere.test"
        broker.start()
        self.wait_for_dots("disconnected")
        app.request("POST", "/activities", activity("Missed"), cookie)
        eventually(lambda: self.app.waiting_events() == 0, 20, "the outbox is empty")
        # The page asks the app whether somebody is still signed in: that is what it does after a refusal only.
        eventually(lambda: "/session" in self.browser.run("return window.fetched"), 20, "the stream was refused")
        broker.stop()
        broker.options["server.cors-origins"] = app.origin
        broker.start()
        self.wait_for_dots("connected")
        self.wait_for_titles("Missed", "Before")
        self.assertNotIn("/activities", self.browser.run("return window.fetched"))
        self.assert_never_reloaded()

    def test_S4_15_the_dot_is_grey_before_the_first_connect(self):
        # Somebody who takes the connection and says nothing.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.app = self.start_app(f"http://127.0.0.1:{silent.getsockname()[1]}")
            silent.settimeout(20)
            self.sign_in()
            connection, _ = silent.accept()
            self.wait_for_dots("connecting")
            connection.close()
            self.wait_for_dots("disconnected")

    def test_S4_15_a_browser_without_EventSource_shows_the_list(self):
        self.start_both()
        self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source="delete window.EventSource")
        self.sign_in()
        self.assertEqual(self.browser.run("return typeof EventSource"), "undefined")
        eventually(lambda: self.dot()[0] == "dot unsupported", 10)
        self.assertEqual(self.dot()[2], GREY)
        self.submit("Still works")
        self.wait_for_titles("Still works")

    def test_S4_15_the_page_to_look_at(self):
        app, _ = self.start_both()
        cookie = app.sign_in("ada")
        for one in (activity("Pair programming on the payments service", 3, "2026-11-19", ["K7", "S2", "B1"]),
                    activity("Reading: Designing Data-Intensive Applications", 1.5, "2026-11-20", ["K12"]),
                    activity("Incident review and write-up", 2, "2026-11-20", ["S14", "B4"]),
                    activity("Workshop: threat modelling", 6.5, "2026-11-23", ["K5", "K8", "S17"])):
            app.request("POST", "/activities", one, cookie)
        self.open_tabs()
        self.browser.devtools("Emulation.setDeviceMetricsOverride", width=1100, height=720, deviceScaleFactor=1, mobile=False)
        self.browser.go_to(self.tabs[0])
        self.submit("Code review with the platform team", "1.5", "2026-11-24", "S6, B2")
        self.browser.go_to(self.tabs[1])
        eventually(lambda: self.banner() == "Activity updated", 10)
        eventually(lambda: self.browser.run("return getComputedStyle(document.getElementById('banner')).opacity") == "1", 4)
        folder = settings.ROOT / "build"
        folder.mkdir(exist_ok=True)
        self.browser.screenshot(folder / "dashboard.png")
        self.browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.assertEqual(self.browser.run("return getComputedStyle(document.body).backgroundColor"), "rgb(18, 21, 29)")
        self.browser.screenshot(folder / "dashboard-dark.png")
        self.note("build/dashboard.png, build/dashboard-dark.png")


class TheApp(DashboardTest):
    """What the app refuses, and what it does not forget."""

    def setUp(self):
        super().setUp()
        self.start_both()
        self.ada = self.app.sign_in("ada")

    def test_S4_02_nobody_sees_anything_before_signing_in(self):
        for cookie in (None, "tidings=", "tidings=a.b.c", self.ada[:-3] + "AAA"):
            self.assertEqual(self.app.request("GET", "/", cookie=cookie)[0], 303)
            for method, path in (("GET", "/activities"), ("GET", "/session"), ("POST", "/activities"), ("PUT", "/activities/1"),
                                 ("DELETE", "/activities/1")):
                self.assertEqual(self.app.request(method, path, cookie=cookie)[0], 401, (method, path, cookie))
        self.assert_problem(self.the_broker.get("/events/stream"), 401, "unauthorized")

    def test_S4_05_06_08_changes_go_to_their_user_alone(self):
        streams = {x: self.the_broker.stream("/events/stream", {"Cookie": self.app.sign_in(x)}) for x in ("ada", "eve")}
        made = self.app.request("POST", "/activities", activity("Übung \"1\"", 1.25, ksbs=["k1", "S2", "K1"]), self.ada)[2]
        self.assertEqual(made, {"id": made["id"], "title": "Übung \"1\"", "duration_hours": 1.2, "activity_date": "2026-11-20",
                                "ksbs": ["K1", "S2"], "version": 1})
        eve = self.app.sign_in("eve")
        self.assertEqual(self.app.request("PUT", f"/activities/{made['id']}", activity("Mine"), eve)[0], 404)
        self.app.request("DELETE", f"/activities/{made['id']}", cookie=eve)
        self.assertEqual(self.app.request("GET", "/activities", cookie=eve)[2], [])
        self.assertEqual(self.app.request("GET", "/activities", cookie=self.ada)[2], [made])
        self.app.request("DELETE", f"/activities/{made['id']}", cookie=self.ada)
        theirs = self.app.request("POST", "/activities", activity("Eve's own"), eve)[2]
        self.assertEqual([(x.type, json.loads(x.data)) for x in streams["ada"].events(2)],
                         [("activity_saved", made), ("activity_deleted", {"id": made["id"]})])
        self.assertEqual(json.loads(streams["eve"].event().data), theirs)

    def test_pages_of_others_and_bad_values_are_refused(self):
        self.assertEqual(self.app.request("POST", "/activities", activity("x"), self.ada, Origin="http://evil.test")[0], 403)
        self.assertEqual(self.app.request("GET", "/session", cookie=self.ada, Host="localhost:1")[0], 303)
        for bad in (activity(""), activity("x" * 121), activity("x", 0), activity("x", 25), activity("x", date="yesterday"),
                    activity("x", ksbs=["Z1"]), activity("x", ksbs=["K1"] * 21), {}, [], "x", b"{", activity("x", float("nan"))):
            self.assertEqual(self.app.request("POST", "/activities", bad, self.ada)[0], 400, bad)
        self.assertEqual(self.app.request("POST", "/activities", b"x" * 20000, self.ada)[0], 413)
        self.assertEqual(self.app.request("GET", "/activities", cookie=self.ada)[2], [])
        self.assertEqual(self.app.request("GET", "/../app.py", cookie=self.ada)[0], 404)
        self.assertEqual(self.app.waiting_events(), 0)

    def test_what_was_not_published_is_published_after_a_restart_of_the_app(self):
        self.the_broker.kill()
        for i in range(3):
            self.app.request("POST", "/activities", activity(str(i)), self.ada)
        self.assertEqual(self.app.waiting_events(), 3)
        eventually(lambda: "not published" in self.app.log(), 20)
        self.app.stop()
        self.app.start()
        self.assertEqual(len(self.app.request("GET", "/activities", cookie=self.ada)[2]), 3)
        self.the_broker.start()
        eventually(lambda: self.app.waiting_events() == 0, 20)
        page = self.the_broker.page("/topics/user:ada", {"Authorization": "Bearer " + self.ada.partition("=")[2]})
        self.assertEqual([x["data"]["title"] for x in page["events"]], ["0", "1", "2"])

    def test_a_publish_that_failed_is_repeated_under_its_key_and_in_order(self):
        asked = []

        class Moody(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append((self.path, self.headers["Idempotency-Key"], body["title"]))
                if len(asked) == 1:
                    return self.close_connection  # no answer
                self.send_response(504 if len(asked) == 2 else 201)
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Moody) as broker:
            threading.Thread(target=broker.serve_forever, daemon=True).start()
            self.addCleanup(broker.shutdown)
            app = self.start_app(f"http://127.0.0.1:{broker.server_port}")
            for title in ("first", "second"):
                app.request("POST", "/activities", activity(title), app.sign_in("ada"))
            eventually(lambda: app.waiting_events() == 0, 20)
        first, second = asked[0], asked[3]
        self.assertEqual(asked, [first, first, first, second])
        self.assertEqual([first[0], first[2], second[2]], ["/topics/user:ada?type=activity_saved", "first", "second"])
        self.assertNotEqual(first[1], second[1])
