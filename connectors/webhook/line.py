"""The way to somebody's endpoint: a signed POST, to an address that was checked, and to no other.

An address that somebody configured can point into our own network (server-side request forgery: Standard Webhooks' spec, "Operational considerations"). So a
name is resolved once, every private, loopback or link-local address is refused unless the host is allowed by name, and the connection goes to the address that
was checked, whatever the name means a moment later. No redirect is followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx
import orjson
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream
from standardwebhooks import Webhook

from ..manners import retry_after

TIMEOUT_S = 10.0
_ANSWER_LIMIT = 65_536
_ASK = (429, 503)
"""With these an endpoint may say when it can be called again (RFC 6585, 4; RFC 9110, 15.6.4)."""
_ID_LIMIT = 200
_TRANSLATED = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Delivered:
    """It arrived. `id`: the receiver's own id of the record, where its answer tells it."""

    id: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not, or nobody can say. `code` holds nothing of what was answered. `after_s`: for so long the endpoint asks not to be called."""

    code: str
    after_s: float = 0.0


class Refused(httpcore.ConnectError):
    """The name leads into a network that is not to be reached from here."""


class CheckedBackend(NetworkBackend):
    """Opens connections to addresses that may be reached, and to no others."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> NetworkStream:
        """Resolve once, check every address, connect to the first of those that were checked and can be reached."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("no such host") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if host.lower() not in self._allowed and not all(map(is_public, addresses)):
            raise Refused("a private address")
        for address in addresses[:-1]:  # a machine without a way to IPv6 may be told such addresses first
            try:
                return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None) -> NetworkStream:
        """There is no such endpoint."""
        raise Refused("a socket of this machine")


def is_public(address: str) -> bool:
    """The address belongs to the public Internet, also where it is an IPv4 address in the dress of an IPv6 one."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1] or _translated(found) or found
    return found.is_global and not found.is_multicast and not found.is_reserved


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway makes of it (RFC 6052, 2.1)."""
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _TRANSLATED else None


class CheckedTransport(httpx.HTTPTransport):
    """httpx over a pool of connections that are all checked: httpx has no hook of its own for that (encode/httpx, discussion of network backends)."""

    def __init__(self, allowed: Collection[str]) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=CheckedBackend(allowed))


class Line:
    """One endpoint and the secret by which it knows us."""

    def __init__(self, url: str, secret: str, allowed: Collection[str]) -> None:
        self._url = url
        self._signer = Webhook(secret)
        self._client = httpx.Client(transport=CheckedTransport(allowed), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def send(self, key: str, body: bytes, now: int) -> Delivered | Failed:
        """One attempt, signed at this moment (ms) by the Standard Webhooks scheme."""
        moment = datetime.fromtimestamp(now // 1_000, UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(now // 1_000),
            "webhook-signature": self._signer.sign(key, moment, body.decode()),
        }
        try:
            with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                if not answer.is_success:
                    asked = retry_after(answer.headers, now) if answer.status_code in _ASK else None
                    return Failed(f"HTTP_{answer.status_code}", asked or 0.0)
                return Delivered(_own_id(_beginning(answer)))
        except httpx.TimeoutException:
            return Failed("TIMEOUT")
        except httpx.ConnectError as error:
            return Failed("PRIVATE_ADDRESS" if isinstance(error.__cause__, Refused) else "NO_CONNECTION")
        except httpx.HTTPError:
            return Failed("BROKEN_ANSWER")

    def close(self) -> None:
        """Give back connections."""
        self._client.close()


def _beginning(answer: httpx.Response) -> bytes:
    """The body, as far as anybody needs it; an answer without an end fills no memory."""
    found = b""
    for chunk in answer.iter_bytes(_ANSWER_LIMIT):
        found += chunk
        if len(found) > _ANSWER_LIMIT:
            return b""
    return found


def _own_id(body: bytes) -> str | None:
    """`{"id": "..."}`."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    id_ = told.get("id") if isinstance(told, dict) else None
    if isinstance(id_, bool) or not isinstance(id_, (str, int)):
        return None
    text = str(id_).strip()
    return text if 0 < len(text) <= _ID_LIMIT and text.isprintable() else None
