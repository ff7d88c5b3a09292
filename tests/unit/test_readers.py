"""Every native format gives the same rows in pieces, and every kind of damage is one clear error."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from starlabels.errors import InputError
from starlabels.readers import iter_native
from starlabels.values import to_float

IDS = [6636090334814214528, 6636090339112400000, 3077424130070968832, 1, 4583627001381815937]
ROWS = pd.DataFrame({
    "source_id": IDS, "ra": [1.5, 2.5, 3.5, 4.5, 359.5], "mag": [10.0, np.nan, 12.0, 13.25, 14.0], "name": ["a", "b c", "d", "é", "f"],
})  # fmt: skip
COLUMNS = {
    "gaia_dr3_source_id": {"native": ["Source", "source_id"], "type": "int64", "description": "id"},
    "ra": {"native": "RA", "description": "ra"},
    "mag": {"native": ["mag"], "description": "magnitude"},
    "name": {"native": "name", "type": "str", "description": "name"},
    "extra": {"native": "not_there", "optional": True, "description": "optional"},
}


def spec(kind, **options):
    return {"format": kind, "format_options": options, "columns": COLUMNS}


def write(kind, path):
    """Write ROWS in a native format; returns the entry that reads it."""
    table = Table.from_pandas(ROWS)
    table["ra"].unit, table["mag"].unit = "deg", "mag"
    if kind == "csv":
        ROWS.to_csv(path, index=False)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(ROWS.to_csv(index=False).encode()))
        return spec("csv")
    elif kind == "psv":
        ROWS.to_csv(path, index=False, header=False, sep="|", na_rep=r"\N")
        return spec("psv", names=list(ROWS.columns), null=[r"\N"])
    elif kind == "tsv":
        head = "#\n# VizieR\n#\n" + "\t".join(ROWS.columns) + "\n \tdeg\tmag\t \n--\t--\t--\t--\n"
        path.write_text(head + ROWS.to_csv(index=False, header=False, sep="\t", na_rep="   "))
        return spec("tsv", comment="#", skip_after=2, units_line=0, padded=True)
    elif kind == "ecsv":
        table.filled(np.nan).write(path, format="ascii.ecsv", delimiter=",")
        path.write_text(path.read_text().replace(",nan,", ",null,").replace(",,", ",null,"))
    elif kind == "parquet":
        ROWS.to_parquet(path)
    elif kind == "votable":
        table.write(path, format="votable")
    elif kind in ("fits", "fits.gz"):
        array = [fits.Column("source_id", "K", array=ROWS["source_id"]), fits.Column("ra", "D", unit="deg", array=ROWS["ra"])]
        array += [fits.Column("mag", "E", unit="mag", array=ROWS["mag"]), fits.Column("name", "4A", array=["a", "b c", "d", "e", "f"])]
        array += [fits.Column("many", "3E", array=np.arange(15.0).reshape(5, 3))]
        plain = path.with_suffix(".plain")
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(array)]).writeto(plain)
        path.write_bytes(gzip.compress(plain.read_bytes()) if kind.endswith("gz") else plain.read_bytes())
        return spec("fits")
    elif kind == "fixed_width":
        lines = [f"{i:<20d}{r:8.3f}{'' if np.isnan(m) else format(m, '.2f'):>8s}  {n}" for i, r, m, n in ROWS.itertuples(index=False)]
        path.write_text("a line to skip\n" + "\n".join(lines) + "\n")
        return spec("fixed_width", skip_rows=1, fields={"source_id": [0, 20], "ra": [20, 28], "mag": [28, 36], "name": [38, 42]})
    return spec(kind)


FORMATS = ["csv", "csv.gz", "psv", "tsv", "ecsv", "parquet", "votable", "fits", "fits.gz", "fixed_width"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rows", [2, 100])
def test_formats_give_the_same_rows(kind, rows, tmp_path):
    path = tmp_path / "table"
    entry = write(kind, path)
    pieces = list(iter_native(path, entry, rows))
    assert [len(p) for p in pieces] == ([2, 2, 1] if rows == 2 else [5])
    assert pieces[0].attrs["names"] == {"gaia_dr3_source_id": "source_id", "ra": "ra", "mag": "mag", "name": "name", "extra": None}
    whole = pd.concat(pieces, ignore_index=True)
    assert [int(i) for i in whole["source_id"]] == IDS                     # every digit, whatever the format
    assert np.allclose(to_float(whole["ra"], "ra"), ROWS["ra"])
    assert np.allclose(to_float(whole["mag"], "mag"), ROWS["mag"], equal_nan=True)
    assert list(whole["name"])[:3] == ["a", "b c", "d"]
    assert "many" not in whole
    if kind in ("ecsv", "votable", "fits", "fits.gz", "tsv"):
        assert pieces[0].attrs["units"] == {"ra": "deg", "mag": "mag"}


@pytest.mark.parametrize("kind", ["csv", "psv", "ecsv", "parquet", "fits", "votable"])
def test_a_table_without_rows_keeps_its_columns(kind, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROWS", ROWS.iloc[:0])
    path = tmp_path / "table"
    if kind == "fits":
        Table.from_pandas(ROWS.assign(name=np.empty(0, "U2"))).write(path, format="fits")
        entry = spec("fits")
    elif kind == "psv":                                                  # no header: not even a line
        path.write_text("\n")
        entry = spec("psv", names=list(ROWS.columns))
    else:
        entry = write(kind, path)
    (piece,) = iter_native(path, entry)
    assert len(piece) == 0 and {"source_id", "ra", "mag", "name"} <= set(piece.columns)


def test_one_value_of_an_array_column(tmp_path):
    path = tmp_path / "t.fits"
    entry = write("fits", path)
    entry["columns"] = {"x": {"native": "many", "index": 1, "description": "x"}}
    (piece,) = iter_native(path, entry)
    assert list(piece["many"]) == [1.0, 4.0, 7.0, 10.0, 13.0]
    entry["columns"] = {"x": {"native": "many", "description": "x"}}
    with pytest.raises(InputError, match="column many: has .* values a row.*index"):
        list(iter_native(path, entry))


def test_null_integers_of_fits_stay_missing(tmp_path):
    path = tmp_path / "t.fits"
    column = fits.Column("source_id", "K", null=-1, array=np.array([IDS[0], -1]))
    fits.BinTableHDU.from_columns([column]).writeto(path)
    (piece,) = iter_native(path, {"format": "fits", "columns": {"id": COLUMNS["gaia_dr3_source_id"]}})
    assert piece["source_id"][0] == IDS[0] and pd.isna(piece["source_id"][1])


def test_two_line_tables(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("source_id  ra   mag name\n--------- --- ----- ----\n        1 1.5 10.00  a\n        2 2.5        b c\n")
    whole = pd.concat(iter_native(path, spec("fixed_width", two_line=True), rows=1))
    assert list(whole["source_id"]) == ["1", "2"] and list(whole["name"]) == ["a", "b c"] and whole["mag"].isna().tolist() == [False, True]


def read_all(path, entry):
    return list(iter_native(path, entry, 2))


@pytest.mark.parametrize("kind", [k for k in FORMATS if k != "psv"])
def test_absent_column_names_the_nearest(kind, tmp_path):
    path = tmp_path / "table"
    entry = write(kind, path)
    entry["columns"] = {**COLUMNS, "mag": {"native": ["magn", "mga"], "description": "magnitude"}}
    with pytest.raises(InputError, match=r"column magn or mga: is absent; nearest present: mag"):
        read_all(path, entry)


@pytest.mark.parametrize("kind", ["csv.gz", "fits", "fits.gz", "parquet", "votable"])
def test_truncated_files(kind, tmp_path):
    path = tmp_path / "table"
    entry = write(kind, path)
    size = path.stat().st_size
    # a FITS table is padded to 2880 bytes: cut into the data, not into the padding
    keep = size - 2880 - 2700 if kind == "fits" else int(size * 0.6)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="truncated|damaged|not a whole|Fetch it again") as caught:
        read_all(path, entry)
    assert str(path) in str(caught.value)


def test_a_line_cut_short(tmp_path):
    path = tmp_path / "t.csv"
    entry = write("csv", path)
    path.write_text(path.read_text()[:-12])
    with pytest.raises(InputError, match="fields where 4 are expected"):
        read_all(path, entry)


@pytest.mark.parametrize("kind", ["csv", "fits", "parquet", "votable", "ecsv"])
def test_missing_empty_and_foreign_files(kind, tmp_path):
    path = tmp_path / "table"
    with pytest.raises(InputError, match="does not exist"):
        read_all(path, spec(kind))
    path.touch()
    with pytest.raises(InputError, match="is empty"):
        read_all(path, spec(kind))
    path.write_bytes(b"<html><body>404 not found</body></html>\n")
    with pytest.raises(InputError) as caught:
        read_all(path, spec(kind))
    assert str(path) in str(caught.value) and caught.value.remedy
    with pytest.raises(InputError, match="is a folder"):
        read_all(tmp_path, spec(kind))


def test_text_in_a_number(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("source_id,ra,mag,name\n1,1.5,10,a\n2,oops,11,b\n")
    with pytest.raises(InputError, match=r"column ra, data row 2: holds 'oops', which is not a number"):
        read_all(path, spec("csv"))


@pytest.mark.parametrize("text", ["6.63609033481421e+18", "6636090334814214528.0"])
def test_an_id_printed_as_a_float(text, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"source_id,ra,mag,name\n{text},1.5,10,a\n")
    with pytest.raises(InputError, match="column source_id.*went through a float and lost digits"):
        read_all(path, spec("csv"))


def test_wrong_bytes(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("source_id,ra,mag,name\n1,1.5,10,é\n".encode("latin-1"))
    with pytest.raises(InputError):
        read_all(path, spec("csv"))
    (piece,) = read_all(path, spec("csv", encoding="latin-1"))
    assert list(piece["name"]) == ["é"]


def test_wrong_hdu_and_format(tmp_path):
    path = tmp_path / "t.fits"
    write("fits", path)
    with pytest.raises(InputError, match="no binary table as HDU 4"):
        read_all(path, spec("fits", hdu=4))
    with pytest.raises(InputError, match="Known formats"):
        read_all(path, spec("xlsx"))


def test_a_gzipped_fits_leaves_no_copy_behind(tmp_path):
    path, scratch = tmp_path / "t.fits.gz", tmp_path / "scratch"
    scratch.mkdir()
    entry = write("fits.gz", path)
    assert len(list(iter_native(path, entry, 2, scratch))) == 3
    assert not list(scratch.iterdir())


def test_cds_tables_join_by_key(tmp_path):
    readme = tmp_path / "ReadMe"
    rule = "-" * 80 + "\n"
    block = "Byte-by-byte Description of file: {}\n" + rule + "   Bytes Format Units Label  Explanations\n" + rule + "{}" + rule + "\n"
    readme.write_text(
        "J/Made/Up\n\nFile Summary:\n" + rule + " FileName   Lrecl  Records   Explanations\n" + rule
        + "ReadMe 80 . This\none.dat 12 2 One\ntwo.dat 12 2 Two\n" + rule + "\n"
        + block.format("one.dat", "   1-  3  I3    ---   Seq    Number\n   5-  9  F5.2  mag   mag    ?=99.99 Magnitude\n")
        + block.format("two.dat", "   1-  3  I3    ---   Seq    Number\n   5-  9  F5.1  deg   ra     Position\n")
    )  # fmt: skip
    (tmp_path / "one.dat").write_text("  1 10.50\n  2 99.99\n")
    (tmp_path / "two.dat").write_text("  2   7.0\n  1   5.0\n")
    entry = {"format": "cds", "format_options": {"readme": "ReadMe", "join": {"table": "two.dat", "key": "Seq"}},
             "columns": {c: COLUMNS[c] for c in ("ra", "mag")}}
    (piece,) = iter_native(tmp_path / "one.dat", entry)
    assert list(piece["ra"]) == [5.0, 7.0] and piece["mag"][0] == 10.5 and np.isnan(piece["mag"][1])
    assert piece.attrs["units"] == {"ra": "deg", "mag": "mag"}
    shutil.move(readme, tmp_path / "elsewhere")
    with pytest.raises(InputError, match="ReadMe: does not exist"):
        list(iter_native(tmp_path / "one.dat", entry))
