"""The stars of one cell: Gaia sources with a counterpart in the photometric survey, and all their bands.

A-1: survey to Gaia within 1 arcsec at the date of each survey row. A-3: 2MASS and AllWISE through Gaia's best-neighbour
tables, by position where a star has no entry. A-4: GALEX within 3 arcsec. counterparts.py holds the rules.
"""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..astrometry import GAIA_EPOCH, Positions
from ..cells import cell_name, cell_of_gaia_id
from ..errors import InputError
from ..flow import Flow
from ..io import iter_table, read_meta, read_table, row_count, write_json, write_table
from .counterparts import EXTERNALS, ID, bands_used, bands_with, match_external, match_primary, primary_id

log = logging.getLogger(__name__)

ASTROMETRY = ["parallax", "parallax_err", "parallax_over_err", "pm", "pmra", "pmra_err", "pmdec", "pmdec_err", "ruwe"]


def read_gaia(path, cell: int | None = None, nside: int | None = None) -> tuple[pd.DataFrame, Positions]:
    """Ids and positions of the Gaia sources of a cell and its margin.

    Raises
    ------
    InputError
        When a source that the file calls its own belongs to another cell.
    """
    frame = read_table(path, [ID, "ra", "dec", "pmra", "pmdec", "in_margin"])
    if cell is not None:
        own = frame[ID].to_numpy()[~frame["in_margin"].to_numpy(bool)]
        wrong = np.flatnonzero(cell_of_gaia_id(own, nside) != cell)
        if len(wrong):
            found = f"{own[wrong[0]]} does not belong to cell {cell_name(cell)}"
            raise InputError(f"{path}, column {ID}", found, "Make the catalogues again")
    sky = Positions(*(frame[c].to_numpy(float) for c in ("ra", "dec")), GAIA_EPOCH,
                    *(frame[c].to_numpy(float) for c in ("pmra", "pmdec")))
    return frame, sky


def take_rows(path, columns: list[str], index: np.ndarray) -> pd.DataFrame:
    """Some columns of the rows `index` (>= 0, any order, repeats allowed), read in pieces."""
    mask = np.zeros(row_count(path), bool)
    mask[index] = True
    wanted = np.flatnonzero(mask)
    parts, first = [], 0
    for piece in iter_table(path, columns):
        lo, hi = np.searchsorted(wanted, [first, first + len(piece)])
        parts.append(piece.iloc[wanted[lo:hi] - first])
        first += len(piece)
    full = [p for p in parts if len(p)]
    taken = pd.concat(full, ignore_index=True) if full else read_table(path, columns).iloc[:0]
    return taken.iloc[np.searchsorted(wanted, index)].reset_index(drop=True)


def run_stars(cell: int, inputs: Mapping, cfg: Mapping, nside: int, output, pairs_output, selection) -> None:
    """Write the matched stars of one cell.

    Parameters
    ----------
    cell : int
    inputs : mapping of dataset to path
        The catalogue files of the cell: the photometric survey, gaia, and those of twomass, allwise, galex and of the
        best-neighbour tables that the configuration uses.
    cfg : mapping
        config/sages.yaml, `sages`.
    nside : int
        HEALPix resolution of the cells.
    output, pairs_output, selection : path
        Stars (Parquet), pairs (Parquet: dataset, gaia_dr3_source_id, native_id, sep_arcsec, link), flows (JSON: {dataset: flow}).

    Raises
    ------
    InputError
        When a needed input is not given, or a file or column is absent.
    """
    primary = cfg["photometry"]["primary"]
    key, bands = primary_id(primary), bands_with(cfg, primary)
    if not bands:
        raise InputError("sages.photometry.primary", f"is {primary}, but no band begins with {primary}_", "Name the bands after the survey")
    gaia, sky = read_gaia(_given(inputs, "gaia"), cell, nside)
    detail = [f"{b}{s}" for b in bands for s in ("", "_err", "_mjd", "_flag")]
    rows = read_table(_given(inputs, primary), [key, "ra", "dec", "ref_epoch", "in_margin", *detail])
    found, flow, stars = match_primary(rows, gaia, sky, cfg)
    star = stars["gaia"].to_numpy()
    flows, meta = {primary: flow.to_list()}, {}

    columns = {ID: gaia[ID].to_numpy(np.int64)[star], key: rows[key].iloc[stars["row"]].array}
    columns |= {c: rows[c].to_numpy(float)[stars["row"]] for c in ("ra", "dec")}
    columns |= {f"gaia_{c}": gaia[c].to_numpy(float)[star] for c in ("ra", "dec")}
    gaia_bands = [f"{b}{s}" for b in bands_with(cfg, "gaia") for s in ("", "_err")]
    physical = take_rows(inputs["gaia"], ASTROMETRY + gaia_bands, star)
    columns |= {c: physical[c].to_numpy(float) for c in ASTROMETRY}
    photometry = {c: physical[c].to_numpy(float) for c in gaia_bands}
    _describe(meta, inputs["gaia"], ASTROMETRY + gaia_bands)
    for b in bands:
        photometry |= {f"{b}{s}": rows[f"{b}{s}"].to_numpy(float)[stars[f"row_{b}"]] for s in ("", "_err")}
    _describe(meta, inputs[primary], [key, "ra", "dec", *detail])

    mine = ~gaia["in_margin"].to_numpy(bool)[found.gaia]
    seps = {f"sep_{primary}": stars["sep"].to_numpy(float)}
    pairs = [_pairs(primary, gaia[ID].to_numpy()[found.gaia[mine]], rows[key].iloc[found.left[mine]], found.sep_arcsec[mine])]
    for name, what in EXTERNALS.items():
        extra = bands_with(cfg, what.prefix)
        if extra:
            values, sep, pair, flows[name] = _external(name, what, extra, inputs, gaia, sky, star, cfg)
            photometry |= values
            seps[f"sep_{name}"] = sep
            pairs.append(pair)
            _describe(meta, inputs[name], values)
    unknown = [b for b in bands_used(cfg) if b not in photometry]
    if unknown:
        raise InputError(f"sages.data_sets, band {unknown[0]}", "belongs to no catalogue that is matched here",
                         f"Known beginnings: {primary}, gaia, {', '.join(e.prefix for e in EXTERNALS.values())}")
    columns |= {f"{b}{s}": photometry[f"{b}{s}"] for b in bands_used(cfg) for s in ("", "_err")}
    for b in bands:
        columns[f"{b}_flag"] = rows[f"{b}_flag"].to_numpy(np.int64)[stars[f"row_{b}"]]
    for b in bands:
        columns[f"{b}_mjd"] = rows[f"{b}_mjd"].to_numpy(float)[stars[f"row_{b}"]]
    for name, sep in seps.items():
        columns[name] = sep
        meta[name] = {"unit": "arcsec", "description": f"distance from Gaia at the date of the {name[4:]} position"}
    write_table(output, pd.DataFrame(columns), meta, {"cell": int(cell)})
    write_table(pairs_output, pd.concat(pairs, ignore_index=True))
    write_json(selection, flows)
    log.info("cell %s: %d stars of %d survey rows", cell_name(cell), len(star), flow.to_list()[0]["kept"])


def _given(inputs: Mapping, name: str):
    if inputs.get(name) is None:
        raise InputError(f"input {name}", "is not given", "The configured bands need this catalogue")
    return inputs[name]


def _describe(meta: dict, path, columns) -> None:
    known = read_meta(path)["columns"]
    meta.update({c: known[c] for c in columns if c in known})


def _external(name, what, bands, inputs, gaia, sky, star, cfg):
    """Bands, separations, pairs and flow of one more catalogue for the stars of the cell."""
    path, link = _given(inputs, name), cfg["crossmatch"]["best_neighbour"].get(name)
    dates = ["ref_epoch"] if "ref_epoch" in read_meta(path)["columns"] else []
    rows = read_table(path, [what.id, "ra", "dec", *dates])
    table = read_table(_given(inputs, link), [ID, what.id, "angular_distance"]) if link else None
    index, sep, by_table, flow = match_external(name, rows, table, gaia, sky, star, cfg)
    has = index >= 0
    columns = [f"{b}{s}" for b in bands for s in ("", "_err")]
    taken = take_rows(path, columns, index[has])
    values = {}
    for c in columns:
        values[c] = np.full(len(star), np.nan)
        values[c][has] = taken[c].to_numpy(float)
    native = rows[what.id].iloc[index[has]]
    pair = _pairs(name, gaia[ID].to_numpy()[star[has]], native, sep[has], np.where(by_table[has], "table", "position"))
    return values, sep, pair, flow.to_list()


def _pairs(dataset: str, source_id: np.ndarray, native_id: pd.Series, sep: np.ndarray, link="position") -> pd.DataFrame:
    frame = pd.DataFrame({
        "dataset": pd.Series([dataset] * len(sep), dtype="str"), ID: np.asarray(source_id, np.int64),
        "native_id": native_id.astype("str").array, "sep_arcsec": np.asarray(sep, float),
    })
    frame["link"] = pd.Series(np.broadcast_to(link, len(sep)), dtype="str")
    return frame.sort_values([ID, "native_id"], kind="stable", ignore_index=True)


LABELS = [f"{name}{suffix}" for name in ("teff", "logg", "feh") for suffix in ("", "_err")]


def split_matched(frame: pd.DataFrame, cfg: Mapping, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a table that holds photometry and labels in one row into stars and labels.

    Parameters
    ----------
    frame : DataFrame
        Bands, whatever else there is of the columns of stars, labels (teff, logg, feh, each with _err), and `survey`.
        Rows without gaia_dr3_source_id are numbered. Rows of the same id are one star with several labels.

    Returns
    -------
    stars, labels : DataFrame
        As run_stars and run_labels write them, as far as the columns exist.

    Raises
    ------
    InputError
        When a band of a data set, all labels or the survey column are absent.
    """
    needed = {b: f"sages.data_sets.{entry['id']}" for entry in cfg["data_sets"] for b in entry["bands"]}
    for b, key in needed.items():
        if b not in frame.columns:
            raise InputError(f"{where}, column {b}", "is absent", f"{key} names this band: map a column to it or leave it out")
    if "survey" not in frame.columns:
        raise InputError(f"{where}, column survey", "is absent", "Say of each row which survey its labels come from")
    have = [c for c in LABELS if c in frame.columns]
    if not any(c in have for c in ("teff", "logg", "feh")):
        raise InputError(f"{where}, columns teff, logg, feh", "are absent", "Map at least one label")
    frame = frame.reset_index(drop=True)
    if ID not in frame.columns:
        frame = frame.assign(**{ID: np.arange(1, len(frame) + 1, dtype=np.int64)})
    if "parallax_over_err" not in frame.columns and {"parallax", "parallax_err"} <= set(frame.columns):
        frame = frame.assign(parallax_over_err=frame["parallax"].to_numpy(float) / frame["parallax_err"].to_numpy(float))
    labels = pd.DataFrame({ID: frame[ID].to_numpy(np.int64), "survey": frame["survey"].to_numpy(str)})
    for c in [*LABELS, "snr", "sep"]:
        labels[c] = frame[c].to_numpy(float) if c in frame.columns else np.full(len(frame), np.nan)
    labels["reference"] = frame["reference"] if "reference" in frame.columns else labels["survey"]
    labels = labels[labels[["teff", "logg", "feh"]].notna().any(axis=1)]
    order = [ID, *(c for c in frame.columns if c != ID and c not in {*LABELS, "survey", "snr", "sep", "reference", "in_margin"})]
    stars = frame[order].drop_duplicates(ID).sort_values(ID, kind="stable", ignore_index=True)
    return stars, labels.sort_values([ID, "survey"], kind="stable", ignore_index=True)


def run_matched_stars(source, cfg: Mapping, stars_output, labels_output, selection) -> None:
    """Write stars and labels of one cell from a table that somebody matched before (`sages.photometry.matched`).

    Parameters
    ----------
    source : path
        Catalogue file of the table.
    stars_output, labels_output, selection : path
        As of run_stars and run_labels; the flow counts stars and labels of each survey.
    """
    frame = read_table(source)
    if "in_margin" in frame.columns:
        frame = frame[~frame["in_margin"].to_numpy(bool)]
    stars, labels = split_matched(frame, cfg, str(source))
    known = read_meta(source)["columns"]
    write_table(stars_output, stars, known)
    write_table(labels_output, labels, known)
    matched = str(cfg["photometry"]["matched"])
    counts = labels["survey"].value_counts().sort_index()
    flows = {matched: Flow(len(frame)).cut("one row a star", len(stars)).to_list()}
    write_json(selection, flows | {str(s): Flow(int(n)).to_list() for s, n in counts.items()})
