"""Makes tokens as an identity provider does, and as an attacker does. Python's standard library and
the `openssl` command only: it shares no code with the broker that judges them."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

from .broker import temporary_folder

# Order of the group of P-256.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *words], input=data, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(words)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def b64(data):
    """base64url without padding."""
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    """JSON as short as it can be; text goes through as it is, so that bad JSON can be made."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


# -- keys ------------------------------------------------------------------------------------------


class Key:
    """One key pair, or one secret, and what the broker needs to know of it."""

    def __init__(self, algorithm, private_path=None, secret=None):
        self.algorithm = algorithm
        self.secret = secret
        self._private = private_path
        if private_path:
            self.public_pem = openssl("pkey", "-in", private_path, "-pubout").decode()
            self.public_der = openssl("pkey", "-in", private_path, "-pubout", "-outform", "DER")
            with open(private_path) as file:
                self.private_pem = file.read()

    def sign(self, data):
        """The signature as a token carries it."""
        if self.algorithm == "HS256":
            return hmac.new(self.secret, data, hashlib.sha256).digest()
        if self.algorithm == "EdDSA":
            path = os.path.join(os.path.dirname(self._private), "signed")
            with open(path, "wb") as file:  # this command wants to know the length
                file.write(data)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self._private, "-in", path)
        signature = openssl("dgst", "-sha256", "-sign", self._private, data=data)
        return raw_signature(signature) if self.algorithm == "ES256" else signature

    def jwk(self, **more):
        """The public key (the secret of HS256) as a JSON Web Key."""
        if self.algorithm == "HS256":
            made = {"kty": "oct", "k": b64(self.secret)}
        elif self.algorithm == "RS256":
            text = openssl("rsa", "-pubin", "-noout", "-modulus", data=self.public_pem.encode()).decode()
            made = {"kty": "RSA", "n": b64(bytes.fromhex(text.strip().partition("=")[2])), "e": "AQAB"}
        elif self.algorithm == "ES256":
            point = self.public_der[-64:]
            made = {"kty": "EC", "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:])}
        else:
            made = {"kty": "OKP", "crv": "Ed25519", "x": b64(self.public_der[-32:])}
        return {**made, **more}


def raw_signature(der):
    """An ECDSA signature from DER to r and s side by side."""
    def number(at):
        if der[at] != 2:
            raise ValueError("not an INTEGER")
        length = der[at + 1]
        return der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0"), at + 2 + length

    r, at = number(2)
    s, _ = number(at)
    return r + s


_GENERATE = {
    "RS256": ("RSA", "rsa_keygen_bits:2048"),
    "ES256": ("EC", "ec_paramgen_curve:P-256"),
    "EdDSA": ("ED25519", None),
}
_made = {}


def make_key(algorithm, name="", option=None):
    """The same key for the same name for the whole run: RSA keys take their time."""
    found = _made.get((algorithm, name, option))
    if found:
        return found
    if algorithm == "HS256":
        made = Key(algorithm, secret=hashlib.sha256(f"secret {name}".encode()).hexdigest().encode())
    else:
        path = os.path.join(temporary_folder("tidings-keys-"), "private.pem")
        kind, usual = _GENERATE[algorithm]
        words = ["genpkey", "-algorithm", kind, "-out", path]
        if option or usual:
            words += ["-pkeyopt", option or usual]
        openssl(*words)
        made = Key(algorithm, path)
    _made[algorithm, name, option] = made
    return made


# -- tokens ----------------------------------------------------------------------------------------


def claims(user="alice", seconds=300, publish=None, subscribe=None, admin=None, **more):
    """Good claims. What is given as None is left out."""
    now = int(time.time())
    rights = {k: v for k, v in (("publish", publish), ("subscribe", subscribe), ("admin", admin)) if v is not None}
    made = {"sub": user, "iat": now, "exp": now + seconds, "tidings": rights or None, **more}
    return {k: v for k, v in made.items() if v is not None}


def header(key, **more):
    made = {"alg": key.algorithm, "typ": "JWT", **more}
    return {k: v for k, v in made.items() if v is not None}


def signed(key, head, body):
    """A token of any header and body, also of such that are no JSON, with a right signature."""
    text = f"{b64(compact(head))}.{b64(compact(body))}"
    return f"{text}.{b64(key.sign(text.encode()))}"


def token(key, body=None, **more):
    """A good token; `more` goes to its header, None takes a member out."""
    return signed(key, header(key, **more), claims() if body is None else body)


def with_signature(good, signature):
    return good.rsplit(".", 1)[0] + "." + b64(signature)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


# -- attacks ---------------------------------------------------------------------------------------
# Each yields (name, token). None of them may be let in.


def unsigned(key, body):
    """A1: the token says that it needs no signature, or does not say which."""
    payload = b64(compact(body))
    for algorithm in ("none", "None", "nOnE", "NONE", "", " none", None, 0, True, ["HS256"], {"a": 1}, "HS256 ", "hs256", "eddsa",
                      "HS512", "RS512", "PS256", "ES256K", "ES384", "HS256\0", "HS256\n"):
        for form, signature in (("no signature", ""), ("the right signature", None), ("some bytes", b64(b"\0" * 64))):
            text = f"{b64(compact({'alg': algorithm, 'typ': 'JWT'}))}.{payload}"
            yield f"alg {algorithm!r}, {form}", f"{text}.{b64(key.sign(text.encode())) if signature is None else signature}"
    text = f"{b64(compact({'typ': 'JWT'}))}.{payload}"
    yield "no alg, no signature", text + "."
    yield "no alg, the right signature", f"{text}.{b64(key.sign(text.encode()))}"
    good = signed(key, header(key), body)
    yield "the signature left out", good.rsplit(".", 1)[0] + "."
    yield "the signature and its dot left out", good.rsplit(".", 1)[0]


def confused(public, body):
    """A2: HS256 with what everybody knows of a public key as the secret."""
    jwk = public.jwk()
    pem = public.public_pem
    secrets = {
        "PEM": pem, "PEM without its last line break": pem.rstrip("\n"), "PEM with CR LF": pem.replace("\n", "\r\n"),
        "PEM in one line": pem.replace("\n", ""), "the base64 of the PEM": "".join(pem.splitlines()[1:-1]),
        "DER": public.public_der, "JWK": compact(jwk), "JWK with blanks": json.dumps(jwk),
        "JWK of the set": compact({"keys": [jwk]}), "a number of the JWK": jwk.get("x") or jwk.get("n"),
        "the bytes of that number": unb64(jwk.get("x") or jwk.get("n")),
        "both numbers": unb64(jwk["x"]) + unb64(jwk["y"]) if "y" in jwk else b"", "nothing": b"",
        "the algorithm": public.algorithm,
    }
    for name, secret in secrets.items():
        forger = Key("HS256", secret=secret if isinstance(secret, bytes) else secret.encode())
        yield f"HS256 with {name} of the {public.algorithm} key", signed(forger, header(forger), body)


KEY_IDS = ["", ".", "..", "../../../../dev/null", "/dev/null", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/key",
           "' OR '1'='1", "\"; DROP TABLE keys; --", "a' UNION SELECT 'key", "a\0b", "\0", "%2e%2e%2f", "*", "**", "key*",
           "${jndi:ldap://127.0.0.1:1/}", "\n", "\u202e", "x" * 513, "y" * 5000]


def strange_key_ids(forger, body):
    """A3: the id of the key as a path, as SQL, as anything."""
    for kid in KEY_IDS + [None, 0, -1, 1.5, True, [], ["ed"], {}, {"ed": 1}]:
        yield f"kid {str(kid)[:40]!r}", signed(forger, {"alg": forger.algorithm, "typ": "JWT", "kid": kid}, body)


def bad_signatures(key, good):
    """A7 and the like: numbers out of their range, lengths that do not fit, one bit turned."""
    n = P256_ORDER
    size = len(unb64(good.rsplit(".", 1)[1]))
    right = unb64(good.rsplit(".", 1)[1])
    pair = lambda r, s: (r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    if key.algorithm == "ES256":
        r, s = int.from_bytes(right[:32], "big"), int.from_bytes(right[32:], "big")
        numbers = {"r = s = 0": (0, 0), "r = 0": (0, s), "s = 0": (r, 0), "r = s = 1": (1, 1), "r = n": (n, s), "s = n": (r, n),
                   "r = s = n": (n, n), "r = n + 1": (n + 1, s), "r and s exchanged": (s, r), "r = -r": (n - r, s),
                   "all ones": (2 ** 256 - 1, 2 ** 256 - 1), "r = 0, s = 1": (0, 1)}
        if r + n < 2 ** 256:
            numbers["r + n"] = (r + n, s)
        if s + n < 2 ** 256:
            numbers["s + n"] = (r, s + n)
        for name, (a, b) in numbers.items():
            yield name, with_signature(good, pair(a, b))
        number = lambda x: b"\x02" + bytes([len(x)]) + x
        wide = lambda x: number(x.lstrip(b"\0") if x.lstrip(b"\0")[0] < 128 else b"\0" + x.lstrip(b"\0"))
        inside = wide(right[:32]) + wide(right[32:])
        yield "DER", with_signature(good, b"\x30" + bytes([len(inside)]) + inside)
        yield "r and s with a zero before them", with_signature(good, b"\0" + right[:32] + b"\0" + right[32:])
    if key.algorithm == "EdDSA":
        order = 2 ** 252 + 27742317777372353535851937790883648493
        s = int.from_bytes(right[32:], "little")
        yield "s + order", with_signature(good, right[:32] + (s + order).to_bytes(32, "little"))
        yield "the neutral point and s = 0", with_signature(good, b"\1" + b"\0" * 63)
    yield "zeros", with_signature(good, b"\0" * size)
    yield "ones", with_signature(good, b"\xff" * size)
    yield "one byte", with_signature(good, b"\0")
    yield "a byte too few", with_signature(good, right[:-1])
    yield "a byte too many", with_signature(good, right + b"\0")
    yield "a zero before it", with_signature(good, b"\0" + right)
    yield "twice", with_signature(good, right + right)
    for at in (0, size // 2, size - 1):
        turned = bytearray(right)
        turned[at] ^= 1
        yield f"bit of byte {at} turned", with_signature(good, bytes(turned))


def malformed(key, body):
    """A8: what is nearly a token. Signatures are right wherever there can be one."""
    good = signed(key, header(key), body)
    head, payload, signature = good.split(".")
    yield "padding", f"{head}.{payload}.{signature}" + "=" * (-len(signature) % 4 or 1)
    yield "padding of the header", f"{head}=.{payload}.{signature}"
    yield "padding of the body", f"{head}.{payload}==.{signature}"
    yield "a blank in the signature", f"{head}.{payload}.{signature[:4]} {signature[4:]}"
    yield "a blank at the end", good + "\u00a0"
    yield "a comma at the end", good + ","
    yield "a tab in it", f"{head}.{payload}.\t{signature}"
    yield "a percent escape", f"{head}.{payload}.%{ord(signature[0]):02x}{signature[1:]}"
    plain = f"{b64(compact({**header(key), 'x': '????>>>>~~~~'}))}.{payload}"
    full = f"{plain}.{b64(key.sign(plain.encode()))}"
    other = full.replace("-", "+").replace("_", "/")
    if other != full:
        yield "+ and / in place of - and _", other
    resigned = other.rsplit(".", 1)[0]
    yield "+ and / signed as they are", f"{resigned}.{b64(key.sign(resigned.encode()))}"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(signature) % 4:
        last = alphabet.index(signature[-1])
        yield "trailing bits of the signature", good[:-1] + alphabet[last | 1 if not last & 1 else last & ~1]
    # One character more than whole bytes need, in each part, signed as it is.
    for name, text in (("header", f"{head}A.{payload}"), ("body", f"{head}.{payload}A")):
        yield f"a letter too many in the {name}", f"{text}.{b64(key.sign(text.encode()))}"
    for name, text in (("header", json.dumps(header(key))), ("body", compact(body))):
        while len(text.encode()) % 3 != 1:
            text += " "
        dirty = b64(text)
        dirty = dirty[:-1] + alphabet[alphabet.index(dirty[-1]) | 1]
        joined = f"{dirty}.{payload}" if name == "header" else f"{head}.{dirty}"
        yield f"trailing bits of the {name}", f"{joined}.{b64(key.sign(joined.encode()))}"
    yield "one part", head
    yield "two parts", f"{head}.{payload}"
    yield "four parts", f"{good}.{signature}"
    yield "five parts", f"{good}.{signature}.{signature}"
    yield "no header", f".{payload}.{signature}"
    yield "no body", f"{head}..{signature}"
    yield "dots alone", ".."
    yield "nothing but a dot", "."
    yield "a dot before it", "." + good
    yield "a dot after it", good + "."
    encrypted = b64(compact({"alg": "RSA-OAEP", "enc": "A256GCM", "typ": "JWT"}))
    yield "JWE", ".".join([encrypted] + [b64(os.urandom(24)) for _ in range(4)])
    yield "JWE with direct key", ".".join([b64(compact({"alg": "dir", "enc": "A128GCM"})), "", b64(b"iv"), b64(b"text"), b64(b"tag")])
    yield "nested", signed(key, header(key, cty="JWT"), good)
    yield "nested without saying so", signed(key, header(key), good)
    yield "the JSON form", compact({"protected": head, "payload": payload, "signature": signature})
    yield "crit", signed(key, header(key, crit=["exp"]), body)
    yield "an empty crit", signed(key, header(key, crit=[]), body)
    yield "b64 false", signed(key, header(key, crit=["b64"], b64=False), body)
    yield "zip", signed(key, header(key, zip="DEF"), body)
    text = compact(body)
    for name, bad in {
        "sub twice": '{"sub":"root",' + text[1:],
        "exp twice": text[:-1] + f',"exp":{body["exp"] + 60}}}',
        "rights twice": text[:-1] + ',"tidings":{"admin":true},"tidings":{}}',
        "rights twice inside": text[:-1] + ',"tidings":{"admin":false,"admin":true}}',
        "a name twice by its escape": '{"s\\u0075b":"root",' + text[1:],
        "no JSON": "x",
        "cut": text[:-1],
        "two objects": text + text,
        "something behind it": text + "x",
        "a NUL behind it": text + "\0",
        "a NUL and more behind it": text + '\0,"sub":"root"}',
        "an array": f"[{text}]",
        "a text": json.dumps(text),
        "a number": "1",
        "null": "null",
        "nothing": "",
        "a comment": text[:-1] + "/**/}",
        "a comma too many": text[:-1] + ",}",
        "single quotes": text.replace('"', "'"),
        "a byte order mark": "\ufeff" + text,
        "NaN": text[:-1] + ',"x":NaN}',
        "deep": text[:-1] + ',"x":' + "[" * 2000 + "]" * 2000 + "}",
    }.items():
        if name.startswith("rights"):
            bad = compact({k: v for k, v in body.items() if k != "tidings"})[:-1] + bad[len(text) - 1:]
        yield f"body: {name}", signed(key, header(key), bad)
    for name, bad in {
        "alg twice": f'{{"alg":"none","alg":"{key.algorithm}","typ":"JWT"}}',
        "alg twice, the other way": f'{{"alg":"{key.algorithm}","alg":"none","typ":"JWT"}}',
        "a NUL behind it": compact(header(key)) + "\0",
        "a NUL and more behind it": compact(header(key)) + '\0"alg":"none"}',
        "no JSON": "alg",
        "an array": f'["alg","{key.algorithm}"]',
        "null": "null",
        "nothing": "",
    }.items():
        yield f"header: {name}", signed(key, bad, body)
    raw = compact(body)[:-1].encode() + b',"x":"\xff\xfe"}'
    joined = f"{head}.{b64(raw)}"
    yield "body: not UTF-8", f"{joined}.{b64(key.sign(joined.encode()))}"


def wrong_types(key, body):
    """A6: tokens of the same issuer that were made for something else."""
    for typ in (None, "", "JOSE", "id+jwt", "ID", "logout+jwt", "dpop+jwt", "secevent+jwt", "at", "JWE", 1, ["JWT"], True,
                "application/logout+jwt", "text/JWT", "JWT "):
        yield f"typ {typ!r}", signed(key, header(key, typ=typ), body)


def wrong_times(key, user="alice", leeway=0):
    """A5: times that are missing, over, far away, or none at all."""
    now = int(time.time())
    base = {"sub": user, "iat": now, "exp": now + 300}
    far = leeway + 30
    cases = {
        "no exp": {"exp": None}, "exp over": {"exp": now - far, "iat": now - far - 60}, "exp 0": {"exp": 0}, "exp negative": {"exp": -1},
        "exp in 100 years": {"exp": now + 100 * 365 * 86400}, "exp too large": {"exp": 1 << 62}, "exp beyond 64 bits": {"exp": 1 << 70},
        "exp as text": {"exp": str(now + 300)}, "exp as list": {"exp": [now + 300]}, "exp true": {"exp": True},
        "nbf in the future": {"nbf": now + far}, "nbf as text": {"nbf": str(now)}, "nbf far": {"nbf": 1 << 62},
        "iat in the future": {"iat": now + far}, "iat as text": {"iat": str(now)}, "iat behind exp": {"iat": now + 400},
        "iat long ago": {"iat": now - 400 * 86400}, "iat negative": {"iat": -1e300},
    }
    for name, change in cases.items():
        merged = {k: v for k, v in {**base, **change}.items() if v is not None}
        yield name, signed(key, header(key), merged)
    text = compact(base)
    for name, value in {"exp null": "null", "exp 1e400": "1e400", "exp 1e308": "1e308", "exp -1e400": "-1e400", "exp NaN": "NaN",
                        "exp Infinity": "Infinity", "exp with digits of a text": '"9999999999"', "exp 1e18": "1e18"}.items():
        yield name, signed(key, header(key), text.replace(f'"exp":{now + 300}', f'"exp":{value}'))
