"""Shares of metal-poor stars and the [Fe/H] histogram of the final catalogues (Section 4, Figure 12)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...io import read_table, write_json, write_table
from ...metrics import Histogram1D
from .cells import pick
from .panels import CLASSES, in_class, masked, numbers, stack

FEH_RANGE = (-6.0, 2.0)     # wider than any label of a training star


def threshold_name(limit: float) -> str:
    """Name of a share: 0 -> feh_le_0, -1 -> feh_le_m1, -0.5 -> feh_le_m0.5."""
    return f"feh_le_{'m' if limit < 0 else ''}{abs(limit):g}"


class Shares:
    """Counts of [Fe/H] of one data set, cell by cell."""

    def __init__(self, cfg: Mapping):
        self.thresholds = sorted((float(t) for t in cfg["validation"]["fractions"]), reverse=True)
        self.edges = [-np.inf, *sorted(self.thresholds), np.inf]
        self.below = {c: dict.fromkeys(self.thresholds, 0) for c in CLASSES}
        self.intervals = {c: np.zeros(len(self.edges) - 1, np.int64) for c in CLASSES}
        self.total = dict.fromkeys(CLASSES, 0)
        self.masked = 0
        self.histograms = {c: Histogram1D(cfg["validation"]["feh_bar"], *FEH_RANGE) for c in CLASSES}

    def add(self, frame: pd.DataFrame) -> None:
        """Count the stars of a cell; masked ones are left out (Section 4)."""
        self.masked += int(masked(frame).sum())
        frame = frame[~masked(frame)]
        feh = numbers(frame, "feh")
        for star_class in CLASSES:
            values = feh[in_class(frame, star_class) & np.isfinite(feh)]
            self.total[star_class] += len(values)
            for limit in self.thresholds:
                self.below[star_class][limit] += int((values <= limit).sum())
            # intervals are open at the lower and closed at the upper edge, so that they add up to the shares
            number = np.searchsorted(self.edges[1:-1], values, side="left")
            self.intervals[star_class] += np.bincount(number, minlength=len(self.edges) - 1)
            self.histograms[star_class].add(values)

    def summary(self, published: Sequence[float] | None) -> dict:
        """Fractions, counts and the paper's numbers (per cent, in the order of falling thresholds)."""
        names = [threshold_name(t) for t in self.thresholds]
        share = {
            c: {name: (self.below[c][t] / self.total[c] if self.total[c] else None) for name, t in zip(names, self.thresholds, strict=True)}
            for c in CLASSES
        }
        rows = [
            {"lo": None if np.isinf(lo) else lo, "hi": None if np.isinf(hi) else hi, **{c: int(self.intervals[c][i]) for c in CLASSES}}
            for i, (lo, hi) in enumerate(zip(self.edges[:-1], self.edges[1:], strict=True))
        ]
        return {
            "limits": dict(zip(names, self.thresholds, strict=True)), "n": self.total, "n_masked": self.masked, "fractions": share["all"],
            "fractions_by_class": share, "intervals": rows,
            "published": dict(zip(names, (p / 100 for p in published), strict=True)) if published else None,
        }

    def table(self, data_set: int) -> pd.DataFrame:
        """The bars of Figure 12: data_set, star_class, lo, hi, count (from the poorest to the richest star; lo <= [Fe/H] < hi)."""
        parts = []
        filled = np.flatnonzero(self.histograms["all"].counts)
        part = slice(filled[0], filled[-1] + 1) if len(filled) else slice(0, 0)
        for star_class in CLASSES:
            found = self.histograms[star_class].table().iloc[part]
            lo, hi = found["x_lo"].round(9), found["x_hi"].round(9)
            parts.append(pd.DataFrame({"data_set": data_set, "star_class": star_class, "lo": lo, "hi": hi, "count": found["count"]}))
        return pd.concat(parts, ignore_index=True)


def run_fractions(
    prediction_paths: Mapping[int, Iterable], cfg: Mapping, simulated: bool, out_json, out_parquet, published: Mapping | None = None
) -> dict:
    """Shares with [Fe/H] <= 0, -1, -2 of each data set, and the histograms of Figure 12.

    Parameters
    ----------
    prediction_paths : mapping
        Data set -> `predictions/set<k>/cell-*.parquet`.
    published : mapping, optional
        Data set -> the paper's shares in per cent, thresholds falling (configuration: `published.fractions`).
    out_json : path
        {data_sets: {k: {limits {feh_le_0: 0, ...}, n {class}, n_masked, fractions {feh_le_0, feh_le_m1, feh_le_m2},
        fractions_by_class {class: ...}, intervals [{lo, hi, dwarf, giant, all}], published {feh_le_0, ...}}}, simulated}.
        Intervals are lo < [Fe/H] <= hi.
    out_parquet : path
        data_set, star_class (dwarf, giant, all), lo, hi, count; bars are `validation.feh_bar` wide and one ends at 0.
    """
    published = published or {}
    content, parts = {"data_sets": {}, "simulated": bool(simulated)}, []
    for k, paths in sorted(prediction_paths.items()):
        shares = Shares(cfg)
        for path in tqdm(sorted(paths, key=str), desc=f"[Fe/H] of set {k}", unit="cell", mininterval=5, disable=None):
            shares.add(read_table(path, pick(path, ["star_class", "cool_mask", "feh"])))
        content["data_sets"][str(k)] = shares.summary(published.get(k) or published.get(str(k)))
        parts.append(shares.table(k))
    kinds = {"data_set": "int64", "star_class": "str", "lo": "float64", "hi": "float64", "count": "int64"}
    write_table(out_parquet, stack(parts, kinds), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
