"""Pairs of spectra of the same star (Section 6.5; B-19)."""

import numpy as np
import pandas as pd

from ..rows import ID


def star_key(frame: pd.DataFrame) -> np.ndarray:
    """Name of the star of each spectrum (n,): its Gaia DR2 source, and RAVE's own name where it has none."""
    gaia = frame["gaia_dr2_source_id"].to_numpy(np.int64)
    return np.where(gaia >= 0, gaia.astype(str), "rave " + frame["raveid"].astype(str).to_numpy(object))


def pairs_of(frame: pd.DataFrame) -> pd.DataFrame:
    """All pairs of spectra of one star, the earlier first.

    Parameters
    ----------
    frame : DataFrame
        rave_obs_id, raveid, gaia_dr2_source_id, obsdate; a row a spectrum.

    Returns
    -------
    DataFrame
        `first`, `second` (positions in `frame`; by date, then by id), `star` (number of the star from 0) and `weight`
        (one over the star's number of pairs, so that each star counts the same).
    """
    star = pd.factorize(star_key(frame), sort=True)[0]
    order = np.lexsort((frame[ID].astype(str).to_numpy(object), frame["obsdate"].astype(str).to_numpy(object), star))
    _, start, count = np.unique(star[order], return_index=True, return_counts=True)
    parts = []
    for n in np.unique(count[count > 1]):
        first, second = np.triu_indices(n, 1)
        begin = start[count == n]
        left, right = order[begin[:, None] + first], order[begin[:, None] + second]
        parts.append(pd.DataFrame({"first": left.ravel(), "second": right.ravel(), "weight": 1.0 / len(first)}))
    if not parts:
        return pd.DataFrame({"first": np.empty(0, int), "second": np.empty(0, int), "star": np.empty(0, int), "weight": np.empty(0)})
    pairs = pd.concat(parts, ignore_index=True)
    pairs["star"] = pd.factorize(star[pairs["first"]], sort=True)[0]
    return pairs.sort_values(["star", "first", "second"], ignore_index=True)[["first", "second", "star", "weight"]]
