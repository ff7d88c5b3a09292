"""Whether a file is the one that was stated: its size and its checksums."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError

PIECE = 1 << 20                                       # bytes read at once
CHECKSUMS = ("sha256", "sha1", "md5", "blob")         # blob: the id that git gives a file's content
CHECKS = ("bytes", *CHECKSUMS)
_DIGITS = {"sha256": 64, "sha1": 40, "md5": 32, "blob": 40}


def digests(path: str | os.PathLike, kinds: Iterable[str] = ()) -> dict[str, int | str]:
    """Size in bytes, SHA-256 and the checksums `kinds` of a file, in one reading."""
    size = os.stat(path).st_size
    running = {kind: hashlib.new("sha1" if kind == "blob" else kind, usedforsecurity=False) for kind in {"sha256", *kinds} - {"bytes"}}
    if "blob" in running:
        running["blob"].update(f"blob {size}\0".encode())
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            for digest in running.values():
                digest.update(piece)
    return {"bytes": size, **{kind: digest.hexdigest() for kind, digest in running.items()}}


def stated(checks: Mapping[str, int | str | None] | None, where: str = "checks") -> dict[str, int | str]:
    """The checks that are given, in lower case.

    Raises
    ------
    InputError
        When one is unknown, or no size or checksum.
    """
    given = {kind: value for kind, value in (checks or {}).items() if value is not None}
    for kind, value in given.items():
        if kind not in CHECKS:
            raise InputError(f"{where}, `{kind}`", "is no check of a file", f"Known are: {', '.join(CHECKS)}")
        if kind == "bytes":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"{where}, `bytes`", f"is {value!r}, not a number of bytes", "Give a whole number")
        elif not isinstance(value, str) or len(value) != _DIGITS[kind] or set(value.lower()) - set("0123456789abcdef"):
            remedy = f"Give {_DIGITS[kind]} hexadecimal digits, in quotes"
            raise InputError(f"{where}, `{kind}`", f"is {value!r}, not such a checksum", remedy)
    return {kind: value.lower() if isinstance(value, str) else value for kind, value in given.items()}


def difference(found: Mapping[str, int | str], checks: Mapping[str, int | str]) -> str | None:
    """What is wrong with a file, in words; None where all checks agree."""
    for kind, value in checks.items():
        if found[kind] != value:
            size = f"has {found['bytes']} bytes, not {value}"
            return size if kind == "bytes" else f"is another file ({found['bytes']} bytes, {kind} {found[kind]}, not {value})"
    return None


def verify(path: str | os.PathLike, checks: Mapping[str, int | str | None] | None, source: str | os.PathLike | None = None) -> dict:
    """Check a file.

    Parameters
    ----------
    checks : mapping
        Any of bytes, sha256, sha1, md5, blob.
    source : str or path, optional
        What the error names; the file itself by default.

    Returns
    -------
    dict
        bytes, sha256 and what was checked, as found.

    Raises
    ------
    InputError
        When the file is absent or another one.
    """
    checks = stated(checks)
    if not Path(path).is_file():
        raise InputError(path, "does not exist", "Fetch it, or correct the path")
    found = digests(path, checks)
    if wrong := difference(found, checks):
        raise InputError(source or path, wrong, "Delete it and fetch it again, or correct the checksum")
    return found
