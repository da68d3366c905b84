"""How a post proves that it comes from whom it says: by a signature over its raw bytes, or by a token. Everything secret is compared in constant time.

Each scheme answers with the reason why a post is not to be believed, or None. Standard Webhooks: standard-webhooks/spec, "Verifying webhook authenticity".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from ..contract import Post

TOLERANCE_MS = 300_000
"""So far a sender's clock may be from ours, both ways."""
_MOST = 32
"""More signatures than this are no rotation of secrets."""
_WRONG = "the signature does not match"

Scheme = Callable[[Post], str | None]


def standard(secrets: Sequence[str]) -> Scheme:
    """The headers `webhook-id`, `webhook-timestamp` and `webhook-signature`. Versions that are not known are skipped."""
    keys = [Webhook(secret) for secret in secrets]

    def verify(post: Post) -> str | None:
        headers = {name: post.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
        if not all(headers.values()):
            return "a header of the signature is missing"
        if (doubt := _late(headers["webhook-timestamp"], post.received)) is not None:
            return doubt
        headers["webhook-signature"] = " ".join(filter(_is_v1, headers["webhook-signature"].split()[:_MOST]))
        return None if any(_matches(key, post.body, headers) for key in keys) else _WRONG

    return verify


def _is_v1(signature: str) -> bool:
    version, _, text = signature.partition(",")
    return version == "v1" and _decoded(text) is not None


def _matches(key: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    """The library lets a few errors of its own through (a body that is no UTF-8, a number that is no time): none of them proves anything."""
    try:
        key.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError, OverflowError, OSError):
        return False
    return True


def signed(secrets: Sequence[str], header: str, form: str) -> Scheme:
    """HMAC-SHA256 of the body in a header: `hex`, `base64`, `sha256=` or `t=,v1=` (the form of Stripe: time, point and body are signed)."""
    keys = [secret.encode() for secret in secrets]
    name = header.lower()

    def verify(post: Post) -> str | None:
        given = post.headers.get(name, "").strip()
        if not given:
            return "the header of the signature is missing"
        if form == "t=,v1=":
            return _timed(keys, given, post)
        proofs = [_plain(given, form)]
        return None if _proved(keys, post.body, proofs) else _WRONG

    return verify


def _timed(keys: Sequence[bytes], given: str, post: Post) -> str | None:
    parts = [part.strip().partition("=") for part in given.split(",")[: _MOST + 1]]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1:
        return "the signature has no time"
    doubt = _late(times[0], post.received)
    proofs = [_hex(value) for name, _, value in parts if name == "v1"]
    return doubt or (None if _proved(keys, times[0].encode() + b"." + post.body, proofs) else _WRONG)


def _proved(keys: Sequence[bytes], text: bytes, proofs: Sequence[bytes | None]) -> bool:
    """One of the keys makes one of the signatures."""
    wanted = [hmac.digest(key, text, hashlib.sha256) for key in keys]
    return any(hmac.compare_digest(each, proof or b"") for each in wanted for proof in proofs)


def _plain(given: str, form: str) -> bytes | None:
    if form == "base64":
        return _decoded(given)
    return _hex(given.removeprefix("sha256=")) if form == "hex" or given.startswith("sha256=") else None


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _late(given: str, received: int) -> str | None:
    """Seconds since 1970, as all schemes write it."""
    if not re.fullmatch(r"[0-9]{1,12}", given):
        return "the time of the signature is no number"
    ahead = int(given) * 1_000 - received
    if ahead < -TOLERANCE_MS:
        return "the signature is too old"
    return "the signature is from the future" if ahead > TOLERANCE_MS else None


def bearer(secrets: Sequence[str]) -> Scheme:
    """A token in `Authorization: Bearer`."""
    tokens = [secret.encode() for secret in secrets]

    def verify(post: Post) -> str | None:
        word, _, token = post.headers.get("authorization", "").partition(" ")
        if word.lower() != "bearer" or not token.strip():
            return "the token is missing"
        given = token.strip().encode()
        return None if any(hmac.compare_digest(each, given) for each in tokens) else "the token does not match"

    return verify
