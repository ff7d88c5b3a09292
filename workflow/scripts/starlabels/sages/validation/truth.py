"""Predictions against the truth of a simulated sky. Only this module reads the truth."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...io import read_table, write_table
from .bins import bin_edges
from .cells import ID, iter_groups, overlap, pick
from .compare import Comparison, write_comparison
from .panels import PARAMETERS, in_class, masked, numbers, split_panel
from .residuals import BinnedResiduals

TOO_POOR = {"true_above": -0.6, "predicted_below": -0.7, "by": 0.5}      # dex: dwarfs that leave the bulk for the metal-poor stars
GROUP_ROWS = 2_000_000                  # truth rows held at once; the result does not depend on it
KEEP = ("star_class", "gaia_g", "ebv_sfd", "cool_mask", "out_of_domain", *PARAMETERS, *(f"{p}_err" for p in PARAMETERS))


def iter_truth(prediction_paths: Iterable, truth_paths: Iterable, group_rows: int = GROUP_ROWS) -> Iterator[pd.DataFrame]:
    """Yield predictions with their truth (`teff_true`, `logg_true`, `feh_true`, `ebv_true`), joined by Gaia id.

    The truth is ordered as the sky was made and not by cell, so a bounded group of it is held at a time and the
    predictions pass by it. Stars with the mask of Section 4 are left out: the final catalogue does not give their values.
    """
    paths = sorted(prediction_paths, key=str)
    total = 0
    names = {p: f"{p}_true" for p in (*PARAMETERS, "ebv")}
    for group in iter_groups(truth_paths, [ID, *names], group_rows):
        group = group.rename(columns=names).drop_duplicates(ID)
        for path in tqdm(paths, desc=f"truth, from star {total}", unit="cell", mininterval=5, disable=None):
            ids = read_table(path, [ID])[ID].to_numpy()
            if not overlap(ids, group):
                continue
            frame = read_table(path, pick(path, [ID, *KEEP])).merge(group, on=ID, how="inner")
            yield frame[~masked(frame)].reset_index(drop=True)
        total += len(group)


def run_truth(
    prediction_paths: Iterable, truth_paths: Iterable, cfg: Mapping, data_set: int, out_json, out_density, out_hist, out_bins,
    seed: int = 42,
) -> dict:
    """Compare all predictions of a data set with the truth (a companion of Figures 6 and 8).

    Parameters
    ----------
    prediction_paths, truth_paths : iterable of path
        `predictions/set<k>/cell-*.parquet` and `native/truth/part-*.parquet`.
    out_json, out_density, out_hist : path
        As `compare.write_comparison`; the JSON also counts `stars` and `out_of_domain`, and has `too_poor`: the limits of
        `TOO_POOR`, the dwarfs whose true [Fe/H] is above the first (`n`), and how many of them (`count`, `share`) are predicted
        below the second and too poor by the third or more.
    out_bins : path
        As Figure 8's bins, with test_set `truth`.
    """
    comparison = Comparison(cfg, PARAMETERS)
    bins = {name: BinnedResiduals(split_panel(name)[0], cfg, bin_edges(split_panel(name)[0], cfg)) for name in comparison.panels}
    counts, poor = {"stars": 0, "out_of_domain": 0}, np.zeros(2, np.int64)
    for frame in iter_truth(prediction_paths, truth_paths):
        truth = {p: numbers(frame, f"{p}_true") for p in PARAMETERS}
        ours = {p: numbers(frame, p) for p in PARAMETERS if p in frame.columns}
        comparison.add(frame, truth, ours)
        for name, gathered in bins.items():
            parameter, star_class = split_panel(name)
            mask = in_class(frame, star_class)
            gathered.add(truth[parameter][mask], (ours[parameter] - truth[parameter])[mask])
        poor += too_poor(frame)
        counts["stars"] += len(frame)
        counts["out_of_domain"] += int(frame["out_of_domain"].sum()) if "out_of_domain" in frame else 0
    parts = []
    for name, gathered in bins.items():
        parameter, star_class = split_panel(name)
        labels = {"data_set": data_set, "test_set": "truth", "split": "truth", "star_class": star_class, "parameter": parameter}
        parts.append(gathered.table(cfg["validation"]["bin_min_stars"], **labels))
    write_table(out_bins, pd.concat(parts, ignore_index=True), meta={"simulated": True})
    n, count = poor.tolist()
    extra = {"data_set": data_set, "counts": counts, "masked": "stars with cool_mask are left out",
             "too_poor": {**TOO_POOR, "n": n, "count": count, "share": count / n if n else None}}
    return write_comparison(comparison, "true", "this work", True, out_json, out_density, out_hist, seed, extra)


def too_poor(frame: pd.DataFrame) -> tuple[int, int]:
    """Dwarfs with both [Fe/H] whose truth is not metal-poor, and those of them that are predicted far too poor (`TOO_POOR`)."""
    if "feh" not in frame.columns:
        return 0, 0
    dwarf = in_class(frame, "dwarf")
    true, ours = numbers(frame, "feh_true")[dwarf], numbers(frame, "feh")[dwarf]
    rich = np.isfinite(ours) & (true > TOO_POOR["true_above"])
    lost = rich & (ours < TOO_POOR["predicted_below"]) & (true - ours >= TOO_POOR["by"])
    return int(rich.sum()), int(lost.sum())
