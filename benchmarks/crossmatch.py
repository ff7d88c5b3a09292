"""Cross-match within 1 arcsec of two catalogues of one date: `crossmatch.match` and the road from table to table.

In memory: positions in, pairs out, on one core each. End to end: ours from two Parquet tables by way of HEALPix cells with margins
to one of pairs, by the stages that the workflow uses, one cell a process; astropy and STILTS from two FITS tables to one. The
workflow makes the cells once, whatever is then matched with them, so the way from the cells on is shown too.
"""

import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from . import sky_data
from .contest import Contestant, Setting, Task, contest
from .rows import Agreement, Row, compare, missing
from .sky_data import GAIA, LEFT, RADIUS

NAME = "crossmatch"
SIZES = {
    "tiny": {"rows": 4000, "rounds": 1},
    "bench": {"rows": 1_000_000, "rounds": 3},
    "large": {"rows": 5_000_000, "rounds": 3},
}
NSIDE, MARGIN = 8, 200.0      # config/config.yaml, cells
FLOOR, AIM = 3.0, 3.0
STILTS = {
    "tskymatch2": ["tskymatch2", "ra1=ra", "dec1=dec", "ra2=ra", "dec2=dec", f"error={RADIUS:g}"],          # writes all columns
    "tmatch2": ["tmatch2", "matcher=sky", f"params={RADIUS:g}", "values1=ra dec", "values2=ra dec", "progress=none",
                f"ocmd=keepcols '{LEFT} {GAIA} Separation'"],
}  # fmt: skip


def in_memory(folder: str, engine: str):
    """Positions to pairs; gives (left rows, rows of the other)."""
    import pandas as pd

    left, gaia = (pd.read_parquet(Path(folder) / f"{n}.parquet", columns=["ra", "dec"]) for n in ("left", "gaia"))

    def ours():
        from starlabels.astrometry import Positions
        from starlabels.crossmatch import match

        found = match(*(Positions(f["ra"].to_numpy(), f["dec"].to_numpy()) for f in (left, gaia)), RADIUS, move=False, unique=False)
        return found.left, found.gaia

    def astropy():
        from astropy import units as u
        from astropy.coordinates import SkyCoord

        a, b = (SkyCoord(f["ra"].to_numpy() * u.deg, f["dec"].to_numpy() * u.deg) for f in (left, gaia))
        index, separation, _ = a.match_to_catalog_sky(b)
        near = np.flatnonzero(separation.arcsec <= RADIUS)
        return near, index[near]

    return {"ours": ours, "astropy": astropy}[engine]


def one_cell(folder: str, cell: int):
    """Match a cell, as `sages.stars` does it: pairs belong to the cell of their Gaia source."""
    from starlabels.astrometry import Positions
    from starlabels.crossmatch import match
    from starlabels.io import read_table
    from starlabels.sages.stars import read_gaia

    gaia, sky = read_gaia(Path(folder) / f"gaia-{cell}.parquet", cell, NSIDE)
    rows = read_table(Path(folder) / f"left-{cell}.parquet", [LEFT, "ra", "dec"])
    found = match(Positions(rows["ra"].to_numpy(), rows["dec"].to_numpy()), sky, RADIUS, move=False, unique=False)
    mine = ~gaia["in_margin"].to_numpy(bool)[found.gaia]
    return rows[LEFT].to_numpy()[found.left[mine]], gaia[GAIA].to_numpy()[found.gaia[mine]], found.sep_arcsec[mine]


def make_cells(folder: str, dataset: str, cells: list[int]) -> None:
    """A whole table to its cells: the workflow's stage `catalog`."""
    from starlabels.catalogs import run_catalog

    place = Path(folder)
    outputs = {cell: place / f"{dataset}-{cell}.parquet" for cell in cells}
    spec = sky_data.SPECS[dataset]
    run_catalog(dataset, [place / f"{dataset}.parquet"], spec, cells, NSIDE, MARGIN, outputs, place / f"{dataset}.json")


def road(folder: str, threads: int, cells_too: bool):
    """Tables to a table of pairs, `threads` processes, which are there before the clock starts."""
    import pandas as pd

    from starlabels.cells import cell_of
    from starlabels.io import write_table

    place, output = Path(folder), Path(folder) / f"ours-{cells_too}.parquet"
    sky = [pd.read_parquet(place / f"{n}.parquet", columns=["ra", "dec"]) for n in ("left", "gaia")]
    cells = sorted({int(c) for f in sky for c in np.unique(cell_of(f["ra"], f["dec"], NSIDE))})
    pool = ProcessPoolExecutor(threads, mp_context=get_context("spawn"))
    size = [int((cell_of(sky[1]["ra"], sky[1]["dec"], NSIDE) == cell).sum()) for cell in cells]
    largest_first = [cells[k] for k in np.argsort(size)[::-1]]

    def make() -> None:
        list(pool.map(make_cells, [folder] * 2, ["left", "gaia"], [cells] * 2))

    def run() -> str:
        if cells_too:
            make()
        parts = [np.concatenate(p) for p in zip(*pool.map(one_cell, [folder] * len(cells), largest_first), strict=True)]
        write_table(output, pd.DataFrame(dict(zip((LEFT, GAIA, "sep_arcsec"), parts, strict=True))))
        return str(output)

    make()          # so the processes have loaded what they need, and there are cells to start from
    return Task(run, pairs_of, pool.shutdown)


def astropy_files(folder: str):
    """FITS to FITS through astropy."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

    place = Path(folder)

    def run() -> str:
        left, gaia = (Table.read(place / f"{n}.fits") for n in ("left", "gaia"))
        a, b = (SkyCoord(t["ra"] * u.deg, t["dec"] * u.deg) for t in (left, gaia))
        index, separation, _ = a.match_to_catalog_sky(b)
        near = separation.arcsec <= RADIUS
        pairs = Table({LEFT: left[LEFT][near], GAIA: gaia[GAIA][index[near]], "sep_arcsec": separation.arcsec[near]})
        pairs.write(place / "astropy.fits", overwrite=True)
        return str(place / "astropy.fits")

    return Task(run, pairs_of)


def stilts_files(folder: str, task: str):
    """FITS to FITS through STILTS."""
    output = Path(folder) / f"{task}.fits"
    command = ["stilts", *STILTS[task], "in1=left.fits", "in2=gaia.fits", "find=best1", "join=1and2", f"out={output.name}"]

    def run() -> str:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return str(output)

    return Task(run, pairs_of)


def pairs_of(path: str) -> np.ndarray:
    """Pairs of ids, shape (n, 2), sorted."""
    from astropy.table import Table

    table = Table.read(path)
    pairs = np.column_stack([np.asarray(table[LEFT], np.int64), np.asarray(table[GAIA], np.int64)])
    return pairs[np.lexsort(pairs.T[::-1])]


def same(ours: np.ndarray, theirs: np.ndarray) -> Agreement:
    """Whether two lists of pairs, not empty, are identical."""
    if len(ours) and np.array_equal(ours, theirs):
        return Agreement(True, f"{len(ours)} identical pairs")
    return Agreement(False, f"{len(ours)} and {len(theirs)} pairs, not the same")


def run(setting: Setting) -> list[Row]:
    """Rows in memory, then from table to table."""
    size, place = SIZES[setting.size], {"folder": str(setting.scratch)}
    setting.say(f"  two catalogues of {size['rows']} sources")
    sky_data.write(setting.scratch, sky_data.catalogues(size["rows"], 7))
    more = {"sizes": {**size, "density": sky_data.DENSITY, "nside": NSIDE, "margin_arcsec": MARGIN}}
    case = f"{size['rows'] / 1e6:g} M x {size['rows'] / 1e6:g} M"

    runners = {n: Contestant("benchmarks.crossmatch:in_memory", {**place, "engine": n}) for n in ("ours", "astropy")}
    found = contest(runners, setting, size["rounds"])
    pairs = [np.column_stack(found[n][-1].result) for n in runners]
    rows = [compare(NAME, f"{case}, in memory, one core", ("crossmatch.match", "astropy match_to_catalog_sky"), found["ours"],
                    found["astropy"], same(*pairs), floor=FLOOR, aim=AIM, **more)]

    tasks = list(STILTS) if shutil.which("stilts") and shutil.which("java") else []
    ours = {"end to end": True, "from cells": False}
    runners = {
        **{n: Contestant("benchmarks.crossmatch:road", {**place, "threads": setting.threads, "cells_too": v}) for n, v in ours.items()},
        "astropy": Contestant("benchmarks.crossmatch:astropy_files", place),
        **{t: Contestant("benchmarks.crossmatch:stilts_files", {**place, "task": t}) for t in tasks},
    }
    found = contest(runners, setting, size["rounds"], warm=0)          # inputs are in the cache: they have just been written
    peers = {"astropy": "astropy, FITS to FITS"} | {t: f"STILTS {t}, FITS to FITS" for t in STILTS}
    for name in ours:
        for peer, title in peers.items():
            what, names = f"{case}, {name}", ("Parquet to Parquet" if ours[name] else "cells to Parquet", title)
            limits = {"floor": FLOOR, "aim": AIM} if ours[name] and peer in STILTS else {}
            if peer not in runners:
                rows.append(missing(NAME, what, *names, "stilts or java is not installed", **limits))
                continue
            agreement = same(found[name][-1].result, found[peer][-1].result)
            rows.append(compare(NAME, what, names, found[name], found[peer], agreement, **limits, **more))
    return rows
