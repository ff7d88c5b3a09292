"""The spectroscopic labels of one cell's stars: one row a star and survey.

LAMOST and APOGEE name the Gaia source; RAVE DR5, PASTEL and the nine very-metal-poor papers give J2000 positions, to
which Gaia is moved. Then several rows of a star are reduced to one (A-6, A-8, A-16, A-17, A-19). No cut on values.
"""

import logging
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd

from ..astrometry import Positions
from ..cells import cell_name
from ..crossmatch import match
from ..errors import InputError
from ..flow import Flow
from ..io import read_meta, read_table, write_json, write_table
from .counterparts import ID, match_flow, owned_rows, row_epoch
from .stars import read_gaia

log = logging.getLogger(__name__)

PARAMETERS = ("teff", "logg", "feh")
VALUES = [f"{p}{s}" for p in PARAMETERS for s in ("", "_err")]
COLUMNS = [ID, "survey", *VALUES, "snr", "sep", "reference"]
#: A survey's own id of a row: settles ties between rows of a star.
KEYS = {"lamost": "lamost_obsid", "apogee": "apogee_id", "rave5": "rave_obs_id", "pastel": "star_name", "vmp": "star_name"}
FLAGS = {"apogee_aspcapflag": "aspcapflag", "apogee_extratarg": "extratarg", "feh_apogee_flag": "feh_flag", "rave5_algo_flag": "algo_flag"}
STAR_BAD = 1 << 23             # APOGEE ASPCAPFLAG
DUPLICATE = 1 << 4             # APOGEE EXTRATARG
J2000 = 2000.0
PASTEL_ERRORS = {"teff": 100.0, "logg": 0.1, "feh": 0.1}       # K, dex: where nothing else is known (A-16)


def best_per_star(rows: pd.DataFrame, by: str, largest: bool) -> pd.DataFrame:
    """One row a star: the largest (or smallest) value of a column, missing ones last; ties by the row's own key."""
    value = rows[by].to_numpy(float)
    value = np.where(np.isnan(value), np.inf, -value if largest else value)
    order = np.lexsort((np.argsort(np.argsort(rows["key"].to_numpy(), kind="stable")), value, rows[ID].to_numpy()))
    return rows.iloc[order].drop_duplicates(ID)


def reduce_lamost(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """A-6: one spectrum a star, the one with the highest S/N in g."""
    best = best_per_star(rows, "snr", largest=True)
    flow.cut("spectrum with the highest S/N of each star", len(best))
    return best


def reduce_apogee(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """A-8: no bad stars, no duplicates, highest S/N; [Fe/H] only where its flag is 0 (or not given)."""
    for name, bit, text in (("aspcapflag", STAR_BAD, "not STAR_BAD (ASPCAPFLAG)"), ("extratarg", DUPLICATE, "no duplicate (EXTRATARG)")):
        good = ~_has_bit(rows, name, bit)
        flow.cut(text, good)
        rows = rows[good]
    best = best_per_star(rows, "snr", largest=True)
    flow.cut("entry with the highest S/N of each star", len(best))
    flagged = best["feh_flag"].to_numpy(np.int64) > 0 if "feh_flag" in best else np.zeros(len(best), bool)
    best = best.assign(**{c: np.where(flagged, np.nan, best[c].to_numpy(float)) for c in ("feh", "feh_err")})
    labelled = best[[*PARAMETERS]].notna().any(axis=1).to_numpy()
    flow.cut("a label left after [Fe/H] with FE_H_FLAG is taken out", labelled)
    return best[labelled]


def _has_bit(rows: pd.DataFrame, name: str, bit: int) -> np.ndarray:
    """Mask of the rows whose flag has a bit; unknown flags (-1, or no such column) have none."""
    if name not in rows:
        return np.zeros(len(rows), bool)
    flag = rows[name].to_numpy(np.int64)
    return (flag > 0) & ((flag & bit) != 0)


def reduce_rave5(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """A-17: converged spectra only (the calibrated values were chosen at ingestion); highest S/N of each star."""
    good = rows["algo_flag"].to_numpy(np.int64) == 0
    flow.cut("pipeline converged (flag 0)", good)
    best = best_per_star(rows[good], "snr", largest=True)
    flow.cut("spectrum with the highest S/N of each star", len(best))
    return best


def reduce_pastel(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """A-16: median of the determinations; error: median stated error, else their scatter, else 0.1 dex (100 K for Teff)."""
    groups = rows.sort_values([ID, "key"], kind="stable").groupby(ID, sort=True)
    best = groups.agg(snr=("snr", "first"), sep=("sep", "min"), key=("key", "first"))
    for name in PARAMETERS:
        stated = rows[f"{name}_err"].where(rows[name].notna()).groupby(rows[ID]).median()      # an error without a value says nothing
        scatter = groups[name].std(ddof=1)
        error = stated.where(stated > 0).fillna(scatter.where(scatter > 0)).fillna(PASTEL_ERRORS[name])
        best[name] = groups[name].median()
        best[f"{name}_err"] = error.where(best[name].notna())
    number = groups["feh"].count()
    best["reference"] = "median of " + number.astype(str) + " determinations"
    flow.cut("median of the determinations of each star", len(best))
    return best.reset_index()


def reduce_vmp(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """A-19: papers of high resolution before those of low (Li et al. 2018), then the smallest error, then the order of the papers."""
    error = np.nan_to_num(rows["feh_err"].to_numpy(float), nan=np.inf)
    order = np.lexsort((rows["order"].to_numpy(), error, rows["low_resolution"].to_numpy(bool), rows[ID].to_numpy()))
    best = rows.iloc[order].drop_duplicates(ID)
    flow.cut("one paper a star", len(best))
    return best


def reduce_other(rows: pd.DataFrame, flow: Flow) -> pd.DataFrame:
    """Any other survey: highest S/N of each star; where that says nothing the smallest [Fe/H] error, then the row's own key."""
    rows = rows.iloc[np.lexsort((rows["key"].to_numpy(), np.nan_to_num(rows["feh_err"].to_numpy(float), nan=np.inf)))]
    best = best_per_star(rows.assign(key=np.arange(len(rows))), "snr", largest=True)
    flow.cut("row with the highest S/N, or else the smallest error, of each star", len(best))
    return best


REDUCTIONS: dict[str, Callable[[pd.DataFrame, Flow], pd.DataFrame]] = {
    "lamost": reduce_lamost, "apogee": reduce_apogee, "rave5": reduce_rave5, "pastel": reduce_pastel, "vmp": reduce_vmp,
}


def surveys_of(cfg: Mapping) -> list[str]:
    """Label surveys of the training and test samples, in the order of the configuration."""
    named = {**cfg["samples"].get("train", {}), **cfg["samples"].get("test", {})}
    return [s for s, entry in named.items() if entry is not None]


def datasets_of(survey: str, names, groups: Mapping | None = None) -> list[str]:
    """Datasets that make up a survey: its group, else the one of its name, else all that begin with it and an underscore (vmp_...)."""
    names = list(names)
    if groups and survey in groups:
        return [n for n in groups[survey] if n in names]
    return [survey] if survey in names else [n for n in names if n.startswith(f"{survey}_")]


def plain_names(survey: str, known) -> dict[str, str]:
    """Columns of a catalogue file that a survey's labels are made of -> their plain names (teff_lamost -> teff)."""
    names = {f"{p}_{survey}{s}": f"{p}{s}" for p in PARAMETERS for s in ("", "_err")}
    names |= {f"snr_{survey}": "snr", f"snr_{survey}_g": "snr", f"{survey}_ref": "reference", "reference": "reference"}
    names |= FLAGS | ({KEYS[survey]: "key"} if survey in KEYS else {})
    return {column: plain for column, plain in names.items() if column in known}


def read_survey(survey: str, dataset: str, path) -> pd.DataFrame:
    """One catalogue file: labels, snr, reference, key (its own id), flags, position and date, or the Gaia id where it has one.

    Raises
    ------
    InputError
        When the file has none of the labels.
    """
    known = read_meta(path)["columns"]
    names = plain_names(survey, known)
    if not set(PARAMETERS) & set(names.values()):
        wanted = ", ".join(f"{p}_{survey}" for p in PARAMETERS)
        raise InputError(f"{path}, columns {wanted}", "are absent", "Map at least one label in datasets.yaml")
    where = [ID] if ID in known else ["ra", "dec", *(["ref_epoch"] if "ref_epoch" in known else [])]
    frame = read_table(path, [*where, "in_margin", *names]).rename(columns=names)
    for name in [*VALUES, "snr"]:
        frame[name] = frame[name].to_numpy(float) if name in frame else np.full(len(frame), np.nan)
    if "reference" not in frame:
        frame["reference"] = pd.array([survey] * len(frame), dtype="str")
    if "key" not in frame:
        frame["key"] = np.arange(len(frame))
    frame["dataset"] = pd.array([dataset] * len(frame), dtype="str")
    return frame


def link_by_id(rows: pd.DataFrame, stars: np.ndarray) -> tuple[pd.DataFrame, Flow]:
    """Rows of the cell whose Gaia id is one of the stars (sorted ids)."""
    rows = rows[~rows["in_margin"].to_numpy(bool)]
    flow = Flow(len(rows))
    source = rows[ID].to_numpy(np.int64)
    flow.cut("Gaia DR3 id known", source > 0)
    rows = rows[source > 0].assign(sep=np.nan)
    mine = np.isin(rows[ID].to_numpy(), stars)
    flow.cut("star has survey photometry", mine)
    return rows[mine], flow


def link_by_position(rows: pd.DataFrame, gaia: pd.DataFrame, sky: Positions, stars: np.ndarray, radius: float, cfg: Mapping):
    """Rows whose nearest Gaia source, at the date of their position (J2000 unless the row says otherwise), is one of the stars."""
    settings = cfg["crossmatch"]
    left = Positions(rows["ra"].to_numpy(float), rows["dec"].to_numpy(float), row_epoch(rows, J2000))
    found = match(left, sky, radius, settings["ambiguous_arcsec"], settings["propagate"], unique=False)
    counted = owned_rows(found, ~gaia["in_margin"].to_numpy(bool), ~rows["in_margin"].to_numpy(bool))
    flow = match_flow(found, counted, radius, settings["ambiguous_arcsec"])
    mine = counted[found.left]
    linked = rows.iloc[found.left[mine]].assign(**{ID: gaia[ID].to_numpy(np.int64)[found.gaia[mine]], "sep": found.sep_arcsec[mine]})
    has = np.isin(linked[ID].to_numpy(), stars)
    flow.cut("star has survey photometry", has)
    return linked[has], flow


def run_labels(
    cell: int, inputs: Mapping, stars, cfg: Mapping, output, selection, groups: Mapping | None = None, *, low_resolution: Collection[str]
) -> None:
    """Write the labels of one cell.

    Parameters
    ----------
    cell : int
    inputs : mapping of dataset to path
        Catalogue files of the cell: gaia and each label survey of the samples (vmp: every `vmp_...`).
    stars : path
        Matched stars of the cell.
    cfg : mapping
        config/sages.yaml, `sages`.
    output, selection : path
        Labels (Parquet), flows (JSON: {survey: flow}).
    groups : mapping, optional
        Survey -> datasets, for surveys of several lists; without it those whose names begin with the survey's.
    low_resolution : collection of str
        Lists of very metal-poor stars that give way to the others (A-19).

    Raises
    ------
    InputError
        When a survey of the samples has no input, or a column is absent.
    """
    ids = np.sort(read_table(stars, [ID])[ID].to_numpy(np.int64))
    gaia, sky = read_gaia(inputs["gaia"])
    flows, parts = {}, [_empty()]
    for survey in surveys_of(cfg):
        datasets = datasets_of(survey, inputs, groups)
        if not datasets:
            raise InputError(f"sages.samples, survey {survey}", "has no catalogue", f"Datasets given: {', '.join(inputs)}")
        frames = [read_survey(survey, d, inputs[d]) for d in datasets]
        rows = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
        rows["order"], rows["low_resolution"] = np.arange(len(rows)), rows["dataset"].isin(low_resolution)
        if ID in rows:
            linked, flow = link_by_id(rows, ids)
        else:
            radius = cfg["crossmatch"]["radius_arcsec"].get(survey)
            if radius is None:
                raise InputError(f"sages.crossmatch.radius_arcsec.{survey}", "is not set", "Give the match radius of this survey")
            linked, flow = link_by_position(rows, gaia, sky, ids, radius, cfg)
        labelled = linked[[*PARAMETERS]].notna().any(axis=1).to_numpy()
        flow.cut("at least one label", labelled)
        best = REDUCTIONS.get(survey, reduce_other)(linked[labelled], flow)
        parts.append(_plain(best, survey))
        flows[survey] = flow.to_list()
    full = [p for p in parts if len(p)] or parts[:1]
    labels = pd.concat(full, ignore_index=True).sort_values([ID, "survey"], kind="stable", ignore_index=True)
    write_table(output, labels, DESCRIPTIONS)
    write_json(selection, flows)
    log.info("cell %s: %d labels of %d stars", cell_name(cell), len(labels), labels[ID].nunique())


DESCRIPTIONS = {
    ID: {"description": "Gaia DR3 source"}, "survey": {"description": "origin of the labels"},
    "teff": {"unit": "K", "description": "effective temperature"}, "teff_err": {"unit": "K"},
    "logg": {"unit": "dex(cm s-2)", "description": "surface gravity"}, "logg_err": {"unit": "dex"},
    "feh": {"unit": "dex", "description": "[Fe/H] as published"}, "feh_err": {"unit": "dex"},
    "snr": {"description": "signal-to-noise of the spectrum"},
    "sep": {"unit": "arcsec", "description": "distance from Gaia at the date of the position; NaN: linked by id"},
    "reference": {"description": "paper or survey"},
}


def _plain(rows: pd.DataFrame, survey: str) -> pd.DataFrame:
    frame = pd.DataFrame({ID: rows[ID].to_numpy(np.int64), "survey": pd.array([survey] * len(rows), dtype="str")})
    for c in [*VALUES, "snr", "sep"]:
        frame[c] = rows[c].to_numpy(float)
    frame["reference"] = pd.array(list(rows["reference"]), dtype="str")
    return frame


def _empty() -> pd.DataFrame:
    none = {ID: np.empty(0, np.int64), "survey": pd.array([], dtype="str")}
    none |= {c: np.empty(0) for c in [*VALUES, "snr", "sep"]}
    return pd.DataFrame(none | {"reference": pd.array([], dtype="str")})[COLUMNS]
