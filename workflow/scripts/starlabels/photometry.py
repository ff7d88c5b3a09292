"""Magnitudes corrected for extinction, colours, absolute magnitudes and the feature matrix of the forests.

Gu et al. 2025, Sections 2.1 and 2.5, Table 1. Nothing here drops a row: a missing magnitude stays NaN and makes NaN
features; the caller selects the stars first (sages/selection.py).
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from .errors import InputError


def bands_of(cfg: Mapping, data_set: int) -> list[str]:
    """Bands of a data set in the order of the configuration (Section 2.1).

    Raises
    ------
    InputError
        When `data_sets` has no such id, or the set names a band that `bands` does not describe.
    """
    for entry in cfg["data_sets"]:
        if entry["id"] == data_set:
            unknown = [b for b in entry["bands"] if b not in cfg["bands"]]
            if unknown:
                raise InputError(f"sages.data_sets, id {data_set}", f"names the band {unknown[0]}", "Describe it under sages.bands")
            return list(entry["bands"])
    known = ", ".join(str(e["id"]) for e in cfg["data_sets"])
    raise InputError("sages.data_sets", f"has no data set {data_set!r}", f"Known ids: {known}")


def column(frame: pd.DataFrame, name: str, asked_by: str = "") -> np.ndarray:
    """One column as float64.

    Parameters
    ----------
    asked_by : str, optional
        The configuration key that needs the column; an error names it.

    Raises
    ------
    InputError
        When the column is absent or holds text.
    """
    if name not in frame.columns:
        where = f"`{asked_by}`, which asks for it" if asked_by else "the configuration"
        raise InputError(f"the star table, column {name}", "is absent", f"Add it to the input, or change {where}")
    try:
        return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"the star table, column {name}", f"is not numeric ({error})") from error


def deredden(frame: pd.DataFrame, cfg: Mapping) -> pd.DataFrame:
    """Return the frame with `<band>_0` = m - R E(B-V) of every configured band that it has (Table 1, raw SFD98 E(B-V)).

    Parameters
    ----------
    frame : DataFrame
        Magnitudes `<band>` (mag) and `ebv_sfd` (mag).

    Raises
    ------
    InputError
        When `ebv_sfd` is absent or not numeric.
    """
    ebv = column(frame, "ebv_sfd")
    new = {f"{band}_0": column(frame, band) - spec["reddening"] * ebv for band, spec in cfg["bands"].items() if band in frame.columns}
    return frame.drop(columns=[c for c in new if c in frame.columns]).assign(**new)


def absolute_magnitude(m0: np.ndarray, parallax: np.ndarray) -> np.ndarray:
    """M = m0 + 5 log10(parallax / mas) - 10; NaN where the parallax is not positive (no zero-point correction, A-12).

    Parameters
    ----------
    m0 : ndarray (n,)
        Corrected apparent magnitude.
    parallax : ndarray (n,)
        Parallax in mas.
    """
    parallax = np.asarray(parallax, dtype=np.float64)
    positive = np.where(parallax > 0, parallax, np.nan)
    return np.asarray(m0, dtype=np.float64) + 5.0 * np.log10(positive) - 10.0


def colour_pairs(cfg: Mapping, data_set: int) -> list[tuple[str, str]]:
    """Pairs of bands whose colours are features: all pairs i < j (A-13), neighbours in the order of the set, or none."""
    bands = bands_of(cfg, data_set)
    kind = cfg["features"]["colours"]
    if kind == "all":
        return list(combinations(bands, 2))
    if kind == "neighbours":
        return list(pairwise(bands))
    if kind == "none":
        return []
    raise InputError("sages.features.colours", f"is {kind!r}", "Use all, neighbours or none")


def colour_name(cfg: Mapping, band1: str, band2: str) -> str:
    """Canonical name of a corrected colour, `col_<tag1>_<tag2>_0`."""
    return f"col_{cfg['bands'][band1]['tag']}_{cfg['bands'][band2]['tag']}_0"


def colour_names(cfg: Mapping, data_set: int) -> list[str]:
    """Names of the colours of a data set: 10 for set 1 and 55 for set 2 of the paper."""
    return [colour_name(cfg, a, b) for a, b in colour_pairs(cfg, data_set)]


def _features(cfg: Mapping, data_set: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each feature's name with the column it is, or the two columns whose difference it is."""
    switches = cfg["features"]
    if switches["magnitudes"]:
        for band in bands_of(cfg, data_set):
            yield f"{band}_0", (f"{band}_0",)
    for band1, band2 in colour_pairs(cfg, data_set):
        yield colour_name(cfg, band1, band2), (f"{band1}_0", f"{band2}_0")
    if switches["parallax"]:
        yield "parallax", ("parallax",)
    if switches["abs_magnitude"]:
        name = f"abs_{switches['abs_magnitude']}_0"
        yield name, (name,)
    if switches["ebv"]:
        yield "ebv_sfd", ("ebv_sfd",)


def feature_names(cfg: Mapping, data_set: int) -> list[str]:
    """Names of the features: magnitudes, colours, parallax, absolute magnitude, E(B-V) (Section 2.5; 18 and 69)."""
    return [name for name, _ in _features(cfg, data_set)]


def feature_matrix(frame: pd.DataFrame, cfg: Mapping, data_set: int) -> tuple[list[str], np.ndarray]:
    """Features of every row of a features table.

    Colours are differences of the float64 magnitudes, rounded to float32 once. Rows with a missing value are
    returned as they are, with NaN; select complete rows before.

    Parameters
    ----------
    frame : DataFrame (n rows)
        `<band>_0` of the set's bands and, where switched on, `parallax` (mas), `abs_<band>_0`, `ebv_sfd`.

    Returns
    -------
    names : list of str (p,)
    matrix : ndarray (n, p) of float32, C order

    Raises
    ------
    InputError
        When a needed column is absent or not numeric.
    """
    plan = list(_features(cfg, data_set))
    cache: dict[str, np.ndarray] = {}
    matrix = np.empty((len(frame), len(plan)), dtype=np.float32)
    for k, (_, columns) in enumerate(plan):
        for name in columns:
            if name not in cache:
                cache[name] = column(frame, name)
        matrix[:, k] = cache[columns[0]] if len(columns) == 1 else cache[columns[0]] - cache[columns[1]]
    return [name for name, _ in plan], matrix
