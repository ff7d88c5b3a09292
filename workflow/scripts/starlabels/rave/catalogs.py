"""Rows of the canonical catalogues for some ids: one row an id, in the order of the ids, missing where there is none.

Catalogues are read in pieces and only in the columns that are needed. Gaia ids stay 64-bit integers.
"""

import os
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ..errors import InputError
from ..io import iter_table, read_meta, read_table

ID, GAIA = "rave_obs_id", "gaia_dr2_source_id"
LABELS = ("teff", "logg", "mh", "feh", "alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")
ELEMENTS = ("feh", "mg_fe", "si_fe", "al_fe", "ni_fe")
APOGEE = (
    "snr_apogee", "apogee_aspcapflag", "apogee_extratarg",
    *(f"{p}_apogee{s}" for p in LABELS for s in ("", "_err")), *(f"{e}_apogee_flag" for e in ELEMENTS),
)  # fmt: skip

#: Columns of the tables keyed by spectrum, with their kind: f float, i integer (missing: -1), s text.
TABLES: dict[str, dict[str, str]] = {
    "rave_obsdata": {"raveid": "s", "ra": "f", "dec": "f"},
    "rave_sparv": dict.fromkeys(("hrv_rave", "hrv_rave_err", "snr_rave", "rave_xcorr"), "f"),
    "rave_classification": dict.fromkeys(("rave_class_1", "rave_class_2", "rave_class_3"), "s"),
    "rave_xmatch": dict.fromkeys(("tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2"), "f"),
    "rave_gaiadr2": {GAIA: "i", **dict.fromkeys(("parallax", "parallax_err", "gaia_g", "gaia_bp", "gaia_rp"), "f")},
    "rave_madera": {**dict.fromkeys(("teff_madera", "logg_madera", "mh_madera"), "f"), "madera_algo_flag": "i"},
    "rave_bdasp": dict.fromkeys(("teff_bdasp", "logg_bdasp", "mh_bdasp", "distance_bdasp", "age_bdasp"), "f"),
    "rave_irfm": {"teff_irfm": "f"},
    "rave_gauguin": dict.fromkeys(("feh_gauguin", "alpha_fe_gauguin", "alpha_fe_gauguin_chisq", "alpha_fe_gauguin_nl"), "f"),
    "rave_seismic": {"logg_k2": "f"},
    "rave_orbits": dict.fromkeys(("ecc", "z_max", "r_gal", "z_gal", "r_mean", "v_phi"), "f"),
}
#: Of them, those without which there is no sample; the others serve comparisons and may be left out of a run.
REQUIRED = ("rave_obsdata", "rave_sparv", "rave_classification", "rave_xmatch", "rave_gaiadr2")


def spectrum_rows(dataset: str, path: str | os.PathLike | None, ids: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of a table keyed by spectrum for some spectra.

    Parameters
    ----------
    dataset : str
        One of `TABLES`.
    path : path or None
        Its canonical table; None gives missing values throughout.
    ids : ndarray (n,) of str

    Returns
    -------
    columns : {name: ndarray (n,)}
    found : ndarray (n,) of bool

    Raises
    ------
    InputError
        When a column is absent, or a spectrum has two rows.
    """
    kinds = TABLES[dataset]
    if path is None:
        return {name: taken(np.empty(0), np.full(len(ids), -1), kind) for name, kind in kinds.items()}, np.zeros(len(ids), bool)
    frame = chosen(path, ID, ids, kinds)
    twice = frame.loc[frame[ID].duplicated(), ID]
    if len(twice):
        raise InputError(f"{path}, column {ID}", f"holds {twice.iloc[0]} more than once", f"Give each spectrum one row in {dataset}")
    at = pd.Index(frame[ID]).get_indexer(pd.Index(ids))
    return {name: taken(frame[name], at, kind) for name, kind in kinds.items()}, at >= 0


def chosen(path: str | os.PathLike, key: str, ids: np.ndarray, columns) -> pd.DataFrame:
    """The rows of a table whose key is among some ids, in the table's order."""
    names, ids = [key, *columns], pd.unique(np.asarray(ids))
    pieces = [piece[piece[key].isin(ids)] for piece in _pieces(path, names)]
    full = [piece for piece in pieces if len(piece)]
    return pd.concat(full, ignore_index=True) if full else read_table(path, names).iloc[:0]


def _pieces(path: str | os.PathLike, columns: list[str]) -> Iterator[pd.DataFrame]:
    known = read_meta(path)["columns"]
    absent = [c for c in columns if known and c not in known]
    if absent:
        raise InputError(f"{path}, column {absent[0]}", "is absent", f"The file has: {', '.join(known)}")
    yield from iter_table(path, columns)


def taken(values, at: np.ndarray, kind: str) -> np.ndarray:
    """Values at some rows, with NaN, -1 or "" where the row is -1; integers never become floats."""
    missing = at < 0
    safe = np.where(missing, 0, at)
    if kind == "i":
        plain = np.asarray(values, dtype=np.int64) if len(values) else np.zeros(1, np.int64)
        return np.where(missing, np.int64(-1), plain[safe])
    if kind == "s":
        plain = np.asarray(pd.Series(values, dtype=object).fillna("").astype(str), dtype=object) if len(values) else np.array([""], object)
        return np.where(missing, "", plain[safe])
    plain = np.asarray(values, dtype=np.float64) if len(values) else np.zeros(1)
    return np.where(missing, np.nan, plain[safe])


def apogee_rows(path: str | os.PathLike, gaia: np.ndarray, duplicate_bit: int) -> tuple[dict[str, np.ndarray], dict]:
    """APOGEE DR16 for some stars: of several entries the one of the highest S/N that is no marked duplicate (B-8).

    Parameters
    ----------
    gaia : ndarray (n,) of int64
        Gaia DR2 ids; -1 has no entry.
    duplicate_bit : int
        Bit of EXTRATARG.

    Returns
    -------
    columns : {name: ndarray (n,)}
        NaN, flags -1, where there is no entry.
    counts : dict
        entries (of these stars), duplicates (marked), repeats (further entries), stars.
    """
    frame = chosen(path, GAIA, gaia[gaia > 0], APOGEE)
    marks = frame["apogee_extratarg"].to_numpy(np.int64)
    marked = (marks >= 0) & ((marks >> duplicate_bit) & 1 == 1)
    kept = frame[~marked].sort_values("snr_apogee", ascending=False, kind="stable", na_position="last")
    repeated = kept[GAIA].duplicated()
    kept = kept[~repeated]
    at = np.where(gaia > 0, pd.Index(kept[GAIA]).get_indexer(pd.Index(gaia)), -1)
    flags = {name for name in APOGEE if name.endswith("flag") or name == "apogee_extratarg"}
    columns = {name: taken(kept[name], at, "i" if name in flags else "f") for name in APOGEE}
    counts = {"entries": len(frame), "duplicates": int(marked.sum()), "repeats": int(repeated.sum()), "stars": len(kept)}
    return columns, counts


def starhorse_rows(path: str | os.PathLike, ids: np.ndarray, gaia: np.ndarray) -> tuple[dict[str, np.ndarray], dict]:
    """StarHorse extinction (mag) and distance (pc) of some spectra.

    StarHorse treats every spectrum by itself, so the repeats of a star differ. A spectrum takes the row that names it, if that
    row has its Gaia id too; else the first row of its Gaia source in the order of their spectra (B-13).

    Returns
    -------
    columns : {"av_starhorse", "dist_starhorse"}
    counts : dict
        by_spectrum, by_star: spectra that got their row by either key.
    """
    names = ["av_starhorse", "dist_starhorse"]
    has_id = ID in read_meta(path)["columns"]
    frame = chosen(path, GAIA, gaia[gaia > 0], [*([ID] if has_id else []), *names])
    at = np.full(len(ids), -1)
    counts = {"by_spectrum": 0, "by_star": 0}
    if has_id:
        frame = frame.sort_values([GAIA, ID], kind="stable", ignore_index=True)
        both = frame[~frame.duplicated([GAIA, ID])]
        wanted = pd.MultiIndex.from_arrays([gaia, ids])
        found = pd.MultiIndex.from_arrays([both[GAIA], both[ID]]).get_indexer(wanted) if len(both) else at
        at = np.where(found >= 0, both.index.to_numpy()[found] if len(both) else -1, -1)
        counts["by_spectrum"] = int((at >= 0).sum())
    first = frame[~frame[GAIA].duplicated()]
    found = pd.Index(first[GAIA]).get_indexer(pd.Index(gaia))
    other = (at < 0) & (found >= 0) & (gaia > 0)
    at[other] = first.index.to_numpy()[found[other]]
    counts["by_star"] = int(other.sum())
    return {name: taken(frame[name], at, "f") for name in names}, counts


def given(inputs: Mapping, dataset: str) -> str | os.PathLike:
    """The path of a dataset that the run cannot do without.

    Raises
    ------
    InputError
        When it is not given.
    """
    if inputs.get(dataset) is None:
        raise InputError(f"input {dataset}", "is not given", f"Set `datasets.{dataset}.files`")
    return inputs[dataset]
