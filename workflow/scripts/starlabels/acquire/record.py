"""The record of an acquired file, `{file}.json` beside it: where it came from, what it is, what it took. Never a password or token."""

import os
import re
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from ..errors import InputError
from ..io import read_json, write_json

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER = re.compile(
    r"(?P<name>[?&](?:[\w-]*[_-])?(?:token|api-?key|key|password|passwd|pwd|secret|signature|sig|auth|credential)=)[^&\s'\"#)]*",
    re.IGNORECASE,
)


@dataclass
class Record:
    """How a file came; what does not apply stays None and is not written.

    Attributes
    ----------
    dataset, road : str
        Key in config/datasets.yaml; bulk, tap, xmatch, dust or mine.
    address, service : str or None
        Of the file (the mirror that gave it), or of the service that was asked; without credentials.
    mirror : int or None
        Number of that address in the list, from 0.
    query : str or None
        What the service was asked.
    rows : int or None
        Rows of the table.
    bytes, sha256 : int, str or None
        Of the file.
    version : str or None
        What the server calls this version of the file: its ETag, else the date of its last change.
    attempts, requests, retries : int
        Tries that were begun; requests that were sent, redirections and polls included; tries that a passing failure made necessary.
    resumed_bytes : int
        Bytes of earlier tries or jobs that were kept when the last try went on from there.
    seconds : float
        Of this job, pauses included.
    date : str
        When it was whole, UTC.
    status : str
        `fetched`; `kept`, it was there already with its record; `found`, it was there without a record and has the stated checksum.
    """

    dataset: str = ""
    road: str = ""
    address: str | None = None
    service: str | None = None
    mirror: int | None = None
    query: str | None = None
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    version: str | None = None
    attempts: int = 0
    requests: int = 0
    retries: int = 0
    resumed_bytes: int = 0
    seconds: float = 0.0
    date: str = ""
    status: str = "fetched"


def utc_now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def redact(text: object, *secrets: str | None) -> str:
    """Text without `user:password@`, without the values of parameters such as `token=`, and without the given secrets."""
    text = str(text)
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return _PARAMETER.sub(r"\g<name>***", _USERINFO.sub("***@", text))


def sidecar(path: str | os.PathLike) -> Path:
    """Where the record of a file lies."""
    return Path(f"{path}.json")


def write_record(path: str | os.PathLike, record: Record) -> None:
    """Write the record of the file `path`, credentials blotted out."""
    stated = {key: value for key, value in asdict(record).items() if value is not None}
    write_json(sidecar(path), {key: redact(value) if isinstance(value, str) else value for key, value in stated.items()})


def read_record(path: str | os.PathLike) -> Record | None:
    """The record of the file `path`; None where there is none.

    Raises
    ------
    InputError
        When it is damaged.
    """
    if not sidecar(path).exists():
        return None
    content = read_json(sidecar(path))
    if not isinstance(content, dict) or not set(content) <= {field.name for field in fields(Record)}:
        raise InputError(sidecar(path), "is not the record of an acquired file", "Delete it and run again")
    return Record(**content)
