"""Behind nginx with its default buffering: the broker's own headers must be enough."""

import time

from support.case import OwnBrokerTest, fault
from support.proxy import Nginx
from support.wire import Connection, Stream


class BehindNginx(OwnBrokerTest):
    def test_S2_15_with_the_block_of_old_and_without(self):
        broker = self.broker(options={"topics.level": "written"}, config='[[profile]]\nkind = "topics"\nheartbeat-interval = "0"\n')
        address = Nginx(self, broker).address
        for prefix in ("/unbuffered", ""):
            with self.subTest(prefix), Stream(address, f"{prefix}/events?topics=user:123,notifications") as stream:
                # nginx takes the header out: this is how it was told not to buffer.
                with Connection(broker.address) as link:
                    link.send_request("GET", "/events")
                    self.assertEqual(link.read_head().header("x-accel-buffering"), "no")
                stream.ready(3)
                for i in range(5):
                    begin = time.monotonic()
                    broker.post("/topics/notifications", str(i))
                    self.assertEqual(stream.event(3).data, str(i))
                    self.assertLess(time.monotonic() - begin, 2)
                if prefix:  # longer than the 4 s of elsewhere, without a heartbeat
                    self.assertTrue(stream.silent(5))
                    broker.post("/topics/notifications", "still open")
                    self.assertEqual(stream.event(3).data, "still open")

    @fault("C13")
    def test_events_pass_at_once_and_a_quiet_stream_outlives_the_proxys_patience(self):
        broker = self.broker(options={"topics.level": "written"})
        address = Nginx(self, broker).address
        # HTTP/1.1 to the broker with a connection that is kept, and nginx's default of HTTP/1.0.
        for prefix in ("", "/plain"):
            with self.subTest(prefix or "keep-alive"):
                with Stream(address, f"{prefix}/topics/t?heartbeat=1s") as stream:
                    begin = time.monotonic()
                    stream.ready(3)
                    first = time.monotonic() - begin
                    delays = []
                    with Connection(address) as link:
                        for i in range(20):
                            begin = time.monotonic()
                            answer = link.request("POST", f"{prefix}/topics/t", body=str(i))
                            self.assertEqual(answer.status, 201)
                            self.assertEqual(stream.event(3).data, str(i))
                            delays.append(time.monotonic() - begin)
                    # proxy_read_timeout is 4 s: only heartbeats can carry the stream over it.
                    quiet = time.monotonic() + 6
                    while time.monotonic() < quiet:
                        stream.item(3)
                    broker.post("/topics/t", "still open")
                    self.assertEqual(stream.event(3).data, "still open")
                    last = stream.last_event_id
                broker.post("/topics/t", "missed")
                with Stream(address, f"{prefix}/topics/t", {"Last-Event-ID": last}) as stream:
                    self.assertEqual(stream.event(3).data, "missed")
                self.note(f"{prefix or '/'}: first bytes after {first * 1000:.0f} ms, publish to event {max(delays) * 1000:.0f} ms at most")
