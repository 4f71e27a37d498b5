"""Who may do what: ways to sign in, rights, and the attacks on both. From docs/http.md and the settings of [auth]."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from checker import matches
from support import settings, tokens
from support.broker import environment, free_port, run_tidings, temporary_folder
from support.case import BrokerTest, OwnBrokerTest, fault
from support.mailbox import JSON, Mailbox
from support.tokens import bearer, claims, header, make_key, signed, token
from support.waiting import eventually
from support.wire import Closed, Connection, Stream

AUDIENCE = "tidings.test"
ISSUER = "https://login.test"
LEEWAY = 1
ALGORITHMS = ("EdDSA", "ES256", "RS256", "HS256")
API_KEYS = {"shop": "shop-0123456789abcdef0123456789abcdef", "ops": "ops-fedcba9876543210fedcba9876543210"}
PROXY = "127.0.0.2"  # all of 127/8 is this machine


def key_table(name, key, folder, issuer=None, **more):
    """The table of the configuration, and its file."""
    words = {"id": name, "algorithm": key.algorithm, **({"issuer": issuer} if issuer else {}), **more}
    if key.algorithm == "HS256":
        words["secret"] = key.secret.decode()
    else:
        words["file"] = os.path.join(folder, f"{name}.pem")
        with open(words["file"], "w") as file:
            file.write(key.public_pem)
    return "\n[[auth.key]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in words.items())


def api_key_table(name, key, **rights):
    words = {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), **rights}
    return "\n[[auth.api-key]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in words.items())


def good_claims(user="alice", **more):
    return claims(user, **{"iss": ISSUER, "aud": AUDIENCE, **more})


class IdentityTest(BrokerTest):
    """A broker with every way to sign in."""

    options = {"topics.level": "written", "log.level": "trace"}

    @classmethod
    def setUpClass(cls):
        cls.folder = temporary_folder()
        cls.keys = {x: make_key(x, "broker") for x in ALGORITHMS}
        cls.forgers = {x: make_key(x, "forger") for x in ALGORITHMS}
        cls.config = cls.settings_text()
        super().setUpClass()

    @classmethod
    def settings_text(cls):
        return ('[server]\ncors-origins = ["https://app.test"]\n\n[auth]\n'
                f'audience = "{AUDIENCE}"\nleeway = "{LEEWAY}s"\nquery-token-lifetime-max = "5m"\n'
                f'proxies = ["{PROXY}"]\nproxy-publish = ["chat:*"]\nproxy-subscribe = ["chat:*"]\nproxy-admins = ["root"]\n'
                'anonymous-publish = ["guestbook"]\nanonymous-subscribe = ["public/**", "news"]\n'
                + "".join(key_table(x.lower(), cls.keys[x], cls.folder, ISSUER) for x in ALGORITHMS)
                + api_key_table("shop", API_KEYS["shop"], publish=["order:*"], subscribe=["stock"])
                + api_key_table("ops", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True))

    @classmethod
    def token(cls, user="alice", algorithm="EdDSA", **more):
        return token(cls.keys[algorithm], good_claims(user, **more))

    def who(self, user="alice", **more):
        return bearer(self.token(user, **more))

    @property
    def ops(self):
        return {"X-API-Key": API_KEYS["ops"]}

    def box(self, user, headers):
        return Mailbox(self.shared, user, headers)

    def status(self, target, headers=None, method="GET", body=None):
        """What is answered; a stream's head is enough."""
        with self.shared.connect() as link:
            link.send_request(method, target, headers, body)
            head = link.read_head()
            if head.header("content-type", "").startswith(("application/json", "application/problem")):
                return head.status, json.loads(link.body(head).piece() or b"null")
            return head.status, None

    def refusal_of(self, text):
        """None if nobody is signed in by this token; else the answer."""
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            return None  # no client could send it
        answer = self.shared.get("/users/me/mailbox", bearer(text))
        # What no header field may hold is refused before anybody looks for a token.
        refusals = ((401, "unauthorized"), (431, "header_too_large"))
        if re.search(r"[^\x20-\x7e]", text):
            refusals += ((400, "invalid_request"),)
        return None if (answer.status, answer.json.get("code")) in refusals else answer

    def assert_unknown(self, text, name=""):
        answer = self.refusal_of(text)
        self.assertIsNone(answer, f"{name} was let in: {text[:300]}")

    def assert_all_unknown(self, named):
        """Of many tokens, names all that are let in."""
        count, inside = 0, []
        for name, text in named:
            count += 1
            if self.refusal_of(text):
                inside.append(name)
        self.assertEqual(inside, [], "these were let in")
        return count

    def stream_for(self, target, headers=None, **options):
        made = Stream(self.shared.address, target, headers, **options)
        self.addCleanup(made.close)
        return made

    def opened(self, target, headers=None, **options):
        made = self.stream_for(target, headers, **options)
        self.assertEqual(made.head.status, 200, made.head.headers)
        return made

    def seed(self, topic, data, users=None, **more):
        body = {"data": data, **more, **({"users": users} if users else {"topics": topic} if isinstance(topic, list) else {"topic": topic})}
        answer = self.shared.post("/events", json.dumps(body), {**JSON, **self.ops})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]


class Tokens(IdentityTest):
    def test_good_ones_of_every_algorithm(self):
        for algorithm, key in self.keys.items():
            with self.subTest(algorithm):
                user = f"user of {algorithm}"
                self.seed(None, None, [user], title="hello")
                for text in (token(key, good_claims(user)), token(key, good_claims(user), kid=algorithm.lower()),
                             token(key, good_claims(user), typ="at+jwt"), token(key, good_claims(user), typ="jwt"),
                             token(key, good_claims(user, aud=["other", AUDIENCE])),
                             token(key, good_claims(user, jti="j", nbf=int(time.time()), extra={"a": [1]}))):
                    answer = self.shared.get("/users/me/mailbox", bearer(text))
                    self.assertEqual((answer.status, [x["title"] for x in answer.json["items"]]), (200, ["hello"]), answer)
                scheme = self.shared.get("/users/me/mailbox", {"Authorization": f"bearer {token(key, good_claims(user))}"})
                self.assertEqual(scheme.status, 200)
        self.seed(None, None, [4711], title="number")
        answer = self.shared.get("/users/4711/mailbox", bearer(token(self.keys["ES256"], good_claims(4711))))
        self.assertEqual((answer.status, len(answer.json["items"])), (200, 1), answer)

    @fault("A1")
    def test_a1_without_a_signature(self):
        count = self.assert_all_unknown((f"{x}: {name}", text) for x in ALGORITHMS for name, text in tokens.unsigned(self.keys[x], good_claims()))
        self.note(f"{count} tokens, all refused")

    @fault("A2")
    def test_a2_a_public_key_as_a_secret(self):
        count = 0
        for algorithm in ("EdDSA", "ES256", "RS256"):
            for name, text in tokens.confused(self.keys[algorithm], good_claims()):
                self.assert_unknown(text, name)
                for kid in [x.lower() for x in ALGORITHMS]:
                    forger = make_key("HS256", "forger")
                    self.assert_unknown(signed(forger, {"alg": "HS256", "typ": "JWT", "kid": kid}, good_claims()))
                    count += 1
                count += 1
        # One key's signature under the name of another algorithm, or of another key.
        for algorithm, key in self.keys.items():
            for other in ALGORITHMS:
                if other != algorithm:
                    self.assert_unknown(signed(key, {"alg": other, "typ": "JWT"}, good_claims()), f"{algorithm} as {other}")
                    self.assert_unknown(signed(key, {"alg": algorithm, "typ": "JWT", "kid": other.lower()}, good_claims()),
                                        f"{algorithm} with the kid of {other}")
                    self.assert_unknown(signed(key, {"alg": other, "typ": "JWT", "kid": other.lower()}, good_claims()))
                    count += 3
        self.note(f"{count} tokens, all refused")

    @fault("A3")
    def test_a3_ids_of_keys(self):
        count = 0
        for algorithm, forger in self.forgers.items():
            for name, text in tokens.strange_key_ids(forger, good_claims()):
                self.assert_unknown(text, f"{algorithm}: {name}")
                count += 1
            self.assert_unknown(signed(forger, header(forger, kid=algorithm.lower()), good_claims()), "the right kid, the wrong key")
        # With the right signature: what is no id at all.
        key = self.keys["EdDSA"]
        for kid in (0, -1, 1.5, True, None, [], ["eddsa"], {}, {"eddsa": 1}, "x" * 513, "y" * 5000):
            if kid is not None:
                self.assert_unknown(signed(key, {"alg": "EdDSA", "typ": "JWT", "kid": kid}, good_claims()), f"kid {str(kid)[:20]}")
        self.assert_unknown(signed(key, {"alg": "EdDSA", "typ": "JWT", "kid": None}, good_claims()), "kid null")
        huge = self.shared.get("/users/me/mailbox", bearer(signed(key, header(key, kid="z" * (1 << 20)), good_claims())))
        self.assertEqual(huge.status, 431, huge)
        self.note(f"{count} tokens, all refused")

    @fault("A4")
    def test_a4_keys_that_a_token_brings_along_are_ignored_and_nothing_is_fetched(self):
        with socket.socket() as trap:
            trap.bind(("127.0.0.1", 0))
            trap.listen(64)
            port = trap.getsockname()[1]
            urls = [f"http://127.0.0.1:{port}/keys.json", f"https://127.0.0.1:{port}/keys.json", f"http://localhost:{port}/k"]
            for algorithm in ALGORITHMS:
                forger, key = self.forgers[algorithm], self.keys[algorithm]
                brought = [{"jku": x} for x in urls] + [{"x5u": x} for x in urls]
                brought += [{"jwk": forger.jwk()}, {"jwk": forger.jwk(kid=algorithm.lower()), "kid": algorithm.lower()},
                            {"x5c": ["AAAA"]}, {"x5t": "AAAA"}, {"kid": urls[0]}, {"jwks": {"keys": [forger.jwk()]}}]
                for more in brought:
                    self.assert_unknown(signed(forger, header(forger, **more), good_claims()), f"{algorithm} {list(more)}")
                    # Ignored: it does not make a good token a bad one.
                    if "kid" not in more:
                        answer = self.shared.get("/users/me/mailbox", bearer(signed(key, header(key, **more), good_claims())))
                        self.assertEqual(answer.status, 200, (list(more), answer))
            trap.settimeout(0.5)
            with self.assertRaises(TimeoutError, msg="the broker fetched a key that a token named"):
                trap.accept()

    @fault("A5", "T5")
    def test_a5_times(self):
        for algorithm in ("EdDSA", "HS256"):
            key = self.keys[algorithm]
            count = 0
            for name, text in tokens.wrong_times(key, leeway=LEEWAY):
                head, body, _ = text.split(".")
                payload = tokens.unb64(body).decode()
                full = payload[:-1] + f',"iss":{json.dumps(ISSUER)},"aud":{json.dumps(AUDIENCE)}}}'
                self.assert_unknown(signed(key, header(key), full), name)
                count += 1
            now = int(time.time())
            for name, times in {"fractions": {"exp": now + 60.5, "iat": now - 0.25}, "no iat": {"iat": None},
                                "exponents": {"exp": float(now + 60), "iat": float(now)}, "just begun": {"nbf": now},
                                "a day": {"exp": now + 86400, "iat": now}}.items():
                with self.subTest(f"{algorithm} {name}"):
                    answer = self.shared.get("/users/me/mailbox", bearer(token(key, {k: v for k, v in good_claims(**times).items() if v is not None})))
                    self.assertEqual(answer.status, 200, answer)
            for name, times in {"a day and a bit": {"exp": now + 86400 + 60, "iat": now}, "two days, no iat": {"exp": now + 2 * 86400, "iat": None}}.items():
                body = {k: v for k, v in {**good_claims(), **times}.items() if v is not None}
                self.assert_unknown(token(key, body), name)
        self.note(f"{count} tokens per algorithm, all refused")

    @fault("A5", "T5")
    def test_a5_a_token_is_good_until_its_end_and_not_longer(self):
        text = self.token(seconds=2)
        end = time.time() + 2 + LEEWAY
        self.assertEqual(self.shared.get("/users/me/mailbox", bearer(text)).status, 200)
        # Also one that the broker remembers to be good.
        eventually(lambda: self.shared.get("/users/me/mailbox", bearer(text)).status == 401, 10)
        self.assertGreater(time.time(), end - LEEWAY - 1)
        self.assertLess(time.time(), end + 1.5)

    @fault("A6")
    def test_a6_made_for_somebody_else(self):
        key = self.keys["ES256"]
        for name, change in {"aud of another": {"aud": "other"}, "no aud": {"aud": None}, "an empty list": {"aud": []}, "aud in part": {"aud": AUDIENCE + "."},
                             "aud in capitals": {"aud": AUDIENCE.upper()}, "aud a number": {"aud": 1}, "aud null": {"aud": [None]},
                             "aud nested": {"aud": [[AUDIENCE]]}, "aud as a pattern": {"aud": "*"}, "others": {"aud": ["a", "b"]},
                             "iss of another": {"iss": "https://evil.test"}, "no iss": {"iss": None}, "iss with a slash": {"iss": ISSUER + "/"},
                             "iss a list": {"iss": [ISSUER]}, "iss empty": {"iss": ""}, "iss a number": {"iss": 1}}.items():
            self.assert_unknown(token(key, {k: v for k, v in {**good_claims(), **change}.items() if v is not None}), name)
        for name, text in tokens.wrong_types(key, good_claims()):
            self.assert_unknown(text, name)
        for sub in ("me", "", "a*", "a,b", "x" * 129, 1.5, True, None, ["alice"], {"id": 1}, "a\nb", "a\0b"):
            self.assert_unknown(token(key, {**good_claims(), "sub": sub}), f"sub {sub!r}")
        for rights in ([], "admin", True, {"admin": "true"}, {"admin": 1}, {"publish": "**"}, {"publish": [1]}, {"subscribe": {"a": 1}},
                       {"subscribe": ["a**"]}, {"subscribe": [""]}, {"publish": [None]}, {"Admin": True}, {"publishes": ["a"]}):
            self.assert_unknown(token(key, {**good_claims(), "tidings": rights}), f"rights {rights!r}")

    @fault("A7")
    def test_a7_signatures(self):
        count = 0
        for algorithm, key in self.keys.items():
            good = token(key, good_claims())
            self.assertEqual(self.shared.get("/users/me/mailbox", bearer(good)).status, 200)
            for name, text in tokens.bad_signatures(key, good):
                self.assert_unknown(text, f"{algorithm}: {name}")
                count += 1
            # The good signature of another token.
            other = token(key, good_claims("bob"))
            self.assert_unknown(good.rsplit(".", 1)[0] + "." + other.rsplit(".", 1)[1], "somebody else's signature")
        self.note(f"{count} tokens, all refused")

    @fault("A8")
    def test_a8_malformed(self):
        count = self.assert_all_unknown((f"{x}: {name}", text) for x in ("EdDSA", "HS256")
                                        for name, text in tokens.malformed(self.keys[x], good_claims()))
        self.note(f"{count} tokens, all refused")

    @fault("A8")
    def test_a8_fields_that_hold_no_token(self):
        for field in ("Bearer", "Bearer ", "", "Basic YWxpY2U6eA==", "Token " + self.token(), self.token(), "Bearer" + self.token(),
                      f"Bearer {self.token()} {self.token()}", f"Bearer {self.token()}, Bearer {self.token()}", "Digest x", "Negotiate"):
            with self.subTest(field[:20]):
                answer = self.shared.get("/users/me/mailbox", {"Authorization": field})
                self.assertEqual(answer.status, 401, answer)
        with self.shared.connect() as link:
            text = self.token()
            link.send(f"GET /users/me/mailbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {text}\r\nAuthorization: Bearer {text}\r\n\r\n".encode())
            self.assertIn(link.read_head().status, (400, 401))

    def test_a_refusal_tells_nothing_of_the_token(self):
        text = self.token(algorithm="HS256")[:-2] + "xx"
        answer = self.shared.get("/users/me/mailbox", bearer(text))
        self.assertEqual(answer.status, 401)
        for piece in text.split("."):
            self.assertNotIn(piece, answer.text)
        self.assertNotIn(self.keys["HS256"].secret.decode(), answer.text)
        self.assertEqual(answer.header("content-type"), "application/problem+json")

    @fault("A9")
    def test_a9_a_huge_token(self):
        for size in (1 << 20, 64 << 10, 15000, 8193):
            for body in ("x" * size, self.token(jti=None, pad="y" * size)):
                with self.shared.connect() as link:
                    try:
                        link.send_request("GET", "/users/me/mailbox", bearer(body))
                    except ConnectionError:
                        pass  # it does not want to hear the rest
                    answer = link.read_response()
                    self.assertIn((answer.status, answer.json["code"]), ((431, "header_too_large"), (401, "unauthorized")))
        cookie = self.shared.get("/users/me/mailbox", {"Cookie": "tidings=" + "x" * 15000})
        self.assertEqual(cookie.status, 401, cookie)
        long = self.shared.get("/topics/news?access_token=" + "x" * 15000)
        self.assertIn(long.status, (401, 414))

    @fault("A11")
    def test_a11_a_token_in_the_url_opens_streams(self):
        text = self.token(seconds=240, subscribe=[self.topic], publish=[self.topic])
        query = f"access_token={text}"
        stream = self.opened(f"/topics/{self.topic}?{query}")
        stream.ready()
        own = self.opened(f"/users/me/stream?{query}")
        own.ready()
        events = self.opened(f"/events?topics={self.topic}&{query}")
        self.assertEqual(set(events.ready()["topics"]), {self.topic, "user:alice", "everyone"})
        with self.shared.connect() as link:
            link.send_request("GET", f"/topics/{self.topic}?{query}", {"Accept": "application/x-ndjson"})
            self.assertEqual(link.read_head().status, 200)
        self.seed(self.topic, "heard")
        self.seed(None, None, ["alice"], title="x")
        self.assertEqual((stream.event().data, events.event().data), ("heard", "heard"))
        self.assertEqual(json.loads(own.event().data)["title"], "x")
        # Not a long-lived one, and a bad one is not passed over, also not where nobody would do.
        long = self.token(seconds=3600, subscribe=["**"])
        self.assertEqual(self.shared.get("/users/me/mailbox", bearer(long)).status, 200)
        for bad in (long, text[:-2], "", "x", API_KEYS["ops"], text + "&" + query):
            with self.subTest(bad[:10]):
                self.assertEqual(self.stream_for(f"/topics/news?access_token={bad}").head.status, 401)

    @fault("A11")
    def test_a11_a_token_in_the_url_opens_nothing_else(self):
        text = self.token(seconds=240, subscribe=[self.topic], publish=[self.topic])
        admin = self.token("boss", seconds=240, admin=True, publish=["**"], subscribe=["**"])
        opened = []
        for method, path, headers, body in (
                ("POST", f"/topics/{self.topic}", {}, "x"), ("POST", "/events", JSON, json.dumps({"topic": self.topic, "data": 1})),
                ("POST", "/users/me/mailbox/clear", {}, ""), ("POST", "/users/me/mailbox", JSON, '{"title":"x"}'),
                ("DELETE", "/connections/0000000000000000", {}, None), ("GET", "/users/me/mailbox", {}, None),
                ("GET", f"/topics/{self.topic}", {"Accept": "application/json"}, None), ("GET", "/stats", {}, None), ("GET", "/metrics", {}, None),
                ("GET", "/connections", {}, None), ("GET", "/topics", {}, None)):
            # The same path answers the same whatever the client says that it would like to have.
            accepts = ({}, {"Accept": "application/json"}, {"Accept": "*/*"}, {"Accept": "text/event-stream"}) if method == "GET" and not headers else ({},)
            for accept in accepts:
                for who in (text, admin):
                    status, problem = self.status(f"{path}?access_token={who}", {**headers, **accept}, method, body)
                    if (status, (problem or {}).get("code")) != (401, "unauthorized"):
                        opened.append((method, path, accept.get("Accept"), "administrator" if who == admin else "user", status))
        self.assertEqual(opened, [])

    @fault("A11")
    def test_a11_no_token_is_ever_logged(self):
        texts = [self.token(seconds=240, subscribe=[self.topic], algorithm=x) for x in ALGORITHMS]
        admin, long = self.token("boss", seconds=240, admin=True), self.token(seconds=3600)
        bad = texts[0][:-3] + "AAA"
        for text in texts + [admin, long, bad]:
            for target in (f"/topics/{self.topic}", "/users/me/stream", "/nowhere", "/topics/a**", f"/topics/{self.topic}?since=never", "/%zz", "/stats",
                           "/users/bob/mailbox", f"/events?topics={self.topic}"):
                joint = "&" if "?" in target else "?"
                self.status(f"{target}{joint}access_token={text}", {"Accept": "text/event-stream"})
                self.status(target, {**bearer(text), "Accept": "text/event-stream"})
                self.status(target, {"Cookie": f"tidings={text}"}, "POST", "x")
                self.status(target, {"X-API-Key": text, "Accept": "application/json"})
            # Also where requests end badly.
            for line in (f"GET /topics/x?access_token={text} HTTP/9.9", f"GET  /x?access_token={text} HTTP/1.1", f"{text} /x HTTP/1.1",
                         f"GET /x HTTP/1.1\r\nAuthorization: Bearer {text}"):
                with self.shared.connect() as link:
                    link.send(f"{line}\r\n\r\n".encode())
                    try:
                        link.read_head()
                    except (Closed, OSError):
                        pass
        for key in API_KEYS.values():
            self.shared.get("/stats", {"X-API-Key": key})
            self.shared.get("/stats", {"X-API-Key": key + "x"})
        listed = self.shared.get("/connections", self.ops).text
        log = self.shared.log()
        self.assertIn("stream", log, "it was to log all that it can")
        for text in texts + [admin, long, bad]:
            head, body, signature = text.split(".")
            # Not the header: it says nothing. Of the rest not even a piece.
            for piece in (text, f"{head}.", body, body[:20], body[-20:], signature, signature[:20], signature[-20:]):
                self.assertNotIn(piece, log, "a piece of a token is in the log")
                self.assertNotIn(piece, listed)
        for word in ("access_token", self.keys["HS256"].secret.decode(), *API_KEYS.values()):
            self.assertNotIn(word, log)
            self.assertNotIn(word, listed)
        self.note(f"{len(log.splitlines())} lines of log at the level trace, no piece of {len(texts) + 3} tokens in them")

    def test_what_is_offered_has_to_be_right_and_to_agree(self):
        alice, bob = self.token("alice"), self.token("bob")
        bad = alice[:-2]
        cases = [({**bearer(alice), "Cookie": f"tidings={bob}"}, 401), ({**bearer(alice), "Cookie": f"tidings={alice}"}, 200),
                 ({**bearer(alice), "Cookie": f"tidings={bad}"}, 401), ({**bearer(bad), "Cookie": f"tidings={alice}"}, 401),
                 ({**bearer(bad), **self.ops}, 401), ({**bearer(alice), "X-API-Key": "wrong"}, 401), ({**bearer(alice), **self.ops}, 200),
                 ({**bearer(alice), "Cookie": "other=1; tidings2=x"}, 200), ({**bearer(alice), "X-User-Id": "bob"}, 200),
                 ({"Cookie": f"tidings={alice}; tidings={alice}"}, 401), ({"Cookie": f"tidings={alice}; tidings={bob}"}, 401)]
        for headers, status in cases:
            with self.subTest({k: v[:30] for k, v in headers.items()}):
                answer = self.shared.get("/users/alice/mailbox", headers)
                self.assertEqual(answer.status, status, answer)
        self.assert_problem(self.shared.get("/users/alice/mailbox?user=bob", bearer(alice)), 400, "invalid_parameter")


class Flood(OwnBrokerTest):
    @fault("A9")
    def test_a9_many_tokens_keep_memory_bounded(self):
        folder = temporary_folder()
        key, forger = make_key("HS256", "broker"), make_key("HS256", "forger")
        broker = self.broker(config="[auth]\n" + key_table("hs", key, folder), options={"topics.level": "written", "log.level": "info"})

        def ask(count, make, expected):
            with broker.connect() as link:
                for at in range(0, count, 50):
                    for i in range(50):
                        link.send_request("GET", "/users/me/mailbox?limit=0", bearer(make(at + i)))
                    for _ in range(50):
                        self.assertEqual(link.read_response().status, expected)

        body = claims("alice", pad="p" * 500)
        good = lambda i: token(key, {**body, "jti": str(i)})
        bad = lambda i: token(forger, {**body, "jti": str(i)})
        full = settings.pick(20000, 5000)
        ask(6000, good, 200)
        ask(2000, bad, 401)
        before, log = broker.memory(), len(broker.log())
        begin = time.monotonic()
        ask(full, bad, 401)
        rate = full / (time.monotonic() - begin)
        after_bad = broker.memory()
        ask(full, good, 200)
        after = broker.memory()
        self.note(f"{full} bad and {full} good tokens, each another: memory {(after_bad - before) >> 10:+d} KiB and {(after - after_bad) >> 10:+d} "
                  f"KiB, {rate:.0f}/s by one client, log {len(broker.log()) - log:+d} bytes")
        self.assertLess(after_bad - before, 4 << 20)
        self.assertLess(after - after_bad, 4 << 20)
        # A log that grows with each bad request is a way to fill a disk.
        self.assertLess(len(broker.log()) - log, 1 << 20)


class Cookies(IdentityTest):
    def setUp(self):
        super().setUp()
        self.cookie = {"Cookie": f"a=b; tidings={self.token(publish=[self.topic], subscribe=[self.topic])}; c=d"}

    def test_reading_needs_no_origin(self):
        for more in ({}, {"Origin": "https://app.test"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(self.shared.get("/users/me/mailbox", {**self.cookie, **more}).status, 200)
            self.assertEqual(self.opened(f"/topics/{self.topic}", {**self.cookie, **more}).head.status, 200)
        self.assertEqual(self.shared.get("/users/me/mailbox", {"Cookie": "tidings="}).status, 401)
        self.assertEqual(self.shared.get("/users/me/mailbox", {"Cookie": "tidings=x"}).status, 401)
        # A page of another origin cannot read the answer.
        answer = self.shared.get("/users/me/mailbox", {**self.cookie, "Origin": "https://evil.test"})
        self.assertIsNone(answer.header("access-control-allow-origin"))
        answer = self.shared.get("/users/me/mailbox", {**self.cookie, "Origin": "https://app.test"})
        self.assertEqual((answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")), ("https://app.test", "true"))

    @fault("H16")
    def test_changing_needs_an_origin_that_is_allowed(self):
        identity = self.seed(None, None, ["alice"], title="x")
        writes = [("POST", f"/topics/{self.topic}", {}, "x"), ("POST", "/events", JSON, json.dumps({"topic": self.topic, "data": 1})),
                  ("POST", "/users/me/mailbox/read", JSON, json.dumps({"ids": [identity]})), ("POST", "/users/me/mailbox/clear", {}, ""),
                  ("DELETE", "/connections/0000000000000000", {}, None)]
        forged = [{}, {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "https://app.test.evil.test"}, {"Origin": "http://app.test"},
                  {"Origin": "https://app.test:8443"}, {"Origin": "https://APP.test"}, {"Origin": "https://app.test/"}, {"Origin": ""},
                  {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                  {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"}, {"Origin": "", "Sec-Fetch-Site": "cross-site"}]
        for more in forged:
            for method, target, headers, body in writes:
                with self.subTest(f"{method} {target} {more}"):
                    answer = self.shared.request(method, target, {**self.cookie, **headers, **more}, body)
                    self.assertEqual((answer.status, answer.json["code"]), (403, "forbidden"), answer)
        self.assertEqual(self.box("alice", self.ops).page()["items"][0]["state"], "unread")
        self.assertEqual(self.shared.page(f"/topics/{self.topic}", self.ops)["events"], [])
        for more in ({"Origin": "https://app.test"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": self.shared.url},
                     {"Origin": "https://app.test", "Sec-Fetch-Site": "cross-site"}):
            with self.subTest(f"{more}"):
                self.assertEqual(self.shared.post(f"/topics/{self.topic}", "x", {**self.cookie, **more}).status, 201)
        changed = self.shared.post("/users/me/mailbox/read", json.dumps({"ids": [identity]}), {**self.cookie, **JSON, "Origin": "https://app.test"})
        self.assertEqual(changed.json["changed"], [identity])
        # A bearer token does not come by itself.
        self.assertEqual(self.shared.post(f"/topics/{self.topic}", "x", self.who(publish=[self.topic])).status, 201)

    def test_an_unlisted_cookie_does_not_lock_anybody_out(self):
        self.assertEqual(self.shared.get("/users/me/mailbox", {**self.who(), "Cookie": "TIDINGS=x; tidings-other=y; xtidings=z"}).status, 200)


class OpenToAllPages(OwnBrokerTest):
    @fault("H16")
    def test_a_star_lets_no_page_write_with_somebodys_cookie(self):
        key = make_key("HS256", "broker")
        broker = self.broker(config='[server]\ncors-origins = ["*"]\n\n[auth]\n' + key_table("hs", key, temporary_folder()),
                             options={"topics.level": "written"})
        cookie = {"Cookie": f"tidings={token(key, claims('alice', publish=['t']))}"}
        for origin in ("https://evil.test", "null"):
            answer = broker.post("/topics/t", "x", {**cookie, "Origin": origin})
            self.assert_problem(answer, 403, "forbidden")
            answer = broker.post("/users/me/mailbox/clear", "", {**cookie, "Origin": origin})
            self.assert_problem(answer, 403, "forbidden")
        self.assertEqual(broker.post("/topics/t", "x", {**cookie, "Origin": broker.url}).status, 201)


class ApiKeys(IdentityTest):
    def test_rights_of_a_program(self):
        for headers in ({"X-API-Key": API_KEYS["shop"]}, {"Authorization": f"ApiKey {API_KEYS['shop']}"}, {"Authorization": f"apikey {API_KEYS['shop']}"}):
            with self.subTest(list(headers)):
                self.assertEqual(self.shared.post("/topics/order:1", "x", headers).status, 201)
                self.assert_problem(self.shared.post("/topics/stock", "x", headers), 403, "forbidden")
                self.assert_problem(self.shared.post("/topics/order:1:2", "x", headers), 403, "forbidden")
                self.assertEqual(self.opened("/topics/stock", headers).head.status, 200)
                self.assertEqual(self.stream_for("/topics/order:1", headers).head.status, 403)
                self.assert_problem(self.shared.get("/stats", headers), 403, "forbidden")
                # A program is no user.
                self.assert_problem(self.shared.get("/users/me/mailbox", headers), 401, "unauthorized")
                self.assert_problem(self.shared.get("/users/alice/mailbox", headers), 403, "forbidden")
                self.assertEqual(self.stream_for("/users/shop/stream", headers).head.status, 403)
        self.assertEqual(self.shared.get("/stats", self.ops).status, 200)
        self.assertEqual(self.box("alice", self.ops).ask().status, 200)

    def test_keys_that_are_none(self):
        right = API_KEYS["ops"]
        stored = hashlib.sha256(right.encode()).hexdigest()
        for bad in (right[:-1], right + "x", right.upper(), " ", stored, "ops", "*", "x" * 600, "\u00e9", right + "\t" + right):
            with self.subTest(bad[:20]):
                self.assertEqual(self.shared.get("/stats", {"X-API-Key": bad}).status, 401)
                self.assertEqual(self.shared.get("/stats", {"Authorization": f"ApiKey {bad}"}).status, 401)
        self.assertEqual(self.shared.get("/stats", {"X-API-Key": ""}).status, 401)
        self.assertEqual(self.shared.get("/stats", {"Authorization": f"Bearer {right}"}).status, 401)
        self.assertEqual(self.shared.get("/stats", {"X-API-Key": right, "Authorization": f"ApiKey {API_KEYS['shop']}"}).status, 401)
        self.assertEqual(self.shared.get("/stats", {"Cookie": f"tidings={right}"}).status, 401)
        with self.shared.connect() as link:
            link.send(f"GET /stats HTTP/1.1\r\nHost: x\r\nX-API-Key: {right}\r\nX-API-Key: {right}\r\n\r\n".encode())
            self.assertIn(link.read_head().status, (400, 401))


class Idempotency(IdentityTest):
    def test_keys_are_the_callers_own(self):
        users = [self.who("alice", publish=["t"]), self.who("bob", publish=["t"]), self.ops]
        answers = {}
        for name, target, headers in (("header", "/topics/t", {"Idempotency-Key": "k1"}), ("body", "/events", JSON),
                                      ("lines", "/events", {"Content-Type": "application/x-ndjson"})):
            body = {"header": "x", "body": '{"topic":"t","data":1,"key":"k2"}', "lines": '{"topic":"t","data":1,"key":"k3"}\n'}[name]
            ids = []
            for who in users + users:
                answer = self.shared.post(target, body, {**headers, **who})
                self.assertIn(answer.status, (200, 201), answer)
                ids.append(json.loads(answer.body)["id"])
            self.assertEqual(len(set(ids[:3])), 3, name)
            self.assertEqual(ids[:3], ids[3:], name)
            answers[name] = ids
        conflict = self.shared.post("/topics/t", "other", {"Idempotency-Key": "k1", **users[0]})
        self.assertEqual(conflict.status, 409, conflict)
        self.assertEqual(self.shared.post("/topics/t", "other", {"Idempotency-Key": "k1", **self.who("carol", publish=["t"])}).status, 201)


class Proxies(IdentityTest):
    def ask(self, source, target, headers, method="GET", body=None):
        with Connection(self.shared.address, source=source) as link:
            link.send_request(method, target, headers, body)
            head = link.read_head()
            return head.status

    def test_the_header_counts_from_listed_addresses_only(self):
        user = {"X-User-Id": "alice"}
        self.seed(None, None, ["alice"], title="x")
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox", user), 200)
        self.assertEqual(self.ask(PROXY, "/users/alice/mailbox", user), 200)
        self.assertEqual(self.ask(PROXY, "/users/bob/mailbox", user), 403)
        self.assertEqual(self.ask(PROXY, "/users/me/stream", user), 200)
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox/read", user, "POST", ""), 200)
        self.assertEqual(self.ask(PROXY, "/topics/chat:1", user, "POST", "x"), 201)
        self.assertEqual(self.ask(PROXY, "/topics/chat:1", user), 200)
        self.assertEqual(self.ask(PROXY, "/topics/user:alice", user), 200)
        self.assertEqual(self.ask(PROXY, "/topics/user:bob", user), 403)
        self.assertEqual(self.ask(PROXY, "/topics/other", user, "POST", "x"), 403)
        self.assertEqual(self.ask(PROXY, "/stats", user), 403)
        self.assertEqual(self.ask(PROXY, "/stats", {"X-User-Id": "root"}), 200)
        for source in ("127.0.0.1", "127.0.0.3", "127.0.0.20"):
            for headers in (user, {"X-User-Id": "root"}, {**user, "X-Forwarded-For": PROXY}, {**user, "Forwarded": f"for={PROXY}"},
                            {**user, "X-Real-IP": PROXY}, {**user, "Host": PROXY}):
                self.assertEqual(self.ask(source, "/users/me/mailbox", headers), 401, f"{source} {headers}")
                self.assertEqual(self.ask(source, "/users/alice/mailbox", headers), 401, f"{source} {headers}")
                self.assertEqual(self.ask(source, "/stats", headers), 401)
                self.assertEqual(self.ask(source, "/topics/chat:1", headers, "POST", "x"), 401)

    def test_what_a_listed_proxy_may_not_say(self):
        for bad in ("me", "a*", "a,b", "x" * 129, "a?b", "alice, bob", "\u00ff"):
            with self.subTest(bad[:10]):
                self.assertIn(self.ask(PROXY, "/users/me/mailbox", {"X-User-Id": bad}), (400, 401))
        # Nobody named: nobody.
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox", {}), 401)
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox", {"X-User-Id": ""}), 401)
        self.assertEqual(self.ask(PROXY, "/topics/news", {}), 200)
        with Connection(self.shared.address, source=PROXY) as link:
            link.send(b"GET /users/alice/mailbox HTTP/1.1\r\nHost: x\r\nX-User-Id: alice\r\nX-User-Id: bob\r\n\r\n")
            self.assertIn(link.read_head().status, (400, 401))
        # A token beside it has to mean the same user.
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox", {"X-User-Id": "alice", **self.who("alice")}), 200)
        self.assertEqual(self.ask(PROXY, "/users/me/mailbox", {"X-User-Id": "alice", **self.who("bob")}), 401)


class Rights(IdentityTest):
    def test_nobody_may_what_the_settings_say(self):
        self.assertEqual(self.shared.post("/topics/guestbook", "hi").status, 201)
        self.assertEqual(self.opened("/topics/news").head.status, 200)
        self.assertEqual(self.opened("/topics/public/a:b").head.status, 200)
        for target, method, body in (("/topics/news", "POST", "x"), ("/topics/other", "POST", "x"), ("/topics/other", "GET", None), ("/topics/guestbook", "GET", None),
                                     ("/events?topics=news,other", "GET", None), ("/topics/user:alice", "GET", None), ("/topics/everyone", "GET", None),
                                     ("/users/alice/mailbox", "GET", None), ("/users/alice/stream", "GET", None), ("/users/me/stream", "GET", None),
                                     ("/users/alice/mailbox/clear", "POST", ""), ("/stats", "GET", None), ("/metrics", "GET", None),
                                     ("/connections", "GET", None), ("/topics", "GET", None), ("/connections/0000000000000001", "DELETE", None),
                                     ("/topics/$mailbox/alice", "GET", None), ("/topics/public", "GET", None)):
            with self.subTest(f"{method} {target}"):
                status, problem = self.status(target, {}, method, body)
                self.assertEqual((status, problem and problem["code"]), (401, "unauthorized"))
        answer = self.shared.post("/users/alice/mailbox", '{"title":"x"}', JSON)
        self.assert_problem(answer, 401, "unauthorized")
        answer = self.shared.post("/events", json.dumps([{"topic": "guestbook", "data": 1}, {"topic": "other", "data": 1}]), JSON)
        self.assertEqual(answer.status, 401, answer)
        answer = self.shared.post("/events", '{"topic":"guestbook","data":1}\n{"topic":"other","data":1}\n', {"Content-Type": "application/x-ndjson"})
        self.assertEqual([x.get("code") for x in answer.lines], [None, "unauthorized"])
        # Several topics: every one has to be permitted.
        answer = self.shared.post("/events", json.dumps({"topics": ["guestbook", "other"], "data": 1}), JSON)
        self.assert_problem(answer, 401, "unauthorized")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.shared.get(path).status, 200)
        self.assertEqual(self.shared.request("OPTIONS", "/events", {"Origin": "https://app.test", "Access-Control-Request-Method": "POST"}).status, 204)

    @fault("H21")
    def test_every_route_of_operations_is_for_administrators(self):
        """As the table in docs/http.md lists them, so that one that is new is asked here too."""
        user, admin = self.who(subscribe=["**"], publish=["**"]), self.who("boss", admin=True)
        text = (settings.ROOT / "docs/http.md").read_text(encoding="utf-8")
        routes = re.findall(r"^\| `(GET|POST|DELETE) (/[^` ]*)` \|", text[text.index("## Operations"):], re.M)
        public = {"/", "/healthz", "/readyz"}
        self.assertGreaterEqual(len(routes), 12, routes)
        self.assertLess(public, {path for _, path in routes})
        for method, path in routes:
            target = re.sub(r"\{\w+\}", "0000000000000001", path)
            body = "{}" if method == "POST" else None
            ask = lambda who, method=method: self.shared.request(method, target, {**JSON, **who} if body else who, body)
            with self.subTest(f"{method} {path}"):
                if path in public:
                    self.assertEqual([ask(x).status for x in ({}, user, admin)], [200] * 3)
                    continue
                self.assert_problem(ask({}), 401, "unauthorized")
                self.assert_problem(ask(user), 403, "forbidden")
                self.assertIn(ask(admin).status, (200, 400, 404), "400: there is nothing in the body; 404: it is alone")
                if method == "GET":
                    self.assertEqual([ask(x, "HEAD").status for x in ({}, user)], [401, 403])

    @fault("H21")
    def test_admin_routes(self):
        user, admin = self.who(subscribe=["**"], publish=["**"]), self.who("boss", admin=True)
        stream = self.opened("/topics/news")
        connection = stream.ready()["connection"]
        for path in ("/metrics", "/stats", "/connections", "/topics"):
            with self.subTest(path):
                self.assert_problem(self.shared.get(path), 401, "unauthorized")
                self.assert_problem(self.shared.get(path, user), 403, "forbidden")
                self.assertEqual(self.shared.get(path, admin).status, 200)
                self.assertEqual(self.shared.request("HEAD", path, user).status, 403)
        self.assert_problem(self.shared.request("DELETE", f"/connections/{connection}"), 401, "unauthorized")
        self.assert_problem(self.shared.request("DELETE", f"/connections/{connection}", user), 403, "forbidden")
        self.assertTrue(stream.silent(0.2))
        self.assertEqual(self.shared.request("DELETE", f"/connections/{connection}", admin).status, 204)
        self.assertEqual(stream.control("tidings.closing")["reason"], "closed")
        # To administrate is not to publish.
        self.assert_problem(self.shared.post("/topics/order:1", "x", admin), 403, "forbidden")
        # Mailboxes are open to them.
        identity = self.seed(None, None, ["carl"], title="x")
        self.assertEqual(self.box("carl", admin).ids(), [identity])
        self.assertEqual(self.box("carl", admin).change("read")["changed"], [identity])
        self.assertEqual(self.opened("/users/carl/stream", admin).head.status, 200)

    def test_somebody_elses_mailbox_and_stream_are_refused(self):
        identity = self.seed(None, None, ["bob"], title="secret")
        alice = self.who(subscribe=["**"], publish=["**"])
        foreign = self.box("bob", alice)
        for answer in [foreign.ask(), foreign.ask(limit=0)] + [foreign.attempt(x, {"ids": [identity]}) for x in ("seen", "read", "archive", "dismiss", "clear")]:
            self.assert_problem(answer, 403, "forbidden")
            self.assertNotIn("secret", answer.text)
        for accept in ("text/event-stream", "application/json", "application/x-ndjson"):
            with self.subTest(accept):
                self.assertEqual(self.status("/users/bob/stream", {**alice, "Accept": accept})[0], 403)
        for name in ("%62ob", "b%6Fb"):
            self.assertEqual(self.status(f"/users/{name}/mailbox", alice)[0], 403)
        for target in ("/topics/$mailbox/bob", "/events?topics=$mailbox/bob", "/events?topic=$mailbox%2Fbob", "/topics/%24mailbox%2Fbob"):
            with self.subTest(target):
                self.assertIn(self.status(target, {**alice, "Accept": "text/event-stream"})[0], (400, 403))
                self.assertIn(self.status(target, {**alice, "Accept": "application/json"})[0], (400, 403))
        # Their own they may always, also without any rights.
        poor = self.who("dora")
        self.assertEqual(self.box("dora", poor).ask().status, 200)
        self.assertEqual(self.box("me", poor).change("clear")["changed"], [])
        self.assertEqual(self.opened("/users/dora/stream", poor).head.status, 200)
        self.assertEqual(self.opened("/topics/user:dora", poor).head.status, 200)
        self.assertEqual(self.opened("/topics/everyone", poor).head.status, 200)
        self.assertEqual(self.stream_for("/topics/user:bob", poor).head.status, 403)
        self.assertEqual(self.stream_for("/topics/news", poor).head.status, 403)
        # Sending is publishing: to oneself, too.
        self.assert_problem(self.shared.post("/users/me/mailbox", '{"title":"x"}', {**JSON, **poor}), 403, "forbidden")
        sender = self.who("sam", publish=["user:*"])
        self.assertEqual(self.shared.post("/users/dora/mailbox", '{"title":"x"}', {**JSON, **sender}).status, 201)
        self.assert_problem(self.shared.post("/events", '{"users":"*","title":"x"}', {**JSON, **sender}), 403, "forbidden")
        self.assert_problem(self.shared.post("/events", '{"users":["dora","*"],"title":"x"}', {**JSON, **sender}), 403, "forbidden")
        self.assert_problem(self.shared.post("/events", '{"users":["dora"],"topic":"x","title":"x"}', {**JSON, **sender}), 403, "forbidden")

    def test_a_batch_is_refused_for_one_topic_that_is_not_permitted(self):
        alice = self.who(publish=["a:*"])
        answer = self.shared.post("/events", json.dumps([{"topic": "a:1", "data": 1}, {"topic": "b", "data": 2}]), {**JSON, **alice})
        problem = self.assert_problem(answer, 403, "forbidden")
        self.assertEqual([(x["index"], x["code"]) for x in problem["errors"]], [(1, "forbidden")])
        self.assertEqual(self.shared.page("/topics/a:1", self.ops)["events"], [])
        answer = self.shared.post("/events", '{"topic":"a:1","data":1}\n{"topic":"b","data":2}\n{"topic":"a:2","data":3}\n',
                                  {**alice, "Content-Type": "application/x-ndjson"})
        self.assertEqual([x.get("code") for x in answer.lines], [None, "forbidden", None])
        event = {"specversion": "1.0", "id": "1", "source": "s", "type": "b"}
        answer = self.shared.post("/events", json.dumps(event), {"Content-Type": "application/cloudevents+json", **alice})
        self.assert_problem(answer, 403, "forbidden")
        answer = self.shared.post("/events?topic=b", "x", {"ce-specversion": "1.0", "ce-id": "2", "ce-source": "s", "ce-type": "a:1", "Content-Type": "text/plain", **alice})
        self.assert_problem(answer, 403, "forbidden")

    def test_somebodys_key_opens_no_topic(self):
        first = self.shared.post("/topics/a:1", "x", {**self.who(publish=["a:*"]), "Idempotency-Key": self.topic})
        self.assertEqual(first.status, 201)
        other = self.who("bob", publish=["b:*"])
        answer = self.shared.post("/topics/a:1", "x", {**other, "Idempotency-Key": self.topic})
        self.assert_problem(answer, 403, "forbidden")
        self.assertNotIn(first.json["id"], answer.text)
        answer = self.shared.post("/topics/b:1", "x", {**other, "Idempotency-Key": self.topic})
        self.assertNotIn(first.json["id"], answer.text)

    def test_events_of_the_user_are_added_to_what_is_asked_for(self):
        alice = self.who(subscribe=["chat:*"])
        stream = self.opened("/events?topics=chat:1", alice)
        self.assertEqual(set(stream.ready()["topics"]), {"chat:1", "user:alice", "everyone"})
        self.seed("chat:2", "no")
        self.seed("user:alice", "mine")
        self.seed("everyone", "all")
        self.seed("user:bob", "no")
        self.seed("chat:1", "chat")
        self.assertEqual([x.data for x in stream.events(3)], ["mine", "all", "chat"])
        one = self.opened("/topics/chat:1", alice)
        self.assertEqual(one.ready()["topics"], ["chat:1"])

    @fault("C8")
    def test_rights_hold_for_live_and_for_replayed_events_and_pages(self):
        t = self.topic
        alice = self.who("ria", subscribe=[f"{t}:a:*", f"{t}:shared"])
        asked = {"": None, "topics=**": None, f"topics={t}:*": [f"{t}:*"], f"topics={t}:**": [f"{t}:**"],
                 f"topics={t}:b:*": [f"{t}:b:*"], f"topics={t}:a:*": [f"{t}:a:*"], f"topics={t}:*:1": [f"{t}:*:1"]}
        permitted = lambda x: x in (f"{t}:shared", "user:ria", "everyone") or matches(f"{t}:a:*", x)
        streams = []
        for query, patterns in asked.items():
            stream = self.opened(f"/events?{query}", alice)
            stream.ready()
            streams.append((query, patterns, stream))
        topics = [f"{t}:a:1", f"{t}:a:2", f"{t}:a:1:x", f"{t}:b:1", f"{t}:b:2", f"{t}:shared", f"{t}:c", "user:ria", "user:other", f"{t}.a.1"]
        log = []
        for number in range(60):
            chosen = self.random.sample(topics, self.random.choice((1, 1, 1, 2, 3)))
            self.seed(chosen, f"{t} {number}")
            log.append((f"{t} {number}", chosen))
        self.seed(["user:ria", f"{t}:shared"], "end")
        total = 0
        for query, patterns, stream in streams:
            with self.subTest(query or "everything"):
                # An event comes for a topic that was asked for and may be read, both at once. The user's own are added.
                wanted = lambda x: permitted(x) and (patterns is None or x in ("user:ria", "everyone") or any(matches(p, x) for p in patterns))
                expected = [n for n, names in log if any(wanted(x) for x in names)]
                total += len(expected)
                got = []
                while (event := stream.event()).data != "end":
                    if event.data.startswith(t):
                        got.append(event.data)
                self.assertEqual(got, expected, "live")
                with self.shared.stream(f"/events?{query}&since=earliest", alice) as replay:
                    got = []
                    while (event := replay.event()).data != "end":
                        if event.data.startswith(t):
                            got.append(event.data)
                    self.assertEqual(got, expected, "replayed")
                page = self.shared.page(f"/events?{query}&limit=1000", alice)
                self.assertEqual([x["data"] for x in page["events"] if str(x["data"]).startswith(t)], expected, "page")
        self.note(f"{len(streams)} subscriptions, {total} events permitted of {len(log) * len(streams)}; live, replayed and as pages alike")
        for target in (f"/topics/{t}:b:1", f"/events?topics={t}:a:1,{t}:b:1", f"/events?topics={t}:c", "/topics/user:other"):
            for accept in ("text/event-stream", "application/json"):
                self.assertEqual(self.status(target, {**alice, "Accept": accept})[0], 403, target)

    def test_two_users_with_the_same_question_hear_what_each_may(self):
        t = self.topic
        ann = self.opened(f"/events?topics={t}:*", self.who("ann", subscribe=[f"{t}:x"]))
        ben = self.opened(f"/events?topics={t}:*", self.who("ben", subscribe=[f"{t}:y"]))
        all_ = self.opened(f"/events?topics={t}:*", self.ops)
        nobody = self.stream_for(f"/events?topics={t}:*")
        for stream in (ann, ben, all_):
            stream.ready()
        for name in "xyzxy":
            self.seed(f"{t}:{name}", name)
        self.seed([f"{t}:x", f"{t}:y"], "end")
        for stream, expected in ((ann, "xx"), (ben, "yy"), (all_, "xyzxy")):
            got = ""
            while (event := stream.event()).data != "end":
                got += event.data
            self.assertEqual(got, expected)
        # Nobody may read some topics, and none of these is among them.
        if nobody.head.status == 200:
            nobody.ready()
            self.assertTrue(nobody.silent(0.2))
        else:
            self.assertEqual(nobody.head.status, 401)

    def test_a_stream_of_everything_for_nobody_is_what_nobody_may_read(self):
        stream = self.opened("/events")
        stream.ready()
        self.seed("other", "no")
        self.seed("everyone", "no")
        self.seed("user:alice", "no")
        self.seed("public/x", "yes")
        self.assertEqual(stream.event().data, "yes")

    @fault("A13")
    def test_a13_grants_are_never_more_than_their_letters(self):
        """Random grants and topics against the matcher of the checker."""
        pieces = ("a", "b", "ab", "*", "a*", "A", "aa", "é", "$x", "%41", " a", "a b", "-")
        separators = (":", "/", ".")

        def name(wild):
            words = [self.random.choice(pieces) for _ in range(self.random.randint(1, 4))]
            words = [x if x != "a*" else "a" for x in words]
            if not wild:
                words = [x if x != "*" else "b" for x in words]
            text = words[0]
            for word in words[1:]:
                text += self.random.choice(separators) + word
            if wild and self.random.random() < 0.3:
                text += self.random.choice(separators) + "**"
            return text.strip()

        key = self.keys["HS256"]
        checked = granted = 0
        with self.shared.connect() as link:
            for round_ in range(settings.pick(150, 40)):
                grants = [name(True) for _ in range(self.random.randint(0, 3))]
                alice = bearer(token(key, good_claims(publish=grants, subscribe=grants)))
                topics = [name(False) for _ in range(6)]
                # Neighbours of what was granted: one letter more, one segment more, another separator.
                for grant in grants:
                    base = grant.replace("**", "a").replace("*", "b")
                    topics += [base, base + "a", base + ":a", base + "/", base.replace(":", "/", 1), base.upper(), base[:-1] or "x", "x" + base]
                for topic in topics:
                    if topic != topic.strip() or topic.startswith("$") or not topic:
                        continue
                    expected = any(matches(x, topic) for x in grants)
                    path = urllib.parse.quote(topic, safe=self.random.choice(("", ":/.")))
                    answer = link.request("POST", f"/topics/{path}", alice, "x")
                    self.assertEqual(answer.status, 201 if expected else 403, f"publish to {topic!r} with {grants}: {answer!r}")
                    own = topic in ("user:alice", "everyone")
                    answer = link.request("GET", f"/topics/{path}?limit=1", {**alice, "Accept": "application/json"})
                    self.assertEqual(answer.status, 200 if expected or own else 403, f"read {topic!r} with {grants}: {answer!r}")
                    answer = link.request("POST", "/events", {**alice, **JSON}, json.dumps({"topics": [topic, "never:granted:x"], "data": 1}))
                    self.assertEqual(answer.status, 201 if any(matches(x, "never:granted:x") for x in grants) and expected else 403)
                    checked += 1
                    granted += expected
        self.note(f"{checked} topics against random grants, {granted} permitted")

    @fault("A13")
    def test_a13_letters_that_only_look_like_a_wildcard(self):
        alice = self.who(publish=["order:*", "iot/**"], subscribe=["order:*", "iot/**"])
        for path, status in (("order:1", 201), ("order%3A1", 201), ("%6Frder:1", 201), ("order%253A1", 403), ("order:1:2", 403), ("order:", 403),
                             ("order", 403), ("order.1", 403), ("order/1", 403), ("ORDER:1", 403), ("iot/a", 201), ("iot/a/b:c", 201), ("iot", 403),
                             ("iot/", 403), ("iot%2Fa", 201), ("iotx/a", 403), ("order:*", 400), ("order:%2A", 400), ("iot/**", 400), ("%2A%2A", 400),
                             ("order:%23", 400), ("order:1%2C2", 400), ("order:1%00", 400), ("iot/../order:1", 400), ("iot/%2e%2e/secret", 400),
                             ("iot/./a", 400), ("$mailbox/alice", 400), ("%24mailbox/alice", 400), ("user:alice", 403), ("everyone", 403)):
            with self.subTest(path):
                self.assertEqual(self.shared.post(f"/topics/{path}", "x", alice).status, status)
        for query, status in (("topics=order:*", 200), ("topics=order:%2A", 200), ("topics=order:**", 200), ("topics=*", 200), ("topics=**", 200), ("", 200),
                              ("topics=order:1", 200), ("topics=order:1:2", 403), ("topics=secret", 403), ("topics=order:1,secret", 403),
                              ("topic=order:1&topic=secret", 403), ("topics=iot/a", 200), ("topics=iot", 403), ("topics=secret:*", 200),
                              ("topics=", 400), ("topics=order:1,", 400), ("topics=$mailbox/alice", 200), ("topics=$mailbox/bob", 403)):
            with self.subTest(query):
                status_, _ = self.status(f"/events?{query}", {**alice, "Accept": "text/event-stream"})
                self.assertEqual(status_, status)


class Endings(OwnBrokerTest):
    CONFIG = '[auth]\nleeway = "0"\n'

    @fault("C8", "T5")
    def test_a_stream_ends_when_its_token_does(self):
        key, folder = make_key("EdDSA", "broker"), temporary_folder()
        broker = self.broker(config=self.CONFIG + key_table("k", key, folder), options={"topics.level": "written"})
        made = int(time.time())
        end = made + 4
        text = token(key, {"sub": "alice", "iat": made, "exp": end, "tidings": {"subscribe": ["t"], "publish": ["t"]}})
        ways = (("/topics/t", bearer(text)), ("/users/me/stream", {"Cookie": f"tidings={text}"}), (f"/events?access_token={text}", {}),
                ("/events?topics=t&since=earliest", bearer(text)))
        streams = [broker.stream(*x) for x in ways]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.ready()
        long = broker.stream("/topics/t", bearer(token(key, claims("alice", subscribe=["t"]))))
        self.addCleanup(long.close)
        long.ready()
        broker.post("/topics/t", "1", bearer(text))
        self.assertEqual(streams[0].event().data, "1")
        for stream in streams:
            self.assertEqual(stream.control("tidings.closing", 15)["reason"], "token_expired")
            now = time.time()
            self.assertGreaterEqual(now, end - 0.05)
            self.assertLess(now, end + 3)
            with self.assertRaises(Closed) as ended:
                stream.item()
            self.assertTrue(ended.exception.clean)
        self.note(f"ended {time.time() - end:.1f} s after the token did")
        again = broker.stream("/topics/t", {**bearer(text), "Last-Event-ID": streams[0].last_event_id})
        self.assertEqual(again.head.status, 401)
        again.close()
        self.assertEqual(long.event().data, "1")
        # With a new token it goes on where it stood.
        fresh = bearer(token(key, claims("alice", subscribe=["t"], publish=["t"])))
        broker.post("/topics/t", "2", fresh)
        with broker.stream("/topics/t", {**fresh, "Last-Event-ID": streams[0].last_event_id}) as stream:
            self.assertEqual(stream.event().data, "2")
        self.assertEqual(long.event().data, "2")

    @fault("C8")
    def test_a_right_that_ends_in_a_long_replay(self):
        """A reader that stands still in the middle of a long replay reads on when it may not any more: what it gets
        then is what was under way to it, and no more."""
        key, folder, count = make_key("EdDSA", "broker"), temporary_folder(), 200
        app = {"X-API-Key": API_KEYS["ops"]}
        broker = self.broker(config=self.CONFIG + key_table("k", key, folder)
                             + api_key_table("app", API_KEYS["ops"], publish=["**"], admin=True),
                             options={"topics.level": "written"})
        with broker.connect() as link:
            for number in range(count):
                self.assertEqual(link.request("POST", "/topics/t", app, f"{number}\n{'x' * 100_000}").status, 201)
        made = int(time.time())
        for user, seconds, reason in (("brief", 6, "token_expired"), ("revoked", 600, "revoked")):
            text = token(key, {"sub": user, "iat": made, "exp": made + seconds, "tidings": {"subscribe": ["t"]}})
            stream = broker.stream("/topics/t?since=earliest", bearer(text), receive_buffer=4096, timeout=30)
            self.addCleanup(stream.close)
            stream.ready()
            got = [stream.event().data.split("\n")[0]]
            if reason == "revoked":
                self.assertEqual(broker.post("/revocations", json.dumps({"user": user}), {**JSON, **app}).status, 201)
            signed_in = {**bearer(text), "Accept": "application/json"}
            refused = lambda: broker.get("/topics/t?limit=1", signed_in).status == 401
            eventually(refused, 15, "the token has ended")
            # What comes into being now is not for it.
            self.assertEqual(broker.post("/topics/t", f"secret\n{user}", app).status, 201)
            told = None
            try:
                while True:
                    event = stream.event(20, control=True)
                    if event.type == "tidings.closing":
                        told = json.loads(event.data)["reason"]
                    else:
                        got.append(event.data.split("\n")[0])
            except (Closed, ConnectionError) as ended:
                # Who is in the middle of an event is not told: it is cut off, and may come back.
                self.assertEqual(told, reason if isinstance(ended, Closed) and ended.clean else None, ended)
            self.assertEqual(got, [str(x) for x in range(len(got))])
            self.assertLess(len(got), count // 2, "more than the sockets hold was sent after the end")
            self.note(f"{reason}: {len(got)} of {count} events of 100 KB reached a reader that stood still")

    @fault("A10")
    def test_a10_rotation_by_reload(self):
        folder = temporary_folder()
        old, new = make_key("EdDSA", "old"), make_key("ES256", "new")
        tables = {"old": key_table("old", old, folder), "new": key_table("new", new, folder)}
        broker = self.broker(config=self.CONFIG + tables["old"] + api_key_table("app", API_KEYS["shop"], publish=["t"], subscribe=["t"]),
                             options={"topics.level": "written"})
        rights = {"publish": ["t"], "subscribe": ["t"]}
        by_old, by_new = bearer(token(old, claims(**rights), kid="old")), bearer(token(new, claims(**rights), kid="new"))
        by_app = {"X-API-Key": API_KEYS["shop"]}
        status = lambda who: broker.post("/topics/t", "x", who).status
        self.assertEqual((status(by_old), status(by_new), status(by_app)), (201, 401, 201))
        first = broker.stream("/topics/t", by_old)
        app = broker.stream("/topics/t", by_app)
        for stream in (first, app):
            self.addCleanup(stream.close)
            stream.ready()

        def reload(text, holds):
            broker.write_config(text)
            broker.signal(signal.SIGHUP)
            eventually(holds, 10, "the new file is in force")

        # Both, while tokens of the old one are still about. The stream goes on.
        app_table = api_key_table("app", API_KEYS["shop"], publish=["t"], subscribe=["t"])
        reload(self.CONFIG + tables["old"] + tables["new"] + app_table, lambda: status(by_new) == 201)
        self.assertEqual(status(by_old), 201)
        second = broker.stream("/topics/t", by_new)
        self.addCleanup(second.close)
        second.ready()
        broker.post("/topics/t", "mark", by_new)
        for stream in (first, second, app):
            while stream.event().data != "mark":
                pass
        # A bad file changes nothing.
        broker.write_config(self.CONFIG + tables["new"].replace(".pem", ".nowhere"))
        size = len(broker.log())
        broker.signal(signal.SIGHUP)
        eventually(lambda: "nowhere" in broker.log()[size:], 10, "a word in the log")
        self.assertEqual((status(by_old), status(by_new), status(by_app)), (201, 201, 201))
        # The old one is gone: refused at once, and who is in by it goes.
        reload(self.CONFIG + tables["new"] + app_table, lambda: status(by_old) == 401)
        self.assertEqual(first.control("tidings.closing", 15)["reason"], "revoked")
        with self.assertRaises(Closed) as end:
            first.item()
        self.assertTrue(end.exception.clean)
        self.assertEqual(broker.stream("/topics/t", by_old).head.status, 401)
        broker.post("/topics/t", "still", by_new)
        for stream in (second, app):
            while stream.event().data != "still":
                pass
        # The same for a program's key, and for one whose rights shrink.
        reload(self.CONFIG + tables["new"] + api_key_table("app", API_KEYS["shop"], publish=["t"]), lambda: broker.page("/topics/t", by_new) and
               broker.get("/topics/t", {**by_app, "Accept": "application/json"}).status == 403)
        self.assertEqual(app.control("tidings.closing", 15)["reason"], "revoked")
        # Another key file under the same name counts, too.
        with open(os.path.join(folder, "new.pem"), "w") as file:
            file.write(make_key("ES256", "newer").public_pem)
        broker.signal(signal.SIGHUP)
        eventually(lambda: status(by_new) == 401, 10)
        self.assertEqual(second.control("tidings.closing", 15)["reason"], "revoked")
        self.assertEqual(status(bearer(token(make_key("ES256", "newer"), claims(**rights)))), 201)

    def test_who_needed_no_sign_in_does_after_a_reload(self):
        broker = self.broker(config="")
        named = broker.stream("/users/42/stream")
        named.ready()
        broker.signal(signal.SIGHUP)  # nothing has changed
        eventually(lambda: re.search(r"^tidings_reloads_total 1$", broker.get("/metrics").text, re.M), 10)
        streams = {x: broker.stream(x) for x in ("/topics/t", "/users/43/stream")}
        for stream in streams.values():
            self.addCleanup(stream.close)
            stream.ready()
        broker.post("/users/42/mailbox", '{"title":"still there"}', JSON)
        self.assertEqual(json.loads(named.event().data)["title"], "still there")
        line = json.dumps({"topic": "u", "data": "x"}) + "\n"
        with broker.connect() as link:
            link.send_request("POST", "/events", {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
            link.send_chunk(line)
            body = link.body(link.read_head())
            self.assertIn("level", json.loads(body.piece()))
            broker.write_config(api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True))
            broker.signal(signal.SIGHUP)
            for stream in (named, *streams.values()):
                self.assertEqual(stream.control("tidings.closing", 15)["reason"], "revoked")
            link.send_chunk(line)
            self.assertEqual(json.loads(body.piece())["code"], "unauthorized")

    def test_an_administrator_who_looks_into_a_mailbox_stays_who_they_are(self):
        key, folder = make_key("EdDSA", "k"), temporary_folder()
        broker = self.broker(config=key_table("k", key, folder) + api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True)
                             + "\n[limits]\nstreams-per-user = 1\nreplace-oldest = true\n")
        ops = {**JSON, "X-API-Key": API_KEYS["ops"]}
        now = int(time.time())
        roots = bearer(token(key, claims("root", jti="r", iat=now - 60, admin=True)))
        alices = bearer(token(key, claims("alice", jti="a", iat=now - 60)))
        own = broker.stream("/users/me/stream", alices)
        own.ready()
        other = broker.stream("/users/alice/stream", roots)
        other.ready()
        self.assertEqual(broker.get("/connections?of=alice", ops).json["total"], 1)
        self.assertEqual(broker.post("/revocations", '{"user":"root"}', ops).status, 201)
        self.assertEqual(other.control("tidings.closing", 15)["reason"], "revoked")
        self.assertEqual(broker.post("/users/alice/mailbox", '{"title":"hello"}', ops).status, 201)
        self.assertEqual(json.loads(own.event().data)["title"], "hello")

    def test_a10_an_upload_that_goes_on_ends_with_its_token(self):
        key, folder = make_key("EdDSA", "k"), temporary_folder()
        broker = self.broker(config=key_table("k", key, folder) + api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True))
        alices = bearer(token(key, claims("alice", jti="a1", publish=["t"])))
        line = json.dumps({"topic": "t", "data": "x"}) + "\n"
        with broker.connect() as link:
            link.send_request("POST", "/events", {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked", **alices})
            link.send_chunk(line)
            body = link.body(link.read_head())
            self.assertIn("level", json.loads(body.piece()))
            self.assertEqual(broker.post("/revocations", '{"jti":"a1"}', {**JSON, "X-API-Key": API_KEYS["ops"]}).status, 201)
            link.send_chunk(line)
            self.assertEqual(json.loads(body.piece())["code"], "unauthorized")
        self.assertEqual(len(broker.get("/topics/t", {"Accept": "application/json", "X-API-Key": API_KEYS["ops"]}).json["events"]), 1)

    def test_a10_a_long_poll_that_is_revoked_is_sent_nothing(self):
        key, folder = make_key("EdDSA", "k"), temporary_folder()
        broker = self.broker(config=key_table("k", key, folder) + api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True))
        ops = {"X-API-Key": API_KEYS["ops"]}
        alices = bearer(token(key, claims("alice", jti="a1", subscribe=["t"])))
        answers = []
        poll = threading.Thread(target=lambda: answers.append(broker.get("/topics/t?wait=50s", {"Accept": "application/json", **alices}, timeout=55)))
        poll.start()
        eventually(lambda: broker.get("/stats", ops).json["connections"] >= 2, 10)
        self.assertEqual(broker.post("/revocations", '{"jti":"a1"}', {**JSON, **ops}).status, 201)

        def answered():
            broker.post("/topics/t", "secret", ops)
            poll.join(0.2)
            return answers

        answer = eventually(answered, 30)[0]
        self.assertEqual(answer.status, 401, answer)
        self.assertNotIn(b"secret", answer.body)

    def test_a10_what_is_revoked_is_refused_at_once_and_over_restarts(self):
        key, folder = make_key("EdDSA", "k"), temporary_folder()
        broker = self.broker(config=key_table("k", key, folder) + api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True)
                             + '\n[topics]\nttl = "1s"\nttl-max = "1s"\n')  # must not bound what the broker keeps for itself
        ops = {"X-API-Key": API_KEYS["ops"]}
        now = int(time.time())
        made = lambda user, jti, iat=now - 60: bearer(token(key, claims(user, jti=jti, iat=iat, exp=now + 3600, subscribe=["t"])))
        alices, another, bobs = made("alice", "a1"), made("alice", "a2"), made("bob", "b1")
        streams = {}
        for name, who in (("a1", alices), ("a2", another), ("b1", bobs)):
            streams[name] = broker.stream("/topics/t", who)
            self.addCleanup(streams[name].close)
            streams[name].ready()
        post = lambda body, who=ops: broker.post("/revocations", body if isinstance(body, str) else json.dumps(body), {**JSON, **who})
        status = lambda who: broker.get("/topics/t", {**who, "Accept": "application/json"}).status

        self.assertEqual(post({"user": "bob"}, alices).status, 403)
        self.assertEqual(broker.get("/revocations", alices).status, 403)
        for bad in ("", "[]", "{}", '{"user":"a","jti":"b"}', '{"user":7}', '{"user":""}', '{"user":"me"}', '{"jti":"b","issued_before":"2026-01-01T00:00:00Z"}',
                    '{"user":"a","issued_before":"yesterday"}', '{"name":"a"}', '{"user":"a","user":"b"}', json.dumps({"jti": "x" * 513})):
            self.assertEqual(post(bad).status, 400, bad)
        self.assertEqual(broker.get("/revocations", ops).json, {"revocations": []})
        self.assertEqual(broker.request("DELETE", "/revocations", headers=ops).status, 405)

        begin = time.monotonic()
        answer = post({"jti": "a1"})
        self.assertEqual((answer.status, answer.json["jti"]), (201, "a1"))
        self.assertEqual(status(alices), 401)
        self.assertEqual(streams["a1"].control("tidings.closing", 15)["reason"], "revoked")
        self.note(f"{(time.monotonic() - begin) * 1000:.0f} ms from the request to the end of the stream")
        with self.assertRaises(Closed) as end:
            streams["a1"].item()
        self.assertTrue(end.exception.clean)
        self.assertEqual((status(another), status(bobs)), (200, 200))

        self.assertEqual(post({"user": "bob", "issued_before": "2020-01-01T00:00:00Z"}).status, 201)
        self.assertEqual(status(bobs), 200)  # issued later
        answer = post({"user": "alice"})
        self.assertEqual((answer.status, answer.json["user"]), (201, "alice"))
        self.assertEqual(streams["a2"].control("tidings.closing", 15)["reason"], "revoked")
        self.assertEqual((status(another), status(bobs)), (401, 200))
        self.assertEqual(status(made("alice", "a3", now + 5)), 200)  # signed in again since; within the leeway
        broker.post("/topics/t", "on", ops)
        self.assertEqual(streams["b1"].event().data, "on")

        kept = broker.get("/revocations", ops).json
        self.assertEqual([x.get("user", x.get("jti")) for x in kept["revocations"]], ["alice", "bob", "a1"])
        self.assertEqual(broker.get("/topics?prefix=$", ops).json["topics"][0]["events"], 3)
        for stop in (broker.kill, broker.stop):
            stop()
            broker.start()
            self.assertEqual(broker.get("/revocations", ops).json, kept)
            self.assertEqual((status(alices), status(another), status(bobs)), (401, 401, 200))
        # Nobody reads or writes them as events.
        self.assertEqual(broker.get("/topics/$revocations", {**bobs, "Accept": "application/json"}).status, 403)
        self.assertEqual(broker.post("/topics/$revocations", "{}", ops).status, 400)

    def test_streams_end_when_a_reload_leaves_no_key(self):
        folder, key = temporary_folder(), make_key("EdDSA", "old")
        broker = self.broker(config=self.CONFIG + key_table("old", key, folder) + api_key_table("app", API_KEYS["ops"], admin=True),
                             options={"topics.level": "written"})
        stream = broker.stream("/topics/t", bearer(token(key, claims(subscribe=["t"]))))
        self.addCleanup(stream.close)
        stream.ready()
        self.assertEqual(broker.post("/topics/t", "x").status, 401)
        broker.write_config(self.CONFIG + api_key_table("app", API_KEYS["ops"], admin=True))
        broker.signal(signal.SIGHUP)
        self.assertEqual(stream.control("tidings.closing", 15)["reason"], "revoked")
        self.assertEqual(broker.post("/topics/t", "x").status, 401)


class Open(OwnBrokerTest):
    """Without any way to sign in."""

    def test_everybody_may_everything_and_names_themselves(self):
        broker = self.broker(options={"topics.level": "written"})
        Mailbox(broker, "ann").send(title="x")
        self.assertEqual(broker.get("/users/ann/mailbox").status, 200)
        self.assertEqual(broker.get("/users/ann/mailbox", {"X-User-Id": "bob"}).status, 200)
        self.assertEqual(broker.get("/users/me/mailbox", {"X-User-Id": "ann"}).json["counts"]["total"], 1)
        self.assertEqual(broker.get("/users/me/mailbox?user=ann").json["counts"]["total"], 1)
        self.assertEqual(broker.get("/stats").status, 200)
        for bad in ("a*", "me", "x" * 129):
            self.assertIn(broker.get("/stats", {"X-User-Id": bad}).status, (400, 401))
        answer = broker.get("/users/me/mailbox?user=ann", {"X-User-Id": "bob"})
        self.assertEqual(answer.status, 401, answer)
        stream = broker.stream("/events?topics=t", {"X-User-Id": "ann"})
        self.addCleanup(stream.close)
        self.assertEqual(set(stream.ready()["topics"]), {"t", "user:ann", "everyone"})
        # What cannot be checked is not taken for good.
        key = make_key("HS256", "broker")
        for headers in (bearer(token(key)), {"Authorization": "Basic eA=="}, {"X-API-Key": "x"}):
            self.assertEqual(broker.get("/users/ann/mailbox", headers).status, 401, headers)


class Settings(OwnBrokerTest):
    def status(self, broker, key, headers=None):
        return broker.get("/users/me/mailbox", headers if headers is not None else bearer(key)).status

    def test_keys_in_every_form(self):
        folder = temporary_folder()
        write = lambda name, text: (open(os.path.join(folder, name), "w").write(text), os.path.join(folder, name))[1]
        table = lambda id_, algorithm, path: f'\n[[auth.key]]\nid = "{id_}"\nalgorithm = "{algorithm}"\nfile = "{path}"\n'
        keys = {x: make_key("ES256", x) for x in ("one", "two", "alone", "certified")}
        ed, hs, rsa = make_key("EdDSA", "jwk"), make_key("HS256", "jwk"), make_key("RS256", "broker")
        certificate = tokens.openssl("req", "-x509", "-new", "-key", keys["certified"]._private, "-days", "1", "-subj", "/CN=x").decode()
        jwks = {"keys": [keys["one"].jwk(kid="k1", use="sig"), keys["two"].jwk(kid="k2", alg="ES256"), rsa.jwk(kid="k3"),
                         make_key("ES256", "unwanted").jwk(kid="k4", use="enc"), {"kty": "strange"}]}
        broker = self.broker(config="[auth]\n" + table("set", "ES256", write("set.json", json.dumps(jwks)))
                             + table("jwk", "ES256", write("jwk.json", json.dumps(keys["alone"].jwk())))
                             + table("certificate", "ES256", write("cert.pem", certificate)) + table("ed", "EdDSA", write("ed.json", json.dumps(ed.jwk(), indent=2)))
                             + table("oct", "HS256", write("oct.json", json.dumps(hs.jwk()))) + table("file", "HS256", write("secret", "q" * 40 + "\n")))
        for key, kid in ((keys["one"], "k1"), (keys["one"], None), (keys["two"], "k2"), (keys["two"], None), (keys["alone"], "jwk"), (keys["alone"], None),
                         (keys["certified"], "certificate"), (ed, "ed"), (hs, None), (tokens.Key("HS256", secret=b"q" * 40), None)):
            self.assertEqual(self.status(broker, token(key, kid=kid)), 200, f"{key.algorithm} {kid}")
        for key, kid in ((keys["one"], "k2"), (keys["two"], "k1"), (rsa, "k3"), (rsa, None), (make_key("ES256", "unwanted"), "k4"), (make_key("ES256", "unwanted"), None),
                         (tokens.Key("HS256", secret=b"q" * 40 + b"\n"), None), (tokens.Key("HS256", secret=json.dumps(hs.jwk()).encode()), None)):
            self.assertEqual(self.status(broker, token(key, kid=kid)), 401, f"{key.algorithm} {kid}")

    def test_names_of_the_cookie_and_of_the_header(self):
        key = make_key("HS256", "broker")
        table = key_table("k", key, temporary_folder())
        broker = self.broker(config=f'[auth]\ncookie = "sid"\nproxy-header = "X-Remote-User"\nproxies = ["127.0.0.0/8", "::1"]\n{table}')
        text = token(key)
        self.assertEqual(self.status(broker, None, {"Cookie": f"sid={text}"}), 200)
        self.assertEqual(self.status(broker, None, {"Cookie": f"tidings={text}"}), 401)
        self.assertEqual(self.status(broker, None, {"X-Remote-User": "alice"}), 200)
        self.assertEqual(self.status(broker, None, {"X-User-Id": "alice"}), 401)
        none = self.broker(config=f'[auth]\ncookie = ""\n{table}')
        self.assertEqual(self.status(none, None, {"Cookie": f"tidings={text}"}), 401)
        self.assertEqual(self.status(none, None, {**bearer(text), "Cookie": "tidings=x"}), 200)

    def test_size_of_a_token(self):
        key = make_key("HS256", "broker")
        broker = self.broker(config="[auth]\n" + key_table("k", key, temporary_folder()))
        padded = lambda size: token(key, claims(pad="p" * size))
        size = 5900
        while len(padded(size)) <= 8192:
            size += 1
        self.assertEqual(self.status(broker, padded(size - 1)), 200)
        self.assertEqual(self.status(broker, padded(size)), 401)
        many = [f"topic:{i}" for i in range(101)]
        self.assertEqual(self.status(broker, token(key, claims(subscribe=many[:100], publish=many[:100]))), 200)
        self.assertEqual(self.status(broker, token(key, claims(subscribe=many))), 401)

    def test_rights_of_nobody_change_with_a_reload(self):
        key = make_key("HS256", "broker")
        table = key_table("k", key, temporary_folder())
        broker = self.broker(config=f'[auth]\nanonymous-subscribe = ["t", "u"]\nanonymous-publish = ["t"]\n{table}')
        stream = broker.stream("/topics/t")
        self.addCleanup(stream.close)
        stream.ready()
        self.assertEqual(broker.post("/topics/t", "x").status, 201)
        broker.write_config(f'[auth]\nanonymous-subscribe = ["u"]\n{table}')
        broker.signal(signal.SIGHUP)
        self.assertEqual(stream.control("tidings.closing", 15)["reason"], "revoked")
        self.assertEqual(broker.stream("/topics/t").head.status, 401)
        self.assertEqual(broker.stream("/topics/u").head.status, 200)
        self.assertEqual(broker.post("/topics/t", "x").status, 401)


class TokenCommand(OwnBrokerTest):
    """`tidings token`, as docs/security.md shows it."""

    def run_token(self, *words, data=""):
        return subprocess.run([str(settings.broker_path), "token", *words], env=environment(), input=data, capture_output=True, text=True, timeout=20)

    def test_make_check_and_hash(self):
        folder = temporary_folder()
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm):
                key = make_key(algorithm, "command")
                private = os.path.join(folder, f"{algorithm}.key")
                with open(private, "w") as file:
                    file.write(key.secret.decode() if algorithm == "HS256" else key.private_pem)
                path = os.path.join(folder, f"{algorithm}.toml")
                with open(path, "w") as file:
                    file.write(f'[auth]\naudience = "{AUDIENCE}"\n' + key_table("k", key, folder, ISSUER))
                words = ["make", "--key-file", private, "--algorithm", algorithm, "--issuer", ISSUER, "--audience", AUDIENCE]
                made = self.run_token(*words, "--user", "alice", "--key-id", "k", "--subscribe", "news,order:*", "--publish", "chat:*", "--ttl", "1h")
                self.assertEqual(made.returncode, 0, made)
                text = made.stdout.strip()
                head, body, signature = (tokens.unb64(x) for x in text.split("."))
                self.assertEqual(json.loads(head), {"alg": algorithm, "typ": "JWT", "kid": "k"})
                said = json.loads(body)
                self.assertEqual((said["sub"], said["iss"], said["exp"] - said["iat"]), ("alice", ISSUER, 3600))
                self.assertIn(AUDIENCE, said["aud"] if isinstance(said["aud"], list) else [said["aud"]])
                self.assertTrue(said["jti"])
                if algorithm in ("HS256", "EdDSA", "RS256"):  # those that sign the same to the same
                    self.assertEqual(signature, key.sign(text.rsplit(".", 1)[0].encode()))
                broker = self.broker(config=open(path).read(), options={"topics.level": "written"})
                self.assertEqual(broker.get("/users/alice/mailbox", bearer(text)).status, 200)
                self.assertEqual(broker.post("/topics/chat:1", "x", bearer(text)).status, 201)
                self.assertEqual(broker.post("/topics/order:1", "x", bearer(text)).status, 403)
                self.assertEqual(broker.get("/stats", bearer(text)).status, 403)
                good = self.run_token("check", "--config", path, data=text + "\n")
                self.assertEqual(good.returncode, 0, good)
                for word in ("alice", "order:*", "chat:*"):
                    self.assertIn(word, good.stdout)
                bad = self.run_token("check", "--config", path, data=text[:-4] + "AAAA\n")
                self.assertEqual(bad.returncode, 1, bad)
                self.assertNotIn(text[-20:-4], bad.stdout + bad.stderr)
                admin = self.run_token(*words, "--admin", "--ttl", "10m").stdout.strip()
                self.assertEqual(broker.get("/stats", bearer(admin)).status, 200)
                self.assertEqual(broker.get("/users/me/mailbox", bearer(admin)).status, 401)
                broker.dispose()
        for bad in ((), ("make",), ("make", "--key-file", "/nowhere", "--algorithm", "EdDSA"), ("frob",)):
            self.assertNotEqual(self.run_token(*bad).returncode, 0)

    def test_the_lines_for_an_api_key_work(self):
        key = "0123456789abcdef" * 4
        done = self.run_token("hash", data=key + "\n")
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn(key, done.stdout)
        table = done.stdout[done.stdout.index("[[auth.api-key]]"):].replace('name = ""', 'name = "shop"').replace("publish = []", 'publish = ["order:*"]', 1)
        broker = self.broker(config=table, options={"topics.level": "written"})
        self.assertEqual(broker.post("/topics/order:1", "x", {"X-API-Key": key}).status, 201)
        self.assertEqual(broker.post("/topics/order:1", "x", {"X-API-Key": key[:-1]}).status, 401)
        self.assertNotEqual(self.run_token("hash", data="short\n").returncode, 0)


class Start(OwnBrokerTest):
    """What the broker must not start with."""

    def check(self, text, says):
        path = os.path.join(temporary_folder(), "x.toml")
        with open(path, "w") as file:
            file.write(text)
        for command in ("check-config", "serve"):
            words = [command, "--config", path]
            if command == "serve":
                words += ["--listen", f"127.0.0.1:{free_port()}", "--data-dir", os.path.join(temporary_folder(), "data")]
            try:
                done = run_tidings(*words, timeout=10)
            except Exception as running:
                self.fail(f"{command}: it started: {running}")
            self.assertGreater(done.returncode, 0, done)
            self.assertRegex(done.stderr + done.stdout, says)
            self.assertNotIn("BEGIN PRIVATE", done.stderr + done.stdout)

    @fault("A7")
    def test_a7_weak_keys(self):
        folder = temporary_folder()
        write = lambda name, text: (open(os.path.join(folder, name), "wb").write(text if isinstance(text, bytes) else text.encode()),
                                    os.path.join(folder, name))[1]
        table = lambda algorithm, path: f'[[auth.key]]\nid = "k"\nalgorithm = "{algorithm}"\nfile = "{path}"\n'
        secret = lambda text: f'[[auth.key]]\nid = "k"\nalgorithm = "HS256"\nsecret = "{text}"\n'
        rsa, ec, ed = (make_key(x, "broker") for x in ("RS256", "ES256", "EdDSA"))
        small = {bits: make_key("RS256", f"small {bits}", f"rsa_keygen_bits:{bits}") for bits in (512, 1024)}
        cases = {
            "a secret of 31 bytes": secret("s" * 31),
            "an empty secret": secret(""),
            "a secret that is short once decoded": secret("base64:" + "QUJD" * 8),
            "a file with a short secret": table("HS256", write("short", "s" * 31 + "\n")),
            "an empty file": table("HS256", write("empty", "")),
            "a public key as a secret": table("HS256", write("public.pem", rsa.public_pem)),
            "RSA of 512 bits": table("RS256", write("512.pem", small[512].public_pem)),
            "RSA of 1024 bits": table("RS256", write("1024.pem", small[1024].public_pem)),
            "a JWK of 1024 bits": table("RS256", write("1024.json", json.dumps(small[1024].jwk()))),
            "a JWK with a short secret": table("HS256", write("oct.json", json.dumps({"kty": "oct", "k": "c2hvcnQ"}))),
            "P-384": table("ES256", write("384.pem", make_key("ES256", "384", "ec_paramgen_curve:P-384").public_pem)),
            "an RSA key for ES256": table("ES256", write("rsa.pem", rsa.public_pem)),
            "an EC key for EdDSA": table("EdDSA", write("ec.pem", ec.public_pem)),
            "an Ed25519 key for RS256": table("RS256", write("ed.pem", ed.public_pem)),
            "a JWK of another algorithm": table("EdDSA", write("ec.json", json.dumps(ec.jwk()))),
            "a JWK for encryption": table("ES256", write("enc.json", json.dumps(ec.jwk(use="enc")))),
            "a JWK with a bad point": table("ES256", write("point.json", json.dumps({**ec.jwk(), "y": ec.jwk()["x"]}))),
            "a private key": table("EdDSA", write("private.pem", ed.private_pem)),
            "no key at all": table("EdDSA", write("nothing.pem", "nothing\n")),
            "a key that is cut": table("RS256", write("cut.pem", rsa.public_pem[:200])),
            "no file": table("EdDSA", os.path.join(folder, "nowhere.pem")),
            "neither file nor secret": '[[auth.key]]\nid = "k"\nalgorithm = "HS256"\n',
            "no id": table("EdDSA", write("ed2.pem", ed.public_pem)).replace('id = "k"\n', ""),
            "an id twice": table("EdDSA", write("ed3.pem", ed.public_pem)) * 2,
            "the algorithm none": table("none", write("ed4.pem", ed.public_pem)),
            "an unknown algorithm": table("HS512", write("ed5.pem", ed.public_pem)),
            "a secret for EdDSA": secret("s" * 40).replace("HS256", "EdDSA"),
            "an API key that is no hash": '[[auth.api-key]]\nname = "a"\nsha256 = "abc"\n',
            "a bad pattern": api_key_table("a", "k" * 40, publish=["a**"]),
            "a leeway of an hour": '[auth]\nleeway = "1h"\n',
            "a bad address": '[auth]\nproxies = ["10.0.0.0/33"]\n',
            "a proxy by name": '[auth]\nproxies = ["localhost"]\n',
            "an unknown setting": '[auth]\naudiense = "x"\n',
        }
        for name, text in cases.items():
            with self.subTest(name):
                self.check(text, "auth|key|x\\.toml")
        self.note(f"{len(cases)} configurations, none accepted")

    def test_signing_in_lets_it_listen_beyond_loopback(self):
        key, folder = make_key("EdDSA", "broker"), temporary_folder()
        broker = self.broker(config="[auth]\n" + key_table("k", key, folder), start=False)
        command = broker.command
        broker.command = lambda: [x.replace("127.0.0.1:", "0.0.0.0:") for x in command()]
        broker.start()
        self.assertEqual(broker.get("/stats").status, 401)

    def test_secrets_are_in_no_output(self):
        key, folder = make_key("HS256", "broker"), temporary_folder()
        path = os.path.join(folder, "x.toml")
        with open(path, "w") as file:
            file.write("[auth]\n" + key_table("k", key, folder))
        for command in ("config", "check-config"):
            done = run_tidings(command, "--config", path)
            self.assertEqual(done.returncode, 0, done)
            self.assertNotIn(key.secret.decode(), done.stdout + done.stderr)
        os.chmod(path, 0o600)
        broker = self.broker(config=open(path).read(), options={"log.level": "trace"})
        broker.get("/users/me/mailbox", bearer(token(key)))
        self.assertNotIn(key.secret.decode(), broker.log())
