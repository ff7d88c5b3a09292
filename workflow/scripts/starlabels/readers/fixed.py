"""Fixed-width text; every field is handed on as text, so that ids keep their digits."""

import io
import re
from collections.abc import Iterator, Mapping

import pandas as pd

from ..errors import InputError
from .common import NULLS, Request, damaged, open_binary


def read_fixed_width(request: Request) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a fixed-width table.

    format_options, one of:

    * `fields`: name -> [start, end) in characters from 0; `skip_rows` lines are skipped first; streamed.
    * `two_line: true`: a line of names over a line of dashes that marks the fields; streamed.
    * `blocks`: several tables in one file (Harris' catalogue), each with `header` (a pattern that its last heading line
      matches), `end` (a pattern that closes it) and `fields`; joined on the field `key`.  Read whole.
    """
    options = request.options
    with damaged(request.path), open_binary(request.path) as stream:
        text = io.TextIOWrapper(stream, encoding=options.get("encoding", "utf-8"))
        if "blocks" in options:
            frame = _joined(request, text.read().splitlines())
            chosen = request.choose(list(frame.columns))
            wanted = list(dict.fromkeys(n for n in chosen.values() if n))
            yield from request.pieces(request.label(frame[wanted].copy(), chosen, {}))
            return
        if options.get("two_line"):
            fields = _two_line(request, text.readline(), text.readline())
        else:
            fields = options["fields"]
            for _ in range(options.get("skip_rows", 0)):
                text.readline()
        chosen = request.choose(list(fields))
        wanted = {n: fields[n] for n in chosen.values() if n}
        seen = 0
        lines: list[str] = []
        for line in text:
            if line.strip():
                lines.append(line.rstrip("\r\n"))
            if len(lines) == request.rows:
                seen += len(lines)
                yield request.label(_parse(lines, wanted, request), chosen, {})
                lines = []
        if lines or not seen:
            yield request.label(_parse(lines, wanted, request), chosen, {})


def _parse(lines: list[str], fields: Mapping, request: Request) -> pd.DataFrame:
    nulls = {*NULLS, *request.options.get("null", [])}
    columns = {}
    for name, (start, end) in fields.items():
        values = [line[start:end].strip() for line in lines]
        columns[name] = pd.array([None if v in nulls else v for v in values], dtype="str")
    return pd.DataFrame(columns)


def _two_line(request: Request, names: str, dashes: str) -> dict[str, tuple[int, int]]:
    marks = [match.span() for match in re.finditer(r"-+", dashes)]
    if not marks or set(dashes.strip()) - set("- "):
        raise InputError(request.path, "has no line of dashes under its line of names", "Check `format_options`")
    return {names[start:end].strip(): (start, end) for start, end in marks}


def _joined(request: Request, lines: list[str]) -> pd.DataFrame:
    key, joined = request.options["key"], None
    for number, block in enumerate(request.options["blocks"], 1):
        heads = [i for i, line in enumerate(lines) if re.search(block["header"], line)]
        if not heads:
            found = f"has no line that matches {block['header']!r} (block {number})"
            raise InputError(request.path, found, "Fetch it again, or correct `blocks` in format_options")
        body = []
        for line in lines[heads[0] + 1 :]:
            if re.search(block["end"], line):
                break
            if line.strip():
                body.append(line)
        frame = _parse(body, block["fields"], request)
        if joined is not None:
            other = set(joined[key]) ^ set(frame[key])
            if other:
                found = f"names {sorted(other)[:3]} in only one of its blocks (block {number})"
                raise InputError(f"{request.path}, column {key}", found, "Fetch it again: it is truncated or changed")
            frame = joined.merge(frame, on=key, how="left", validate="one_to_one")
        joined = frame
    return joined
