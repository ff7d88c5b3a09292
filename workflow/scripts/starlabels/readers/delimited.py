"""Delimited text: CSV, pipe- and tab-separated, ECSV; streamed and typed by Arrow."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import yaml
from astropy.table.meta import get_header_from_yaml

from ..errors import InputError
from .common import NULLS, Request, damaged, open_binary

DELIMITERS = {"csv": ",", "psv": "|", "tsv": "\t"}
BLOCK_BYTES = 16 << 20
TYPES = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}


def read_delimited(request: Request) -> Iterator[pd.DataFrame]:
    r"""Yield the pieces of a delimited table.

    format_options: `delimiter`; `names` (a file without a header line); `comment` (lines that start with it before the
    header are skipped); `skip_rows` (lines before the header); `skip_after` (lines between header and data, for instance
    VizieR's units and dashes; `units_line` tells which of them, from 0, holds the units); `null` (further texts that mean
    missing, such as `\N`); `padded` (fields are padded with blanks or signed with `+`: parsed as text); `encoding`.
    """
    options = request.options
    with damaged(request.path), open_binary(request.path) as stream:
        encoding = options.get("encoding", "utf-8")
        for _ in range(options.get("skip_rows", 0)):
            stream.readline()
        units: dict[str, str] = {}
        delimiter = options.get("delimiter", DELIMITERS.get(request.spec["format"], ","))
        if options.get("names"):
            names = list(options["names"])
        else:
            names = _split(_header_line(stream, options.get("comment"), encoding), delimiter)
            after = [stream.readline().decode(encoding) for _ in range(options.get("skip_after", 0))]
            if "units_line" in options and options["units_line"] < len(after):
                units = dict(zip(names, _split(after[options["units_line"]], delimiter), strict=False))
        yield from _stream(request, stream, names, units, delimiter)


def read_ecsv(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of an ECSV table: names and units from its YAML header (read by astropy), the body streamed."""
    with damaged(request.path), open_binary(request.path) as stream:
        lines = []
        while (line := stream.readline().decode("utf-8")).startswith("#"):
            lines.append(line[1:].removeprefix(" ").rstrip("\r\n"))
        if not lines or not lines[0].startswith("%ECSV"):
            raise InputError(request.path, "has no ECSV header (first line `# %ECSV 1.0`)", "Give its real `format`")
        try:
            header = get_header_from_yaml(lines[1:])
        except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
            raise InputError(request.path, f"has a damaged ECSV header ({error})", "Fetch it again") from error
        delimiter = header.get("delimiter", " ")
        names = _split(line, delimiter)
        stated = [column["name"] for column in header["datatype"]]
        if names != stated:
            raise InputError(request.path, f"names columns {names[:5]}... in its body, {stated[:5]}... in its header", "Fetch it again")
        units = {column["name"]: str(column.get("unit") or "") for column in header["datatype"]}
        yield from _stream(request, stream, names, units, delimiter)


def _header_line(stream: BinaryIO, comment: str | None, encoding: str) -> str:
    while raw := stream.readline():
        line = raw.decode(encoding)
        if line.strip() and not (comment and line.startswith(comment)):
            return line
    return ""


def _split(line: str, delimiter: str) -> list[str]:
    return [field.strip().strip('"') for field in line.rstrip("\r\n").split(delimiter)]


def _stream(
    request: Request, stream: BinaryIO, names: Sequence[str], units: Mapping[str, str], delimiter: str
) -> Iterator[pd.DataFrame]:
    """Parse the body of a delimited table with Arrow; the stream stands at its first data line."""
    options = request.options
    chosen = request.choose(names)
    kinds = request.kinds(chosen)
    if options.get("padded"):
        kinds = dict.fromkeys(kinds, "str")
    wanted = list(kinds)
    # Arrow wants unique names; a name that occurs twice (or is empty) can only be asked for by its first position
    unique = [n if n and n not in names[:i] else f"\0{i}" for i, n in enumerate(names)]
    empty = pd.DataFrame({n: pd.Series(dtype={"int": "Int64", "float": "float64", "str": "str"}[k]) for n, k in kinds.items()})
    try:
        batches = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                column_names=unique, block_size=BLOCK_BYTES, use_threads=False, encoding=options.get("encoding", "utf8")
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter),
            convert_options=pacsv.ConvertOptions(
                column_types={n: TYPES[k] for n, k in kinds.items()}, include_columns=wanted, strings_can_be_null=True,
                null_values=[*NULLS, *options.get("null", [])],
            ),
        )
        seen = 0
        for table in _gathered(batches, request.rows):
            seen += len(table)
            frame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
            yield from request.pieces(request.label(frame, chosen, units))
        if not seen:
            yield request.label(empty, chosen, units)
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            yield request.label(empty, chosen, units)
            return
        raise _explain(request, error, names) from error


def _gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Tables of at least so many rows (the last one of what is left)."""
    held, count = [], 0
    for batch in batches:
        if len(batch):
            held.append(batch)
            count += len(batch)
        if count >= rows:
            yield pa.Table.from_batches(held)
            held, count = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _explain(request: Request, error: pa.ArrowInvalid, names: Sequence[str]) -> InputError:
    """Arrow's message with the column's name and what to do about it."""
    text = str(error)
    match = re.search(r"In CSV column #(\d+):(?: Row #(\d+):)? CSV conversion error to (\w+): invalid value '(.*)'", text, re.DOTALL)
    if match:
        column, row, kind, value = match.groups()
        where = f"{request.path}, column {names[int(column)]}" + (f", data row {row}" if row else "")
        if kind.startswith("int") and re.fullmatch(r"\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*", value):
            found = f"holds {value!r} where a whole number is expected: the id went through a float and lost digits"
            return InputError(where, found, "Fetch the table again with its ids as 64-bit integers or text")
        remedy = "Correct it, or name it in `null` of format_options if it means missing; use `padded: true` for padded fields"
        return InputError(where, f"holds {value!r}, which is not a number", remedy)
    match = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", text)
    if match:
        row, expected, got = match.groups()
        where = f"{request.path}" + (f", data row {row}" if row else "")
        return InputError(where, f"has {got} fields where {expected} are expected: truncated or damaged", "Fetch it again")
    return InputError(request.path, f"cannot be read as delimited text ({text})", "Check `format` and `format_options`")
