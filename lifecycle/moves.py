"""What is wrong with a table of allowed moves: stages that nobody can get to, and ways round that never pass a side state. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .funnel import Funnel


def unreachable(funnel: Funnel) -> Iterator[str]:
    """Stages to which no allowed move leads from where people come in. Without a table everything can be reached."""
    if not funnel.moves:
        return
    steps = _steps(funnel)
    reached = {stage.id for stage in funnel.stages.values() if stage.entry or stage.position == 0}
    fresh = list(reached)
    for side in funnel.sides:  # people may be put aside from everywhere
        fresh.extend(funnel.moves.get(side, ()))
    reached.update(fresh)
    while fresh:
        following = steps[fresh.pop()] - reached
        reached |= following
        fresh.extend(following)
    yield from (stage for stage in funnel.stages if stage not in reached)


def rounds(funnel: Funnel) -> Iterator[tuple[str, ...]]:
    """Ways by which moves in the line lead back to where they began, each told once, such as ("mql", "sal", "mql")."""
    steps, told = (_steps(funnel) if funnel.moves else {}), set[frozenset[str]]()
    for start in steps:
        way = _back_to(start, steps)
        if way is not None and frozenset(way) not in told:
            told.add(frozenset(way))
            yield way


def _steps(funnel: Funnel) -> Mapping[str, frozenset[str]]:
    """Stage -> the stages that may follow: what the table says, or all that are further on."""
    forward = {stage.id: frozenset(other.id for other in funnel.stages.values() if other.position > stage.position) for stage in funnel.stages.values()}
    return {stage: funnel.moves.get(stage, further) for stage, further in forward.items()}


def _back_to(start: str, steps: Mapping[str, frozenset[str]]) -> tuple[str, ...] | None:
    """The shortest way from a stage to itself; the first by the alphabet where there are several."""
    ways, seen = [(start,)], set[str]()
    while ways:
        longer: list[tuple[str, ...]] = []
        for way in ways:
            for following in sorted(steps[way[-1]]):
                if following == start:
                    return (*way, start)
                if following not in seen:
                    seen.add(following)
                    longer.append((*way, following))
        ways = longer
    return None
