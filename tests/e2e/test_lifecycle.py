"""The process: start, stop, reload, TLS, and everything that must stop it from starting."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

from checker import check_history
from support.broker import environment, free_port, run_tidings, temporary_folder
from support.case import OwnBrokerTest, fault
from support.traffic import FAULTS
from support.waiting import eventually
from support.wire import Closed, Connection


class Stop(OwnBrokerTest):
    @fault("R6")
    def test_sigterm_drains(self):
        broker = self.broker()
        streams = [broker.stream("/topics/t") for _ in range(20)]
        for stream in streams:
            stream.ready()
        acknowledged, failures = {}, []
        go_on = threading.Event()

        def publish(index):
            try:
                with Connection(broker.address, timeout=10) as link:
                    for number in range(index, 1000000, 8):
                        answer = link.request("POST", "/topics/t", body=str(number))
                        if answer.status == 201:
                            acknowledged[number] = answer.json["id"]
                        elif answer.status == 503:
                            return
                        else:
                            raise AssertionError(f"{answer!r}")
            except FAULTS:
                return
            except BaseException as failure:
                failures.append(failure)

        publishers = [threading.Thread(target=publish, args=(i,), daemon=True) for i in range(8)]
        for publisher in publishers:
            publisher.start()
        eventually(lambda: len(acknowledged) > 300, 30)
        begin = time.monotonic()
        broker.signal(signal.SIGTERM)
        received, retries = [], []
        for stream in streams:
            numbers, closing = [], None
            try:
                while True:
                    item = stream.item(15)
                    if item.kind == "retry":
                        retry = item.data
                    elif item.kind == "event" and item.type == "tidings.closing":
                        closing = json.loads(item.data)["reason"]
                        retries.append(retry)
                    elif item.kind == "event" and not item.type.startswith("tidings."):
                        self.assertIsNone(closing, "an event after the closing one")
                        numbers.append(int(item.data))
            except Closed as end:
                self.assertTrue(end.clean, f"a stream broke off: {end}")
            self.assertEqual(closing, "shutdown")
            received.append(numbers)
        self.assertEqual(broker.wait_exit(15), 0)
        took = time.monotonic() - begin
        for publisher in publishers:
            publisher.join(10)
        self.assertEqual(failures, [])
        self.assertGreater(len(set(retries)), 5, f"retry of the streams is not spread: {retries}")
        broker.start()
        log = [(x["id"], int(x["data"])) for x in broker.log_events()]
        stored = {n: i for i, n in log}
        self.assertEqual({n: i for n, i in acknowledged.items() if stored.get(n) != i}, {})
        # Whoever was away for the restart goes on where the stream ended.
        order = [n for _, n in log]
        for stream, numbers in zip(streams, received):
            self.assertEqual(numbers, order[:len(numbers)])
            with broker.stream("/topics/t", {"Last-Event-ID": stream.last_event_id}) as again:
                rest = [int(x.data) for x in again.events(len(order) - len(numbers))]
            self.assertTrue(check_history(order, numbers + rest).good)
        self.note(f"SIGTERM under 8 publishers and 20 streams: exit 0 after {took:.2f} s, {len(acknowledged)} acknowledged, 0 lost, "
                  "every stream ended cleanly with its own retry")

    def test_sigint_stops_like_sigterm(self):
        broker = self.broker()
        broker.signal(signal.SIGINT)
        self.assertEqual(broker.wait_exit(15), 0)

    def test_not_ready_while_it_drains_and_the_timeout_bounds_it(self):
        broker = self.broker(options={"server.drain-timeout": "2s"})
        # A publish that never ends its body keeps the drain busy.
        link = broker.connect()
        self.addCleanup(link.close)
        link.send_request("POST", "/topics/t", {"Content-Length": "10"})
        link.send(b"half")
        probe = broker.connect()
        self.addCleanup(probe.close)
        self.assertEqual(probe.request("GET", "/readyz").status, 200)
        begin = time.monotonic()
        broker.signal(signal.SIGTERM)
        self.assertEqual(broker.wait_exit(15), 0)
        self.assertLess(time.monotonic() - begin, 8)

    def test_a_client_that_never_hangs_up_does_not_hold_it(self):
        broker = self.broker(options={"server.drain-timeout": "0s"})
        stream = broker.stream("/topics/t")  # reads no further, and stays
        self.addCleanup(stream.close)
        stream.ready()
        broker.signal(signal.SIGTERM)
        self.assertEqual(broker.wait_exit(15), 0)

    def test_a_second_signal_does_not_harm(self):
        broker = self.broker()
        stream = broker.stream("/topics/t")
        stream.ready()
        broker.signal(signal.SIGTERM)
        try:
            broker.signal(signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.assertIn(broker.wait_exit(15), (0, 1, -signal.SIGTERM, 128 + signal.SIGTERM))
        broker.start()


class Reload(OwnBrokerTest):
    def test_a_good_file_is_taken_over_and_a_bad_one_refused(self):
        broker = self.broker(config='[stream]\nretry-min = "1s"\nretry-max = "1s"\n')
        retry = lambda: broker.stream("/topics/t").item().data
        self.assertEqual(retry(), 1000)
        old = broker.stream("/topics/t")
        old.ready()
        broker.write_config('[stream]\nretry-min = "7s"\nretry-max = "7s"\n')
        broker.signal(signal.SIGHUP)
        eventually(lambda: retry() == 7000, 10, "the new file is in force")
        for bad in ('[stream]\nretry-min = "9s"\nretry-max = "2s"\n', "[stream\n", '[stream]\nrety-min = "3s"\n'):
            size = len(broker.log())
            broker.write_config(bad)
            broker.signal(signal.SIGHUP)
            eventually(lambda: "tidings.toml" in broker.log()[size:] or "refused" in broker.log()[size:], 10, "a word in the log")
            self.assertEqual(retry(), 7000)
        os.remove(broker.config_path)
        size = len(broker.log())
        broker.signal(signal.SIGHUP)
        eventually(lambda: len(broker.log()) > size, 10)
        self.assertEqual(retry(), 7000)
        broker.post("/topics/t", "the old stream lives")
        self.assertEqual(old.event().data, "the old stream lives")

    def test_what_needs_a_restart_is_said_at_every_reload_until_then(self):
        broker = self.broker(config="[storage]\nreaders = 1\n")
        broker.write_config("[storage]\nreaders = 2\n")
        for _ in range(2):
            size = len(broker.log())
            broker.signal(signal.SIGHUP)
            eventually(lambda: "storage.readers" in broker.log()[size:], 10, "the warning")


def streams_behind_a_long_answer(test, broker):
    """One request after the other in one piece: a page of 2 MiB, and a stream, which has no room for its header at first."""
    big = "x" * 2**18
    for _ in range(8):
        test.assertEqual(broker.post("/topics/long", big).status, 201)
    request = "GET /topics/long HTTP/1.1\r\nHost: x\r\nAccept: {}\r\n\r\n"
    for _ in range(5):
        with broker.connect(receive_buffer=8192) as link:
            link.send((request.format("application/json") + request.format("text/event-stream")).encode())
            test.assertEqual(len(link.read_response().json["events"]), 8)
            head = link.read_head()
            test.assertEqual((head.status, head.header("content-type")), (200, "text/event-stream; charset=utf-8"))
            test.assertTrue(link.body(head).piece(10).startswith(b"retry: "))


class Tls(OwnBrokerTest):
    def test_a_stream_behind_a_long_answer(self):
        streams_behind_a_long_answer(self, self.secure_broker(*self.certificate(temporary_folder())))

    def test_a_long_answer_arrives_whole_before_the_connection_closes(self):
        broker = self.secure_broker(*self.certificate(temporary_folder()))
        for _ in range(4):
            broker.post("/topics/long", "x" * 2**18)
        with broker.connect(receive_buffer=4096, timeout=60) as link:
            link.send_request("GET", "/topics/long", {"Accept": "application/json", "Connection": "close"})
            left = int(link.read_head().header("content-length")) - len(link._buffer)
            while left > 0:
                if left < 2**16:
                    time.sleep(0.05)  # the last of it takes longer than a connection lingers
                piece = link.socket.recv(1024)
                self.assertTrue(piece, f"{left} bytes are missing")
                left -= len(piece)

    def test_an_upload_that_is_refused_stores_nothing(self):
        config = "[limits]\npublishes-per-caller = 1\n"
        for make in (lambda: self.secure_broker(*self.certificate(temporary_folder()), config), lambda: self.broker(config=config)):
            broker = make()
            body = b'{"topic":"t","data":"x"}\n'
            head = b"POST /events%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"
            with broker.connect() as link:  # in one piece with its body
                link.send(head % (b"?ttl=1s", len(body)) + body)
                self.assertEqual(link.read_response().status, 400)
                self.assertTrue(link.at_end())

            def refused():
                with broker.connect() as link:
                    link.send(head % (b"", len(body)) + body)
                    return link.read_response().status == 429

            attempts = 1
            while not refused():
                attempts += 1
                self.assertLess(attempts, 100)
            self.assertEqual(len(broker.page("/topics/t")["events"]), attempts - 1)

    def test_a_stop_answers_a_poll_whose_head_is_still_coming(self):
        broker = self.broker(options={"server.drain-timeout": "40s"})
        with broker.connect(timeout=30) as link:
            link.send(b"GET /topics/t?wait=50s HTTP/1.1\r\nHost: x\r\n")
            eventually(lambda: broker.get("/stats").json["connections"] >= 2, 10)
            broker.signal(signal.SIGTERM)
            eventually(lambda: "stopping" in broker.log(), 10)
            link.send(b"Accept: application/json\r\n\r\n")
            self.assertEqual(link.read_response(timeout=25).status, 200)
        self.assertEqual(broker.wait_exit(25), 0)

    def test_a_stream_opened_while_draining_is_logged_and_ended(self):
        broker = self.broker(options={"log.level": "debug", "server.drain-timeout": "5s"})
        streams = [broker.stream("/topics/t") for _ in range(3)]
        for stream in streams:
            stream.ready()
        with broker.connect() as late:
            late.send(b"GET /topics/t HTTP/1.1\r\nHost: x\r\n")
            broker.signal(signal.SIGTERM)
            for stream in streams:
                stream.control("tidings.closing")
            try:
                late.send(b"\r\n")
            except ConnectionError:
                pass  # on a busy machine it was closed before its first bytes were read
            self.assertEqual(broker.wait_exit(20), 0)

    def test_a_stream_behind_a_long_answer_in_plain_text(self):
        streams_behind_a_long_answer(self, self.broker())

    def certificate(self, folder, name="localhost"):
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        return certificate, key

    def secure_broker(self, certificate, key, config=None):
        broker = self.broker(options={"tls.certificate": certificate, "tls.key": key}, config=config, start=False)
        broker.tls = ssl.create_default_context(cafile=certificate)
        return broker.start()

    def test_streams_and_publishes_over_tls_and_a_new_certificate_by_reload(self):
        folder = temporary_folder()
        certificate, key = self.certificate(folder, "first")
        broker = self.secure_broker(certificate, key)
        url = f"https://127.0.0.1:{broker.port}/topics/t"
        curl = subprocess.Popen(["curl", "-sN", "--cacert", certificate, url], stdout=subprocess.PIPE)
        self.addCleanup(curl.stdout.close)
        self.addCleanup(curl.wait)
        self.addCleanup(curl.kill)
        self.assertTrue(curl.stdout.readline().startswith(b"retry: "))
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 1)
        stream = broker.stream("/topics/t")
        self.addCleanup(stream.close)
        stream.ready()
        big = "x" * 200000
        done = subprocess.run(["curl", "-sS", "--fail", "--cacert", certificate, "-d", "by curl", url], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(broker.post("/topics/t", big).status, 201)
        self.assertEqual([x.data for x in stream.events(2)], ["by curl", big])
        line = b""
        while b"by curl" not in line:
            line = curl.stdout.readline()
        self.assertEqual(line, b"data: by curl\n")
        # Plain HTTP on this port gets an answer or a close, not a hang.
        with Connection(broker.address, timeout=5) as plain:
            try:
                self.assertEqual(plain.request("GET", "/healthz").status, 400)
            except (Closed, ConnectionError):
                pass
        # The files are replaced and read again; the old stream goes on.
        self.certificate(folder, "second")
        broker.signal(signal.SIGHUP)

        def name():
            return ssl.get_server_certificate(broker.address) == open(certificate).read()

        eventually(name, 10, "the new certificate is served")
        broker.tls = ssl.create_default_context(cafile=certificate)
        broker.post("/topics/t", "after")
        self.assertEqual(stream.event().data, "after")
        # A broken one is refused and the good one kept.
        good = open(certificate).read()
        with open(certificate, "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        size = len(broker.log())
        broker.signal(signal.SIGHUP)
        eventually(lambda: "certificate" in broker.log()[size:], 10, "a word in the log")
        self.assertEqual(ssl.get_server_certificate(broker.address), good)
        # Streams over TLS end cleanly, too.
        broker.signal(signal.SIGTERM)
        self.assertEqual(stream.control("tidings.closing")["reason"], "shutdown")
        self.assertEqual(broker.wait_exit(15), 0)

    def test_a_certificate_that_cannot_be_read_stops_the_start(self):
        folder = temporary_folder()
        certificate, key = self.certificate(folder)
        for options in ({"tls.certificate": certificate}, {"tls.certificate": "/nowhere.pem", "tls.key": key},
                        {"tls.certificate": key, "tls.key": certificate}):
            broker = self.broker(options=options, start=False)
            broker.start(wait=False)
            self.assertNotEqual(broker.wait_exit(10), 0)
            self.assertRegex(broker.log(), "tls|certificate|key")


class CommandLine(OwnBrokerTest):
    def refuse(self, *arguments, says, env=None):
        done = run_tidings("serve", "--data-dir", os.path.join(temporary_folder(), "data"), *arguments, env=env)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertGreater(done.returncode, 0, f"ended by a signal: {done}")
        self.assertRegex(done.stderr + done.stdout, says)
        return done

    def config(self, text):
        path = os.path.join(temporary_folder(), "x.toml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_version_and_help(self):
        for arguments in (("version",), ("--version",)):
            done = run_tidings(*arguments)
            self.assertEqual(done.returncode, 0, done)
            self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")
        done = run_tidings("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("serve", "check-config", "health", "version"):
            self.assertIn(word, done.stdout)
        self.assertEqual(run_tidings("--nonsense").returncode, 2)
        self.assertEqual(run_tidings("nonsense").returncode, 2)

    def test_port_0_takes_a_free_one_and_says_which(self):
        broker = self.broker(start=False)
        broker.port = 0
        broker.start(wait=False)
        banner = eventually(lambda: re.search(r"listening on http://127\.0\.0\.1:(\d+)", broker.log()), 20)
        broker.port = int(banner[1])
        broker.address = ("127.0.0.1", broker.port)
        broker.wait_ready()
        self.assertIn(broker.data_dir, broker.log())
        self.assertIn("curl", broker.log())

    def test_beyond_loopback_is_refused_unless_asked_for_by_name(self):
        for host in ("0.0.0.0", "[::]"):
            self.refuse("--listen", f"{host}:{free_port()}", says="allow-open")
        broker = self.broker(options={"server.allow-open": "true"}, arguments=(), start=False)
        command = broker.command
        broker.command = lambda: [x.replace("127.0.0.1:", "0.0.0.0:") for x in command()]
        broker.start()
        self.assertRegex(broker.log().lower(), "warn")

    @fault("U4")
    def test_mistakes_in_a_file_are_named_with_their_line(self):
        path = self.config('[server]\nlisten = "127.0.0.1:0"\n\n[stream]\nheartbet-interval = "15s"\nretry-min = 5\n')
        done = self.refuse("--config", path, says=r"x\.toml:5")
        self.assertRegex(done.stderr + done.stdout, r"x\.toml:6")
        check = run_tidings("check-config", "--config", path)
        self.assertNotEqual(check.returncode, 0)
        self.assertRegex(check.stderr + check.stdout, r"heartbet-interval")
        self.refuse("--config", self.config("[server\n"), says=r"x\.toml:1")
        self.refuse("--config", "/nowhere/x.toml", says="/nowhere/x.toml")
        good = self.config('[stream]\nheartbeat-interval = "20s"\n')
        check = run_tidings("check-config", "--config", good)
        self.assertEqual(check.returncode, 0, check)

    def test_flags_win_over_the_environment_over_the_file(self):
        config = '[stream]\nretry-min = "1s"\nretry-max = "1s"\n'
        first = lambda broker: broker.stream("/topics/t").item().data
        broker = self.broker(config=config)
        self.assertEqual(first(broker), 1000)
        env = {"TIDINGS_STREAM_RETRY_MIN": "2s", "TIDINGS_STREAM_RETRY_MAX": "2s"}
        self.assertEqual(first(self.broker(config=config, env=env)), 2000)
        path = os.path.join(temporary_folder(), "value")
        with open(path, "w") as file:
            file.write("4s\n")
        from_file = {"TIDINGS_STREAM_RETRY_MIN_FILE": path, "TIDINGS_STREAM_RETRY_MAX_FILE": path}
        self.assertEqual(first(self.broker(config=config, env=from_file)), 4000)
        options = {"stream.retry-min": "3s", "stream.retry-max": "3s"}
        self.assertEqual(first(self.broker(options=options, config=config, env=env)), 3000)
        # What `tidings cluster` signs in with is no setting.
        self.assertEqual(first(self.broker(config=config, env={"TIDINGS_TOKEN": "t"})), 1000)

    @fault("U4")
    def test_unknown_keys_and_variables_are_refused(self):
        self.refuse("--set", "stream.nonsense=1", says="stream.nonsense")
        self.refuse("--set", "nonsense", says="nonsense")
        self.refuse("--set", "stream.retry-min=5", says="stream.retry-min")
        self.refuse(env={"TIDINGS_STREAM_NONSENSE": "1"}, says="TIDINGS_STREAM_NONSENSE")
        self.refuse("--listen", "127.0.0.1", says="listen")
        self.refuse("--listen", "127.0.0.1:99999", says="listen|port")

    @fault("U4")
    def test_a_port_in_use_is_one_clear_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            begin = time.monotonic()
            done = self.refuse("--listen", f"127.0.0.1:{port}", "--set", "storage.reserve=64MiB", says=str(port))
            self.assertLess(time.monotonic() - begin, 10)
            self.assertRegex((done.stderr + done.stdout).lower(), "in use")

    def test_a_data_directory_belongs_to_one_process(self):
        broker = self.broker()
        broker.post("/topics/t", "x")
        done = run_tidings("serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", broker.data_dir, "--set",
                           "storage.reserve=64MiB")
        self.assertGreater(done.returncode, 0, done)
        self.assertIn(broker.data_dir, done.stderr + done.stdout)
        self.assertEqual(broker.post("/topics/t", "y").status, 201)

    @fault("S16")
    def test_a_data_directory_that_is_none_is_refused(self):
        folder = temporary_folder()
        path = os.path.join(folder, "file")
        with open(path, "w") as file:
            file.write("not a store")
        done = run_tidings("serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", path, "--set", "storage.reserve=64MiB")
        self.assertGreater(done.returncode, 0, done)
        self.assertEqual(open(path).read(), "not a store")

    def test_health_is_for_health_checks(self):
        broker = self.broker()
        done = run_tidings("health", "--url", broker.url)
        self.assertEqual(done.returncode, 0, done)
        broker.stop()
        self.assertEqual(run_tidings("health", "--url", broker.url).returncode, 1)

    def test_json_logs_are_json(self):
        broker = self.broker(options={"log.format": "json"})
        stream = broker.stream("/topics/t")
        ready = stream.ready()
        broker.request("DELETE", f"/connections/{ready['connection']}")
        stream.control("tidings.closing")
        broker.stop()
        lines = [x for x in broker.log().splitlines() if x.startswith("{")]
        self.assertTrue(lines, broker.log())
        for line in lines:
            json.loads(line)
        self.assertTrue([x for x in lines if ready["connection"] in x], "the end of a stream is logged with its id")


class Directory(OwnBrokerTest):
    @fault("S6")
    def test_a_damaged_write_ahead_log_is_never_served_in_silence(self):
        broker = self.broker()
        for i in range(500):
            broker.post("/topics/t", f"{i} " + "x" * 200)
        broker.kill()
        logs = sorted(os.path.join(d, x) for d, _, f in os.walk(broker.data_dir) for x in f if x.endswith(".log"))
        logs = [x for x in logs if os.path.getsize(x) > 10000]
        self.assertTrue(logs, "a write-ahead log to damage")
        with open(logs[-1], "r+b") as file:
            file.seek(os.path.getsize(logs[-1]) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 0x20]))
        broker.start(wait=False)
        self.assertGreater(broker.wait_exit(20), 0)
        self.assertRegex(broker.log().lower(), "corrupt|damage|missing|salvage")
        # The operator's explicit choice: what can be read is served, and streams are told.
        broker.options["storage.recovery"] = "salvage"
        broker.start()
        left = [int(x["data"].split()[0]) for x in broker.log_events()]
        self.assertEqual(left, list(range(len(left))))
        self.assertLess(len(left), 500)
        self.note(f"one bit flipped: strict refuses to start, salvage keeps {len(left)} of 500")

    @fault("S7")
    def test_a_lost_write_ahead_log_is_noticed(self):
        broker = self.broker()
        for i in range(100):
            broker.post("/topics/t", str(i))
        # Long enough ago to be on record elsewhere; the last second looks like a torn tail.
        written = broker.get("/stats").json["uptime_seconds"]
        eventually(lambda: broker.get("/stats").json["uptime_seconds"] >= written + 3)
        broker.kill()
        for folder, _, files in os.walk(broker.data_dir):
            for name in files:
                if name.endswith(".log"):
                    os.truncate(os.path.join(folder, name), 0)
        broker.start(wait=False)
        self.assertGreater(broker.wait_exit(20), 0, "an empty store in place of 100 acknowledged events")
