"""A VOTable turned into Arrow tables while it arrives, in memory that does not grow with it.

Services answer with three million rows and in three notations (TABLEDATA, BINARY, BINARY2); astropy builds all rows of such an answer
in memory. Here the XML is parsed as it comes and every few megabytes become one piece. Integers are exact; missing values, NaN and
empty text are nulls; names, units and descriptions are those of the answer.
"""

import base64
import zlib
from collections.abc import Iterable, Iterator
from xml.parsers import expat

import pyarrow as pa

from ..errors import InputError
from .votable_fields import Field, binary_rows, from_text

PIECE_ROWS = 100_000


class CutError(Exception):
    """The answer ends before its end, or is no XML: the next try may be better."""


class RefusedError(Exception):
    """The service says in its answer that it could not do what was asked."""


class VotableStream:
    """The first table of results of a VOTable.

    Parameters
    ----------
    chunks : iterable of bytes
        The answer, plain or gzipped.
    where : str
        Names the answer in errors.

    Attributes
    ----------
    fields : list of Field
        Its columns; complete with the first piece.
    overflow : bool
        Whether the service says that it cut the rows off; known when all pieces were read.
    """

    def __init__(self, chunks: Iterable[bytes], where: str):
        self.where, self.fields, self.overflow = where, [], False
        self._chunks = _unpacked(chunks)
        self._refused: str | None = None
        self._kind: str | None = None      # TABLEDATA, BINARY or BINARY2 once the rows begin
        self._done = False                 # the table was seen to its end
        self._meta: list[bool] = []        # for each open RESOURCE, whether it is no result
        self._text: list[str] | None = None
        self._cells: list[str] = []
        self._whole = 0                    # cells of whole rows
        self._encoded, self._bytes = b"", bytearray()
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = 1 << 16
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def pieces(self, rows: int = PIECE_ROWS) -> Iterator[pa.Table]:
        """Yield the rows in tables of about `rows` rows; a table without rows yields one empty piece.

        Raises
        ------
        CutError
            When the answer is not whole.
        RefusedError
            When it is an error message.
        InputError
            When it holds what cannot be read.
        """
        waiting, seen = [], 0
        for chunk in self._chunks:
            self._parse(chunk, False)
            if self._kind:
                waiting.append(self._take())
                if sum(map(len, waiting)) >= rows:
                    yield pa.concat_tables(waiting)
                    waiting, seen = [], seen + 1
        self._parse(b"", True)
        if self._refused is not None:
            raise RefusedError(self._refused)
        if not self._done or not self.fields:
            raise CutError("the answer holds no table")
        waiting.append(self._take())
        if len(self._cells) or len(self._bytes):
            raise CutError("its last row is not whole")
        rest = pa.concat_tables(waiting)
        if len(rest) or not seen:
            yield rest

    def _parse(self, data: bytes, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise CutError(f"the answer is no whole VOTable ({error})") from error

    def _take(self) -> pa.Table:
        """All whole rows that have come since the last call."""
        n = len(self.fields)
        if self._kind == "TABLEDATA":
            cells, self._cells, self._whole = self._cells[:self._whole], self._cells[self._whole:], 0
            arrays = [from_text(field, cells[k::n], self.where) for k, field in enumerate(self.fields)]
        else:
            arrays, used = binary_rows(self.fields, self._bytes, self._kind == "BINARY2", self.where)
            del self._bytes[:used]
        return pa.Table.from_arrays(arrays, schema=pa.schema([field.arrow() for field in self.fields]))

    def _start(self, name: str, attributes: dict) -> None:
        name = name.rpartition(":")[2]
        if name == "TD":
            self._text = []
        elif name == "RESOURCE":
            self._meta.append(attributes.get("type") == "meta" or (bool(self._meta) and self._meta[-1]))
        elif name == "INFO" and "QUERY_STATUS" in (attributes.get("name", "").upper(), attributes.get("ID", "").upper()):
            self._status, self._text = attributes.get("value", "").upper(), []
        elif self._done or (self._meta and self._meta[-1]):
            pass
        elif name == "FIELD":
            self.fields.append(Field.of(attributes, self.where))
        elif name == "VALUES" and self.fields and attributes.get("null") is not None:
            self.fields[-1].null = attributes["null"]
        elif name == "DESCRIPTION":
            self._text = []
        elif name in ("TABLEDATA", "BINARY", "BINARY2"):
            self._kind = name
        elif name == "FITS" or (name == "STREAM" and ("href" in attributes or attributes.get("encoding", "base64") != "base64")):
            raise InputError(self.where, "answers with a VOTable whose rows stand in another file or notation", "Take another road")

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "TD":
            self._cells.append("".join(self._text))
            self._text = None
        elif name == "TR":
            self._whole += len(self.fields)
            if self._whole != len(self._cells):
                raise InputError(self.where, f"answers with a row that has not {len(self.fields)} values", "Tell the service's operators")
        elif name == "RESOURCE":
            self._meta.pop()
        elif name == "TABLE" and not (self._meta and self._meta[-1]):
            self._done = True
        elif name == "INFO" and self._text is not None:
            said, self._text = " ".join("".join(self._text).split()), None
            self.overflow = self.overflow or self._status == "OVERFLOW"
            if self._status == "ERROR":
                self._refused = said or "no reason given"
        elif name == "DESCRIPTION" and self._text is not None:
            if self.fields and not self._kind:
                self.fields[-1].description = " ".join("".join(self._text).split())
            self._text = None

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)
        elif self._kind in ("BINARY", "BINARY2") and not self._done:
            self._encoded += data.encode().translate(None, b" \t\r\n")
            whole = len(self._encoded) // 4 * 4
            self._bytes += base64.b64decode(self._encoded[:whole])
            self._encoded = self._encoded[whole:]


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, unpacked when they are a gzip stream."""
    unpack = None
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk[:2] == b"\x1f\x8b":
            unpack = zlib.decompressobj(31)
        try:
            yield unpack.decompress(chunk) if unpack else chunk
        except zlib.error as error:
            raise CutError(f"the answer is packed, and damaged ({error})") from error
    if unpack and not unpack.eof:
        raise CutError("the answer is packed, and cut")
