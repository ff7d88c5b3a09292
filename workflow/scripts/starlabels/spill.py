"""Rows sorted into cells of the sky in one pass, with bounded memory and one open file at a time."""

import shutil
from pathlib import Path

import pyarrow as pa

from .errors import InputError


class Spill:
    """Collect pieces of a table by cell; what exceeds the memory budget goes to one scratch file a cell.

    Parameters
    ----------
    folder : path
        Scratch folder; removed at the end, and emptied at the start when a killed run left it behind.
    schema : pyarrow.Schema
        Of all pieces.
    budget_bytes : int
        Size of the pieces held in memory; all of them are appended to their files when it is exceeded.
    """

    def __init__(self, folder: str | Path, schema: pa.Schema, budget_bytes: int = 400 << 20):
        self.folder, self.schema, self.budget = Path(folder), schema, budget_bytes
        self._held: dict[int, list[pa.Table]] = {}
        self._bytes = 0

    def __enter__(self) -> "Spill":
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise InputError(self.folder, f"cannot be made ({error.strerror})", "Check the folder's rights and space") from error
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, cell: int, table: pa.Table) -> None:
        """Add rows to a cell."""
        self._held.setdefault(cell, []).append(table)
        self._bytes += table.nbytes
        if self._bytes > self.budget:
            self._flush()

    def _file(self, cell: int) -> Path:
        return self.folder / f"{cell}.arrows"

    def _flush(self) -> None:
        """Append what is held to the files: each append is an Arrow stream of its own, one behind the other."""
        for cell, tables in self._held.items():
            try:
                with open(self._file(cell), "ab") as file, pa.ipc.new_stream(file, self.schema) as writer:
                    for table in tables:
                        writer.write_table(table)
            except OSError as error:
                found = f"cannot be written ({error.strerror or error})"
                raise InputError(self.folder, found, "Free space or choose another folder") from error
        self._held, self._bytes = {}, 0

    def take(self, cell: int) -> pa.Table:
        """All rows of a cell in the order in which they came; they are forgotten."""
        tables = []
        file = self._file(cell)
        if file.exists():
            with open(file, "rb") as stream:
                end = file.stat().st_size
                while stream.tell() < end:
                    tables.append(pa.ipc.open_stream(stream).read_all())
            file.unlink()
        held = self._held.pop(cell, [])
        self._bytes -= sum(t.nbytes for t in held)
        return pa.concat_tables([*tables, *held]) if tables or held else self.schema.empty_table()
