#!/usr/bin/env python3
"""The dashboard's app: serves the page, owns the activities, and publishes each change of them.

    python3 examples/dashboard/app.py [--listen 127.0.0.1:8000] [--broker http://127.0.0.1:7300] [--data dashboard-data]
"""

import argparse
import datetime
import http.cookies
import http.server
import json
import os
import pathlib
import re
import urllib.parse

from publisher import Publisher
from store import Store
from tokens import Signer

PAGE = pathlib.Path(__file__).resolve().parent / "page"
FILES = {
    "/": ("index.html", "text/html"),
    "/sign-in": ("sign-in.html", "text/html"),
    "/dashboard.css": ("dashboard.css", "text/css"),
    "/dashboard.js": ("dashboard.js", "text/javascript"),
    "/live.js": ("live.js", "text/javascript"),
}
COOKIE = "tidings"  # where the broker looks for a token: its setting auth.cookie
SIGN_IN_SECONDS = 12 * 3600
BODY_BYTES = 16 * 1024


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class App(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listen, broker, data):
        os.makedirs(data, exist_ok=True)
        host, _, port = listen.rpartition(":")
        super().__init__((host, int(port)), Handler)
        self.host = f"{host}:{self.server_port}"
        self.origin = f"http://{self.host}"
        self.broker = broker
        self.signer = Signer(os.path.join(data, "secret"))
        self.store = Store(os.path.join(data, "activities.sqlite"))
        Publisher(self.store, self.signer, broker).start()


class Handler(http.server.BaseHTTPRequestHandler):
    # -- routes ----------------------------------------------------------------------------------

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(self.post)

    def do_PUT(self):
        self.answer(self.put)

    def do_DELETE(self):
        self.answer(self.delete)

    def answer(self, route):
        try:
            if route != self.get and self.headers.get("Origin") != self.server.origin:
                raise Refused(403, "this came from another page")
            route()
        except Refused as refusal:
            self.send_json(refusal.status, {"error": str(refusal)})

    def get(self):
        if self.headers.get("Host") != self.server.host:  # the cookie, and the broker's list of origins, know one name only
            self.redirect(self.server.origin + self.path)
        elif self.path == "/" and not self.user():
            self.redirect("/sign-in")
        elif self.path in FILES:
            self.send_file(*FILES[self.path])
        elif self.path == "/session":
            self.send_json(200, {"user": self.signed_in(), "stream": f"{self.server.broker}/events/stream"})
        elif self.path == "/activities":
            self.send_json(200, self.server.store.activities(self.signed_in()))
        else:
            raise Refused(404, "nothing is here")

    def post(self):
        if self.path == "/sign-in":
            self.sign_in()
        elif self.path == "/sign-out":
            self.redirect("/sign-in", cookie="")
        elif self.path == "/activities":
            self.send_json(201, self.server.store.add(self.signed_in(), self.read_activity()))
        else:
            raise Refused(404, "nothing is here")

    def put(self):
        activity = self.server.store.change(self.signed_in(), self.activity_id(), self.read_activity())
        if not activity:
            raise Refused(404, "this activity is not there any more")
        self.send_json(200, activity)

    def delete(self):
        self.server.store.delete(self.signed_in(), self.activity_id())
        self.send_json(200, {})  # also if it was gone: that is what was asked for

    # -- who it is -------------------------------------------------------------------------------

    def sign_in(self):
        """Believes everybody, because this is an example. An app checks a password here, and then does the same."""
        user = urllib.parse.parse_qs(self.read_body().decode(errors="replace")).get("user", [""])[0].strip().lower()
        if not re.fullmatch(r"[a-z0-9-]{1,32}", user):
            raise Refused(400, "a name is made of letters, digits and hyphens")
        self.redirect("/", cookie=self.server.signer.make(SIGN_IN_SECONDS, sub=user))

    def user(self):
        cookie = http.cookies.SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        return cookie and self.server.signer.user_of(cookie.value)

    def signed_in(self):
        user = self.user()
        if not user:
            raise Refused(401, "sign in first")
        return user

    # -- what is asked ---------------------------------------------------------------------------

    def activity_id(self):
        match = re.fullmatch(r"/activities/([0-9]{1,15})", self.path)
        if not match:
            raise Refused(404, "nothing is here")
        return int(match[1])

    def read_body(self):
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > BODY_BYTES:
            raise Refused(413, "this is too long")
        return self.rfile.read(int(length))

    def read_activity(self):
        try:
            value = json.loads(self.read_body())
            title, ksbs = value["title"].strip(), value["ksbs"]
            hours = round(float(value["duration_hours"]), 1)
            date = datetime.date.fromisoformat(value["activity_date"]).isoformat()
            codes = [str(x).upper() for x in ksbs]
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise Refused(400, "this is not an activity") from None
        if not 1 <= len(title) <= 120:
            raise Refused(400, "a title has 1 to 120 characters")
        if not 0.1 <= hours <= 24:
            raise Refused(400, "an activity takes 0.1 to 24 hours")
        if len(codes) > 20 or not all(re.fullmatch(r"[KSB][1-9][0-9]?", x) for x in codes):
            raise Refused(400, "codes look like K1, S12 or B3; at most 20")
        return {"title": title, "duration_hours": hours, "activity_date": date, "ksbs": list(dict.fromkeys(codes))}

    # -- what is answered ------------------------------------------------------------------------

    def send(self, status, media_type, body, headers=()):
        self.send_response(status)
        for name, value in (("Content-Type", f"{media_type}; charset=utf-8"), ("Content-Length", str(len(body))),
                            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
                            ("Content-Security-Policy", f"default-src 'self'; connect-src 'self' {self.server.broker}; "
                                                        "frame-ancestors 'none'"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode())

    def send_file(self, name, media_type):
        self.send(200, media_type, (PAGE / name).read_bytes())

    def redirect(self, target, cookie=None):
        headers = [("Location", target)]
        if cookie is not None:
            # The page cannot read it, other sites cannot make the browser send it. Behind HTTPS add "Secure", and where app and
            # broker are app.example.com and events.example.com add "Domain=example.com".
            lifetime = SIGN_IN_SECONDS if cookie else 0
            headers.append(("Set-Cookie", f"{COOKIE}={cookie}; Max-Age={lifetime}; Path=/; HttpOnly; SameSite=Strict"))
        self.send(303, "text/plain", b"", headers)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:8000", help="address and port")
    parser.add_argument("--broker", default="http://127.0.0.1:7300", help="the broker's address, for this app and for the page")
    parser.add_argument("--data", default="dashboard-data", help="folder for the activities and the secret")
    options = parser.parse_args()
    app = App(options.listen, options.broker, options.data)
    print(f"the dashboard is at {app.origin}", flush=True)
    try:
        app.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
