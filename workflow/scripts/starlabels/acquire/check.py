"""`acquire_check`: a look at every source of a run before anything is fetched. Names, units and a few rows against config/datasets.yaml.

Nothing that a source does ends the check: a source that is dead, slow or strange is a line of the table that says so.
"""

import glob
import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from .compare import DEFECTS, UNSURE, Detail, Seen, compare, optional_absent, seen_columns, seen_file, unverified, worst
from .peek import Unreachable, parquet_schema, reason, sample_file, start_of
from .peek_services import look_at_table, look_at_xmatch
from .record import redact
from .roads import KINDS, pieces
from .service import Session

WORKERS = 16
TIMEOUT, DEADLINE = 15.0, 90.0  # seconds without a byte; for all sources together
ROAD = "the road itself"


@dataclass
class Finding:
    """What became of one source.

    Attributes
    ----------
    dataset, road, address : str
        Key in config/datasets.yaml; bulk, tap, xmatch, dust or mine; what was asked (no credentials).
    state : str
        One of `compare.STATES`.
    details : list of Detail
        What is not as stated.
    columns, absent, unsure : int, list, list
        Columns of the entry that a file must or may have; optional ones that are absent; those from memory that were not seen.
    rows, bytes, files, date, version, note
        As in `compare.Seen`; `expected_rows` as config/datasets.yaml states it.
    seconds : float
        How long the look took.
    """

    dataset: str
    road: str
    address: str = ""
    state: str = "ok"
    details: list[Detail] = field(default_factory=list)
    columns: int = 0
    absent: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    rows: int | None = None
    expected_rows: int | None = None
    bytes: int | None = None
    files: int = 1
    date: str = ""
    version: str = ""
    note: str = ""
    seconds: float = 0.0

    @property
    def defect(self) -> bool:
        """Whether a run from this source would fail or go wrong."""
        return self.state in DEFECTS


def acquire_check(
    acquired: Iterable[tuple[str, Mapping, Mapping]], timeout: float = TIMEOUT, deadline: float = DEADLINE, workers: int = WORKERS,
    dec_min: float = -90.0,
) -> list[Finding]:  # fmt: skip
    """Look at every source, many at a time.

    Parameters
    ----------
    acquired : iterable of (dataset, spec, road)
        The datasets of a run: entry in config/datasets.yaml (with the format that this road gives) and the chosen road.
    timeout : float
        Seconds without an answer after which a source counts as unreachable.
    deadline : float
        Seconds after which every source that has not answered by then counts as unreachable.
    workers : int
        Sources looked at side by side.
    dec_min : float
        Southern limit of the run (deg), which some slices depend on.

    Returns
    -------
    list of Finding
        In the order given.
    """
    acquired = list(acquired)
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    done: queue.SimpleQueue = queue.SimpleQueue()
    for k, source in enumerate(acquired):
        waiting.put((k, *source))

    def work() -> None:
        while True:
            try:
                k, dataset, spec, road = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((k, examine(dataset, spec, road, timeout, dec_min)))

    for _ in range(min(workers, len(acquired))):
        # daemons: a source that never answers must not hold the end of the program
        threading.Thread(target=work, daemon=True).start()
    end, found = time.monotonic() + deadline, {}
    while len(found) < len(acquired):
        try:
            k, finding = done.get(timeout=max(end - time.monotonic(), 0.0))
        except queue.Empty:
            break
        found[k] = finding
    return [found.get(k) or _given_up(*source, deadline) for k, source in enumerate(acquired)]


def _given_up(dataset: str, spec: Mapping, road: Mapping, deadline: float) -> Finding:
    finding = _blank(dataset, spec, road)
    _unreachable(finding, spec, f"no answer within {deadline:g} s")
    return finding


def examine(dataset: str, spec: Mapping, road: Mapping, timeout: float = TIMEOUT, dec_min: float = -90.0) -> Finding:
    """Look at one source; whatever goes wrong is in the result."""
    finding, began = _blank(dataset, spec, road), time.monotonic()
    try:
        seen = _look(dataset, spec, road, Session("", timeout=timeout), dec_min)
        finding.details = compare(dataset, spec, seen)
        finding.absent = optional_absent(spec, seen)
        finding.unsure = unverified(spec) if seen.names is None else []  # the road itself has been seen
        finding.state = worst(finding.details)
        for name in ("rows", "bytes", "files", "date", "version", "note"):
            setattr(finding, name, getattr(seen, name))
        finding.address = redact(seen.address) or finding.address
    except InputError as error:
        finding.state, finding.details = "unreadable", [Detail("", "unreadable", redact(error))]
        finding.unsure += unverified(spec)
    except Unreachable as error:
        _unreachable(finding, spec, redact(error))
    except Exception as error:  # whatever a foreign service answers, the other sources are still worth their line
        _unreachable(finding, spec, f"{reason(error)} ({type(error).__name__})")
    finding.seconds = time.monotonic() - began
    return finding


def _unreachable(finding: Finding, spec: Mapping, why: str) -> None:
    finding.unsure += unverified(spec)
    finding.state, finding.details = "unreachable", [Detail("", "unreachable", f"unreachable: {why}")]


def road_kind(road: Mapping) -> str:
    """bulk, tap, xmatch, dust or mine."""
    return next((kind for kind in (*KINDS, "dust") if kind in road), "mine")


def _blank(dataset: str, spec: Mapping, road: Mapping) -> Finding:
    source = spec.get("source", {})
    native = sum("native" in column for column in spec.get("columns", {}).values())
    kind = road_kind(road)
    details = road.get(kind)
    address = details.get("service") or f"{details.get('catalogue', '')}" if isinstance(details, Mapping) else ""
    finding = Finding(dataset, kind, redact(address or source.get("address", "")), columns=native, expected_rows=source.get("rows"))
    finding.unsure = [ROAD] if road.get("trust") in UNSURE else []
    return finding


def _look(dataset: str, spec: Mapping, road: Mapping, session: Session, dec_min: float) -> Seen:
    kind = road_kind(road)
    spec = {**spec, **{key: road[key] for key in ("format", "format_options") if key in road}}
    if kind == "mine":
        return _look_at_own(dataset, spec)
    if kind == "dust":
        return _look_at_urls(road.get("urls") or spec.get("urls") or [], session)
    parts = pieces(dataset, road, dec_min)
    if not parts:
        raise InputError(f"configuration key `datasets.{dataset}.acquire`", "names no file", "Correct its slices or names")
    first = parts[0].details
    if kind == "bulk":
        seen = _look_at_file(spec, first["urls"], session)
        stated = first["checks"].get("bytes")
        if stated is not None and seen.bytes is not None and stated != seen.bytes:
            found = f"has {seen.bytes} bytes, where {stated} are stated"
            raise InputError(seen.address, found, f"Correct `bytes` (and the checksums) in datasets.{dataset}.acquire")
    elif kind == "tap":
        seen = look_at_table(spec, first, session.timeout)
    else:
        seen = look_at_xmatch(spec, {**first, **{k: v for k, v in road[kind].items() if k == "service"}}, session)
    seen.files = len(parts)
    if kind == "bulk" and len(parts) > 1 and seen.rows is not None:
        seen.note, seen.rows = f"{seen.rows} rows in the first of {len(parts)} files", None
    return seen


def _look_at_own(dataset: str, spec: Mapping) -> Seen:
    """Files that the user has: the header and some rows of the first."""
    key, patterns = f"configuration key `datasets.{dataset}.files`", spec.get("files") or []
    found = sorted({p for pattern in patterns for p in glob.glob(os.path.expanduser(os.path.expandvars(pattern)))})
    if not found:
        raise InputError(key, f"matches no file ({', '.join(patterns) or 'empty'})", "Give the path or pattern of the file")
    seen = seen_file(spec, Path(found[0]))
    seen.address, seen.files, seen.bytes = found[0], len(found), Path(found[0]).stat().st_size
    return seen


def _look_at_file(spec: Mapping, urls: list[str], session: Session) -> Seen:
    start = start_of(urls, session)
    where = {"address": start.address, "bytes": start.bytes, "date": start.date, "version": start.version}
    if start.bytes == 0 or (not start.content and start.whole):
        raise InputError(start.address, "is empty (0 bytes)", "Check the address")
    if spec["format"] == "parquet":
        if start.bytes is None:
            raise Unreachable("its server does not say how large the file is, and the columns of a Parquet file stand at its end")
        url = next((url for url in urls if redact(url) == start.address), urls[0])
        units, rows = parquet_schema(url, start.bytes, session)
        return _with(seen_columns(spec, units, units, start.address), rows=rows, **where)
    with tempfile.TemporaryDirectory() as folder:
        path, rows = sample_file(start, spec, Path(folder))
        if path is None:
            return Seen(rows=rows, note=f"a file of format {spec['format']} cannot be read from its first megabyte", **where)
        try:
            seen = seen_file(spec, path)
        except InputError as error:
            raise InputError(start.address, str(error).replace(str(path), "it").removeprefix("it: "), "") from error
        why = {name: seen.why(name) for name, native in seen.names.items() if native is None}  # while the sample is there
        return _with(seen, rows=rows, why=why.get, **where)


def _look_at_urls(urls: list[str], session: Session) -> Seen:
    """Files whose content is of no interest here: only that they are there."""
    starts = [start_of([url], session, size=1024) for url in urls]
    if not starts:
        raise Unreachable("no address is known")
    sizes = [start.bytes for start in starts]
    total = None if None in sizes else sum(sizes)
    first = starts[0]
    return Seen(bytes=total, files=len(starts), date=first.date, version=first.version, address=first.address)


def _with(seen: Seen, **values) -> Seen:
    for name, value in values.items():
        setattr(seen, name, value)
    return seen
