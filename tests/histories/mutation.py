"""Puts a bug into the real program while histories run, and takes it out again.

A mutant says which lines of which functions it swaps for which others. Lines that are no longer there, or that are there twice, are an error, so that a change
of the program cannot turn a mutant into nothing without a word; and whether the swapped lines were ever executed is counted.
"""

from __future__ import annotations

import ast
import importlib
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

_HERE = "_mutant_is_here"


class Outdated(Exception):
    """What a mutant swaps is not in the program, or not once: the mutant must be written anew."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Lines of one function for others. `function`: `sync.sending.apply:Sender.send`, without the project's name. Indentation is that of `old`'s first line."""

    function: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug. `what`: what the program does wrong, in words.

    `masked`: why another rule of the program makes up for it, where that is so: the promise holds all the same, and histories must not fail.
    `hinted`: only histories in which a portal posts what happens can come to its lines.
    """

    name: str
    what: str
    swaps: Sequence[Swap]
    masked: str = ""
    hinted: bool = False


@contextmanager
def mutated(mutant: Mutant) -> Iterator[Counter[str]]:
    """The program with the bug in it; yields how often each swapped function came to its swapped lines. Raises `Outdated`."""
    reached: Counter[str] = Counter()
    swaps: dict[FunctionType, list[Swap]] = {}
    for swap in mutant.swaps:
        swaps.setdefault(function_of(swap), []).append(swap)
    others = {function: _other_code(function, mine) for function, mine in swaps.items()}
    before = {function: function.__code__ for function in swaps}
    try:
        for function, code in others.items():
            function.__globals__[_HERE] = reached
            function.__code__ = code
        yield reached
    finally:
        for function, code in before.items():
            function.__code__ = code
            function.__globals__.pop(_HERE, None)


def function_of(swap: Swap) -> FunctionType:
    """The function as it stands in the program. Raises `Outdated`."""
    room, _, name = swap.function.partition(":")
    found: object = importlib.import_module(f"stagesync.{room}")
    for part in name.split("."):
        found = vars(found).get(part)
        if found is None:
            raise Outdated(f"{swap.function}: there is no {part}")
    if not isinstance(found, FunctionType):
        raise Outdated(f"{swap.function} is no plain function")
    return found


def _other_code(function: FunctionType, swaps: Sequence[Swap]) -> CodeType:
    """The function's code with all these lines swapped, each place marked so that coming there is counted."""
    path, qualname = function.__code__.co_filename, function.__code__.co_qualname
    source = Path(path).read_text()
    first, last = next((node.lineno, node.end_lineno or 0) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and _is(node, function))
    lines = source.splitlines()
    places = sorted(((_place(lines[first - 1 : last], swap) + first - 1, swap) for swap in swaps), key=lambda found: found[0])
    for at, swap in reversed(places):
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines[at : at + len(_block(swap.old))] = [indent + line for line in _block(swap.new)]
    tree, longer = ast.parse("\n".join(lines)), 0
    for at, swap in places:
        _mark(tree, at + longer + 1, swap)
        longer += len(_block(swap.new)) - len(_block(swap.old))
    return _code(compile(ast.fix_missing_locations(tree), path, "exec"), qualname)


def _is(node: ast.FunctionDef, function: FunctionType) -> bool:
    return node.lineno == function.__code__.co_firstlineno and node.name == function.__name__


def _place(lines: Sequence[str], swap: Swap) -> int:
    """Where the old lines stand, whatever their indentation: once."""
    block = _block(swap.old)
    found = [at for at in range(len(lines)) if _block("\n".join(lines[at : at + len(block)])) == block]
    if len(found) != 1:
        raise Outdated(f"{swap.function}: these lines are there {len(found)} times:\n{swap.old}")
    return found[0]


def _block(text: str) -> list[str]:
    return textwrap.dedent(text).strip("\n").splitlines()


def _mark(tree: ast.Module, line: int, swap: Swap) -> None:
    """Count whenever the program comes to this line: before the smallest statement that holds it."""
    blocks = [block for node in ast.walk(tree) for name in ("body", "orelse", "finalbody") if isinstance(block := getattr(node, name, None), list)]
    holding = [(each.lineno, block, index) for block in blocks for index, each in enumerate(block) if each.lineno <= line <= (each.end_lineno or 0)]
    _, block, index = max(holding, key=lambda found: found[0])
    block.insert(index, ast.parse(f"{_HERE}[{swap.function!r}] += 1").body[0])


def _code(module: CodeType, qualname: str) -> CodeType:
    """The code of one function out of that of its module."""
    waiting = [module]
    while waiting:
        inner = [each for each in waiting.pop().co_consts if isinstance(each, CodeType)]
        for each in inner:
            if each.co_qualname == qualname:
                return each
        waiting += inner
    raise AssertionError(f"{qualname} is not in the module that defines it")
