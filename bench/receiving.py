"""The receiver of a configuration, in a process of its own: `python -m bench.receiving CONFIG` prints its port and serves until it is ended."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette

from stagesync.app.clock import SystemClock
from stagesync.app.configuration.loading import load
from stagesync.app.hooks import doors
from stagesync.app.web.receiver import receiver
from stagesync.state.inbox import open_inbox
from stagesync.state.intake import Intake


def main(path: Path) -> None:
    """Serve."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    config = load(path)
    with closing(open_inbox(config.state_url)) as store, closing(Intake(store)) as intake:
        routes = receiver(doors([config]), intake, SystemClock(), wake=lambda _: None, count=lambda *_: None)
        settings = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", lifespan="off")
        with settings.bind_socket() as listening:
            listening.listen(1_024)  # whoever connects from now on is heard, at once or when the server is up
            print(listening.getsockname()[1], flush=True)
            uvicorn.Server(settings).run([listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
