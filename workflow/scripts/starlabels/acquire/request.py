"""One request for a file, or for the rest of it, and what the answer means: more bytes, another try, or another address."""

import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from .digest import CHECKSUMS, PIECE
from .partial import Part, Version
from .record import Record, redact

log = logging.getLogger(__name__)

LONGEST_WAIT = 300.0            # s
PASSING = (408, 425, 429)       # answers that may be another one a little later, as all from 500 on
_MEANING = {
    400: "the server does not understand the request", 401: "the server asks for a login", 403: "the server forbids it",
    404: "there is no such file", 410: "the file is there no more",
}  # fmt: skip
_NO_ADDRESS = (
    requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader,
)  # fmt: skip
_PAGE = (b"<!doctype html", b"<html")


class PassingError(Exception):
    """A failure that the next try may not have; `pause`: seconds that the server asks for."""

    def __init__(self, found: str, pause: float | None = None):
        super().__init__(found)
        self.pause = pause


class RefusedError(Exception):
    """A failure that this address will have again; `remedy`: what the user can do."""

    def __init__(self, found: str, remedy: str):
        super().__init__(found)
        self.remedy = remedy


@dataclass
class Task:
    """What the tries of one download share: the part that has come, the record, the checks, and what a user would correct."""

    part: Part
    record: Record
    checks: Mapping[str, int | str]
    timeout: float
    key: str

    @property
    def known(self) -> bool:
        """Whether a checksum will tell a wrong file, however it was put together."""
        return any(kind in self.checks for kind in CHECKSUMS)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, at most LONGEST_WAIT; None where it does not."""
    text = (headers.get("Retry-After") or "").strip()
    try:
        seconds = float(text) if text.isdecimal() else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # neither a number nor a date with its time zone
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def receive(session: requests.Session, url: str, task: Task) -> None:
    """Ask for the file, from where the part ends if that is safe; returns when the part is whole.

    Raises
    ------
    PassingError, RefusedError
        See there.
    InputError
        When the disk is full or the folder's rights are not enough.
    """
    part, wanted = task.part, _range(url, task)
    if wanted and part.size == part.version.bytes:  # ended between the last byte and the check
        task.record.resumed_bytes = part.size
        return
    task.record.requests += 1
    try:
        # no compression: the length that the server states is then that of the file
        headers = {"Accept-Encoding": "identity", **wanted}
        with session.get(url, stream=True, timeout=task.timeout, headers=headers) as answer:
            task.record.requests += len(answer.history)
            _judge(answer, url, task)
            if answer.status_code != 416:
                _read(answer, url, task)
    except _NO_ADDRESS as error:
        raise RefusedError(f"is no address ({redact(error)})", "Give it with http:// or https://") from error
    except requests.exceptions.TooManyRedirects as error:
        raise RefusedError(f"leads in circles ({redact(error)})", f"Correct {task.key}") from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _of_network(error, task) from error


def _range(url: str, task: Task) -> dict[str, str]:
    """Headers that ask for the rest; none where the whole file is to come.

    Only the version that the part is of may go on: the server compares it (If-Range). A server that names no version, or a mirror, is
    asked for the rest only where a checksum will tell.
    """
    part = task.part
    if not part.size:
        return {}
    rest = {"Range": f"bytes={part.size}-"}
    if part.version.address == redact(url) and part.version.validator:
        return {**rest, "If-Range": part.version.validator}
    return rest if task.known else {}


def _judge(answer: requests.Response, url: str, task: Task) -> None:
    """Raise unless the body is the file or the rest of it, or (416) the part is whole already."""
    status, part = answer.status_code, task.part
    if status == 416:
        whole = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
        if whole and int(whole[1]) == part.size and part.version.bytes in (None, part.size):
            task.record.resumed_bytes = part.size
            return
        raise _anew(task, "the server has no bytes from where it was cut")
    if status in PASSING or status >= 500:
        raise PassingError(f"the server answers {status}", retry_after(answer.headers))
    if status not in (200, 206):
        remedy = f"Correct {task.key}"
        if status in (401, 403):
            remedy = f"Put the login for {urlsplit(url).hostname} into ~/.netrc, or correct {task.key}"
        raise RefusedError(f"{_MEANING.get(status, 'the server gives no file')} ({status})", remedy)
    kind, name = answer.headers.get("Content-Type", ""), part.target.name
    if kind.lower().startswith("text/html"):
        _refuse_page(task)
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding != "identity" and not name.endswith(("gz", ".Z")):  # of x.gz many servers say that it is x, compressed
        raise RefusedError(f"comes compressed ({encoding}), as not asked for", f"Give an address of the file itself: correct {task.key}")


def _read(answer: requests.Response, url: str, task: Task) -> None:
    """Add the body to the part, byte by byte as it comes: what has come before a cut is kept."""
    part, size = task.part, _size(answer)
    if size is not None and size != task.checks.get("bytes", size):
        raise RefusedError(f"has {size} bytes, not {task.checks['bytes']}", f"Correct {task.key}, or the size stated there")
    headers = answer.headers
    version = Version(redact(url), headers.get("ETag", ""), headers.get("Last-Modified", ""), size)
    if answer.status_code == 206:
        _go_on(answer, version, task)
    else:
        part.restart(version)
        task.record.resumed_bytes = 0
    if size is not None:
        part.check_space(size - part.size)
    if size is None and not task.checks and answer.headers.get("Transfer-Encoding", "") != "chunked":
        log.warning("%s: the server does not state a length, so only a checksum would tell a file that was cut", redact(url))
    # of a file that comes within seconds no bar is shown
    bar = tqdm(total=size, initial=part.size, unit="B", unit_scale=True, desc=part.target.name, mininterval=5, delay=5)
    with bar:
        while piece := answer.raw.read1(PIECE, decode_content=False):
            if not part.size and piece.lstrip().lower().startswith(_PAGE):
                _refuse_page(task)
            part.append(piece)
            bar.update(len(piece))
    if size is not None and part.size < size:
        raise PassingError(f"only {part.size} of {size} bytes came")
    if size is not None and part.size > size:
        raise _anew(task, f"{part.size} bytes came, but it has {size}")


def _size(answer: requests.Response) -> int | None:
    """Bytes of the whole file; None where the server does not say."""
    if answer.status_code == 206:
        found = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    stated = answer.headers.get("Content-Length", "")
    return int(stated) if stated.isdecimal() else None


def _go_on(answer: requests.Response, version: Version, task: Task) -> None:
    """See to it that the body begins where the part ends, and is of the same file."""
    part, begin = task.part, re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if begin is None or int(begin[1]) != part.size:
        raise _anew(task, "the server sends other bytes than those asked for")
    same = part.version if part.version.address == version.address else Version(bytes=part.version.bytes)
    if same.differs(version):
        raise _anew(task, "it has changed since the first part came", 0.0)
    task.record.resumed_bytes = part.size


def _anew(task: Task, found: str, pause: float | None = None) -> PassingError:
    """Throw away what has come; the failure that says so."""
    task.part.restart(Version())
    task.record.resumed_bytes = 0
    return PassingError(f"{found}; it is fetched from its beginning", pause)


def _refuse_page(task: Task) -> None:
    if not task.part.target.name.lower().endswith((".html", ".htm")):
        remedy = f"Open the address in a browser: it may ask for a login, or the file has moved; then correct {task.key}"
        raise RefusedError("gives a web page (HTML), not the file", remedy)


def _of_network(error: Exception, task: Task) -> Exception:
    """A failure of the network in one line, by its innermost reason."""
    chain = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(deeper)
    untrusted = [e for e in chain if isinstance(e, ssl.SSLCertVerificationError)]
    if untrusted:
        remedy = "Correct the address or the clock, or name your site's certificates in the environment variable REQUESTS_CA_BUNDLE"
        return RefusedError(f"has a certificate that cannot be trusted ({untrusted[0].verify_message})", remedy)
    if any(isinstance(e, urllib3.exceptions.IncompleteRead) for e in chain):
        return PassingError(f"it was cut: only {task.part.size} of {task.part.version.bytes or 'unknown'} bytes came")
    if any(isinstance(e, (TimeoutError, urllib3.exceptions.ReadTimeoutError)) for e in chain):
        return PassingError(f"nothing came for {task.timeout:g} s")
    return PassingError(redact(f"{type(chain[-1]).__name__}: {chain[-1]}"))
