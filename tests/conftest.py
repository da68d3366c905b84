"""Guards over every test: nothing leaves this machine, nobody waits, and property tests are repeatable where it matters."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from canaries import Canaries
from hypothesis import HealthCheck, settings
from memory import prefer_memory
from postgres import postgres_server, postgres_url, sqlite_store, sqlite_url, store, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_store", "sqlite_url", "store", "store_url"]  # fixtures for the tests of all who keep state

prefer_memory()
ROOT = Path(__file__).resolve().parent.parent
LONGEST_SLEEP_S = 0.1
# Retries sleep inside these libraries on behalf of our code.
SLEEPERS = ("tenacity.", "urllib3.")

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Whatever the tests bring forth is looked through for secrets."""
    config.pluginmanager.register(Canaries(config), "canaries")


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_the_network(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: sees every connection of this process, whichever library opens it; sockets of the file system pass."""
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            pytest.fail(f"a test must not leave this machine: {event} to {address}")
    elif event == "socket.getaddrinfo":
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        # Names under .invalid exist nowhere (RFC 2606), so the answer is known without asking: they are how a test says "unreachable".
        if isinstance(host, str) and host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if isinstance(host, str) and not _is_loopback(host):
            pytest.fail(f"a test must not leave this machine: looks up {host}")


sys.addaudithook(_refuse_the_network)

_sleep = time.sleep


def _short_sleep(seconds: float) -> None:
    """Stand in for time.sleep: our code takes its time from a clock that a test can set, so a long sleep is a mistake."""
    caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # documented in the library reference in spite of its name
    path = Path(caller.f_code.co_filename)
    ours = path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / ".venv")
    if seconds > LONGEST_SLEEP_S and (ours or caller.f_globals.get("__name__", "").startswith(SLEEPERS)):
        pytest.fail(f"a test must not wait: sleep of {seconds} s in {path.name}:{caller.f_lineno}")
    _sleep(seconds)


time.sleep = _short_sleep
