"""Catalogues of many files: the cells of any parts and groups are those of one job, byte for byte; so are the checks and the flow."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from catalog_tables import BY_ID, SPEC, changed, ids, sky

from starlabels import catalog_parts, catalog_rows
from starlabels.catalog_jobs import CatalogJobs, shares
from starlabels.catalog_parts import run_catalog_counts, run_catalog_merge, run_catalog_part
from starlabels.catalogs import run_catalog
from starlabels.cells import cell_of
from starlabels.errors import InputError
from starlabels.io import TableWriter, read_json, read_table, write_json
from starlabels.spill import Spill

NSIDE, CELLS = 1, list(range(12))
MARGIN = 3000.0
#: no column that is sorted by tells these rows apart: only the order of files and rows does
TIES = {**SPEC, "sort": ["quality"]}


def write(folder, frames):
    """The frames as CSV files."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"part-{i:02d}.csv" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.to_csv(path, index=False)
    return paths


def one_job(paths, out, spec, cells=CELLS, margin=MARGIN, rows=200_000):
    """Bytes of what one job writes."""
    outputs = {c: out / f"cell-{c:05d}.parquet" for c in cells}
    run_catalog("made_up", paths, spec, cells, NSIDE, margin, outputs, out / "selection.json", rows)
    return digests(out)


def many_jobs(paths, out, spec, cells=CELLS, margin=MARGIN, files=1, group=10_000, rows=200_000):
    """Bytes of what jobs of so many files and groups of so many cells write."""
    jobs = CatalogJobs({"made_up": spec}, lambda _: [str(p) for p in paths], cells, files, group)
    parts, counts = [], []
    for name, share in jobs.parts["made_up"].items():
        parts.append(out / "parts" / f"part-{name}.parquet")
        counts.append(parts[-1].with_suffix(".json"))
        run_catalog_part("made_up", share, spec, cells, NSIDE, margin, parts[-1], counts[-1], rows)
    run_catalog_counts("made_up", counts, spec, out / "selection.json")
    for members in jobs.groups.values():
        outputs = {c: out / f"cell-{c:05d}.parquet" for c in members}
        run_catalog_merge("made_up", parts, counts, spec, members, NSIDE, outputs)
    return digests(out)


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir()) if p.is_file()}


def several(n=6, rows=150):
    """Skies of different stars, the last two in one corner, and a table without rows."""
    frames = [sky(rows, seed).assign(NAME=lambda f, s=seed: f"{s}" + f["NAME"]) for seed in range(n)]
    frames[-2:] = [f.assign(RA=44.0 + f["RA"] / 100, DEC=np.where(f["RA"].isna(), f["DEC"], 1.0)) for f in frames[-2:]]
    return [*frames[:2], frames[0].iloc[:0], *frames[2:]]


@pytest.mark.parametrize(("spec", "cells"), [(SPEC, CELLS), (TIES, CELLS), (TIES, [0, 4, 5, 9])], ids=["sorted", "ties", "some cells"])
def test_same_bytes_however_files_and_cells_are_shared_out(spec, cells, tmp_path):
    paths = write(tmp_path / "native", several())
    expected = one_job(paths, tmp_path / "one", spec, cells)
    assert len(expected) == len(cells) + 1
    for name, options in {
        "files": {"files": 1}, "pairs": {"files": 2, "group": 5}, "cells": {"files": 6, "group": 1},
        "pieces": {"files": 3, "group": 3, "rows": 17},
    }.items():  # fmt: skip
        assert many_jobs(paths, tmp_path / name, spec, cells, **options) == expected, name
    assert many_jobs(paths[::-1], tmp_path / "order", spec, cells, files=2) == expected
    assert one_job(paths, tmp_path / "small", spec, cells, rows=13) == expected


def test_the_made_up_sky_has_what_the_splits_must_not_change(tmp_path):
    paths = write(tmp_path / "native", several())
    one_job(paths, tmp_path / "one", TIES)
    tables = {c: read_table(tmp_path / "one" / f"cell-{c:05d}.parquet") for c in CELLS}
    mixed = [t for t in tables.values() if len(t) and t["name"].str[0].nunique() > 1 and 0 < t["in_margin"].sum() < len(t)]
    assert len(mixed) > 5                                   # rows of several files, some of them copied over a border
    crowded = tables[max(tables, key=lambda c: len(tables[c]))]
    assert crowded["quality"].duplicated().sum() > 200
    margins = [t[t["in_margin"]] for t in tables.values()]
    assert any(t["name"].str[0].nunique() > 1 for t in margins)


def test_same_bytes_when_memory_is_short_and_cells_are_large(tmp_path, monkeypatch):
    paths = write(tmp_path / "native", several())
    expected = one_job(paths, tmp_path / "one", TIES)
    monkeypatch.setattr(catalog_parts, "Spill", lambda folder, schema: Spill(folder, schema, budget_bytes=2000))
    monkeypatch.setattr(catalog_parts, "GROUP_ROWS", 7)
    assert many_jobs(paths, tmp_path / "many", TIES, files=3, group=7) == expected
    index = read_json(tmp_path / "many/parts/part-0000.json")["cells"]
    assert max(groups for _, _, groups, _ in index) > 1
    assert [p.name for p in (tmp_path / "many").iterdir() if p.name.startswith(".")] == []


def test_a_part_is_sorted_by_cell_and_every_cell_has_row_groups_of_its_own(tmp_path):
    paths = write(tmp_path / "native", [sky(500)])
    part, counts = tmp_path / "p.parquet", tmp_path / "p.json"
    run_catalog_part("made_up", paths, SPEC, CELLS, NSIDE, 0.0, part, counts)
    file, content = pq.ParquetFile(part), read_json(counts)
    assert content["files"] == [str(paths[0])] and content["counts"]["rows"] == 500
    assert [c for c, *_ in content["cells"]] == sorted(c for c, *_ in content["cells"])
    for cell, first, groups, rows in content["cells"]:
        table = file.read_row_groups(range(first, first + groups)).to_pandas()
        assert len(table) == rows > 0 and (cell_of(table["ra"], table["dec"], NSIDE) == cell).all()
    assert sum(groups for _, _, groups, _ in content["cells"]) == file.num_row_groups
    assert sum(rows for *_, rows in content["cells"]) == file.metadata.num_rows == content["counts"]["placed"]


def test_cells_without_rows_and_datasets_without_rows(tmp_path):
    corner = sky(60).assign(RA=10.0, DEC=10.0)
    paths = write(tmp_path / "corner", [corner, corner.iloc[:0], corner.assign(NAME=lambda f: "t" + f["NAME"])])
    expected = one_job(paths, tmp_path / "one", SPEC)
    assert many_jobs(paths, tmp_path / "many", SPEC, group=5) == expected
    filled = [c for c in CELLS if len(read_table(tmp_path / "many" / f"cell-{c:05d}.parquet"))]
    assert 1 <= len(filled) <= 2                             # its cell, and the one that it is in the margin of
    spec = {**SPEC, "may_be_empty": True}
    paths = write(tmp_path / "nothing", [corner.iloc[:0]] * 3)
    assert many_jobs(paths, tmp_path / "none", spec, group=5) == one_job(paths, tmp_path / "single", spec)
    spec = {**BY_ID, "cell_by": "none"}
    paths = write(tmp_path / "placeless", [pd.DataFrame({"ID": ids(30, s), "MAG": 10.0}) for s in range(3)])
    assert many_jobs(paths, tmp_path / "all", spec, [4, 9], group=1) == one_job(paths, tmp_path / "first", spec, [4, 9])
    assert len(read_table(tmp_path / "all/cell-00004.parquet")) == 90


def test_an_optional_column_that_only_some_files_have(tmp_path):
    spec = changed(SPEC, "mag", optional=True)
    frames = [sky(50, s).assign(NAME=lambda f, s=s: f"{s}" + f["NAME"]) for s in range(4)]
    for lacking in ([0], [1, 3]):
        folder = tmp_path / f"without-{lacking[0]}"
        given = [f.drop(columns="MAG") if i in lacking else f for i, f in enumerate(frames)]
        paths = write(folder, given)
        assert many_jobs(paths, folder / "many", spec) == one_job(paths, folder / "one", spec)


def same_error(folder, frames, spec, match, cells=CELLS, **options):
    """One job and many end in the same words; many leave no cell behind."""
    paths = write(folder, frames)
    with pytest.raises(InputError, match=match) as single:
        one_job(paths, folder / "one", spec, cells)
    with pytest.raises(InputError, match=match) as shared:
        many_jobs(paths, folder / "many", spec, cells, **options)
    assert str(shared.value) == str(single.value)
    assert not list((folder / "many").glob("cell-*"))


def test_what_only_the_whole_dataset_can_tell(tmp_path):
    def tables(made):
        return [pd.DataFrame({"ID": made[i::3], "MAG": 10.0}) for i in range(3)]

    rounded = [int(i) for i in ids(60).astype(np.float64).astype(np.int64)]   # of each part too few to tell (40)
    same_error(tmp_path / "binary", tables(rounded), BY_ID, "column ID: .*went through a float and lost digits")
    printed = [int(f"{i:.14e}".replace(".", "")[:15]) * 10 ** (len(str(i)) - 15) for i in ids(21)]
    same_error(tmp_path / "printed", tables(printed), BY_ID, "all end in 000")
    short = [sky(9, s).assign(MAG=np.nan, NAME=lambda f, s=s: f"{s}" + f["NAME"]) for s in range(3)]     # fewer than 10 rows each
    same_error(tmp_path / "column", short, SPEC, "column MAG: holds no value in any of 27 rows")
    same_error(tmp_path / "rows", [sky().iloc[:0]] * 3, SPEC, "holds no row")
    near = [sky(30, s).assign(RA=10.0, DEC=10.0) for s in range(3)]
    same_error(tmp_path / "cells", near, SPEC, "none of .* rows lies in a cell of this run", cells=[9])
    same_error(tmp_path / "cuts", [sky().assign(MASK=4)] * 2, SPEC, "its filters leave none of 800 rows")


def test_a_column_that_one_part_lacks_a_value_of_is_no_error(tmp_path):
    frames = [sky(50, s).assign(NAME=lambda f, s=s: f"{s}" + f["NAME"]) for s in range(3)]
    frames[1] = frames[1].assign(MAG=np.nan)
    paths = write(tmp_path / "native", frames)
    assert many_jobs(paths, tmp_path / "many", SPEC) == one_job(paths, tmp_path / "one", SPEC)


@pytest.mark.parametrize("files", [1, 2])
def test_the_same_id_in_two_parts_or_in_one(files, tmp_path):
    frame = pd.DataFrame({"ID": ids(), "MAG": 10.0})
    frames = [frame.iloc[:50], frame.iloc[[7]], frame.iloc[50:]]
    same_error(tmp_path, frames, BY_ID, "column ID: holds the same id more than once", files=files)


def merged(folder, change):
    """Two parts, something done to them, and the merge."""
    paths = write(folder, [sky(100, s).assign(NAME=lambda f, s=s: f"{s}" + f["NAME"]) for s in range(2)])
    parts, counts = [folder / f"{i}.parquet" for i in range(2)], [folder / f"{i}.json" for i in range(2)]
    for path, part, count in zip(paths, parts, counts, strict=True):
        run_catalog_part("made_up", [path], SPEC, CELLS, NSIDE, MARGIN, part, count)
    change(parts, counts)
    run_catalog_merge("made_up", parts, counts, SPEC, CELLS, NSIDE, {c: folder / f"cell-{c}.parquet" for c in CELLS})


def cut_short(parts, counts):
    parts[1].write_bytes(parts[1].read_bytes()[:-200])


def fewer_rows(parts, counts):
    content = read_json(counts[1])
    content["cells"][0][3] += 1
    write_json(counts[1], content)


def fewer_groups(parts, counts):
    table, content = pq.read_table(parts[1]), read_json(counts[1])
    with TableWriter(parts[1]) as writer:
        writer.write(table)                                  # all in one row group
    write_json(counts[1], {**content, "cells": content["cells"][1:]})


def other_columns(parts, counts):
    table = pq.read_table(parts[1]).drop_columns("mag")
    with TableWriter(parts[1]) as writer:
        writer.write(table)


def other_filters(parts, counts):
    content = read_json(counts[1])
    content["counts"]["dropped"] = {}
    write_json(counts[1], content)


def other_file(parts, counts):
    write_json(counts[1], [])


@pytest.mark.parametrize(("change", "match"), [
    (cut_short, r"1\.parquet: is damaged"), (fewer_rows, r"1\.parquet: holds \d+ rows of cell \d+ where \d+ were counted"),
    (fewer_groups, r"1\.parquet: lacks rows of cell"), (other_columns, r"1\.parquet: has other columns"),
    (other_filters, r"1\.json: holds counts of other columns or filters"), (other_file, r"1\.json: holds no counts of a part"),
    (lambda parts, _: parts[1].unlink(), r"1\.parquet: does not exist"),
])  # fmt: skip
def test_parts_that_do_not_belong(change, match, tmp_path):
    with pytest.raises(InputError, match=match) as caught:
        merged(tmp_path, change)
    assert caught.value.remedy and not list(tmp_path.glob("cell-*"))


def test_a_part_that_fails_leaves_nothing(tmp_path):
    (path,) = write(tmp_path / "native", [sky().assign(DEC=lambda f: f["DEC"] * 3600)])
    with pytest.raises(InputError, match="column dec: holds .*, which is no position in deg"):
        run_catalog_part("made_up", [path], SPEC, CELLS, NSIDE, 0.0, tmp_path / "out/p.parquet", tmp_path / "out/p.json")
    assert not list((tmp_path / "out").iterdir())


def test_memory_of_a_part_holds_pieces_not_files(tmp_path, monkeypatch):
    """Rows are converted in pieces and leave for the spill at once: no piece ever exceeds what was asked for."""
    seen = []
    real = catalog_rows.distribute

    def watched(frame, *rest):
        seen.append(len(frame))
        return real(frame, *rest)

    monkeypatch.setattr(catalog_rows, "distribute", watched)
    paths = write(tmp_path / "native", several())
    run_catalog_part("made_up", paths, SPEC, CELLS, NSIDE, MARGIN, tmp_path / "p.parquet", tmp_path / "p.json", rows=40)
    assert len(seen) > 10 and max(seen) < 80


def test_files_and_cells_are_shared_out():
    assert shares([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]] and shares([], 3) == []
    files = {"few": ["b", "a"], "many": ["c", "b", "a"], "numbered": ["a", "b", "c", "d"]}

    def native(name):
        if name not in files:
            raise InputError("x", "matches no file")
        return files[name]

    entries = {"few": {}, "many": {}, "numbered": {"generate_id": "id"}, "absent": {}}
    jobs = CatalogJobs(entries, native, [9, 2, 5], 2, 2)
    assert jobs.parts == {"many": {"0000": ["a", "b"], "0001": ["c"]}}
    assert jobs.groups == {"000": [2, 5], "001": [9]}
    assert not CatalogJobs(entries, native, [9, 2, 5], 64, 64).parts
