"""Answers of services read while they arrive, against what astropy writes and reads."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import votable
from astropy.table import MaskedColumn, Table

from starlabels.acquire.votable import CutError, RefusedError, VotableStream
from starlabels.errors import InputError

N = 1000
IDS = 6917528997577384321 - np.arange(N) * 7919


def answer(notation, rows=N, text="names"):
    """A VOTable of every type, with missing values."""
    table = Table()
    table["source_id"] = IDS[:rows]
    table["count"] = MaskedColumn(np.arange(rows, dtype=np.int32), mask=np.arange(rows) % 3 == 0)
    table["small"] = np.arange(rows, dtype=np.int16)
    table["byte"] = (np.arange(rows) % 256).astype(np.uint8)
    table["mag"] = MaskedColumn(np.where(np.arange(rows) % 5 == 0, np.nan, np.arange(rows) / 7).astype(np.float32), unit="mag")
    table["ra"] = MaskedColumn(np.arange(rows) / 9.0, unit="deg", description="Right  ascension")
    if text == "names":
        table["[Fe/H]"] = np.array([f"é{k}" if k % 4 else "" for k in range(rows)], dtype=str)
    made = votable.from_table(table)
    if text == "names":  # variable length, as services send texts
        made.get_first_table().fields[-1].arraysize = "*"
    made.get_first_table().get_field_by_id("count").values.null = -1
    out = io.BytesIO()
    made.to_xml(out, tabledata_format=notation)
    return out.getvalue()


def pieces_of(data, size=1000, rows=200):
    return list(VotableStream((data[k:k + size] for k in range(0, len(data), size)), "service").pieces(rows))


@pytest.mark.parametrize("text", ["names", "none"])                       # rows of uneven, of equal length
@pytest.mark.parametrize("notation", ["tabledata", "binary", "binary2"])
def test_every_notation_in_small_pieces(notation, text):
    data = answer(notation, text=text)
    stream = VotableStream((data[k:k + 777] for k in range(0, len(data), 777)), "service")
    pieces = list(stream.pieces(200))
    assert len(pieces) > 2 and not stream.overflow
    table = pa.concat_tables(pieces)
    assert table.schema.field("source_id").type == pa.int64() and table["source_id"].to_pylist() == IDS.tolist()
    assert table["count"].to_pylist() == [None if k % 3 == 0 else k for k in range(N)]
    assert table["small"].to_pylist() == list(range(N)) and table["byte"].to_pylist() == [k % 256 for k in range(N)]
    assert table["mag"].to_pylist() == [None if k % 5 == 0 else np.float32(k / 7) for k in range(N)]
    assert table["ra"].to_pylist() == [k / 9.0 for k in range(N)]
    if text == "names" and notation != "binary":                          # astropy writes `char` as ASCII there
        assert table["[Fe/H]"].to_pylist() == [f"é{k}" if k % 4 else None for k in range(N)]
    assert table.schema.field("mag").metadata == {b"unit": b"mag"} and table.schema.field("source_id").metadata is None
    assert {f.name: f.description for f in stream.fields}["ra"] == "Right ascension"


@pytest.mark.parametrize("notation", ["tabledata", "binary", "binary2"])
def test_rows_are_given_while_the_answer_still_comes(notation):
    data, taken = answer(notation), []

    def chunks():
        for k in range(0, len(data), 500):
            taken.append(k)
            yield data[k:k + 500]

    stream = VotableStream(chunks(), "service")
    read = []
    for piece in stream.pieces(50):
        read.append(len(piece))
        # what was taken but not given stays below a piece, whatever the length of the answer
        assert taken[-1] / len(data) < sum(read) / N + 0.15 and len(stream._bytes) + len(stream._cells) < 2000
    assert sum(read) == N and len(read) > 8


def test_packed_answers_and_answers_without_rows():
    assert sum(map(len, pieces_of(gzip.compress(answer("binary2"))))) == N
    for notation in ("tabledata", "binary2"):
        empty = pieces_of(answer(notation, 0))
        assert [len(p) for p in empty] == [0] and empty[0].schema.field("source_id").type == pa.int64()
    bare = b'<VOTABLE><RESOURCE type="results"><TABLE><FIELD name="a" datatype="int"/></TABLE></RESOURCE></VOTABLE>'
    assert [len(p) for p in pieces_of(bare)] == [0]


@pytest.mark.parametrize("notation", ["tabledata", "binary", "binary2"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_answers(notation, share):
    data = answer(notation)
    for cut in (data[:int(len(data) * share)], gzip.compress(data)[:int(len(gzip.compress(data)) * share)]):
        with pytest.raises(CutError):
            pieces_of(cut)
    with pytest.raises(CutError, match="no whole VOTable"):
        pieces_of(b"<html><body>Busy<br></body></html>")
    with pytest.raises(CutError, match="no table"):
        pieces_of(b"<VOTABLE></VOTABLE>")


def test_binary_rows_that_end_early():
    data = answer("binary2", text="none")
    start, end = data.index(b'base64">') + 8, data.index(b"</STREAM>")
    with pytest.raises(CutError, match="last row"):
        pieces_of(data[:start] + b"".join(data[start:end].split())[:-8] + data[end:])


def test_what_the_service_says():
    for info, text in (('value="ERROR">no\n such table', "no such table"), ('value="error">', "no reason given")):
        refused = f'<vot:VOTABLE><vot:RESOURCE type="results"><vot:INFO name="QUERY_STATUS" {info}</vot:INFO></vot:RESOURCE></vot:VOTABLE>'
        with pytest.raises(RefusedError, match=text):
            pieces_of(refused.encode())
    late = answer("tabledata").replace(b"</TABLE>", b'</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>')
    stream = VotableStream([late], "service")
    assert sum(map(len, stream.pieces())) == N and stream.overflow


def test_numbers_as_services_write_them():
    cells = {
        "long": [("9223372036854775807", 2**63 - 1), (" -5 ", -5), ("0x1F", 31), ("", None), ("-999", None)],
        "double": [("+Inf", np.inf), ("-Inf", -np.inf), ("NaN", None), ("1e-3", 0.001), ("", None)],
        "boolean": [("T", True), ("false", False), ("?", None), ("1", True), ("", None)],
        "float\" arraysize=\"*": [("1 2.5", [1.0, 2.5]), ("", None), ("3", [3.0]), ("", None), ("", None)],
    }  # fmt: skip
    null = '<VALUES null="-999"/>'
    fields = "".join(f'<FIELD name="c{k}" datatype="{t}">{null if t == "long" else ""}</FIELD>' for k, t in enumerate(cells))
    rows = "".join("<TR>" + "".join(f"<TD>{v[k][0]}</TD>" for v in cells.values()) + "</TR>" for k in range(5))
    data = f"<TABLE>{fields}<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE>"
    (piece,) = pieces_of(f"<VOTABLE><RESOURCE>{data}</RESOURCE></VOTABLE>".encode())
    for k, values in enumerate(cells.values()):
        assert piece[f"c{k}"].to_pylist() == [v[1] for v in values]


@pytest.mark.parametrize(("field", "cell", "text"), [
    ('datatype="bit"', "1", "column a: is of the type 'bit'"), ('datatype="int"', "much", "column a: holds what is no int"),
    ('datatype="int" arraysize="?"', "1", "arraysize"), ('datatype="int"', "1</TD><TD>2</TD><TD>3", "has not 2 values"),
])  # fmt: skip
def test_what_cannot_be_read(field, cell, text):
    head = f'<VOTABLE><RESOURCE><TABLE><FIELD name="a" {field}/><FIELD name="b" datatype="int"/><DATA><TABLEDATA><TR>'
    with pytest.raises(InputError, match=text):
        pieces_of(f"{head}<TD>{cell}</TD><TD>1</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>".encode())
