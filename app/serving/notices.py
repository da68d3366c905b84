"""Tells somebody what needs them: by the addresses under `[notify]`, grouped, and with counts only; with anybody's data only where that was asked for.

Whoever wants to be told gets one message for all that happened, and no second one before `quiet` is over. A message that cannot be delivered is
tried again with the next; the service itself does not wait for anything here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from ...connectors.manners import plain
from ...model.errors import ConfigurationError
from ..configuration.config import Config
from ..views import words
from .concerned import concerned
from .course import Ended
from .notify import Notify

IN_A_ROW = 3
"""So many failed runs are a failure that does not mend itself."""
_MOST = 30

Send = Callable[[Notify, str, str], bool]
"""(to whom, title, text) -> whether it was delivered everywhere."""

log = structlog.get_logger("stagesync.service")


@dataclass(slots=True)
class Watcher:
    """What one workspace's runs say, from one run to the next, so that what goes on is told once."""

    failed: int = 0
    stopped: str = ""

    def sentences(self, ended: Ended) -> dict[str, str]:
        """Kind of news (`holds`, `stops`, `failures`, `breaches`) -> what there is to say of this run."""
        told: dict[str, str] = {}
        if ended.report is not None and ended.report.new_holds:
            told["holds"] = f"{words.count(ended.report.new_holds, 'new question')} (`stagesync holds`)"
        if ended.plan is not None and ended.plan.breached:
            told["breaches"] = f"{words.count(ended.plan.breached, 'person was', 'people were')} not answered in the agreed time (`stagesync sla`)"
        if ended.outcome == "stopped" and ended.reason != self.stopped:
            told["stops"] = ended.reason
        self.stopped = ended.reason if ended.outcome == "stopped" else ""
        was, self.failed = self.failed, self.failed + 1 if ended.failed else 0
        if self.failed == IN_A_ROW:
            told["failures"] = f"{IN_A_ROW} runs in a row failed, the last one: {ended.reason}"
        elif was >= IN_A_ROW and not ended.failed:
            told["failures"] = "runs work again"
        return {kind: plain(sentence, 500) for kind, sentence in told.items()}


@dataclass(slots=True)
class _Box:
    """What waits for one list of addresses. `free_at`: when the next message may go, by the monotonic clock."""

    lines: list[str] = field(default_factory=list[str])
    free_at: float = 0.0


class Notices:
    """All news of a service. `ended` may be called from any thread; `close` sends what is left."""

    def __init__(self, configs: Sequence[Config], send: Send) -> None:
        self._send = send
        self._watchers = {(config.state_url, config.workspace): Watcher() for config in configs}
        self._boxes = {config.notify: _Box() for config in configs if config.notify is not None}
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
        self._thread.start()

    def ended(self, config: Config, ended: Ended) -> None:
        """A run has ended."""
        notify = config.notify
        told = self._watchers[(config.state_url, config.workspace)].sentences(ended)
        if notify is None or not (wanted := {kind: sentence for kind, sentence in told.items() if kind in notify.on}):
            return
        whom = concerned(config, ended) if notify.people else {}
        lines = [f"{config.workspace}: {sentence}{f': {whom[kind]}' if whom.get(kind) else ''}" for kind, sentence in wanted.items()]
        with self._news:
            self._boxes[notify].lines.extend(lines)
            self._news.notify()

    def close(self) -> None:
        """Send what waits, and end."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._news:
                due = self._due()
                while not due and not self._closing:
                    self._news.wait(self._pause_s())
                    due = self._due()
                letters = [(notify, self._taken(notify)) for notify in due]
                ending = self._closing
            for notify, lines in letters:
                self._deliver(notify, lines)
            if ending:
                return

    def _due(self) -> list[Notify]:
        now = time.monotonic()
        return [notify for notify, box in self._boxes.items() if box.lines and (self._closing or box.free_at <= now)]

    def _pause_s(self) -> float | None:
        waiting = [box.free_at for box in self._boxes.values() if box.lines]
        return max(min(waiting) - time.monotonic(), 0.0) if waiting else None

    def _taken(self, notify: Notify) -> list[str]:
        box = self._boxes[notify]
        lines, box.lines, box.free_at = box.lines, [], time.monotonic() + notify.quiet_ms / 1000
        return lines

    def _deliver(self, notify: Notify, lines: list[str]) -> None:
        shown = [*lines[:_MOST], *([f"and {len(lines) - _MOST} more (`stagesync status`)"] if len(lines) > _MOST else [])]
        if self._send(notify, f"stagesync: {words.count(len(lines), 'thing needs', 'things need')} somebody", "\n".join(shown)):
            return
        log.warning("notification not delivered", lines=len(lines))
        with self._news:
            self._boxes[notify].lines[:0] = lines


def sender(configs: Sequence[Config]) -> Send:
    """Sends by apprise. Raises `ConfigurationError` where it is not installed, or an address is not one that it knows."""
    wanted = dict.fromkeys(config.notify for config in configs if config.notify is not None)
    if not wanted:
        return _nobody
    try:
        import apprise
    except ImportError:
        raise ConfigurationError(
            "[notify] needs a library that is not installed", where="notify", next_step='install it with: pip install "stagesync[notify]"'
        ) from None
    posts = {}
    for notify in wanted:
        posts[notify] = apprise.Apprise()
        for number, url in enumerate(notify.urls):
            if not posts[notify].add(url.reveal()):
                raise ConfigurationError(
                    "is no address that apprise knows", where=f"notify.urls[{number}]", next_step="its documentation lists their forms, such as slack://..."
                )

    def send(notify: Notify, title: str, text: str) -> bool:
        try:
            return bool(posts[notify].notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT))
        except Exception as error:  # noqa: BLE001 - whatever a service's plug-in raises: its text may hold the address, which is a secret
            log.warning("notification failed", error=type(error).__name__)
            return False

    return send


def _nobody(_notify: Notify, _title: str, _text: str) -> bool:
    return True
