"""Mailboxes against a model: random sends, changes, expiries, restarts and crashes. After every few steps
lists, counts and what each open tab was told have to agree with the model."""

import collections
import json
import signal
import time

from support import settings
from support.case import OwnBrokerTest
from support.mailbox import AFTER, JSON, PRIORITIES, RANK, STATES, Mailbox, Tab, counts_of, parse_time
from support.traffic import FAULTS
from support.wire import Closed, Connection

TYPES = ("chat", "build", "alarm")
USERS = ("ann", "bob", 17, "d/e:f", "zoë")
LATECOMER = "late"  # nobody sends to this one
SHORT = 0.4  # seconds: over whenever the model is compared
CHECK_EVERY = 20
NEVER_IDS = ("c1.AAAA", "", "x", "c1.")


class Entry:
    """What the model knows of one item."""

    def __init__(self, identity, users, kind, priority, title, expires):
        self.id, self.users, self.type, self.priority, self.title = identity, users, kind, priority, title
        self.expires = expires  # of a short one: Unix time
        self.states = collections.defaultdict(lambda: "unread")  # by user

    def is_for(self, user):
        return self.users is None or user in self.users


class Model:
    """All that is promised, in the most obvious way."""

    def __init__(self):
        self.entries = {}  # by id, in the order of the log

    def add(self, entry):
        self.entries[entry.id] = entry

    def visible(self, user):
        return [x for x in self.entries.values() if x.is_for(user) and x.states[user] != "dismissed"]

    def chosen(self, user, body):
        """The items that a change's body means."""
        found = self.visible(user)
        if body and "ids" in body:
            return [x for x in found if x.id in body["ids"]]
        states, kind = (body or {}).get("state"), (body or {}).get("type")
        return [x for x in found if (not states or x.states[user] in states) and (not kind or x.type == kind)]

    def rises(self, user, action, body):
        return [x for x in self.chosen(user, body) if RANK[x.states[user]] < RANK[AFTER[action]]]

    def apply(self, user, action, entries):
        for x in entries:
            x.states[user] = AFTER[action]

    def drop_expired(self):
        for identity in [i for i, x in self.entries.items() if x.expires]:
            del self.entries[identity]


class Run:
    """One broker, one model, and what is done to both."""

    def __init__(self, test, broker):
        self.test, self.broker, self.random, self.model = test, broker, test.random, Model()
        self.boxes = {x: Mailbox(broker, x) for x in USERS + (LATECOMER,)}
        self.tabs = []
        self.away = []  # (step of the return, tab)
        self.dismissed = {}  # by tab: what was dismissed for good when it came back
        for user in USERS[:3]:
            for i in range(2):
                self.tabs.append(Tab(self.boxes[user], f"tab {i} of {user}"))
        for tab in self.tabs:
            tab.open()
        self.titles = 0
        self.words = 0
        self.keys = []  # (body, id) of sends with a key
        self.last_change = None
        self.short_until = 0.0  # Unix time at which the last short item is over
        self.done = collections.Counter()

    # -- steps -----------------------------------------------------------------------------------

    def new_item(self):
        chance = self.random.random()
        if chance < 0.12:
            users = "*"
        elif chance < 0.6:
            users = self.random.choice(USERS)
        else:
            users = self.random.sample(USERS, self.random.randint(1, 4))
        self.titles += 1
        body = {"users": users, "title": f"t{self.titles}", "type": self.random.choice(TYPES), "priority": self.random.choice(PRIORITIES)}
        if self.random.random() < 0.5:
            body["message"] = "m" * self.random.choice((1, 10, 3000))
        if self.random.random() < 0.5:
            body["data"] = {"n": self.titles}
        if self.random.random() < 0.5:
            body["ttl"] = self.random.choice(("1h", "7d", "0"))
        return body

    def entry_of(self, body, identity, expires=None):
        users = body["users"]
        users = None if users == "*" else {users} if not isinstance(users, list) else set(users)
        return Entry(identity, users, body["type"], body["priority"], body["title"], expires)

    def post_events(self, value, status=201):
        answer = self.broker.post("/events", json.dumps(value), JSON)
        self.test.assertEqual(answer.status, status, answer)
        return answer.json

    def send(self):
        body = self.new_item()
        if self.random.random() < 0.1:
            body["key"] = f"key {self.titles}"
        answer = self.post_events(body)
        self.model.add(self.entry_of(body, answer["id"]))
        if "key" in body:
            self.keys.append((body, answer["id"]))

    def send_short(self):
        body = {**self.new_item(), "ttl": f"{int(SHORT * 1000)}ms"}
        answer = self.post_events(body)
        expires = parse_time(answer["time"]) + SHORT
        self.short_until = max(self.short_until, expires)
        self.model.add(self.entry_of(body, answer["id"], expires))

    def send_batch(self):
        bodies = [self.new_item() for _ in range(self.random.randint(2, 8))]
        for body, result in zip(bodies, self.post_events(bodies)["results"]):
            self.model.add(self.entry_of(body, result["id"]))

    def send_large(self):
        """More than a replay reads at once."""
        user = self.random.choice(USERS)
        bodies = [{**self.new_item(), "users": user, "message": "L" * 12000} for _ in range(8)]
        for body, result in zip(bodies, self.post_events(bodies)["results"]):
            self.model.add(self.entry_of(body, result["id"]))

    def repeat_send(self):
        if not self.keys:
            return
        body, identity = self.random.choice(self.keys)
        again = self.post_events(body, 200)
        self.test.assertEqual((again["id"], again["duplicate"]), (identity, True))

    def send_plain(self):
        """Events that are no items: they must not be in any mailbox."""
        self.post_events({"topics": [f"user:{x}" for x in self.random.sample(USERS, 2)] + ["everyone"], "type": "plain", "data": "x"})

    def draw_change(self):
        user = self.random.choice(USERS + (LATECOMER,))
        chance = self.random.random()
        if chance < 0.6:
            pool = list(self.model.entries)
            near = pool[-30:] if self.random.random() < 0.7 else pool
            ids = [self.random.choice(near) for _ in range(self.random.randint(1, 8))] if near else []
            if self.random.random() < 0.3:
                ids.append(self.random.choice(NEVER_IDS))
            return user, self.random.choice(("seen", "read", "archive", "dismiss", "dismiss")), {"ids": ids}
        if chance < 0.9:
            body = {}
            if self.random.random() < 0.7:
                body["state"] = self.random.sample(STATES, self.random.randint(1, 2))
            if self.random.random() < 0.5 or not body:
                body["type"] = self.random.choice(TYPES)
            return user, self.random.choice(("seen", "read", "archive", "dismiss", "clear")), body
        return user, self.random.choice(("seen", "read", "archive", "clear")), None

    def change(self, drawn=None):
        user, action, body = drawn or self.draw_change()
        expected = self.model.rises(user, action, body)
        answer = self.boxes[user].change(action, body)
        changed = set(answer["changed"])
        self.test.assertEqual(len(changed), len(answer["changed"]))
        # Short ones may have expired before.
        sure = {x.id for x in expected if not x.expires}
        possible = {x.id for x in expected}
        self.test.assertTrue(sure <= changed <= possible, f"{user} {action} {body}: {sorted(sure ^ changed)[:5]}")
        self.model.apply(user, action, [x for x in expected if x.id in changed])
        self.last_change = (user, action, body)
        visible = self.model.visible(user)
        if not any(x.expires for x in visible):
            self.test.assertEqual(answer["counts"], counts_of(x.states[user] for x in visible))

    def repeat_change(self):
        """The same again changes only what came or, by a filter of states, what the first made fit."""
        if self.last_change and "state" not in (self.last_change[2] or {}):
            self.change(self.last_change)

    def resume(self, tab):
        user = tab.mailbox.user
        self.dismissed[tab] = {x.id for x in self.model.entries.values() if x.is_for(user) and x.states[user] == "dismissed"}
        tab.resume()

    def reopen_tab(self):
        tab = self.random.choice(self.tabs)
        if self.random.random() < 0.5:
            tab.stream.reset()
        self.resume(tab)

    def leave(self):
        """A tab that is away for long."""
        if len(self.tabs) > 3:
            tab = self.tabs.pop(self.random.randrange(len(self.tabs)))
            tab.close()
            self.away.append((self.done["step"] + self.random.randint(30, 150), tab))

    def come_back(self):
        for entry in [x for x in self.away if x[0] <= self.done["step"]]:
            self.away.remove(entry)
            self.resume(entry[1])
            self.tabs.append(entry[1])

    def new_tab(self):
        index = self.random.randrange(len(self.tabs))
        old = self.tabs[index]
        self.check_tab(old)
        old.close()
        self.tabs[index] = Tab(self.boxes[self.random.choice(USERS)], f"tab {self.done['step']}")
        self.tabs[index].open()

    # -- the process -----------------------------------------------------------------------------

    def restart(self):
        self.broker.signal(signal.SIGTERM)
        for tab in self.tabs:
            self.drain(tab)
        self.test.assertEqual(self.broker.wait_exit(20), 0)
        self.broker.start()
        for tab in self.tabs:
            self.resume(tab)

    def crash(self):
        """kill -9 with one request on its way: it may or may not have been done, but not by half."""
        pending = self.random.choice(("nothing", "send", "change"))
        link = Connection(self.broker.address, timeout=10)
        body = self.new_item()
        user, action, order = self.draw_change()
        answer = None
        if pending == "send":
            link.send_request("POST", "/events", JSON, json.dumps(body))
        elif pending == "change":
            link.send_request("POST", f"{self.boxes[user].path}/{action}", JSON if order else {}, json.dumps(order) if order else "")
        deadline = time.monotonic() + self.random.random() * 0.004
        while time.monotonic() < deadline:
            pass  # the moment of the kill is what is drawn
        self.broker.kill()
        try:
            answer = link.read_response("POST", 5)
        except FAULTS:
            pass
        link.close()
        for tab in self.tabs:
            self.drain(tab)
        self.broker.start()
        if pending == "send":
            self.resolve_send(body, answer)
        elif pending == "change":
            self.resolve_change(user, action, order, answer)
        for tab in self.tabs:
            self.resume(tab)

    def resolve_send(self, body, answer):
        entry = self.entry_of(body, None)
        holders = [x for x in self.boxes if entry.is_for(x)]
        found = [[y["id"] for y in self.boxes[x].items(limit=50) if y["title"] == body["title"]] for x in holders]
        self.test.assertIn(len({tuple(x) for x in found}), (0, 1), f"an item by half: {holders} {found}")
        identity = found[0][0] if found and found[0] else None
        self.done["in flight, done" if identity else "in flight, not done"] += 1
        if answer is not None:
            self.test.assertEqual(answer.json["id"], identity, "an acknowledged item is gone")
        if identity:
            entry.id = identity
            self.model.add(entry)

    def resolve_change(self, user, action, order, answer):
        rises = self.model.rises(user, action, order)
        sure = [x for x in rises if not x.expires]
        now = {x["id"]: x["state"] for x in self.boxes[user].items(limit=200)}
        done = [x for x in sure if now.get(x.id, "dismissed") == AFTER[action]]
        same = [x for x in sure if now.get(x.id, "dismissed") == x.states[user]]
        self.test.assertIn(len(done), (0, len(sure)), f"a change by half: {len(done)} of {len(sure)}")
        self.test.assertEqual(len(done) + len(same), len(sure))
        if sure:
            self.done["in flight, done" if done else "in flight, not done"] += 1
        if answer is not None and sure:
            self.test.assertTrue(done, "an acknowledged change is gone")
        if done:
            self.model.apply(user, action, rises)

    def drain(self, tab):
        """What the old process had sent before it ended."""
        try:
            while True:
                self.take(tab, tab.stream.item(10))
        except (Closed, ConnectionError):
            pass

    # -- comparing -------------------------------------------------------------------------------

    def take(self, tab, item):
        event = tab.take(item)
        if event is None:
            return None
        kind, data, identity = event
        if kind == "barrier":
            return data
        if kind != "plain":
            tab.add(data, identity)
            self.test.assertFalse(identity in self.dismissed.get(tab, ()), f"{tab.name} was shown {identity} again, which was dismissed")
        return None

    def check_tab(self, tab):
        """Reads the tab's stream up to here; then it must know what the model knows."""
        user = tab.mailbox.user
        self.words += 1
        word = f"barrier {self.words}"
        self.post_events({"topic": f"user:{user}", "type": "barrier", "data": word})
        try:
            while self.take(tab, tab.stream.item(10)) != word:
                pass
        except (TimeoutError, Closed) as end:
            raise AssertionError(f"{tab.name} ended before {word}: {end}") from end
        visible = {x.id: x.states[user] for x in self.model.visible(user) if not x.expires}
        for gap in tab.gaps:
            # Nothing but an expired item may be missing, and then one counts again.
            self.test.assertEqual(gap["reason"], "expired", f"{tab.name}: {gap}")
        self.done["gaps"] += len(tab.gaps)
        tab.gaps.clear()
        if tab.stale:
            tab.load()
        tab.drop_expired(time.time())
        # Changes of items that the tab was never shown: they had been dismissed, or had expired, before it came back.
        for identity in tab.unknown:
            self.test.assertNotIn(identity, visible, f"{tab.name} was never shown {identity}")
        tab.unknown.clear()
        self.test.assertEqual(tab.states(), visible, tab.name)
        self.done["tabs"] += 1

    def wait_for_expiry(self):
        while (left := self.short_until + 0.01 - time.time()) > 0:
            time.sleep(left)
        if self.short_until:
            self.model.drop_expired()
            self.short_until = 0.0

    def check(self):
        self.wait_for_expiry()
        for user, box in self.boxes.items():
            visible = self.model.visible(user)
            self.test.assertEqual(box.counts(), counts_of(x.states[user] for x in visible), user)
            picture = lambda x: (x["id"], x["title"], x["type"], x["priority"], x["state"])
            expected = [(x.id, x.title, x.type, x.priority, x.states[user]) for x in visible]
            query = {"limit": self.random.choice((7, 50, 199, 200))}
            order = self.random.choice(("newest", "oldest", "oldest", "urgent"))
            if self.random.random() < 0.3:
                states = self.random.sample(STATES, 2)
                query["state"] = ",".join(states)
                expected = [x for x in expected if x[4] in states]
            if self.random.random() < 0.2:
                query["type"] = self.random.choice(TYPES)
                expected = [x for x in expected if x[2] == query["type"]]
            if order == "newest":
                expected.reverse()
            elif order == "urgent":
                expected.sort(key=lambda x: -PRIORITIES.index(x[3]))
                expected = expected[:query["limit"]]
            got = [picture(x) for x in box.items(order=order, **query)]
            self.test.assertEqual(got, expected, f"{user} {order} {query}")
            self.done["lists"] += 1
        for tab in self.tabs:
            self.check_tab(tab)

    # -- all of it -------------------------------------------------------------------------------

    STEPS = (("send", 40), ("send_batch", 3), ("send_short", 2), ("send_large", 1), ("repeat_send", 2), ("send_plain", 2), ("change", 36),
             ("repeat_change", 3), ("reopen_tab", 5), ("leave", 2), ("new_tab", 1))

    def step(self, number):
        self.done["step"] = number
        self.come_back()
        if number % 211 == 0:
            name = "crash"
        elif number % 503 == 0:
            name = "restart"
        else:
            name = self.random.choices([x for x, _ in self.STEPS], [x for _, x in self.STEPS])[0]
        if name == "new_tab":
            self.wait_for_expiry()  # it compares
        getattr(self, name)()
        self.done[name] += 1
        if number % CHECK_EVERY == 0:
            self.check()


class MailboxModel(OwnBrokerTest):
    def test_lists_counts_and_tabs_agree_with_the_model(self):
        steps = settings.model_steps or settings.pick(1000, 400)
        broker = self.broker(options={"topics.level": "written"})
        run = Run(self, broker)
        self.addCleanup(lambda: [x.close() for x in run.tabs + [y for _, y in run.away]])
        begin = time.monotonic()
        for number in range(1, steps + 1):
            try:
                run.step(number)
            except (AssertionError, OSError, Closed) as failure:
                raise AssertionError(f"at step {number} of {steps}, seed {settings.seed}: {failure}") from failure
        run.done["step"] += 1000
        run.come_back()
        run.check()
        done = run.done
        self.note(f"{steps} steps in {time.monotonic() - begin:.1f} s: {len(run.model.entries)} items, {done['change'] + done['repeat_change']} "
                  f"changes, {done['crash']} kill -9 ({done['in flight, done']} requests on their way done, {done['in flight, not done']} not), "
                  f"{done['restart']} restarts, {done['reopen_tab']} tabs reopened, {done['leave']} away for long, {done['send_short']} expiries, {done['gaps']} gaps")
        self.note(f"compared: {done['lists']} lists, {done['tabs']} tabs; all agree")

    def test_what_is_done_behind_the_models_back_is_found(self):
        """The negative control: an item too many, a state that differs, one that is missing."""
        broker = self.broker(options={"topics.level": "written"})
        run = Run(self, broker)
        self.addCleanup(lambda: [x.close() for x in run.tabs + [y for _, y in run.away]])
        box = run.boxes[USERS[0]]
        for _ in range(6):
            run.post_events({"users": USERS[0], "title": "x", "type": "chat", "priority": "LOW"})  # not the model's
            with self.assertRaises(AssertionError):
                run.check()
            identity = box.page()["items"][0]["id"]
            run.model.add(Entry(identity, {USERS[0]}, "chat", "LOW", "x", None))
            run.check()
        entries = list(run.model.entries.values())
        for action, entry in zip(("seen", "read", "archive", "dismiss"), entries):
            box.change(action, {"ids": [entry.id]})
            with self.assertRaises(AssertionError):
                run.check()
            with self.assertRaises(AssertionError):
                for tab in run.tabs:
                    run.check_tab(tab)
            run.model.apply(USERS[0], action, [entry])
            run.check()

    def test_a_tab_that_is_told_wrong_things_is_found(self):
        """The negative control: a fold that is off by one item, one state or one repeat must not pass."""
        tab = Tab(None, "t")
        item = lambda identity: json.dumps({"id": identity, "title": "x"})
        tab.add(item("a"), "a")
        with self.assertRaises(AssertionError):
            tab.add(item("a"), "a")
        with self.assertRaises(AssertionError):
            tab.add(item("b"), "c")
        change = lambda state, was: {"state": state, "items": [{"id": "a", "was": was}]}
        with self.assertRaises(AssertionError):
            tab._change(change("read", "seen"))
        tab._change(change("read", "unread"))
        with self.assertRaises(AssertionError):
            tab._change(change("seen", "read"))
        tab._change(change("dismissed", "read"))
        self.assertEqual(tab.states(), {})
        tab._change(change("dismissed", "read"))
        self.assertEqual(tab.unknown, {"a": "dismissed"})
