"""Tokens that the app and the broker both trust: JWTs, signed with one secret."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import time

AUDIENCE = "dashboard"


class Signer:
    def __init__(self, path):
        """Reads the secret, or makes one that only this user can read."""
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
        except FileExistsError:
            pass
        with open(path, "rb") as file:
            self._secret = file.read()

    def make(self, lifetime, **claims):
        now = int(time.time())
        head = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = _encode(json.dumps({"aud": AUDIENCE, "iat": now, "exp": now + lifetime, **claims}).encode())
        return f"{head}.{body}.{self._signature(head, body)}"

    def user_of(self, token):
        """The user that a token of ours names; None if it is not ours, or over."""
        try:
            head, body, signature = token.split(".")
            if not hmac.compare_digest(signature.encode(), self._signature(head, body).encode()):
                return None
            claims = json.loads(_decode(body))
        except (ValueError, binascii.Error):
            return None
        return claims.get("sub") if claims["exp"] > time.time() else None

    def _signature(self, head, body):
        return _encode(hmac.new(self._secret, f"{head}.{body}".encode(), hashlib.sha256).digest())


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
