"""Files by HTTP: mirrors, repeated tries, resumed where they were cut, checked; a cut, changed or wrong file never gets its final name."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from time import sleep

import requests

from ..errors import InputError
from .digest import CHECKSUMS, difference, digests, stated, verify
from .partial import Part, Version
from .record import Record, read_record, redact, utc_now, write_record
from .request import LONGEST_WAIT, PassingError, RefusedError, Task, receive, retry_after

__all__ = ["download", "retry_after", "verify"]
log = logging.getLogger(__name__)

WORTH = 1 << 20  # bytes that a failed try must have brought for the count of tries to begin again


def download(
    urls: str | Sequence[str], path: str | os.PathLike, checks: Mapping[str, int | str | None] | None = None, attempts: int = 5,
    wait: float = 2.0, timeout: float = 60.0, dataset: str = "", road: str = "bulk", key: str = "the address",
    session: requests.Session | None = None, quiet: bool = False,
) -> Record:  # fmt: skip
    """Fetch a file, unless it is there already, check it, and write its record beside it.

    Parameters
    ----------
    urls : str or list of str
        http or https; the next one is taken when one refuses. Logins come from the environment or ~/.netrc.
    path : path
        Where it goes. What has come is kept under `.{name}.part` until it is whole; a later job goes on from there.
    checks : mapping, optional
        What it must have, any of bytes, sha256, sha1, md5, blob (the id that git gives its content).
    attempts : int
        Tries of an address in a row that together bring less than WORTH bytes; `wait`, 2 `wait`, 4 `wait` ... s apart, or what the server
        asks for.
    timeout : float
        Seconds without a byte that end a try.
    dataset, road : str
        For the record.
    key : str
        What the user would correct, for errors.
    session : requests.Session, optional
        Keeps connections open over many small files; one a thread.
    quiet : bool
        Whether success is told in the log file alone.

    Raises
    ------
    InputError
        When no address gives the file, or it is another one, or it cannot be written.
    """
    path, urls = Path(path), [urls] if isinstance(urls, str) else list(urls or [])
    checks = stated(checks, key)
    if not urls or not all(isinstance(url, str) and url for url in urls):
        raise InputError(key, "names no address", f"Give one with http:// or https://, or put the file at {path}")
    if attempts < 1:
        raise InputError(key, "allows no try", "Give at least one attempt")
    if (kept := _already_there(path, urls, checks, dataset, road)) is not None:
        return kept
    began, failures = time.monotonic(), []
    with Part(path) as part, nullcontext(session) if session else requests.Session() as session:
        task = Task(part, Record(dataset=dataset, road=road), checks, timeout, key)
        for number, url in enumerate(urls):
            try:
                found = _from(session, url, task, attempts, wait)
            except RefusedError as error:
                failures.append((redact(url), redact(error), error.remedy))
                if number + 1 < len(urls):
                    log.warning("%s: %s; the next address is tried", *failures[-1][:2])
                continue
            version = part.version.etag or part.version.last_modified or None
            record = replace(
                task.record, address=redact(url), mirror=number, bytes=found["bytes"], sha256=found["sha256"], version=version,
                seconds=round(time.monotonic() - began, 3), date=utc_now(),
            )  # fmt: skip
            # the record first: a job that ends in between leaves a record without a file, which nobody takes for anything
            write_record(path, record)
            part.finish()
            counts = record.requests, record.retries, record.resumed_bytes
            text = "%s: %d bytes from %s in %.1f s, %d requests, %d tries repeated, went on from %d bytes"
            log.log(logging.DEBUG if quiet else logging.INFO, text, path, record.bytes, record.address, record.seconds, *counts)
            return record
    if len(failures) == 1:
        raise InputError(*failures[0])
    found = "; ".join(f"{address}: {text}" for address, text, _ in failures)
    raise InputError(path, f"came from none of {len(urls)} addresses ({found})", failures[0][2])


def _already_there(path: Path, urls: Sequence[str], checks: dict, dataset: str, road: str) -> Record | None:
    """The record of a file that need not be fetched; None where it must."""
    if not path.exists():
        return None
    record, known = read_record(path), any(kind in checks for kind in CHECKSUMS)
    found = digests(path, checks)
    wrong = difference(found, checks)
    if record is None and (wrong or not known):
        remedy = "Delete it to fetch it, or correct the checksum" if wrong else "Delete it to fetch it, or state its sha256"
        raise InputError(path, wrong or "is there, but nothing tells where it came from", remedy)
    if record is None:
        record = Record(dataset, road, bytes=found["bytes"], sha256=found["sha256"], date=utc_now(), status="found")
        write_record(path, record)
        return record
    if wrong is None and record.sha256 == found["sha256"] and (known or record.address in {redact(url) for url in urls}):
        log.info("%s: is there, with its record", path)
        return replace(record, status="kept")
    log.warning("%s: %s; it is fetched again", path, wrong or "came from another address, or was changed after it came")
    return None


def _from(session: requests.Session, url: str, task: Task, attempts: int, wait: float) -> dict:
    """Fetch the file from one address, in as many tries as are allowed; its checksums."""
    part, record, checks = task.part, task.record, task.checks
    tries = in_a_row = 0
    furthest, anew = part.size, False
    while True:
        tries, in_a_row = tries + 1, in_a_row + 1
        record.attempts += 1
        try:
            receive(session, url, task)
            found = digests(part.path, checks)
            if (wrong := difference(found, checks)) is None:
                return found
            part.restart(Version())
            if not record.resumed_bytes or anew:
                remedy = f"Correct {task.key}, or the checksum if the archive has published another version"
                raise RefusedError(wrong, remedy)
            anew, record.resumed_bytes = True, 0  # its pieces may be of two versions: once more in one go
            raise PassingError(f"after it was resumed, it {wrong}", 0.0)
        except PassingError as error:
            if part.size >= furthest + WORTH:
                furthest, in_a_row = part.size, 1
            if in_a_row >= attempts:
                remedy = f"Check the network and {task.key}, or put the file at {part.target}"
                raise RefusedError(f"could not be fetched in {tries} tries ({error})", remedy) from error
            pause = error.pause if error.pause is not None else min(wait * 2 ** (in_a_row - 1), LONGEST_WAIT)
            log.warning("%s: %s; next try in %g s", redact(url), redact(error), pause)
            record.retries += 1
        sleep(pause)
