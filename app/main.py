"""The command line: `stagesync COMMAND`. Nothing heavy is imported here, so that help comes at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .commands.apply import apply
from .commands.check import check
from .commands.demo import demo
from .commands.duplicates import duplicates
from .commands.errors import errors
from .commands.export import export
from .commands.forget import forget
from .commands.funnel import funnel
from .commands.holds import holds
from .commands.init import init
from .commands.migrate import migrate
from .commands.plan import plan
from .commands.probe import probe
from .commands.qualify import qualify
from .commands.report import report
from .commands.resolve import resolve
from .commands.retry import retry
from .commands.runs import runs
from .commands.sandbox import sandbox
from .commands.schedule import schedule
from .commands.serve import serve
from .commands.shadow import shadow
from .commands.signal import signal
from .commands.sla import sla
from .commands.status import status
from .commands.sync import sync
from .commands.undo import undo
from .commands.verify import verify
from .commands.whatif import whatif
from .commands.why import why
from .terminal import shell, streams

app = typer.Typer(
    name="stagesync",
    help="Keeps people and their lifecycle stages the same in HubSpot and Salesforce.",
    epilog="Begin with: stagesync init, stagesync check, stagesync plan, stagesync sync",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """Options that go before the command."""
    shell.set_debug(debug)


for command in (
    init,
    check,
    plan,
    sync,
    apply,
    status,
    report,
    sla,
    runs,
    serve,
    schedule,
    holds,
    resolve,
    errors,
    retry,
    undo,
    why,
    verify,
    whatif,
    forget,
    probe,
    demo,
    sandbox,
):
    app.command()(command)
app.add_typer(duplicates)
app.add_typer(export)
app.add_typer(funnel)
app.add_typer(migrate)
app.add_typer(qualify)
app.add_typer(shadow)
app.add_typer(signal)


def run() -> None:
    """The program `stagesync`."""
    streams.prepare()
    sys.exit(shell.program(app))
