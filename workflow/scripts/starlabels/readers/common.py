"""What all readers share: the columns asked for, opened streams, errors in the user's words."""

import difflib
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from ..errors import InputError

NULLS = ["", "null", "NULL", "NaN", "nan"]


@dataclass
class Request:
    """One file to be read: which columns, in which pieces."""

    path: Path
    spec: Mapping
    rows: int
    scratch: Path | None = None

    @property
    def options(self) -> Mapping:
        return self.spec.get("format_options") or {}

    def choose(self, present: Sequence[str]) -> dict[str, str | None]:
        """Canonical -> native name for a file that has the columns `present`; None: optional and absent.

        The first alias that is present wins; a difference in upper and lower case is forgiven.
        """
        folded = {}
        for name in present:
            folded.setdefault(name.lower(), name)
        chosen = {}
        for canonical, column in self.spec["columns"].items():
            if "native" not in column:
                continue
            aliases = [column["native"]] if isinstance(column["native"], str) else list(column["native"])
            found = [a for a in aliases if a in present] or [folded[a.lower()] for a in aliases if a.lower() in folded]
            if found:
                chosen[canonical] = found[0]
            elif column.get("optional"):
                chosen[canonical] = None
            else:
                raise self._absent(aliases, present)
        return chosen

    def _absent(self, aliases: list[str], present: Sequence[str]) -> InputError:
        near = []
        for alias in aliases:
            lower = {name.lower(): name for name in present}
            near += [lower[n] for n in difflib.get_close_matches(alias.lower(), list(lower), n=3, cutoff=0.5)]
        named = list(dict.fromkeys(near)) or list(present)[:30]
        return InputError(
            f"{self.path}, column {' or '.join(aliases)}",
            f"is absent; {'nearest present' if near else 'present'}: {', '.join(named) or 'none'}",
            "Correct the file, or add its name to `native` of this column in config/datasets.yaml",
        )

    def kinds(self, chosen: Mapping[str, str | None]) -> dict[str, str]:
        """Native name -> `int`, `float` or `str`: how text formats parse it (text when two canonical columns disagree)."""
        kinds: dict[str, str] = {}
        for canonical, native in chosen.items():
            if native is None:
                continue
            # small integers (flags) may be printed as 3.0; only 64-bit ids must be whole numbers in the text itself
            kind = {"int64": "int", "str": "str"}.get(self.spec["columns"][canonical].get("type", "float64"), "float")
            kinds[native] = kind if kinds.get(native, kind) == kind else "str"
        return kinds

    def label(self, frame: pd.DataFrame, chosen: Mapping, units: Mapping[str, str]) -> pd.DataFrame:
        """Attach names and stated units to a piece."""
        frame.attrs = {"names": dict(chosen), "units": {n: str(u) for n, u in units.items() if u and n in frame.columns}}
        return frame

    def pieces(self, frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Cut a frame into pieces of the size asked for; attributes are kept."""
        for start in range(0, max(len(frame), 1), self.rows):
            piece = frame.iloc[start : start + self.rows].reset_index(drop=True)
            piece.attrs = dict(frame.attrs)
            yield piece


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Turn what a broken gzip stream raises into an InputError."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, f"is truncated or damaged ({error})", "Fetch it again") from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"holds bytes that are not {error.encoding} text", "State `encoding` in format_options") from error


def is_gzip(path: Path) -> bool:
    """Whether the file starts with the gzip magic number (the name does not matter)."""
    with open(path, "rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading, unpacked when it is gzipped."""
    return gzip.open(path, "rb") if is_gzip(path) else open(path, "rb")


def nullable(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole-table frames of astropy: bytes to text, object columns of text to `str`."""
    for name in frame.columns:
        if frame[name].dtype == object:
            text = [None if v is None or v is pd.NA else (v.decode() if isinstance(v, bytes) else str(v)) for v in frame[name]]
            frame[name] = pd.array(text, dtype="str")
    return frame
