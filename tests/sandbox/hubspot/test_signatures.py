"""What the HubSpot world posts proves itself to the official client's own check, by each version of the signature that is in its headers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hubspot.utils.signature import Signature

from stagesync.sandbox.hubspot import HubSpotWorld

URL = "https://hooks.acme.example/hooks/hubspot"


class _Ear(BaseHTTPRequestHandler):
    """Keeps what it hears."""

    heard: list[tuple[dict[str, str], str]]

    def do_POST(self) -> None:
        """Take it."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("secret", ["the secret", "another"])
def test_posts_are_signed_twice(secret: str) -> None:
    """The first and the third version; both fail with another secret."""
    world = HubSpotWorld()
    world.webhooks.subscribe(URL, "the secret")
    world.create({"email": "ann@x.example"})
    _Ear.heard = []
    with HTTPServer(("127.0.0.1", 0), _Ear) as ear:
        thread = threading.Thread(target=ear.handle_request)
        thread.start()
        assert world.webhooks.deliver(f"http://127.0.0.1:{ear.server_port}/hooks/hubspot")
        thread.join()
    ((headers, body),) = _Ear.heard
    assert headers["x-hubspot-signature-version"] == "v1"
    given = {"client_secret": secret, "request_body": body, "http_method": "POST", "http_uri": URL}
    first = Signature.is_valid(headers["x-hubspot-signature"], signature_version="v1", **given)
    third = Signature.is_valid(headers["x-hubspot-signature-v3"], signature_version="v3", timestamp=headers["x-hubspot-request-timestamp"], **given)
    assert (first, third) == ((secret == "the secret"),) * 2
