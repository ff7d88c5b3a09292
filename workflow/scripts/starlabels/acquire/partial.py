"""The part of a file that has come so far, kept between tries and jobs: `.{name}.part`, and in `.{name}.part.json` what it is a part of."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..errors import InputError
from ..io import write_json

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "files may not grow so large here"}
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass
class Version:
    """The file at an address, as the server described it: whole length in bytes, ETag and Last-Modified; None or empty: not stated."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""
    bytes: int | None = None

    @property
    def validator(self) -> str:
        """What a server can compare to tell whether the file is still the same, byte by byte; weak ETags do not say that."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def differs(self, other: "Version") -> bool:
        """Whether two answers of one address describe different files, as far as both say anything."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("etag", "last_modified", "bytes")]
        return any(mine != theirs for mine, theirs in pairs if mine and theirs)


class Part:
    """The part of `path`; used in a `with` block by one process at a time.

    Raises
    ------
    InputError
        When the folder cannot be written, or another process is fetching the same file.
    """

    def __init__(self, path: str | os.PathLike):
        self.target = Path(path)
        self.path = self.target.with_name(f".{self.target.name}.part")
        self.note = self.target.with_name(f".{self.target.name}.part.json")
        self.version = Version()

    def __enter__(self) -> "Part":
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = self._open_alone()
            try:
                self.version = self._read_note()
                if self.version is None:
                    self.restart(Version())  # bytes of an unknown origin
            except BaseException:
                os.close(self._handle)
                raise
        return self

    def __exit__(self, *_) -> None:
        with suppress(OSError):
            if not self.size:
                self.path.unlink(missing_ok=True)
                self.note.unlink(missing_ok=True)
        os.close(self._handle)

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self._handle).st_size

    def restart(self, version: Version) -> None:
        """Throw away what is there; what follows belongs to `version`."""
        with self._writing():
            os.ftruncate(self._handle, 0)  # first: the old bytes must never stand beside the new description
            write_json(self.note, asdict(version))
            self.version = version

    def append(self, piece: bytes) -> None:
        """Add bytes.

        Raises
        ------
        InputError
            When the disk is full; what is there stays.
        """
        with self._writing():
            rest = memoryview(piece)
            while rest:
                rest = rest[_write(self._handle, rest) :]

    def check_space(self, more: int) -> None:
        """Raise InputError where the disk has no room for so many bytes more."""
        free = shutil.disk_usage(self.path.parent).free
        if more > free:
            raise InputError(self.target, f"needs {more} bytes more, but the disk has {free} left", "Free space or choose another folder")

    def finish(self) -> None:
        """Give the whole file its name."""
        with self._writing():
            os.fsync(self._handle)  # some file systems tell of a full disk only now; and no power cut leaves a name without content
            os.replace(self.path, self.target)
            self.note.unlink(missing_ok=True)

    def _open_alone(self) -> int:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(handle)
                raise InputError(self.target, "is being fetched by another process", "Wait for it, or end it and run again") from error
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(handle)
                    raise
            try:
                if os.path.samestat(os.fstat(handle), os.stat(self.path)):
                    return handle
            except FileNotFoundError:
                pass
            os.close(handle)  # another process gave it its final name between the two calls

    def _read_note(self) -> Version | None:
        try:
            content = json.loads(self.note.read_text())
            known = isinstance(content, dict) and set(content) == {field.name for field in fields(Version)}
        except (FileNotFoundError, ValueError):
            return None
        return Version(**content) if known else None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            found = _FULL.get(error.errno) or f"the folder cannot be written ({error.strerror or error})"
            remedy = "Free space or choose another folder, and see to its rights; what has come is kept and the next run goes on from there"
            raise InputError(self.target, f"could not be written: {found}", remedy) from error


_write = os.write
