"""From the entry of a catalogue (`acquire` in config/datasets.yaml) to the files that are fetched: known from the configuration alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from ..cells import HEALPix
from ..errors import InputError
from .digest import CHECKS

KINDS = ("bulk", "tap", "xmatch", "mine")
#: bits of a Gaia source id below its HEALPix number at nside 4096 (Gaia DR3 data model)
ID_SHIFT, ID_NSIDE = 35, 4096
SIDE_MARGIN = 1.0  # deg by which a pixel may reach beyond its corners


@dataclass(frozen=True)
class Piece:
    """One native file.

    Attributes
    ----------
    dataset, name : str
        The catalogue, and the file's name in its folder.
    kind : str
        bulk, tap or xmatch.
    details : dict
        bulk: `urls` (mirrors) and `checks`.  tap: `service`, `table`, `where`, `slice` (column, low, high; None: open), `mode`,
        `language`, `maxrec`, `token`, `count`, `columns`.  xmatch: `catalogue`, `of`, `radius_arcsec`.  Of slices by HEALPix cell
        also `nside` and `cell`.
    """

    dataset: str
    name: str
    kind: str
    details: dict = field(default_factory=dict)


def kind_of(road: Mapping) -> str:
    """The kind of a road: its one key out of KINDS."""
    return next(kind for kind in KINDS if kind in road)


def chosen_road(dataset: str, spec: Mapping, roads: Mapping) -> Mapping:
    """The road that a run takes to a dataset: the first one, or the one that `archives.roads` names by number or kind.

    Raises
    ------
    InputError
        When the dataset has no such road.
    """
    known = spec.get("acquire") or [{"mine": True}]
    wanted = roads.get(dataset, 0)
    if isinstance(wanted, int) and 0 <= wanted < len(known):
        return known[wanted]
    if wanted == "mine":
        return {"mine": True}
    found = [road for road in known if kind_of(road) == wanted]
    if not found:
        listed = ", ".join(f"{k} ({kind_of(road)})" for k, road in enumerate(known))
        remedy = f"This dataset has the roads {listed}, and mine"
        raise InputError(f"configuration key `archives.roads.{dataset}`", f"is {wanted!r}", remedy)
    return found[0]


def pieces(dataset: str, road: Mapping, dec_min: float) -> list[Piece]:
    """The files of a dataset on a road; none for `mine`.

    Parameters
    ----------
    dec_min : float
        Southern limit of the run, deg: slices by HEALPix cell leave out what lies wholly south of it.

    Raises
    ------
    InputError
        When two files have one name.
    """
    kind = kind_of(road)
    made = {"bulk": _bulk, "tap": _tap, "xmatch": _xmatch, "mine": lambda *_: []}[kind](dataset, road[kind], dec_min)
    names = [piece.name for piece in made]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"configuration key `datasets.{dataset}.acquire`", f"gives two files the name {twice}", "Give `name`")
    return made


def _bulk(dataset: str, road: Mapping, _: float) -> list[Piece]:
    checks = {name: road[name] for name in CHECKS if name in road}
    if "urls" in road:
        return [Piece(dataset, road.get("name") or file_name(road["urls"][0]), "bulk", {"urls": list(road["urls"]), "checks": checks})]
    names = road.get("names") or [road["pattern"].format(k) for k in range(road["from"], road["to"] + 1)]
    return [Piece(dataset, name, "bulk", {"urls": [base + name for base in road["base"]], "checks": {}}) for name in names]


def file_name(url: str) -> str:
    """Name of the file at an address; of `...?name=x.fits` it is x.fits."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query).get("name")
    return asked[0] if asked else unquote(PurePosixPath(parts.path).name)


def _tap(dataset: str, road: Mapping, dec_min: float) -> list[Piece]:
    details = {"mode": "async", **{name: value for name, value in road.items() if name != "slices"}}
    slices = road.get("slices")
    if not slices:
        return [Piece(dataset, "slice-0000.parquet", "tap", {**details, "slice": None})]
    ranges = edges(slices, dec_min)
    made = []
    for k, low, high in ranges:
        place = {"cell": k, "nside": slices["nside"]} if "nside" in slices else {}
        part = {"column": slices["column"], "low": low, "high": high}
        made.append(Piece(dataset, f"slice-{k:04d}.parquet", "tap", {**details, **place, "slice": part}))
    return made


def edges(slices: Mapping, dec_min: float = -90.0) -> list[tuple[int, int | str | None, int | str | None]]:
    """(number, low, high) of the ranges low <= value < high that a table is asked for in; None: open.

    `edges` are given (texts or numbers); `count` ranges of equal width from `min` to `max`; `nside` cuts Gaia source ids by HEALPix cell.
    """
    if "edges" in slices:
        bounds = [None, *slices["edges"], None]
        return [(k, low, high) for k, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True))]
    if "nside" in slices:
        width = (ID_NSIDE // slices["nside"]) ** 2 << ID_SHIFT
        return [(cell, cell * width, (cell + 1) * width) for cell in cells_north_of(dec_min, slices["nside"])]
    low, high, count = int(slices["min"]), int(slices["max"]), slices["count"]
    bounds = [low + (high - low) * k // count for k in range(count)] + [high]
    return [(k, bounds[k], bounds[k + 1]) for k in range(count)]


def _xmatch(dataset: str, road: Mapping, dec_min: float) -> list[Piece]:
    cells = cells_north_of(dec_min, road["nside"])
    return [Piece(dataset, f"cell-{cell:04d}.parquet", "xmatch", {**road, "cell": cell}) for cell in cells]


def cells_north_of(dec_min: float, nside: int) -> list[int]:
    """HEALPix cells (nested) of which some part may lie north of a declination (deg)."""
    cells = np.arange(12 * nside**2)
    if dec_min <= -90:
        return cells.tolist()
    _, lat = HEALPix(nside=nside, order="nested").boundaries_lonlat(cells, step=4)
    return cells[lat.deg.max(axis=1) + SIDE_MARGIN / nside > dec_min].tolist()


def with_neighbours(cells: Sequence[int], nside: int) -> list[int]:
    """Cells and those that touch them (nested), in rising order."""
    with np.errstate(invalid="ignore"):  # some corners have three cells, not four: -1
        around = np.asarray(HEALPix(nside=nside, order="nested").neighbours(np.asarray(cells)))
    return sorted({*map(int, cells), *(int(c) for c in around.ravel() if c >= 0)})


def subcells(cell: int, nside: int, finer: Sequence[int], finer_nside: int) -> list[int]:
    """Those of some cells that overlap a cell of another resolution (nested numbers)."""
    if finer_nside >= nside:
        ratio = (finer_nside // nside) ** 2
        return [c for c in finer if c // ratio == cell]
    return [c for c in finer if cell // (nside // finer_nside) ** 2 == c]
