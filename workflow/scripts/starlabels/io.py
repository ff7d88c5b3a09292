"""Tables and small results on disk: Parquet with column metadata, JSON, never a half-written file.

Every writer works on a temporary name beside its target and renames it when it is complete, so that a file under
its final name is always whole (an interrupted job leaves nothing that a later job could take for a result). The
temporary name says which process writes it; the next writer of the same file removes what a killed one left.
"""

import glob
import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import InputError

META_KEY = b"starlabels"


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` on success, remove it on any error.

    Raises
    ------
    InputError
        When the folder cannot be written or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.{_HOST}.{os.getpid()}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror})", "Check the folder's rights and space") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~_umask())
        os.replace(part, path)
    except OSError as error:
        raise InputError(path, f"could not be written ({error.strerror or error})", "Free space or choose another folder") from error
    finally:
        part.unlink(missing_ok=True)


_HOST = socket.gethostname().replace(".", "_")


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files that killed writers of `path` left; those of a living process or another machine stay."""
    for name in path.parent.glob(f".{glob.escape(path.name)}.{glob.escape(_HOST)}.*.part"):
        owner = name.name.split(".")[-3]
        if owner.isdigit() and not _alive(int(owner)):
            name.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _schema(frame: pd.DataFrame | pa.Table, columns: Mapping[str, Mapping] | None, meta: Mapping | None) -> pa.Schema:
    """Arrow schema of a frame; unit, description, native name and source of each column as JSON in its metadata."""
    schema = frame.schema if isinstance(frame, pa.Table) else pa.Schema.from_pandas(frame, preserve_index=False)
    schema = schema.remove_metadata()
    payload = {"columns": {c: dict((columns or {}).get(c, {})) for c in schema.names}, **dict(meta or {})}
    return schema.with_metadata({META_KEY: json.dumps(payload, sort_keys=True).encode()})


class TableWriter:
    """Write a Parquet table in pieces; the file appears under its name only when the block ends without an error.

    The first piece fixes the columns and types; every later one must have the same.
    """

    def __init__(self, path: str | os.PathLike, columns: Mapping[str, Mapping] | None = None, meta: Mapping | None = None):
        self.path, self.columns, self.meta = Path(path), columns, meta
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def __enter__(self) -> "TableWriter":
        self._atomic = atomic(self.path)
        self._part = self._atomic.__enter__()
        return self

    def write(self, frame: pd.DataFrame | pa.Table) -> None:
        """Append the rows of `frame` (in a table of Arrow missing numbers are nulls, not NaN)."""
        if self._writer is None:
            self._target = _schema(frame, self.columns, self.meta)
            floats = [f.name for f in self._target if pa.types.is_floating(f.type)]
            self._writer = pq.ParquetWriter(
                self._part,
                self._target,
                compression="zstd",
                use_byte_stream_split=floats,
                use_dictionary=[f.name for f in self._target if f.name not in floats],
            )
        whole = isinstance(frame, pa.Table)
        missing = [n for n in self._target.names if n not in (frame.column_names if whole else frame.columns)]
        if missing:
            raise InputError(f"{self.path}, column {missing[0]}", "is absent from a later piece of the table")
        rows = frame.select(self._target.names).cast(self._target) if whole else pa.Table.from_pandas(
            frame[self._target.names], schema=self._target, preserve_index=False
        )
        self._writer.write_table(rows)
        self.rows += len(frame)

    def __exit__(self, kind, value, trace):
        if self._writer is not None:
            self._writer.close()
        elif kind is None:
            kind = InputError
            value = InputError(self.path, "no piece was written, so its columns are unknown")
            self._atomic.__exit__(kind, value, None)
            raise value
        return self._atomic.__exit__(kind, value, trace)


def write_table(
    path: str | os.PathLike, frame: pd.DataFrame | pa.Table, columns: Mapping[str, Mapping] | None = None, meta: Mapping | None = None
) -> None:
    """Write a whole table as Parquet (zstd; byte_stream_split for floats).

    Parameters
    ----------
    columns : mapping, optional
        For each column a mapping with `unit`, `description`, `native`, `source`.
    meta : mapping, optional
        Anything else about the table that is worth keeping (must be plain JSON).
    """
    with TableWriter(path, columns, meta) as writer:
        writer.write(frame)


def _open(path: str | os.PathLike) -> pq.ParquetFile:
    path = Path(path)
    if not path.exists():
        raise InputError(path, "does not exist", "Run the stage that makes it, or correct the path")
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(path, f"is not a readable Parquet file ({error})", "Delete it and run again") from error


def read_table(path: str | os.PathLike, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table, or only some of its columns (in the order given).

    Raises
    ------
    InputError
        When the file is missing or damaged, or a column is absent.
    """
    file = _open(path)
    names = None if columns is None else list(columns)
    absent = [c for c in names or [] if c not in file.schema_arrow.names]
    if absent:
        raise InputError(f"{path}, column {absent[0]}", "is absent", f"The file has: {', '.join(file.schema_arrow.names)}")
    try:
        return file.read(columns=names).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError(path, f"is damaged ({error})", "Delete it and run again") from error


def read_tables(paths: Iterable[str | os.PathLike], columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read several tables of the same columns, one under the other."""
    names = None if columns is None else list(columns)
    frames = [read_table(p, names) for p in paths]
    if not frames:
        raise InputError("read_tables", "no file was given")
    full = [f for f in frames if len(f)]
    return pd.concat(full, ignore_index=True) if full else frames[0]


def iter_table(path: str | os.PathLike, columns: Iterable[str] | None = None, rows: int = 200_000) -> Iterator[pd.DataFrame]:
    """Yield a Parquet table in pieces of at most `rows` rows."""
    file = _open(path)
    for batch in file.iter_batches(batch_size=rows, columns=None if columns is None else list(columns)):
        yield batch.to_pandas()


def read_meta(path: str | os.PathLike) -> dict:
    """Return the metadata of a table: {"columns": {name: {...}}, ...}."""
    raw = (_open(path).schema_arrow.metadata or {}).get(META_KEY)
    return json.loads(raw) if raw else {"columns": {}}


def row_count(path: str | os.PathLike) -> int:
    """Number of rows, read from the file's footer."""
    return _open(path).metadata.num_rows


def _plain(value):
    """Turn numpy and pandas scalars into what JSON knows; NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [_plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def write_json(path: str | os.PathLike, content) -> None:
    """Write plain JSON (numpy numbers allowed, NaN written as null), keys in the order given."""
    with atomic(path) as part:
        part.write_text(json.dumps(_plain(content), indent=1, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike):
    """Read JSON.

    Raises
    ------
    InputError
        When the file is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "Run the stage that makes it") from error
    except json.JSONDecodeError as error:
        raise InputError(path, f"is not valid JSON ({error})", "Delete it and run again") from error
