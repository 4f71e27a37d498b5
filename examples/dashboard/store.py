"""Activities, and beside them the outbox: what the broker has yet to be told."""

import json
import sqlite3
import threading
import uuid

SCHEMA = """
CREATE TABLE IF NOT EXISTS activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so that an event never means another activity
    user TEXT NOT NULL,
    version INTEGER NOT NULL,              -- grows with each change, so that a page can tell old from new
    title TEXT NOT NULL,
    duration_hours REAL NOT NULL,
    activity_date TEXT NOT NULL,
    ksbs TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS activities_of_user ON activities (user, activity_date);
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    user TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL);
"""

FIELDS = "id, version, title, duration_hours, activity_date, ksbs"


class Store:
    """Each change and the event that tells of it are one transaction: both are there, or neither."""

    def __init__(self, path):
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(SCHEMA)
        self._lock = threading.Lock()
        self._outbox_filled = threading.Condition(self._lock)

    # -- activities ------------------------------------------------------------------------------

    def activities(self, user):
        """The newest first."""
        with self._lock:
            rows = self._database.execute(
                f"SELECT {FIELDS} FROM activities WHERE user = ? ORDER BY activity_date DESC, id DESC", (user,)).fetchall()
        return [_activity(x) for x in rows]

    def add(self, user, values):
        with self._lock, self._database:
            (row,) = self._database.execute(
                "INSERT INTO activities (user, version, title, duration_hours, activity_date, ksbs) "
                f"VALUES (?, 1, ?, ?, ?, ?) RETURNING {FIELDS}", (user, *_columns(values))).fetchall()
            return self._saved(user, row)

    def change(self, user, identity, values):
        """None if the user has no such activity."""
        with self._lock, self._database:
            rows = self._database.execute(
                "UPDATE activities SET version = version + 1, title = ?, duration_hours = ?, activity_date = ?, ksbs = ? "
                f"WHERE id = ? AND user = ? RETURNING {FIELDS}", (*_columns(values), identity, user)).fetchall()
            return self._saved(user, rows[0]) if rows else None

    def delete(self, user, identity):
        """False if the user has no such activity."""
        with self._lock, self._database:
            found = self._database.execute("DELETE FROM activities WHERE id = ? AND user = ?", (identity, user)).rowcount
            if found:
                self._post(user, "activity_deleted", {"id": identity})
            return bool(found)

    def _saved(self, user, row):
        activity = _activity(row)
        self._post(user, "activity_saved", activity)
        return activity

    # -- outbox ----------------------------------------------------------------------------------

    def _post(self, user, event_type, data):
        # The key makes a repeat harmless: the broker stores an event once, however often it is sent.
        self._database.execute("INSERT INTO outbox (key, user, type, data) VALUES (?, ?, ?, ?)",
                               (uuid.uuid4().hex, user, event_type, json.dumps(data, ensure_ascii=False)))
        self._outbox_filled.notify()  # whoever waits sees it when the transaction is done and the lock free

    def oldest_message(self):
        """(id, key, user, type, data); waits until there is one."""
        with self._lock:
            while True:
                row = self._database.execute("SELECT id, key, user, type, data FROM outbox ORDER BY id LIMIT 1").fetchone()
                if row:
                    return row
                self._outbox_filled.wait()

    def remove_message(self, identity):
        with self._lock, self._database:
            self._database.execute("DELETE FROM outbox WHERE id = ?", (identity,))


def _columns(values):
    return values["title"], values["duration_hours"], values["activity_date"], json.dumps(values["ksbs"])


def _activity(row):
    identity, version, title, duration_hours, activity_date, ksbs = row
    return {"id": identity, "title": title, "duration_hours": duration_hours, "activity_date": activity_date,
            "ksbs": json.loads(ksbs), "version": version}
