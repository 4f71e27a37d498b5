"""Events that must fit a JSON Schema."""

import json
import os
import signal

from support.broker import run_tidings, temporary_folder
from support.case import OwnBrokerTest
from support.waiting import eventually

JSON = {"Content-Type": "application/json"}
ORDER = {"type": "object", "required": ["id", "items"],
         "properties": {"id": {"type": "string", "pattern": "^ORD-[0-9]+$"},
                        "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/item"}}},
         "definitions": {"item": {"type": "object", "required": ["sku"], "properties": {"count": {"type": "integer", "minimum": 1}}}}}
GOOD = {"id": "ORD-1", "items": [{"sku": "a", "count": 2}]}


class Schemas(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(temporary_folder(), "order.schema.json")
        self.write(ORDER)

    def write(self, schema):
        with open(self.path, "w") as file:
            file.write(schema if isinstance(schema, str) else json.dumps(schema))

    def table(self, **more):
        text = f'[[schema]]\ntype = "order.created"\nfile = "{self.path}"\n'
        return text + "".join(f"{k} = {json.dumps(v)}\n" for k, v in more.items())

    def publish(self, broker, data, type="order.created"):
        return broker.post("/events", json.dumps({"topic": "orders", "type": type, "data": data}), JSON)

    def test_S3_14_what_breaks_its_schema_is_refused_with_the_place_and_the_reason(self):
        broker = self.broker(config=self.table())
        self.assertEqual(self.publish(broker, GOOD).status, 201)
        for bad, place, reason in (
                ({"items": [{"sku": "a"}]}, '""', "'id'"), ({**GOOD, "items": [{"sku": "a"}, {}]}, '"/items/1"', "'sku'"),
                ({**GOOD, "items": [{"sku": "a", "count": 0}]}, '"/items/0/count"', ""), ({**GOOD, "items": []}, '"/items"', ""),
                ({**GOOD, "id": "1"}, '"/id"', "ORD-"), ("text", '""', "Content-Type"), (None, '""', "")):
            with self.subTest(bad):
                problem = self.assert_problem(self.publish(broker, bad), 422, "schema_violation")
                self.assertIn(f"at {place}", problem["detail"])
                self.assertIn(reason, problem["detail"])
        self.assertEqual(self.publish(broker, "anything", "another.type").status, 201)
        self.assertEqual([x["data"] for x in broker.page("/topics/orders")["events"]], [GOOD, "anything"])

    def test_S3_14_whichever_way_it_comes(self):
        broker = self.broker(config=self.table())
        bad = {"id": "ORD-1"}
        event = lambda data: {"topic": "orders", "type": "order.created", "data": data}
        self.assert_problem(broker.post("/topics/orders?type=order.created", json.dumps(bad), JSON), 422, "schema_violation")
        self.assertEqual(broker.post("/topics/orders?type=order.created", json.dumps(GOOD), JSON).status, 201)
        self.assert_problem(broker.post("/users/7/mailbox", json.dumps({"type": "order.created", "title": "t", "data": bad}), JSON),
                            422, "schema_violation")
        answer = broker.post("/events", json.dumps([event(GOOD), event(bad)]), JSON)
        problem = self.assert_problem(answer, 422, "schema_violation")
        self.assertEqual([x["index"] for x in problem["errors"]], [1])
        lines = broker.post("/events", "\n".join(json.dumps(event(x)) for x in (GOOD, bad, GOOD)),
                            {"Content-Type": "application/x-ndjson"}).lines
        self.assertEqual([(x.get("code"), x.get("status")) for x in lines],
                         [(None, None), ("schema_violation", 422), (None, None)])
        cloud = lambda id, data: json.dumps({"specversion": "1.0", "id": id, "source": "/s", "type": "order.created", "topic": "orders",
                                             "data": data})
        structured = {"Content-Type": "application/cloudevents+json"}
        self.assert_problem(broker.post("/events", cloud("1", bad), structured), 422, "schema_violation")
        self.assertEqual(broker.post("/events", cloud("2", GOOD), structured).status, 201)
        binary = {**JSON, "ce-specversion": "1.0", "ce-id": "3", "ce-source": "/s", "ce-type": "order.created", "ce-topic": "orders"}
        self.assert_problem(broker.post("/events", json.dumps(bad), binary), 422, "schema_violation")
        self.assertEqual(broker.post("/events", json.dumps(GOOD), {**binary, "ce-id": "4"}).status, 201)
        self.assertEqual(len(broker.page("/topics/orders")["events"]), 5)

    def test_S3_14_the_size_is_bounded_and_patterns_take_no_time(self):
        self.write({"type": "object", "properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}})
        broker = self.broker(config=self.table(**{"bytes-max": "64KiB"}))
        self.assertEqual(self.publish(broker, {"text": "a" * 60000}).status, 201)
        self.assert_problem(self.publish(broker, {"text": "a" * 60000 + "!"}), 422, "schema_violation")
        self.assert_problem(self.publish(broker, {"text": "a" * 70000}), 413, "payload_too_large")

    def test_S3_14_a_broken_schema_stops_the_start_and_is_refused_at_a_reload(self):
        broken = {"{": "not JSON", "[]": "object", '{"type": "order"}': "", '{"$ref": "http://127.0.0.1:1/x.json"}': "same file",
                  '{"$ref": "#"}': "comes back", '{"anyOf": [{"$ref": "#"}]}': "comes back", '{"pattern": "(?=x)"}': "pattern",
                  '{"$ref": "#/definitions/none"}': "nothing"}
        for text, reason in broken.items():
            with self.subTest(text):
                self.write(text)
                config = os.path.join(os.path.dirname(self.path), "tidings.toml")
                with open(config, "w") as file:
                    file.write(self.table())
                for command in (["check-config"], ["serve", "--listen", "127.0.0.1:0", "--data-dir", os.path.dirname(self.path) + "/data"]):
                    ended = run_tidings(*command, "--config", config, "--set", "storage.reserve=64MiB")
                    self.assertNotEqual(ended.returncode, 0)
                    self.assertIn(self.path, ended.stderr)
                    self.assertIn(reason, ended.stderr)
        self.write(ORDER)
        broker = self.broker(config=self.table())
        self.write("{")
        broker.signal(signal.SIGHUP)
        eventually(lambda: "reload refused" in broker.log() and self.path in broker.log(), 10)
        self.assert_problem(self.publish(broker, {}), 422, "schema_violation")
        self.write({"type": "object"})
        broker.signal(signal.SIGHUP)
        eventually(lambda: self.publish(broker, {}).status == 201, 10, "the new schema holds")
        broker.write_config("")
        broker.signal(signal.SIGHUP)
        eventually(lambda: self.publish(broker, 5).status == 201, 10, "there is none any more")
        self.assertIn("tidings_reloads_failed_total 1", broker.get("/metrics").text)
