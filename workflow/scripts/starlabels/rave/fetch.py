"""Download of a published file that is known by its git blob id: a wrong, cut or changed file never gets its final name."""

import hashlib
import logging
import os
import time
from pathlib import Path

import requests
from tqdm import tqdm

from ..errors import InputError
from ..io import atomic

log = logging.getLogger(__name__)

PIECE = 1 << 20                                       # bytes read at once
WORTH_REPEATING = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one a little later


def blob_id(path: str | os.PathLike) -> str:
    """The id that git gives the content of a file: SHA-1 of `blob <size>`, a zero byte and the content."""
    digest = hashlib.sha1(f"blob {Path(path).stat().st_size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def fetch(
    address: str | None, path: str | os.PathLike, blob: str, size: int | None = None,
    attempts: int = 4, wait: float = 2.0, timeout: float = 60.0,
) -> Path:  # fmt: skip
    """Fetch a file, unless it is there already, and check it.

    Parameters
    ----------
    address : str or None
        http or https.
    path : path
        Where it goes; written under a temporary name, renamed when it is whole and the right one.
    blob : str
        Git blob id that it must have.
    size : int, optional
        Bytes that it must have.
    attempts : int
        Tries while the network or the server fails, `wait`, 2 `wait`, 4 `wait` ... seconds apart.
    timeout : float
        Seconds without an answer that end a try.

    Raises
    ------
    InputError
        When there is no such file, no network, the file stays incomplete, or it is another one.
    """
    path = Path(path)
    if path.exists():
        _check(path, path, blob, size)
        return path
    if not address:
        raise InputError("configuration key `rave.public.address`", "is not set", f"Set it, or put the file at {path}")
    for attempt in range(1, attempts + 1):
        try:
            with atomic(path) as part:
                _download(address, part, timeout)
                _check(part, address, blob, size)
            return path
        except _PassingError as error:
            if attempt == attempts:
                remedy = f"Check the network and the address, or put the file at {path}"
                raise InputError(address, f"could not be fetched in {attempts} tries ({error})", remedy) from error
            pause = wait * 2 ** (attempt - 1)
            log.warning("%s: %s; next try in %g s", address, error, pause)
            time.sleep(pause)
    raise InputError(address, "was not tried", "Give at least one attempt")


class _PassingError(Exception):
    """A failure that the next try may not have."""


def _download(address: str, part: Path, timeout: float) -> None:
    try:
        # no compression: the length that the server states is then that of the file
        with requests.get(address, stream=True, timeout=timeout, headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status_code in WORTH_REPEATING:
                raise _PassingError(f"the server answers {answer.status_code}")
            if answer.status_code != 200:
                found = "there is no such file (404)" if answer.status_code == 404 else f"the server answers {answer.status_code}"
                raise InputError(address, found, "Correct the address")
            stated, received = answer.headers.get("Content-Length"), 0
            bar = tqdm(total=int(stated) if stated else None, unit="B", unit_scale=True, desc=part.name.split(".")[1], mininterval=5)
            with bar, open(part, "wb") as file:
                for piece in answer.iter_content(PIECE):
                    file.write(piece)
                    received += len(piece)
                    bar.update(len(piece))
            if stated and received != int(stated):
                raise _PassingError(f"only {received} of {stated} bytes came")
    except (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as error:
        raise InputError(address, f"is no address ({error})", "Give it with http:// or https://") from error
    except requests.exceptions.RequestException as error:
        raise _PassingError(_short(error)) from error


def _short(error: Exception) -> str:
    """The innermost reason of a network error, in one line."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__
    return f"{type(error).__name__}: {error}"


def _check(path: Path, source: str | os.PathLike, blob: str, size: int | None) -> None:
    found = path.stat().st_size
    if size is not None and found != size:
        raise InputError(source, f"has {found} bytes, not {size}", "Delete it, or correct the address")
    name = blob_id(path)
    if name != blob:
        raise InputError(source, f"is another file ({found} bytes, git blob id {name}, not {blob})", "Delete it, or correct the address")
