"""Lists of single stars from the literature matched to the spectra (Sections 6.4 and 6.6; B-23, B-24).

By Gaia DR2 id where a list has one, else by position: the input positions of RAVE and those of the lists are J2000 both. The
match is one of stars: every spectrum of a matched star gets the entry. Of several high-resolution papers the most recent one
gives a star's values; clusters keep their own lists.
"""

import logging
import os
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..astrometry import Positions
from ..crossmatch import candidates
from ..errors import InputError
from ..io import read_meta, read_table, write_json, write_table
from .catalogs import GAIA, ID

log = logging.getLogger(__name__)

VALUES = ("teff_hr", "logg_hr", "feh_hr", "alpha_fe_hr", "mg_fe_hr", "si_fe_hr", "al_fe_hr", "ni_fe_hr")
KINDS = {"hr": "hr", "cl": "cluster"}
J2000 = 2000.0
COLUMNS = (ID, "kind", "list", "cluster", "star_name", "year", "sep_arcsec", "best", *VALUES)


def read_list(name: str, path: str | os.PathLike) -> pd.DataFrame:
    """A list with all columns that a match needs; what it lacks is missing.

    Parameters
    ----------
    name : str
        Dataset, `hr_<paper>` or `cl_<cluster>`; its kind is taken from it.

    Returns
    -------
    DataFrame
        list, kind, cluster, year (the first of the dataset's `reference`), star_name, ra, dec (deg, J2000), Gaia id (-1: none), values.

    Raises
    ------
    InputError
        When name, position or the year of the paper is absent.
    """
    kind = KINDS.get(name.split("_")[0])
    if kind is None:
        raise InputError(f"dataset {name}", "is no list of stars", "Lists are named hr_<paper> or cl_<cluster>")
    meta = read_meta(path)
    year = re.search(r"\b(?:19|20)\d\d\b", str(meta.get("reference", "")))
    if year is None:
        raise InputError(f"configuration key `datasets.{name}.reference`", "names no year", "Give the paper as in `Reddy et al. 2003`")
    frame = read_table(path)
    for column in ("star_name", "ra", "dec"):
        if column not in frame.columns:
            raise InputError(f"{path}, column {column}", "is absent", f"The file has: {', '.join(frame.columns)}")
    cluster = frame["cluster"] if "cluster" in frame.columns else name.removeprefix("cl_")
    cluster = cluster if kind == "cluster" else ""
    out = pd.DataFrame({"list": name, "kind": kind, "cluster": cluster, "year": int(year[0])}, index=frame.index)
    out["star_name"] = frame["star_name"].fillna("")
    out[["ra", "dec"]] = frame[["ra", "dec"]].astype(np.float64)
    out[GAIA] = frame[GAIA].astype(np.int64) if GAIA in frame.columns else np.int64(-1)
    for value in VALUES:
        out[value] = frame[value].astype(np.float64) if value in frame.columns else np.nan
    return out


def star_keys(stars: pd.DataFrame) -> np.ndarray:
    """A number for each star: spectra of one Gaia source share it; without one those of one RAVE target, else each its own."""
    gaia = stars[GAIA].to_numpy(np.int64)
    target = np.where(stars["raveid"].fillna("").to_numpy(str) != "", stars["raveid"].to_numpy(str), stars[ID].to_numpy(str))
    text = np.where(gaia > 0, np.char.add("g", gaia.astype(str)), np.char.add("r", target.astype(str)))
    return pd.factorize(text)[0]


def match_list(stars: pd.DataFrame, entries: pd.DataFrame, radius_arcsec: float) -> pd.DataFrame:
    """Pairs (star, entry) of one list, one a star: an id wins over a position, then the nearer one, then the first of the list.

    Parameters
    ----------
    stars : DataFrame
        Of every spectrum: `star` (key), ra, dec, Gaia id.

    Returns
    -------
    DataFrame
        star, entry (row number of the list), sep_arcsec, by_id.
    """
    sky = [Positions(frame["ra"].to_numpy(float), frame["dec"].to_numpy(float), J2000) for frame in (stars, entries)]
    ids = pd.DataFrame({GAIA: entries[GAIA].to_numpy(np.int64), "entry": np.arange(len(entries))})
    by_id = stars[["star", GAIA]].drop_duplicates("star").merge(ids[ids[GAIA] > 0], on=GAIA)
    i, j, sep = candidates(sky[0], sky[1], radius_arcsec, move=False)
    named, own = entries[GAIA].to_numpy(np.int64)[j], stars[GAIA].to_numpy(np.int64)[i]
    free = (named <= 0) | (own <= 0)                      # two different Gaia ids are two stars, however near
    i, j, sep = i[free], j[free], sep[free]
    pairs = pd.concat([
        pd.DataFrame({"star": by_id["star"], "entry": by_id["entry"], "sep_arcsec": np.nan, "by_id": True}),
        pd.DataFrame({"star": stars["star"].to_numpy()[i], "entry": j, "sep_arcsec": sep, "by_id": False}),
    ]).astype({"star": np.int64, "entry": np.int64, "sep_arcsec": np.float64, "by_id": bool})  # fmt: skip
    pairs = pairs.sort_values(["star", "by_id", "sep_arcsec", "entry"], ascending=[True, False, True, True], kind="stable")
    return pairs[~pairs["star"].duplicated()].reset_index(drop=True)


def run_literature(
    stars: Sequence[str | os.PathLike], lists: Mapping[str, str | os.PathLike], cfg: Mapping, output: str | os.PathLike,
    selection: str | os.PathLike | None = None,
) -> None:  # fmt: skip
    """Match the lists of the literature to all spectra.

    Parameters
    ----------
    stars : sequence of path
        Stars of every slice.
    lists : mapping of dataset to path
        Canonical tables of the lists; none gives a table without rows.
    cfg : mapping
        config/rave.yaml, `rave` (`validation.match_arcsec`).
    output : path
        Parquet, one row a (spectrum, list): rave_obs_id, kind, list, cluster, star_name, year, sep_arcsec (NaN: matched by id),
        best (the star's spectrum of the highest S/N), values.
    selection : path, optional
        JSON {list: {entries, stars, stars_by_id, stars_kept, spectra}}; `stars_kept` after the most recent paper has won.
    """
    columns = [ID, "raveid", GAIA, "ra", "dec", "snr_rave"]
    frame = pd.concat([read_table(path, columns) for path in stars], ignore_index=True)
    frame["star"] = star_keys(frame)
    found, counts = [], {}
    for name in sorted(lists):
        entries = read_list(name, lists[name])
        pairs = match_list(frame, entries, cfg["validation"]["match_arcsec"])
        counts[name] = {"entries": len(entries), "stars": len(pairs), "stars_by_id": int(pairs["by_id"].sum())}
        values = entries.drop(columns=["ra", "dec", GAIA]).iloc[pairs["entry"].to_numpy()].reset_index(drop=True)
        found.append(pd.concat([pairs[["star", "sep_arcsec"]], values], axis=1))
    rows = pd.concat([part for part in found if len(part)] or [_empty()], ignore_index=True)
    group = rows["kind"].where(rows["kind"] == "hr", rows["list"])
    rows = rows.assign(group=group).sort_values(["star", "group", "year", "list"], ascending=[True, True, False, True], kind="stable")
    rows = rows[~rows.duplicated(["star", "group"])].drop(columns="group")
    frame = frame.sort_values(["star", "snr_rave", ID], ascending=[True, False, True], kind="stable", na_position="last")
    spectra = frame.assign(best=~frame["star"].duplicated())[[ID, "star", "best"]]
    table = spectra.merge(rows, on="star").sort_values([ID, "kind", "list"], kind="stable", ignore_index=True)
    for name, count in counts.items():
        mine = table["list"] == name
        count |= {"stars_kept": int(table.loc[mine, "star"].nunique()), "spectra": int(mine.sum())}
        log.info("%s: %d of %d entries have spectra, %d stars are kept", name, count["stars"], count["entries"], count["stars_kept"])
    text = {c: "str" for c in (ID, "kind", "list", "cluster", "star_name")}
    types = {**text, "year": np.int32, "best": bool, **dict.fromkeys(("sep_arcsec", *VALUES), np.float64)}
    write_table(output, table[list(COLUMNS)].astype(types))
    if selection is not None:
        write_json(selection, counts)


def _empty() -> pd.DataFrame:
    return pd.DataFrame({"star": np.empty(0, np.int64), **{c: np.empty(0, object) for c in ("list", "kind", "cluster", "star_name")},
                         "year": np.empty(0, np.int64), "sep_arcsec": np.empty(0), **{v: np.empty(0) for v in VALUES}})  # fmt: skip
