"""What a source shows held against the entry of its catalogue: columns under their expected names, their units, a few rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ..canonical import Canonical
from ..errors import InputError
from ..readers import iter_native
from ..readers.common import Request
from ..values import unit_factor

#: states of a source, from the best to the worst; the last four are defects
STATES = ("ok", "unverified", "renamed", "units", "rows", "unit wrong", "unreadable", "missing", "unreachable")
DEFECTS = STATES[5:]
UNSURE = ("M", "U")
ROWS = 50  # read of a sample


@dataclass(frozen=True)
class Detail:
    """One thing that is not as the entry says: the canonical column ("": the whole source), its state, and a sentence."""

    column: str
    state: str
    text: str


@dataclass
class Seen:
    """What a source showed.

    Attributes
    ----------
    names : dict or None
        Canonical -> native column, None for one that is absent; the whole is None when the columns could not be seen.
    units : dict
        Native column -> unit that the source states.
    sample : DataFrame or None
        A few rows under native names.
    why : callable
        Canonical column -> why it is absent, with the nearest names that are there.
    rows, bytes : int or None
        Of the whole table; of the (first) file.
    files : int
        Files, slices or cells.
    date, version, address, note : str
        Last change; what the server calls this version; where; what else is to be said.
    """

    names: dict[str, str | None] | None = None
    units: dict[str, str] = field(default_factory=dict)
    sample: pd.DataFrame | None = None
    why: Callable[[str], str] = lambda name: "is absent"
    rows: int | None = None
    bytes: int | None = None
    files: int = 1
    date: str = ""
    version: str = ""
    address: str = ""
    note: str = ""


def relaxed(spec: Mapping) -> dict:
    """The entry with every column optional: what is absent is then told instead of refused."""
    return {**spec, "columns": {name: {**column, "optional": True} for name, column in spec["columns"].items()}}


def seen_columns(spec: Mapping, present: Iterable[str], units: Mapping[str, str], where: str) -> Seen:
    """From the names (and units) of all columns of a source."""
    present = list(present)
    request = Request(Path(where), relaxed(spec), ROWS)

    def why(name: str) -> str:
        try:
            Request(Path(where), {**spec, "columns": {name: spec["columns"][name]}}, ROWS).choose(present)
        except InputError as error:
            return error.found
        return "is there"

    names = request.choose(present)
    return Seen(names, {n: str(units.get(n) or "") for n in names.values() if n}, why=why)


def seen_file(spec: Mapping, path: Path) -> Seen:
    """From a file, or the beginning of one, by the reader of its format."""
    piece = next(iter_native(path, relaxed(spec), ROWS))

    def why(name: str) -> str:
        try:
            next(iter_native(path, {**spec, "columns": {name: spec["columns"][name]}}, ROWS))
        except InputError as error:
            return error.found
        return "is there"

    return Seen(piece.attrs["names"], piece.attrs["units"], piece, why)


def compare(dataset: str, spec: Mapping, seen: Seen) -> list[Detail]:
    """Everything that differs between the entry of a catalogue and what its source showed.

    Parameters
    ----------
    dataset : str
        Its name.
    spec : mapping
        Its entry in config/datasets.yaml.
    seen : Seen
        What came.

    Returns
    -------
    list of Detail
        Empty when all is as stated.
    """
    if seen.names is None:
        unsure, text = unverified(spec), seen.note or "its columns cannot be seen without fetching it"
        if not unsure:
            return []
        return [Detail("", "unverified", f"{text}; {len(unsure)} columns are from memory (trust M or U): {', '.join(unsure)}")]
    found = []
    for name, native in seen.names.items():
        column = spec["columns"][name]
        if native is None:
            if not column.get("optional"):
                found.append(Detail(name, "missing", f"missing: {_wanted(column)} {seen.why(name)}"))
            continue
        expected = column["native"] if isinstance(column["native"], str) else column["native"][0]
        if native.lower() != expected.lower():
            found.append(Detail(name, "renamed", f"renamed: expected {expected}, found {native}"))
        found += _unit(name, column, native, seen.units.get(native, ""), dataset)
    if seen.sample is not None and not any(detail.state in DEFECTS for detail in found):
        found += _values(dataset, spec, seen)
    stated = spec.get("source", {}).get("rows")
    # a round number is an estimate
    if seen.rows is not None and stated and abs(seen.rows - stated) > (0.1 * stated if stated % 10_000 == 0 else 0):
        found.append(Detail("", "rows", f"{seen.rows} rows, where config/datasets.yaml states {stated}"))
    return found


def optional_absent(spec: Mapping, seen: Seen) -> list[str]:
    """Optional columns that the source lacks."""
    return [name for name, native in (seen.names or {}).items() if native is None and spec["columns"][name].get("optional")]


def unverified(spec: Mapping) -> list[str]:
    """Columns whose names were written from memory, or are not known."""
    return [name for name, column in spec["columns"].items() if column.get("trust") in UNSURE]


def worst(details: Iterable[Detail]) -> str:
    """State of a source from its details."""
    return max((detail.state for detail in details), key=STATES.index, default="ok")


def _wanted(column: Mapping) -> str:
    return column["native"] if isinstance(column["native"], str) else " or ".join(column["native"])


def _unit(name: str, column: Mapping, native: str, stated: str, dataset: str) -> list[Detail]:
    """How the unit that the source states differs from what the entry expects of it."""
    canonical = column.get("unit")
    if not stated or not canonical or column.get("type") in ("int64", "int32", "str"):
        return []
    expected = column.get("native_unit", canonical)
    try:
        factor = unit_factor(stated, canonical, f"{dataset}, column {native}")
        own = unit_factor(expected, canonical, f"datasets.{dataset}.columns.{name}.native_unit")
    except InputError as error:
        return [Detail(name, "unit wrong", f"unit of {native} {error.found}")]
    if factor == own:
        return []
    return [Detail(name, "units", f"unit of {native} is {stated}, expected {expected}; it will be converted to {canonical} (x {factor:g})")]


def _values(dataset: str, spec: Mapping, seen: Seen) -> list[Detail]:
    """The first rows through the conversion that the run will make."""
    frame = seen.sample
    frame.attrs = {"names": seen.names, "units": {n: u for n, u in seen.units.items() if u}}
    try:
        Canonical(dataset, spec).convert(frame, seen.address or dataset)
    except InputError as error:
        return [Detail("", "unreadable", f"first rows: {error}")]
    return []
