"""Which rows of the catalogues belong to which star: the rules of A-1, A-3 and A-4 on frames of one cell.

A pair belongs to the cell of its Gaia source; rows in the margin take part, so the cells together give what one match
of the whole sky would give.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..astrometry import Positions, pair_separation
from ..crossmatch import AMBIGUOUS, NO_CANDIDATE, NO_POSITION, Matches, candidates, match
from ..flow import Flow

ID = "gaia_dr3_source_id"
#: Pairs of a best-neighbour table that lie further apart than this (arcsec) are taken for a mix-up of ids.
TABLE_LIMIT = 10.0


@dataclass(frozen=True)
class External:
    """A catalogue that gives a star more bands: first part of its band names, its id, a date for rows without one."""

    prefix: str
    id: str
    epoch: float


EXTERNALS = {
    "twomass": External("tmass", "tmass_id", 1999.5),
    "allwise": External("wise", "allwise_id", 2010.56),
    "galex": External("galex", "galex_objid", 2007.5),
}


def bands_used(cfg: Mapping) -> list[str]:
    """Bands of all data sets, each once, in order of appearance."""
    return list(dict.fromkeys(b for entry in cfg["data_sets"] for b in entry["bands"]))


def bands_with(cfg: Mapping, prefix: str) -> list[str]:
    """Bands of the data sets whose name begins with `prefix` and an underscore."""
    return [b for b in bands_used(cfg) if b.startswith(f"{prefix}_")]


def catalogue_of(cfg: Mapping, band: str) -> str | None:
    """Dataset that a band is matched from: the photometric survey, gaia or one of `EXTERNALS`; None for any other band."""
    primary = cfg["photometry"]["primary"]
    prefixes = {primary: primary, "gaia": "gaia", **{name: what.prefix for name, what in EXTERNALS.items()}}
    return next((dataset for dataset, prefix in prefixes.items() if band.startswith(f"{prefix}_")), None)


def primary_id(primary: str) -> str:
    """Id column of the photometric survey."""
    return "sage_id" if primary == "sages" else f"{primary}_id"


def match_primary(rows: pd.DataFrame, gaia: pd.DataFrame, sky: Positions, cfg: Mapping) -> tuple[Matches, Flow, pd.DataFrame]:
    """Match the photometric survey to Gaia and merge the repeats of a star.

    Every row that claims a Gaia source is a repeat of the star. Each band keeps the row with the smaller error; the
    position and id are those of the row with the smallest error in the first band (u), then in the next ones.

    Parameters
    ----------
    rows : DataFrame
        id, ra, dec, ref_epoch (the mean date of the row's bands), in_margin and, for each band of the survey, `<band>` and
        `<band>_err`.

    Returns
    -------
    matches : Matches
        All claims.
    flow : Flow
        Rows of the survey, each counted in one cell: that of its nearest Gaia source, else its own.
    stars : DataFrame
        gaia (row), row (of position and id), sep, and for each band `row_<band>`; sorted by Gaia id, sources of this cell only.
    """
    primary, settings = cfg["photometry"]["primary"], cfg["crossmatch"]
    bands = bands_with(cfg, primary)
    left = Positions(*(rows[c].to_numpy(float) for c in ("ra", "dec", "ref_epoch")))
    radius, ambiguous = settings["radius_arcsec"][primary], settings["ambiguous_arcsec"]
    found = match(left, sky, radius, ambiguous, settings["propagate"], unique=False)

    own_star = ~gaia["in_margin"].to_numpy(bool)
    mine = own_star[found.gaia]
    i, j, sep = found.left[mine], found.gaia[mine], found.sep_arcsec[mine]
    error = {}                                                 # a magnitude without an error comes after all others
    for b in bands:
        err = np.nan_to_num(rows[f"{b}_err"].to_numpy(float), nan=1e6)
        error[b] = np.where(np.isfinite(rows[b].to_numpy(float)), err, np.inf)[i]
    name = _rank_of_repeats(j, rows[primary_id(primary)].iloc[i])
    best = _first_of(j, [error[b] for b in bands] + [name])
    stars = pd.DataFrame({"gaia": j[best], "row": i[best], "sep": sep[best]})
    for b in bands:
        stars[f"row_{b}"] = i[_first_of(j, [error[b], name])]
    order = np.argsort(gaia[ID].to_numpy()[stars["gaia"].to_numpy()], kind="stable")
    stars = stars.iloc[order].reset_index(drop=True)

    counted = owned_rows(found, own_star, ~rows["in_margin"].to_numpy(bool))
    flow = match_flow(found, counted, radius, ambiguous).cut("repeats of a star merged", len(stars))
    return found, flow, stars


def _first_of(group: np.ndarray, keys: list[np.ndarray]) -> np.ndarray:
    """Index of the entry of each group with the smallest keys (the first key counts most); groups in rising order."""
    order = np.lexsort([*keys[::-1], group])
    new = np.ones(len(order), bool)
    new[1:] = group[order][1:] != group[order][:-1]
    return order[new]


def _rank_of_repeats(group: np.ndarray, name: pd.Series) -> np.ndarray:
    """Alphabetical rank of the names within all groups of more than one entry (0 elsewhere): settles equal errors."""
    rank = np.zeros(len(group), np.int64)
    _, inverse, count = np.unique(group, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count[inverse] > 1)
    rank[several] = np.argsort(np.argsort(name.iloc[several].to_numpy(object), kind="stable"), kind="stable")
    return rank


def owned_rows(found: Matches, own_star: np.ndarray, own_row: np.ndarray) -> np.ndarray:
    """Rows of the left catalogue that this cell counts: those whose nearest Gaia source is its own, or that have none and are its own."""
    near = found.nearest >= 0
    counted = own_row.copy()
    counted[near] = own_star[found.nearest[near]]
    return counted


def match_flow(found: Matches, counted: np.ndarray, radius: float, ambiguous: float) -> Flow:
    """Flow of the left rows of a match through its first steps."""
    outcome = found.outcome[counted]
    flow = Flow(len(outcome))
    steps = {
        NO_POSITION: "position and date known",
        NO_CANDIDATE: f"Gaia source within {radius:g} arcsec at that date",
        AMBIGUOUS: f"no other Gaia source as near (within {ambiguous:g} arcsec)",
    }
    for code, text in steps.items():
        flow.cut(text, outcome != code)
        outcome = outcome[outcome != code]
    return flow


def match_external(
    name: str, rows: pd.DataFrame, table: pd.DataFrame | None, gaia: pd.DataFrame, sky: Positions, star: np.ndarray, cfg: Mapping
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Flow]:
    """Find the row of another catalogue that belongs to each star.

    A star that Gaia's best-neighbour table lists takes the row named there, unless another Gaia source is nearer to that row
    at its date (then the row is the other's, or holds both). A star without an entry takes the row whose nearest
    Gaia source it is, within the radius. So no row serves two stars, and borders of cells do not matter.

    Parameters
    ----------
    rows : DataFrame
        id, ra, dec, ref_epoch (optional) of the other catalogue.
    table : DataFrame, optional
        gaia_dr3_source_id, the id, angular_distance.
    star : ndarray of int
        Rows of the stars in `gaia`.

    Returns
    -------
    index : ndarray of int, one a star
        Row of the other catalogue, -1 without.
    sep_arcsec : ndarray
        Separation at the date of that row, NaN without.
    by_table : ndarray of bool
    flow : Flow
        Stars: all, with a candidate, kept.
    """
    what, settings = EXTERNALS[name], cfg["crossmatch"]
    radius, ambiguous, move = settings["radius_arcsec"][name], settings["ambiguous_arcsec"], settings["propagate"]
    left = Positions(rows["ra"].to_numpy(float), rows["dec"].to_numpy(float), row_epoch(rows, what.epoch))
    index, sep = np.full(len(star), -1, np.int64), np.full(len(star), np.nan)
    listed, present, nearest = (np.zeros(len(star), bool) for _ in range(3))

    if table is not None and len(table):
        entry = table.sort_values([ID, "angular_distance", what.id]).drop_duplicates(ID)
        at = pd.Index(entry[ID].to_numpy()).get_indexer(gaia[ID].to_numpy()[star])
        listed = at >= 0
        unique = rows[what.id].drop_duplicates()
        place = pd.Index(unique).get_indexer(entry[what.id].to_numpy()[at[listed]])
        who, k = np.flatnonzero(listed)[place >= 0], unique.index.to_numpy()[place[place >= 0]]
        present[who] = True
        distance = pair_separation(left, sky, k, star[who], move)
        near = distance <= TABLE_LIMIT
        who, k, distance = who[near], k[near], distance[near]
        good = _is_nearest(left, sky, k, star[who], distance, move)
        index[who[good]], sep[who[good]] = k[good], distance[good]
        nearest[who[good]] = True
    by_table = nearest.copy()

    loose = ~listed
    if loose.any():
        found = match(left, sky, radius, ambiguous, move)
        slot = np.full(len(gaia), -1, np.int64)
        slot[star[loose]] = np.flatnonzero(loose)
        near = slot[found.nearest[found.nearest >= 0]]
        present[near[near >= 0]] = True
        mine = slot[found.gaia] >= 0
        who = slot[found.gaia[mine]]
        index[who], sep[who], nearest[who] = found.left[mine], found.sep_arcsec[mine], True
    flow = Flow(len(star), "stars")
    how = "in Gaia's table, or " if table is not None else ""
    flow.cut(f"{name} source {how}within {radius:g} arcsec", present)
    flow.cut("the source's nearest star, not ambiguous", nearest[present])
    return index, sep, by_table, flow


def _is_nearest(left: Positions, sky: Positions, k: np.ndarray, star: np.ndarray, distance: np.ndarray, move: bool) -> np.ndarray:
    """Whether no other Gaia source is nearer to row `k` (of the left catalogue) than its star."""
    if not len(k):
        return np.zeros(0, bool)
    part = Positions(left.ra[k], left.dec[k], left.dates()[k])
    i, j, sep = candidates(part, sky, float(distance.max()) + 1e-6, move)
    rival = (j != star[i]) & (sep < distance[i])
    good = np.ones(len(k), bool)
    good[i[rival]] = False
    return good


def row_epoch(rows: pd.DataFrame, default: float) -> np.ndarray:
    """Date of each row's position: its `ref_epoch` where there is one, else the default."""
    if "ref_epoch" not in rows.columns:
        return np.full(len(rows), default)
    return np.nan_to_num(rows["ref_epoch"].to_numpy(float), nan=default)
