"""A real browser with nothing but its own EventSource."""

from support import settings
from support.case import OwnBrokerTest
from support.page import PageServer
from support.waiting import eventually
from support.webdriver import Browser

class RealBrowser(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.pages = PageServer()
        self.addCleanup(self.pages.close)
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def events(self, *types):
        return [x for x in self.browser.run("return window.seen") if not types or x["type"] in types]

    def open_page(self, broker, target):
        self.browser.open(f"{self.pages.origin}/page?url={broker.url}{target}")

    def test_named_events_many_lines_and_restarts_without_a_loss(self):
        broker = self.broker(options={"server.cors-origins": self.pages.origin, "stream.retry-min": "200ms", "stream.retry-max": "400ms"})
        self.open_page(broker, "/events%3Ftopics=orders,order:*")
        eventually(lambda: self.events("tidings.ready"), 20, "the stream is open")
        broker.post("/topics/orders", "plain text")
        broker.post("/topics/order:17?type=paid", '{"total":12}', {"Content-Type": "application/json"})
        broker.post("/topics/orders", "line one\nline two\n\nline four, ä € 𝄞")
        broker.post("/topics/orders", "a\r\nb\rc")
        broker.post("/topics/orders", "")
        broker.post("/topics/other", "not for this page")
        result = broker.post("/topics/orders", "<b>&amp;</b> last").json
        eventually(lambda: len(self.events("message", "paid")) == 6, 10, "all six events")
        self.assertEqual([(x["type"], x["data"]) for x in self.events("message", "paid")], [
            ("message", "plain text"), ("paid", '{"total":12}'), ("message", "line one\nline two\n\nline four, ä € 𝄞"),
            ("message", "a\nb\nc"), ("message", ""), ("message", "<b>&amp;</b> last")])
        self.assertEqual(self.events("message")[-1]["id"], result["id"])

        expected = 6
        for how in ("kill", "stop", "kill"):
            getattr(broker, how)()
            broker.start()
            # Published before the browser can be back: what it must catch up with.
            for i in range(25):
                broker.post("/topics/order:17" if i % 2 else "/topics/orders", f"{how} {i}")
            expected += 25
            eventually(lambda: len(self.events("message", "paid")) >= expected, 30, f"what was missed during {how}")
        broker.post("/topics/orders", "end")
        eventually(lambda: self.events("message")[-1]["data"] == "end", 10)
        stored = [x["id"] for x in broker.log_events("/events?topics=orders,order:*")]
        self.assertEqual([x["id"] for x in self.events("message", "paid")], stored)
        self.assertEqual(self.events("tidings.gap"), [])
        opened = self.browser.run("return window.opened")
        self.assertEqual(opened, 4)
        self.assertEqual([x["data"] for x in self.events("tidings.closing")], ['{"reason":"shutdown"}'])
        folder = settings.ROOT / "build"
        folder.mkdir(exist_ok=True)
        self.browser.screenshot(folder / "browser.png")
        self.note(f"Chromium {self.browser.version}: {expected + 1} events over 3 restarts, none lost, none twice, in log order; "
                  f"opened {opened} times; build/browser.png")

    def test_a_page_of_an_origin_that_is_not_listed_gets_nothing(self):
        broker = self.broker(options={"server.cors-origins": "https://app.example"})
        self.open_page(broker, "/topics/t")
        eventually(lambda: self.browser.run("return window.source.readyState") == 2, 20, "closed for good")
        self.assertEqual(self.events(), [])

    def test_a_closed_stream_comes_back_by_itself(self):
        broker = self.broker(options={"server.cors-origins": "*", "stream.retry-min": "100ms", "stream.retry-max": "200ms"})
        self.open_page(broker, "/topics/t")
        eventually(lambda: self.events("tidings.ready"), 20)
        connection, = broker.get("/connections").json["connections"]
        broker.request("DELETE", f"/connections/{connection['id']}")
        broker.post("/topics/t", "missed or not")
        eventually(lambda: self.events("message"), 20)
        self.assertEqual([x["data"] for x in self.events("message")], ["missed or not"])
        self.assertEqual(len(self.events("tidings.closing")), 1)
