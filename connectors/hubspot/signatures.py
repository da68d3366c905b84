"""How a post of HubSpot proves that it is HubSpot's: three versions of a signature with the app's client secret (HubSpot docs, Validating requests).

    v1  X-HubSpot-Signature     hex SHA-256 of secret + body
    v2  X-HubSpot-Signature     hex SHA-256 of secret + method + address + body
    v3  X-HubSpot-Signature-v3  base64 HMAC-SHA256, keyed by the secret, of method + address + body + X-HubSpot-Request-Timestamp (ms)

Only v3 has a time. The address is the one that HubSpot calls, so it is made up from the configuration: behind a proxy the request itself tells another one.
The official client's own check takes posts from the future and decodes nothing in the address, so it is not used.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote

from ..contract import Post

Version = Literal["v1", "v2", "v3"]
TOLERANCE_MS = 300_000
"""HubSpot's own limit for the age of a post; as far ahead, our clock may be behind theirs."""
_DECODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""What v3 decodes in the address, and nothing else."""


def doubt(post: Post, secrets: Sequence[str], version: Version) -> str | None:
    """Why the post is not to be believed; None: one of the secrets signed it. Everything is compared in constant time."""
    given = post.headers.get("x-hubspot-signature-v3" if version == "v3" else "x-hubspot-signature", "").strip()
    if not given:
        return f"the signature ({version}) is missing"
    if version != "v3" and post.headers.get("x-hubspot-signature-version", version).strip() != version:
        return f"the signature is no {version}"
    if version != "v1" and post.url is None:
        return "[serve] public_url is not set"
    stamp = post.headers.get("x-hubspot-request-timestamp", "").strip()
    if version == "v3" and (late := _late(stamp, post.received)) is not None:
        return late
    proofs = [_proof(secret.encode(), post, version, stamp) for secret in secrets]
    proven = [hmac.compare_digest(proof, given.encode()) for proof in proofs]
    return None if any(proven) else "the signature does not match"


def _proof(secret: bytes, post: Post, version: Version, stamp: str) -> bytes:
    address = (post.url or "").encode()
    match version:
        case "v1":
            return hashlib.sha256(secret + post.body).hexdigest().encode()
        case "v2":
            return hashlib.sha256(secret + post.method.encode() + address + post.body).hexdigest().encode()
        case "v3":
            decoded = _DECODED.sub(lambda found: unquote(found[0]), address.decode()).encode()
            return b64encode(hmac.digest(secret, post.method.encode() + decoded + post.body + stamp.encode(), hashlib.sha256))


def _late(stamp: str, received: int) -> str | None:
    if not re.fullmatch(r"[0-9]{1,15}", stamp):
        return "the time of the signature is no number"
    ahead = int(stamp) - received
    if ahead < -TOLERANCE_MS:
        return "the signature is too old"
    return "the signature is from the future" if ahead > TOLERANCE_MS else None
