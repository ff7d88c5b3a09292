"""A look at a published file without fetching it: its size, its date and its first megabyte, where names and units stand."""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import requests
from astropy.io import fits

from ..errors import InputError
from .record import redact

START = 1 << 20                # bytes read of a file
BLOCK = 2880                   # of FITS
PIECE = 1 << 16
NO_NAME = "its name is not known (no network?)"
TEXT = ("csv", "psv", "tsv", "ecsv")


@dataclass(frozen=True)
class Start:
    """The beginning of a file: its address, bytes in all (None: the server does not say), date, version (ETag), and the first bytes."""

    address: str
    bytes: int | None
    date: str
    version: str
    content: bytes

    @property
    def whole(self) -> bool:
        """Whether the first bytes are all there are."""
        return self.bytes is not None and len(self.content) >= self.bytes


class Unreachable(Exception):
    """A source did not answer, or not with what was asked; the text is one short reason."""


def reason(error: BaseException) -> str:
    """Why a request failed, in a few words without credentials."""
    text = redact(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in text.lower():
        return "no answer in time"
    for sign, said in (("resolve", NO_NAME), ("not known", NO_NAME), ("refused", "it refuses connections"),
                       ("unreachable", "there is no network")):  # fmt: skip
        if sign in text.lower():
            return said
    return " ".join(text.split())[:160]


def start_of(addresses: Sequence[str], session: requests.Session, size: int = START) -> Start:
    """The first `size` bytes of a file, from the first of its addresses that gives them.

    Raises
    ------
    Unreachable
        When none does; it names what the first one said.
    """
    said = []
    for address in addresses:
        try:
            return _start(address, session, size)
        except (requests.exceptions.RequestException, OSError, Unreachable) as error:
            said.append(str(error) if isinstance(error, Unreachable) else reason(error))
    raise Unreachable(said[0] + (f" ({len(said)} addresses tried)" if len(said) > 1 else ""))


def _start(address: str, session: requests.Session, size: int) -> Start:
    # identity: a server that packs what it sends would make the counts of bytes wrong
    asked = {"Range": f"bytes=0-{size - 1}", "Accept-Encoding": "identity"}
    with closing(session.get(address, headers=asked, stream=True)) as answer:
        if answer.status_code == 416:  # nothing to give from byte 0 on
            return Start(address, 0, answer.headers.get("Last-Modified", ""), answer.headers.get("ETag", ""), b"")
        _accept(answer)
        content = b""
        for piece in answer.iter_content(PIECE):
            content += piece
            if len(content) >= size:
                break
    headers, part = answer.headers, answer.status_code == 206
    total = headers.get("Content-Range", "").rpartition("/")[2] if part else headers.get("Content-Length", "")
    whole = int(total) if total.isdigit() else None
    return Start(redact(address), whole, headers.get("Last-Modified", ""), headers.get("ETag", ""), content[:size])


def _accept(answer: requests.Response) -> None:
    if answer.status_code in (401, 403):
        raise Unreachable(f"HTTP {answer.status_code}: it asks for credentials (~/.netrc)")
    if answer.status_code not in (200, 206):
        raise Unreachable(f"HTTP {answer.status_code} {answer.reason}".strip())
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.url.endswith((".html", ".htm")):
        raise Unreachable("an HTML page came instead of the file")


def unpacked(start: Start) -> tuple[bytes, bool]:
    """The first bytes without gzip, and whether they are the whole file."""
    if not start.content.startswith(b"\x1f\x8b"):
        return start.content, start.whole
    unpack, text, rest = zlib.decompressobj(31), b"", start.content
    while rest.startswith(b"\x1f\x8b"):  # a file may have several members
        try:
            text += unpack.decompress(rest, 8 * START)
        except zlib.error as error:
            raise Unreachable(f"damaged gzip ({error})") from error
        if not unpack.eof:
            return text, False
        rest, unpack = unpack.unused_data, zlib.decompressobj(31)
    return text, start.whole and not rest


def sample_file(start: Start, spec: Mapping, folder: Path) -> tuple[Path | None, int | None]:
    """A small file of the same format made from the first bytes, and the rows that the header announces.

    Returns
    -------
    Path or None
        In `folder`; None when the format cannot be read from its beginning, or the beginning was too short.
    int or None
        Rows of the whole file, where its header says.
    """
    content, whole = unpacked(start)
    form, rows = spec["format"], None
    if form == "fits":
        content, rows = _short_fits(content, (spec.get("format_options") or {}).get("hdu"))
    elif form in TEXT:
        content = content if whole else content[: content.rfind(b"\n") + 1]
    elif not whole or "readme" in (spec.get("format_options") or {}):
        return None, None
    if not content:
        return None, rows
    path = folder / "sample"
    path.write_bytes(content)
    return path, rows


def _short_fits(content: bytes, wanted: int | str | None) -> tuple[bytes, int | None]:
    """The file up to the rows that are there, its header set to their number; empty when the table's header is not all there."""
    if not content.startswith(b"SIMPLE  ="):
        raise Unreachable("what came is no FITS file")
    place, number = 0, 0
    while place < len(content):
        header, data = _header(content, place)
        if header is None:
            return b"", None
        name = str(header.get("EXTNAME", ""))
        if header.get("XTENSION", "").strip() == "BINTABLE" and wanted in (None, number, name, name.upper()):
            row = header["NAXIS1"]
            there = min(header["NAXIS2"], (len(content) - data) // max(row, 1))
            rows, header["NAXIS2"], header["PCOUNT"] = header["NAXIS2"], there, 0
            body = content[data : data + there * row]
            return content[:place] + header.tostring().encode("ascii") + body + bytes(-len(body) % BLOCK), rows
        place, number = data + _padded(_data_bytes(header)), number + 1
    return b"", None


def _header(content: bytes, place: int) -> tuple[fits.Header | None, int]:
    """The header that begins at `place`, and where its data begin; None when its end is missing."""
    end = place
    while end + BLOCK <= len(content):
        block = content[end : end + BLOCK]
        end += BLOCK
        if any(block[k : k + 8] == b"END     " for k in range(0, BLOCK, 80)):
            return fits.Header.fromstring(content[place:end].decode("ascii", "replace")), end
    return None, end


def _data_bytes(header: fits.Header) -> int:
    axes = [header[f"NAXIS{k}"] for k in range(1, header.get("NAXIS", 0) + 1)]
    count = 1 if axes else 0
    for axis in axes:
        count *= axis
    return abs(header["BITPIX"]) // 8 * header.get("GCOUNT", 1) * (header.get("PCOUNT", 0) + count)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


class _Ranges:
    """A file at an address that Arrow reads here and there: seek, tell and read by ranges."""

    closed = False

    def __init__(self, address: str, size: int, session: requests.Session):
        self.address, self.size, self.session, self.place = address, size, session, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def read(self, count: int = -1) -> bytes:
        last = self.size if count is None or count < 0 else min(self.place + count, self.size)
        if last <= self.place:
            return b""
        if last - self.place > 64 * START:
            raise Unreachable("its footer is larger than 64 MiB")
        asked = {"Range": f"bytes={self.place}-{last - 1}", "Accept-Encoding": "identity"}
        with closing(self.session.get(self.address, headers=asked, stream=True)) as answer:
            if answer.status_code != 206:
                raise Unreachable("its server gives no parts of a file, and the columns of a Parquet file stand at its end")
            content = answer.content
        self.place += len(content)
        return content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def parquet_schema(address: str, size: int, session: requests.Session) -> tuple[dict[str, str], int]:
    """Columns (name -> unit, empty: none stated) and rows of a Parquet file at an address, from its footer alone.

    Raises
    ------
    Unreachable
        When the server gives no ranges.
    InputError
        When the file is not Parquet.
    """
    try:
        with pq.ParquetFile(pa.PythonFile(_Ranges(address, size, session), mode="r")) as file:
            units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in file.schema_arrow}
            return units, file.metadata.num_rows
    except pa.ArrowException as error:
        raise InputError(redact(address), f"is not a Parquet file ({error})", "Check its address") from error
