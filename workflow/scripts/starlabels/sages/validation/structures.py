"""Structures that the text mentions in passing: LAMOST against APOGEE, and the vertical stripes against H23 (Section 3.4)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...io import read_table, write_json, write_table
from ...metrics import Density2D
from .cells import ID, iter_matches
from .external import reference_columns
from .panels import UNITS, edges, in_class, masked, numbers, residual_edges
from .residuals import BinnedResiduals, Residuals, regular_edges

SLICE = 25.0                            # K, narrow slices of the H23 temperature
SLICES = regular_edges(3500.0, 8000.0, SLICE)
NEIGHBOURS = 8                          # slices on each side that a slice's count is compared with
MIN_STARS = 20
GIANT_LOGG = 3.5


def run_survey_structures(
    label_paths: Iterable, cfg: Mapping, simulated: bool, out_json, out_parquet, surveys: tuple[str, str] = ("lamost", "apogee")
) -> dict:
    """Differences of two surveys' labels on their common stars (the text: log g and Teff show structures as against A23).

    Parameters
    ----------
    label_paths : iterable of path
        `labels/cell-*.parquet`.
    cfg : mapping
        The `sages` configuration (histogram bins).
    surveys : (str, str)
        Difference = first minus second, shown against the second.
    out_json : path
        {`n_common`, `surveys`, `panels`: {parameter: {dwarf, giant, all: statistics}}, `simulated`}; giants have log g < 3.5 in the second.
    out_parquet : path
        panel (parameter), kind (`difference`), x_lo, x_hi, y_lo, y_hi, count.
    """
    first, second = surveys
    planes = {p: Density2D(edges(p), residual_edges(p)) for p in UNITS}
    gathered = {p: {c: Residuals(p, cfg) for c in ("dwarf", "giant", "all")} for p in UNITS}
    common = 0
    for path in tqdm(sorted(label_paths, key=str), desc=f"{first} and {second}", unit="cell", mininterval=5, disable=None):
        frame = read_table(path, [ID, "survey", *UNITS])
        one, other = (frame[(frame["survey"] == s).to_numpy(bool)].drop(columns="survey") for s in surveys)
        both = one.merge(other, on=ID, suffixes=("_1", "_2"))
        common += len(both)
        giant = numbers(both, "logg_2") < GIANT_LOGG
        for parameter in UNITS:
            x = numbers(both, f"{parameter}_2")
            difference = numbers(both, f"{parameter}_1") - x
            planes[parameter].add(x, difference)
            for name, mask in (("dwarf", ~giant), ("giant", giant), ("all", np.ones(len(both), bool))):
                gathered[parameter][name].add(difference[mask])
    table = pd.concat([planes[p].table().assign(panel=p, kind="difference") for p in UNITS], ignore_index=True)
    write_table(out_parquet, table.astype({"panel": "str", "kind": "str"}), meta={"simulated": bool(simulated), "surveys": list(surveys)})
    panels = {p: {c: r.statistics(fallback=True) for c, r in found.items()} for p, found in gathered.items()}
    content = {"n_common": common, "surveys": list(surveys), "panels": panels, "simulated": bool(simulated)}
    write_json(out_json, content)
    return content


def stripes(counts: np.ndarray) -> np.ndarray:
    """Count of each slice over the median of its neighbours on both sides; NaN at the ends and where these are empty."""
    ratio = np.full(len(counts), np.nan)
    for k in range(NEIGHBOURS, len(counts) - NEIGHBOURS):
        around = np.median(np.concatenate([counts[k - NEIGHBOURS:k], counts[k + 1:k + NEIGHBOURS + 1]]))
        if around >= MIN_STARS:
            ratio[k] = counts[k] / around
    return ratio


def run_h23_stripes(
    prediction_paths: Iterable, external_paths: Iterable, cfg: Mapping, name: str, simulated: bool, out_json, out_parquet
) -> dict:
    """Are many stars of one narrow H23 temperature spread over our temperatures (the vertical structures of Figure 9)?

    Parameters
    ----------
    prediction_paths, external_paths : iterable of path
        As `external.run_external`.
    out_parquet : path
        star_class, lo, hi, mid, n, mean, sigma, median, robust_sigma, bias, std, fit of Teff (this work - H23) in slices of 25 K,
        and `excess`: the slice's count over the median of the 8 slices on each side.
    out_json : path
        {class: {n, slices, largest_excess, at (K), expected_noise (Poisson, of that slice), stripes (slices with an excess
        above five times the Poisson noise)}, `simulated`}.
    """
    external_paths = list(external_paths)
    teff = {c: f"{p}_ref" for c, p in reference_columns(external_paths[0], name).items() if p == "teff"}
    gathered = {c: BinnedResiduals("teff", cfg, SLICES) for c in ("dwarf", "giant")}
    for frame in iter_matches(prediction_paths, external_paths, ["star_class", "cool_mask", "teff"], teff):
        frame = frame[~masked(frame)].reset_index(drop=True)
        x = numbers(frame, "teff_ref")
        for star_class, found in gathered.items():
            mask = in_class(frame, star_class)
            found.add(x[mask], (numbers(frame, "teff") - x)[mask])
    parts, content = [], {"simulated": bool(simulated)}
    for star_class, found in gathered.items():
        counts = np.array([found.bins[k].n if k in found.bins else 0 for k in range(len(SLICES) - 1)])
        ratio = stripes(counts)
        table = found.table(MIN_STARS, star_class=star_class)
        number = np.searchsorted(SLICES, table["mid"].to_numpy()) - 1
        parts.append(table.assign(excess=ratio[number]))
        known = np.flatnonzero(np.isfinite(ratio))
        noise = 1 / np.sqrt(np.maximum(counts, 1))
        summary = {"n": int(counts.sum()), "slices": len(known), "largest_excess": None, "at": None, "expected_noise": None, "stripes": 0}
        if len(known):
            top = known[np.argmax(ratio[known])]
            summary |= {"largest_excess": ratio[top] - 1, "at": 0.5 * (SLICES[top] + SLICES[top + 1]), "expected_noise": noise[top]}
            summary["stripes"] = int((ratio[known] - 1 > 5 * noise[known]).sum())
        content[star_class] = summary
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
