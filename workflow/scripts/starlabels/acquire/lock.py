"""Which content each file of the archives had when it was first fetched: the lock file, `{"<dataset>/<file>": {"sha256": ...}}`.

It pins files whose checksum config/datasets.yaml does not state. Used around a download:

    checks = lock.expected(path, key, checks, trust)     # before: what the lock knows is checked as if it were stated
    record = download(urls, file, checks)
    lock.check_or_pin(path, key, record, trust)          # after: what it does not know is pinned
"""

import errno
import fcntl
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError
from ..io import write_json
from .digest import CHECKSUMS
from .record import Record, redact, utc_now

log = logging.getLogger(__name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_lock(path: str | os.PathLike) -> dict[str, dict]:
    """The lock file's entries; none where it is absent.

    Raises
    ------
    InputError
        When it is damaged.
    """
    path, remedy = Path(path), "Mend it or take an earlier version of it; without it every file is trusted anew"
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise InputError(path, f"cannot be read as JSON ({error})", remedy) from error
    if not isinstance(entries, dict):
        raise InputError(path, "is not a mapping of files", remedy)
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not _SHA256.fullmatch(str(entry.get("sha256"))):
            raise InputError(f"{path}, key `{key}`", "has no sha256 of 64 hexadecimal digits", remedy)
    return entries


def expected(path: str | os.PathLike, key: str, checks: Mapping[str, int | str] | None, trust: bool) -> dict[str, int | str]:
    """What a file must have: what is stated, and where that is no checksum, the one that the lock knows.

    Parameters
    ----------
    path : path
        The lock file.
    key : str
        `<dataset>/<file>`.
    checks : mapping
        What config/datasets.yaml states.
    trust : bool
        Whether a file that nobody knows may be fetched.

    Raises
    ------
    InputError
        When it is not known and `trust` is false: before anything is fetched.
    """
    checks = {kind: value for kind, value in (checks or {}).items() if value is not None}
    if any(kind in checks for kind in CHECKSUMS):
        return checks
    entry = read_lock(path).get(key)
    if entry is None and not trust:
        raise _unknown(path, key)
    return checks if entry is None else {**checks, "sha256": entry["sha256"]}


def check_or_pin(path: str | os.PathLike, key: str, record: Record, trust: bool) -> bool:
    """Hold a fetched file against the lock, or pin it there; safe with many jobs at a time.

    Returns
    -------
    bool
        Whether it was pinned now.

    Raises
    ------
    InputError
        When the lock knows another content, or it knows none and `trust` is false.
    """
    path = Path(path)
    if not _SHA256.fullmatch(str(record.sha256)):
        raise InputError(key, "has a record without sha256", "Fetch it again")
    if _agrees(path, key, read_lock(path), record):
        return False
    if not trust:
        raise _unknown(path, key)
    with _alone(path):
        entries = read_lock(path)
        if _agrees(path, key, entries, record):  # another job was faster
            return False
        address = redact(record.address or record.service or "")
        entries[key] = {"sha256": record.sha256, "bytes": record.bytes, "address": address, "first_seen": record.date or utc_now()}
        write_json(path, {name: dict(sorted(entries[name].items())) for name in sorted(entries)})
    log.info("%s: sha256 %s pinned in %s", key, record.sha256, path)
    return True


def _agrees(path: Path, key: str, entries: Mapping[str, Mapping], record: Record) -> bool:
    if key not in entries:
        return False
    known = entries[key]
    if known["sha256"] != record.sha256:
        found = f"was sha256 {known['sha256']} when first fetched ({known.get('first_seen', 'date unknown')}), now {record.sha256} came"
        remedy = "Delete that key if the archive has published another version, else fetch the file again"
        raise InputError(f"{path}, key `{key}`", found, remedy)
    return True


def _unknown(path: str | os.PathLike, key: str) -> InputError:
    remedy = "State its sha256 in config/datasets.yaml, or set `archives.trust_on_first_use: true`"
    return InputError(f"{path}, key `{key}`", "is absent, so nothing tells which content the file must have", remedy)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One job at a time, on one machine or several: holds a lock on a file beside `path`, which stays."""
    side = path.with_name(f".{path.name}.lock")
    try:
        side.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(side, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(side, f"cannot be written ({error.strerror})", "Check its folder's rights, or change `archives.lock`") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            log.warning("%s: this file system has no locks; two jobs that pin at one moment may lose an entry", side)
        yield
    finally:
        os.close(handle)
