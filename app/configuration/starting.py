"""The questions of `init`, and the file that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import typer

from ...mapping.fields import GROUPS
from ...model.errors import ConfigurationError
from ..terminal import output
from ..terminal.files import write_private
from .secrets import SOURCES

SALESFORCE_FORMS = {
    "client credentials": (("client_id", False), ("client_secret", True)),
    "jwt": (("client_id", False), ("username", False), ("private_key", True)),
    "refresh token": (("client_id", False), ("refresh_token", True)),
    "access token": (("access_token", True),),
}
SYSTEMS = ("hubspot", "salesforce", "csv")


def start(path: Path) -> int:
    """Ask, write, and say what comes next. Raises `ConfigurationError` where the file is there already or the answers end too early."""
    if path.exists():
        raise ConfigurationError(
            "there is a configuration already, and init does not overwrite it", where=str(path), next_step="name another file with --config"
        )
    if not path.resolve().parent.is_dir():
        raise ConfigurationError("the folder does not exist", where=str(path), next_step="create it first")
    output.tell(f"A few questions for {path}. Return takes what stands in brackets. Secrets are never asked for, only where they are kept.")
    try:
        names = _ask(f"Which systems: {', '.join(SYSTEMS)}", "hubspot, salesforce", _two_of_them).replace(",", " ").split()
        text = _written({name: _ASKED[name]() for name in names}, _region(), _winners(names))
    except (typer.Abort, EOFError):
        raise ConfigurationError("the questions were not all answered, so nothing was written", where="init", next_step="run `stagesync init` again") from None
    write_private(path, text)
    output.say(f"{path} is written. Next: put the secrets where it says, then run `stagesync check`")
    return 0


def _ask(question: str, default: str, check: Callable[[str], str | None] = lambda _: None) -> str:
    """An answer that passes the check, which gives what is wrong with it."""
    while True:
        answer = str(typer.prompt(question, default=default or None, err=True)).strip()
        wrong = check(answer)
        if wrong is None:
            return answer
        output.tell(f"  {wrong}")


def _two_of_them(answer: str) -> str | None:
    names = answer.replace(",", " ").split()
    return None if len(names) > 1 and len(set(names)) == len(names) and set(names) <= set(SYSTEMS) else f"please name two or three of: {', '.join(SYSTEMS)}"


def _one_of(allowed: Sequence[str]) -> Callable[[str], str | None]:
    return lambda answer: None if answer in allowed else f"please answer one of: {', '.join(allowed)}"


def _place_of_secret(answer: str) -> str | None:
    """Never repeats the answer: it might be the secret itself."""
    source, _, name = answer.partition(" ")
    if source in SOURCES and name.strip() and '"' not in name:
        return None
    return "please say where it is kept: env NAME, file PATH or keyring SERVICE/NAME"


def _secret(question: str, default: str) -> str:
    source, _, name = _ask(question, default, _place_of_secret).partition(" ")
    return f"{{ {source} = {_quoted(name.strip())} }}"


def _quoted(text: str) -> str:
    """A TOML string."""
    return "'" + text + "'" if "\\" in text and "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _hubspot() -> str:
    return f"token = {_secret('Where is the HubSpot token (private app or service key)?', 'env HUBSPOT_TOKEN')}"


def _salesforce() -> str:
    address = _ask("Address of the Salesforce org (My Domain)", "", _address)
    form = _ask(f"How to sign in to Salesforce: {', '.join(SALESFORCE_FORMS)}", "client credentials", _one_of(tuple(SALESFORCE_FORMS)))
    lines = [f"instance_url = {_quoted(address.rstrip('/'))}"]
    for key, secret in SALESFORCE_FORMS[form]:
        if secret:
            default = f"file {key}.txt" if key in ("refresh_token", "private_key") else f"env SALESFORCE_{key.upper()}"
            lines.append(f"{key} = {_secret(f'Where is the Salesforce {key}?', default)}")
        else:
            lines.append(f"{key} = {_quoted(_ask(f'Salesforce {key}', '', _not_blank))}")
    return "\n".join(lines)


def _csv() -> str:
    return f'path = {_quoted(_ask("Where is the file (.csv, .tsv or .jsonl)?", "contacts.csv"))}\n# key = "Record ID"      # the column that tells rows apart'


def _not_blank(answer: str) -> str | None:
    return None if answer else "please give it"


def _address(answer: str) -> str | None:
    from ...connectors.manners import checked_url

    try:
        checked_url(answer, where="")
    except ConfigurationError as error:
        return f"{error.what}: {error.next_step}"
    return None


def _region() -> str:
    from ...mapping.countries import country_code

    return (
        country_code(
            _ask("Country of phone numbers that are written without one", "US", lambda answer: None if country_code(answer) else "please give a country")
        )
        or ""
    )


def _winners(names: Sequence[str]) -> dict[str, str]:
    allowed = (*names, "newest", "ask")
    output.tell(f"When a person is met for the first time and two systems have a value, who wins? {', '.join(allowed)} (ask: held until you answer)")
    return {group: _ask(f"  {group}", "newest", _one_of(allowed)) for group in GROUPS}


_ASKED: Mapping[str, Callable[[], str]] = {"hubspot": _hubspot, "salesforce": _salesforce, "csv": _csv}
_FALLBACK = """
# What a new Lead gets where the person has no last name or company; without this such people are held.
[systems.salesforce.create]
fallback = { LastName = "(unknown)", Company = "[not provided]" }
"""


def _written(systems: Mapping[str, str], region: str, winners: Mapping[str, str]) -> str:
    first = "\n".join(
        f"{'# ' if winner == 'ask' else ''}{_quoted(group)} = {_quoted('newest' if winner == 'ask' else winner)}" for group, winner in winners.items()
    )
    last = list(systems)[-1]
    tables = "".join(
        f'[systems.{name}]\nconnector = "{name}"\n{text}\nregion = "{region}"          # phone numbers without a country code\n'
        f"{_FALLBACK if name == 'salesforce' else ''}\n"
        for name, text in systems.items()
    )
    return f"""\
# stagesync keeps people and their lifecycle stages the same in these systems. config.example.toml shows every key.
# Next: stagesync check, stagesync plan, stagesync sync

{tables}# Who belongs into a system. Without this table everybody does.
# [systems.{last}.include]
# min_stage = "mql"

# Who wins, by group of fields, where two systems have a value when a person is met for the first time.
# Groups without a winner are held, grouped by field, until `stagesync resolve` answers.
[first_meeting]
{first}

# What a deletion in one system means for the others: hold (ask first), archive or ignore.
[delete]
policy = "hold"
"""
