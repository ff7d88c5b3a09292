"""Native rows become canonical cells: nothing lost, nothing twice, everything removed is counted, every fault one clear error."""

import hashlib
import os

import numpy as np
import pandas as pd
import pytest
from catalog_tables import BY_ID, CELLS, NSIDE, SPEC, changed, ids, sky

from starlabels import catalogs
from starlabels.catalogs import run_catalog
from starlabels.cells import cell_of, cell_of_gaia_id
from starlabels.errors import InputError
from starlabels.io import read_json, read_meta, read_table
from starlabels.spill import Spill


def run(folder, frames, spec=SPEC, cells=CELLS, margin=600.0, **options):
    """Write the frames as CSV files and run the catalogue; returns the cells and the flow."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"part-{i}.csv" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.to_csv(path, index=False)
    out = folder / "out"
    outputs = {c: out / f"cell-{c:05d}.parquet" for c in cells}
    run_catalog("made_up", options.pop("order", paths), spec, cells, NSIDE, margin, outputs, out / "selection.json", **options)
    return {c: read_table(p) for c, p in outputs.items()}, {e["cut"]: e for e in read_json(out / "selection.json")}


def test_each_row_is_in_one_cell_and_copied_near_borders(tmp_path):
    frame = sky()
    cells, flow = run(tmp_path, [frame])
    own = pd.concat([t[~t["in_margin"]].assign(cell=c) for c, t in cells.items()])
    kept = set(frame["NAME"]) - set(frame["NAME"].iloc[[3, 5, 6, 8]])
    assert sorted(own["name"]) == sorted(kept)
    assert (cell_of(own["ra"], own["dec"], NSIDE) == own["cell"]).all()
    copies = pd.concat([t[t["in_margin"]].assign(cell=c) for c, t in cells.items()])
    assert len(copies) and (cell_of(copies["ra"], copies["dec"], NSIDE) != copies["cell"]).all()
    assert all(t["name"].is_monotonic_increasing for t in cells.values())
    assert [(e["kept"], e["dropped"]) for e in flow.values() if e["dropped"]] == [(399, 1), (397, 2), (396, 1)]
    assert list(flow)[-4:] == ["bad bit", "flag 0 or 1", "position known", "in a cell of this run"]
    assert flow["mag: sentinel"]["made_missing"] == 1 and flow["upper limit"]["made_missing"] == 2
    assert flow["mjd: sentinel"]["made_missing"] == 1


def test_values_are_canonical(tmp_path):
    frame = sky()
    cells, _ = run(tmp_path, [frame], margin=0.0)
    table = pd.concat(cells.values()).set_index("name")
    first, upper, no_error, no_date, plain = (table.loc[frame["NAME"][i]] for i in (0, 1, 2, 7, 20))
    assert np.isnan(first["mag"]) and np.isnan(upper["mag"]) and np.isnan(no_error["mag"]) and upper["mag_err"] == np.float32(0.1)
    assert plain["mag"] == pytest.approx(frame["MAG"][20] - 2.5, abs=1e-5)
    assert no_date["ref_epoch"] == 2010.0 and plain["ref_epoch"] == pytest.approx(2016.0, abs=1e-3)
    assert plain["snr"] == pytest.approx(10.857, abs=1e-3)
    assert list(table.columns) == ["ra", "dec", "mag", "mag_err", "quality", "flag", "snr", "ref_epoch", "in_margin"]
    assert table["mag"].dtype == np.float32 and table["flag"].dtype == np.int32 and table["in_margin"].dtype == bool


def test_empty_cells_have_the_same_schema_and_every_column_is_described(tmp_path):
    one = sky(40).assign(RA=10.0, DEC=10.0)
    cells, _ = run(tmp_path, [one])
    filled = [c for c, t in cells.items() if len(t)]
    assert len(filled) == 1
    for cell, table in cells.items():
        assert table.dtypes.equals(cells[filled[0]].dtypes)
        meta = read_meta(tmp_path / "out" / f"cell-{cell:05d}.parquet")
        assert meta["dataset"] == "made_up" and meta["cell"] == cell
        assert meta["columns"]["mag"] == {
            "unit": "mag", "description": "mag", "native": "MAG", "source": "nobody", "sentinel": -999.99, "missing": None,
        }  # fmt: skip
        assert all(meta["columns"][c]["description"] for c in table.columns)


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "out").iterdir())}


def test_same_bytes_for_any_pieces_order_and_memory(tmp_path, monkeypatch):
    frames = [sky(200, 1), sky(200, 2).assign(NAME=lambda f: "t" + f["NAME"])]
    run(tmp_path / "a", frames)
    paths = [tmp_path / "b" / "part-1.csv", tmp_path / "b" / "part-0.csv"]
    monkeypatch.setattr(catalogs, "Spill", lambda folder, schema: Spill(folder, schema, budget_bytes=2000))
    run(tmp_path / "b", frames, rows=17, order=paths)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert not [p for p in (tmp_path / "b" / "out").iterdir() if p.name.startswith(".")]


def test_rows_outside_the_cells_of_the_run_are_counted_but_still_fill_margins(tmp_path):
    frame = sky()
    every, _ = run(tmp_path / "all", [frame])
    some, flow = run(tmp_path / "some", [frame], cells=[5, 6])
    for cell in (5, 6):
        assert some[cell].equals(every[cell])
    assert flow["in a cell of this run"]["kept"] == sum(int((~some[c]["in_margin"]).sum()) for c in (5, 6))
    assert flow["in a cell of this run"]["dropped"] > 300


def test_cells_by_gaia_id_have_no_copies(tmp_path):
    frame = pd.DataFrame({"ID": ids(), "MAG": 10.0})
    frame.loc[0, "ID"] = -9999
    cells, flow = run(tmp_path, [frame], BY_ID)
    assert not any(t["in_margin"].any() for t in cells.values())
    for cell, table in cells.items():
        assert (cell_of_gaia_id(table["gaia_dr3_source_id"], NSIDE) == cell).all()
    found = np.sort(np.concatenate([t["gaia_dr3_source_id"] for t in cells.values()]))
    assert np.array_equal(found, np.sort(frame["ID"].to_numpy()[1:]))          # every digit
    assert flow["no id"]["dropped"] == 1 and flow["gaia_dr3_source_id: sentinel"]["made_missing"] == 1


def test_ids_as_text(tmp_path):
    frame = pd.DataFrame({"ID": [str(i) for i in ids(20)], "MAG": 10.0})
    frame.loc[3, "ID"] = "  "
    spec = {**BY_ID, "format_options": {"padded": True}}
    cells, flow = run(tmp_path, [frame], spec)
    assert flow["no id"]["dropped"] == 1 and sum(len(t) for t in cells.values()) == 19


def test_tables_without_place_go_to_the_first_cell_with_a_running_number(tmp_path):
    spec = {**BY_ID, "cell_by": "none", "generate_id": "gaia_dr3_source_id", "columns": {"mag": SPEC["columns"]["mag"]}, "drop": []}
    frame = pd.DataFrame({"MAG": np.arange(5.0)})
    cells, _ = run(tmp_path, [frame, frame], spec, cells=[4, 9], rows=2)
    assert list(cells[4]["gaia_dr3_source_id"]) == list(range(1, 11)) and len(cells[9]) == 0
    assert "Running number" in read_meta(tmp_path / "out" / "cell-00004.parquet")["columns"]["gaia_dr3_source_id"]["description"]


def run_file(path, spec):
    """Run one file that is there already; returns its cells."""
    outputs = {c: path.parent / f"{c}.parquet" for c in CELLS}
    run_catalog("x", [path], spec, CELLS, NSIDE, 0, outputs, path.parent / "s.json")
    return [read_table(p) for p in outputs.values()]


def fails(folder, frames, spec, match, **options):
    """The run ends in an InputError that matches, and leaves no file behind."""
    with pytest.raises(InputError, match=match) as caught:
        run(folder, frames, spec, **options)
    out = folder / "out"
    assert not out.exists() or not list(out.iterdir())
    assert caught.value.remedy
    return str(caught.value)


def test_duplicate_ids(tmp_path):
    frame = pd.DataFrame({"ID": ids(), "MAG": 10.0})
    text = fails(tmp_path, [frame, frame.iloc[[7]]], BY_ID, "holds the same id more than once")
    assert str(frame["ID"][7]) in text and "column ID" in text and "part-0.csv (and 1 more)" in text


def test_ids_that_went_through_a_float_and_back(tmp_path):
    rounded = ids(300).astype(np.float64).astype(np.int64)
    fails(tmp_path / "binary", [pd.DataFrame({"ID": rounded, "MAG": 10.0})], BY_ID, "column ID: .*went through a float and lost digits")
    printed = [int(f"{i:.14e}".replace(".", "")[:15]) * 10 ** (len(str(i)) - 15) for i in ids(20)]
    fails(tmp_path / "printed", [pd.DataFrame({"ID": printed, "MAG": 10.0})], BY_ID, "all end in 000")


def test_ids_stored_as_float(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "t.parquet"
    pd.DataFrame({"ID": ids(5).astype(float), "MAG": 10.0}).to_parquet(path)
    with pytest.raises(InputError, match="column ID: is stored as a float.*lost digits"):
        run_file(path, {**BY_ID, "format": "parquet"})
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_real_ids_are_not_suspected(tmp_path):
    run(tmp_path, [pd.DataFrame({"ID": ids(5000), "MAG": 10.0})], BY_ID)


@pytest.mark.parametrize("bad", [-5, 12 * 4096**2 << 35])
def test_ids_that_are_no_gaia_ids(bad, tmp_path):
    fails(tmp_path, [pd.DataFrame({"ID": [*ids(5), bad], "MAG": 10.0})], BY_ID, f"holds {bad}, which is not a Gaia source id")


def test_missing_ids_need_a_rule(tmp_path):
    fails(tmp_path, [pd.DataFrame({"ID": [*ids(5), 0], "MAG": 10.0})], {**BY_ID, "drop": []}, "column ID: has 1 rows without a value")


def test_absent_column(tmp_path):
    text = fails(tmp_path, [sky().rename(columns={"MAG": "MAGN"})], SPEC, "column MAG: is absent")
    assert "nearest present: MAGN" in text


def test_text_in_a_number(tmp_path):
    frame = sky().astype({"MAG": object})
    frame.loc[30, "MAG"] = "bright"
    fails(tmp_path / "typed", [frame], SPEC, "column MAG, data row 31: holds 'bright', which is not a number")
    padded = {**SPEC, "format_options": {"padded": True}}
    fails(tmp_path / "padded", [frame], padded, "column MAG: holds 'bright', which is not a number")


def test_a_column_of_nothing(tmp_path):
    fails(tmp_path / "nan", [sky().assign(MAG=np.nan)], SPEC, "column MAG: holds no value in any of 400 rows")
    fails(tmp_path / "sentinel", [sky().assign(MAG=-999.99)], SPEC, "column MAG: holds no value in any of 400 rows")
    run(tmp_path / "optional", [sky().assign(MAG=np.nan)], changed(SPEC, "mag", optional=True))


def ecsv(folder, unit):
    folder.mkdir(exist_ok=True)
    header = "".join(f"# - {{name: {n}, datatype: {k}{u}}}\n" for n, k, u in (("ID", "int64", ""), ("MAG", "float64", f", unit: {unit}")))
    path = folder / "t.ecsv"
    path.write_text("# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n" + header + "ID,MAG\n" + "".join(f"{i},2.0\n" for i in ids(12)))
    return path


def test_units_are_converted_or_refused(tmp_path):
    spec = {**changed(BY_ID, "mag", unit="mas"), "format": "ecsv"}
    tables = run_file(ecsv(tmp_path / "a", "arcsec"), spec)
    assert np.allclose(pd.concat(tables)["mag"], 2000.0, rtol=1e-12)
    with pytest.raises(InputError, match="column MAG: is in km, which cannot become mas"):
        run_file(ecsv(tmp_path / "b", "km"), spec)
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["t.ecsv"]
    with pytest.raises(InputError, match="is in mag, which cannot become mas"):
        run_file(ecsv(tmp_path / "c", "mag"), spec)


def test_positions_in_the_wrong_unit(tmp_path):
    fails(tmp_path, [sky().assign(DEC=lambda f: f["DEC"] * 3600)], SPEC, "column dec: holds .*, which is no position in deg")


def test_nothing_to_do(tmp_path):
    fails(tmp_path / "rows", [sky().iloc[:0]], SPEC, "holds no row")
    fails(tmp_path / "cells", [sky(30).assign(RA=10.0, DEC=10.0)], SPEC, "none of .* rows lies in a cell of this run", cells=[40])
    fails(tmp_path / "cuts", [sky().assign(MASK=4)], SPEC, "its filters leave none of 400 rows")
    fails(tmp_path / "files", [], SPEC, "names no file")
    cells, _ = run(tmp_path / "allowed", [sky().iloc[:0]], {**SPEC, "may_be_empty": True}, cells=[1])
    assert len(cells[1]) == 0


@pytest.mark.parametrize("part", [
    {"sort": ["nam"]}, {"unique": "id"}, {"cell_by": "gaia_dr3_source_id"}, {"epoch": {"columns": ["date"], "scale": "mjd"}},
    {"drop": [{"text": "x", "where": {"column": "maks", "bits": [1]}}]},
    {"blank": [{"text": "x", "columns": ["magg"], "where": {"column": "mag", "min": 1}}]},
    {"derive": {"snr": {"recipe": "signal", "err": "mag_err"}}},
])  # fmt: skip
def test_an_entry_that_names_what_it_lacks(part, tmp_path):
    fails(tmp_path, [sky()], {**SPEC, **part}, "configuration key `datasets.made_up")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    fails(tmp_path, [sky()], SPEC, "cannot be made")


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be made"):
        run(tmp_path, [sky()])


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    calls = []

    def full(path, *args):
        calls.append(path)
        if len(calls) > 3:
            raise InputError(path, "could not be written (No space left on device)", "Free space")
        path.parent.mkdir(exist_ok=True)
        path.touch()

    monkeypatch.setattr(catalogs, "write_table", full)
    fails(tmp_path, [sky()], SPEC, "No space left")


def test_a_scratch_folder_of_a_killed_run_is_emptied(tmp_path):
    left = tmp_path / "out" / ".selection.json.scratch"
    left.mkdir(parents=True)
    (left / "5.arrows").write_bytes(b"rubbish")
    run(tmp_path, [sky()])
    assert not left.exists()
