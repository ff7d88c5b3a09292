"""Answers of query services as Parquet files, which appear when they have passed the checks, each with its record."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..io import TableWriter
from .digest import digests
from .record import Record, read_record, utc_now, write_record
from .votable import VotableStream
from .votable_fields import Field


def write_answer(
    path: str | Path, ask: Callable[[], VotableStream], columns: Sequence[str] | None, meta: Mapping, check: Callable[[int, bool], None],
    run: Callable,
) -> int:  # fmt: skip
    """Write an answer as Parquet, asking again after passing failures; the number of its rows.

    Parameters
    ----------
    ask : callable
        Gives the answer from its beginning.
    columns : sequence of str or None
        Names that were asked for, which the columns of the file get; None: as the answer names them.
    meta : mapping
        Goes into the file.
    check : callable
        Takes the number of rows, and whether the service says that it cut some off; raises when the file must not be.
    run : callable
        Runs the writing with patience.
    """

    def write() -> int:
        stream = ask()
        with TableWriter(path, meta=meta) as writer:
            for piece in stream.pieces():
                names = answered_names(columns, piece.schema.names, stream.where) if columns else piece.schema.names
                if writer.columns is None:
                    writer.columns = {name: described(field, stream.where) for name, field in zip(names, stream.fields, strict=True)}
                writer.write(piece.rename_columns(names))
            check(writer.rows, stream.overflow)
        return writer.rows

    return run(write)


def described(field: Field, source: str) -> dict:
    """What the file says about a column."""
    return {"unit": field.unit, "description": field.description, "native": field.name, "source": source}


def answered_names(asked: Sequence[str], answered: Sequence[str], where: str) -> list[str]:
    """The names that were asked for, for an answer that spells them otherwise (`__Fe_H_` for `[Fe/H]`) but has them in the same order.

    Raises
    ------
    InputError
        When the answer has other columns.
    """
    if len(asked) == len(answered) and all(_bare(a) == _bare(b) for a, b in zip(asked, answered, strict=True)):
        return [name.strip('"') for name in asked]
    found = f"answers with the columns {', '.join(answered)}, not {', '.join(asked)}"
    raise InputError(where, found, "Correct `columns` of the road or `native` in config/datasets.yaml")


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def kept(path: Path, road: str, service: str, query: str) -> Record | None:
    """The record of a file that is there already, whole, from the same query; None otherwise."""
    record = read_record(path) if path.exists() else None
    if record is None or (record.road, record.service, record.query) != (road, service, query):
        return None
    if digests(path)["sha256"] != record.sha256:
        return None
    record.status = "kept"
    return record


def finish(path: Path, record: Record, started: float) -> Record:
    """Complete the record of a file, and write it beside the file."""
    found = digests(path)
    record.bytes, record.sha256 = found["bytes"], found["sha256"]
    record.attempts, record.seconds, record.date = record.retries + 1, round(time.monotonic() - started, 3), utc_now()
    write_record(path, record)
    return record
