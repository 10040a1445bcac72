"""Algorithms and their options by name, as the command line and the service give them."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from dlg import plugins
from dlg.exceptions import UsageError
from dlg_translator.model.values import IllTypedError, boolean, integer, real
from dlg_translator.partition.contract import InvalidOptionError, Partitioner

GROUP = "dlg.partitioners"

PARTITIONERS: Mapping[str, str] = {
    "metis": "dlg_translator.partition.metis:Metis",
    "sarkar": "dlg_translator.partition.sarkar:Sarkar",
    "min_parts": "dlg_translator.partition.min_parts:MinParts",
    "pso": "dlg_translator.partition.pso:ParticleSwarm",
    "annealing": "dlg_translator.partition.annealing:Annealing",
    "heft": "dlg_translator.partition.heft:Heft",
    "chunks": "dlg_translator.partition.chunks:Chunks",
    "none": "dlg_translator.partition.none:Undivided",
}
OLD_NAMES: Mapping[str, str] = {"mysarkar": "sarkar", "min_num_parts": "min_parts"}
_CASTS: Mapping[object, Any] = {int: integer, float: real, bool: boolean, str: str}


class UnknownAlgorithmError(UsageError):
    """An algorithm was asked for that neither we nor any installed package has."""


def algorithms() -> list[str]:
    """Return the names of all algorithms, ours first."""
    return [*PARTITIONERS, *(name for name in plugins.names(GROUP) if name not in PARTITIONERS)]


def today(name: str) -> str:
    """Return the name an algorithm has here, from any way in which it is written."""
    plain = name.strip().lower().replace("-", "_")
    return OLD_NAMES.get(plain, plain)


def algorithm_class(name: str) -> type[Partitioner]:
    """Return the class of the algorithm `name`; raise `UnknownAlgorithmError` if there is none."""
    plain = today(name)
    if plain in PARTITIONERS:
        own: type[Partitioner] = plugins.resolve(PARTITIONERS[plain])
        return own
    if name in plugins.names(GROUP):
        theirs: type[Partitioner] = plugins.find(GROUP, name)
        return theirs
    known = algorithms()
    raise UnknownAlgorithmError(f"there is no algorithm {name!r}; {_cure(plain, known)}")


def make_partitioner(name: str, options: Mapping[str, Any]) -> Partitioner:
    """Return the algorithm `name` with `options`, which may be texts.

    Raises `UnknownAlgorithmError`, or `InvalidOptionError` for an option that the algorithm does
    not have, needs and did not get, or that has a wrong value.
    """
    kind = algorithm_class(name)
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            cure = _cure(option, known) if known else "it has no options"
            raise InvalidOptionError(f"algorithm {kind.name} has no option {option!r}; {cure}")
    for option, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and option not in options:
            raise InvalidOptionError(f"algorithm {kind.name} needs the option {option}")
    types_of = typing.get_type_hints(kind)
    return kind(**{k: _cast(kind.name, k, v, types_of[k]) for k, v in options.items()})


def describe_options(name: str) -> dict[str, Any]:
    """Return the options of an algorithm with their defaults; None where one must be given."""
    known: Iterable[Field[Any]] = fields(algorithm_class(name))  # type: ignore[arg-type]
    return {f.name: None if f.default is MISSING else f.default for f in known}


def _cast(owner: str, option: str, value: Any, wanted: object) -> Any:
    if isinstance(wanted, types.UnionType):
        wanted = next(kind for kind in wanted.__args__ if kind is not type(None))
        if value is None:
            return None
    try:
        return _CASTS[wanted](value) if wanted in _CASTS else value
    except IllTypedError as error:
        raise InvalidOptionError(f"option {option} of {owner}: {error}") from error


def _cure(word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = difflib.get_close_matches(word, known, 1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(known)}"
