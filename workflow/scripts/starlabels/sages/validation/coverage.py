"""Do the errors of single stars cover the labels, and the truth, as often as one and two sigma should?"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...io import read_table, write_json, write_table
from ...metrics import Histogram1D
from . import scales
from .cells import pick
from .panels import CLASSES, PARAMETERS, in_class, masked, numbers
from .residuals import regular_edges
from .test_set import labels, leakage_free, parameters_of, predictions, surveys_of, test_rows

EXPECTED = {"share_1": 0.6827, "share_2": 0.9545}
MAGNITUDES = regular_edges(5.0, 21.0, 1.0)
METALLICITIES = np.array([-5.0, -3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 1.0])
MIN_STARS = 30
COLUMNS = (
    "data_set", "against", "parameter", "star_class", "by", "lo", "hi", "n", "share_1", "share_2", "share_1_centred", "median", "width",
    "share_1_on_scale",
)


def magnitude_of(cfg: Mapping, data_set: int) -> str:
    """The magnitude that stars are binned by: Gaia G, or the first band of the set."""
    bands = next(e["bands"] for e in cfg["data_sets"] if e["id"] == data_set)
    return "gaia_g" if "gaia_g" in bands else bands[0]


class Coverage:
    """z = residual / error of many stars, by parameter, class, magnitude and [Fe/H]."""

    def __init__(self):
        self.histograms: dict[tuple, Histogram1D] = {}

    def add(self, frame: pd.DataFrame, z: Mapping[str, np.ndarray], magnitude: np.ndarray, feh: np.ndarray | None) -> None:
        """Take in stars: `star_class` from `frame`, z of each parameter, and what they are binned by."""
        for parameter, values in z.items():
            for star_class in CLASSES:
                mask = in_class(frame, star_class) & np.isfinite(values)
                self._put((parameter, star_class, "all", -np.inf, np.inf), values[mask])
                for by, x, edges in (("magnitude", magnitude, MAGNITUDES), ("feh", feh, METALLICITIES)):
                    if x is None:
                        continue
                    number = np.searchsorted(edges, x[mask], side="right") - 1
                    for k in np.unique(number[(number >= 0) & (number < len(edges) - 1)]):
                        self._put((parameter, star_class, by, edges[k], edges[k + 1]), values[mask][number == k])

    def _put(self, key: tuple, z: np.ndarray) -> None:
        if len(z):
            self.histograms.setdefault(key, Histogram1D(0.01, -50.0, 50.0)).add(z)

    def table(self, data_set: int, against: str) -> pd.DataFrame:
        """Rows of coverage.parquet; groups under 30 stars are absent but for the whole class."""
        rows = []
        for key in sorted(self.histograms):
            gathered = self.histograms[key]
            n = int(gathered.counts.sum()) + gathered.below + gathered.above
            if n < MIN_STARS and key[2] != "all":
                continue
            plain = gathered.fit(0.0)
            median = plain["median"] if np.isfinite(plain["median"]) else 0.0
            shares = [_inside(gathered, 0.0, 1.0) / n, _inside(gathered, 0.0, 2.0) / n, _inside(gathered, median, 1.0) / n]
            rows.append((data_set, against, *key, n, *shares, plain["median"], plain["robust_sigma"]))
        kinds = {c: "float64" for c in COLUMNS[:-1]} | {c: "str" for c in COLUMNS[1:5]} | {"data_set": "int64", "n": "int64"}
        return pd.DataFrame(rows, columns=list(COLUMNS[:-1])).astype(kinds)


def _inside(gathered: Histogram1D, centre: float, reach: float) -> float:
    """Counts within `reach` of `centre`, a bin that is cut by the border taken in part."""
    cumulative = np.concatenate([[0], np.cumsum(gathered.counts)])
    high, low = np.interp([centre + reach, centre - reach], gathered.edges, cumulative)
    return float(high - low)


def label_scores(frame: pd.DataFrame, scale: Mapping | None = None) -> dict[str, np.ndarray]:
    """z of test rows: (prediction - label) / sqrt(error of the prediction^2 + error of the label^2).

    With `scale` (of `scales.measure`) the labels are brought to the scale of the training first.
    """
    x, y = labels(frame), predictions(frame)
    found = {}
    for p in parameters_of(frame):
        if f"{p}_pred_err" in frame.columns:
            error = np.nan_to_num(numbers(frame, f"{p}_err")) if f"{p}_err" in frame.columns else 0.0
            shift = scales.offset_of(frame, p, scale) if scale else 0.0
            found[p] = _ratio(y[p] - x[p] - shift, np.hypot(numbers(frame, f"{p}_pred_err"), error))
    return found


def truth_scores(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """z of predicted stars against the truth."""
    known = [p for p in PARAMETERS if f"{p}_err" in frame.columns]
    return {p: _ratio(numbers(frame, p) - numbers(frame, f"{p}_true"), numbers(frame, f"{p}_err")) for p in known}


def _ratio(residual: np.ndarray, error: np.ndarray) -> np.ndarray:
    good = np.isfinite(residual) & (error > 0)
    return np.where(good, residual / np.where(good, error, 1.0), np.nan)


def domain_shares(paths: Iterable) -> dict:
    """Shares of the predicted stars that are out of domain or masked, by class."""
    counts = {c: {"n": 0, "out_of_domain": 0, "masked": 0} for c in CLASSES}
    for path in tqdm(sorted(paths, key=str), desc="out of domain", unit="cell", mininterval=5, disable=None):
        frame = read_table(path, pick(path, ["star_class", "out_of_domain", "cool_mask"]))
        outside = frame["out_of_domain"].to_numpy(bool) if "out_of_domain" in frame else np.zeros(len(frame), bool)
        for star_class, found in counts.items():
            mask = in_class(frame, star_class)
            found["n"] += int(mask.sum())
            found["out_of_domain"] += int((mask & outside).sum())
            found["masked"] += int((mask & masked(frame)).sum())
    for found in counts.values():
        found |= {f"share_{c}": (found[c] / found["n"] if found["n"] else None) for c in ("out_of_domain", "masked")}
    return counts


def run_coverage(
    sample_paths: Mapping[int, str], prediction_paths: Mapping[int, Iterable], cfg: Mapping, simulated: bool, out_json, out_parquet,
    truth_frames: Mapping[int, Iterable[pd.DataFrame]] | None = None,
) -> dict:
    """Coverage of labels (leakage-free test stars) and of the truth, by class, magnitude and [Fe/H].

    Parameters
    ----------
    sample_paths, prediction_paths : mapping
        Data set -> `predictions/samples_set<k>.parquet`, `predictions/set<k>/cell-*.parquet`.
    truth_frames : mapping, optional
        Data set -> iterator of `truth.iter_truth`.
    out_parquet : path
        data_set, against (label: every survey together; a survey's name; truth), parameter, star_class, by (all, magnitude, feh), lo,
        hi, n, share_1, share_2 (within one and two sigma), share_1_centred (after the median of z, which holds the systematic offset
        between two spectroscopic scales, is taken off), median and width (1.4826 MAD) of z, which should be 0 and 1;
        share_1_on_scale: as share_1, the labels brought to the training's scale by the stars that both surveys have (`scales`).
    out_json : path
        {`expected`, `magnitude`: {k: band}, `overall`: {k: {against: {parameter: {class: row}}}}, `scales`: {k: ...},
        `domain`: {k: {class: ...}},
        `simulated`}.
    """
    parts, content = [], {"expected": EXPECTED, "magnitude": {}, "overall": {}, "scales": {}, "domain": {}, "simulated": bool(simulated)}
    for k, path in sorted(sample_paths.items()):
        band = magnitude_of(cfg, k)
        frame = read_table(path)
        scale = scales.measure(frame)
        frame = test_rows(frame)
        frame = frame[leakage_free(frame)].reset_index(drop=True)
        groups = [("label", frame)]
        groups += [(s, frame[(frame["survey"] == s).to_numpy(bool)].reset_index(drop=True)) for s in surveys_of(frame, cfg)]
        tables = []
        for against, rows in groups:
            tables.append(_label_table(rows, band, scale, k, against))
        if truth_frames and k in truth_frames:
            gathered = Coverage()
            for rows in truth_frames[k]:
                gathered.add(rows, truth_scores(rows), numbers(rows, band), numbers(rows, "feh_true"))
            tables.append(gathered.table(k, "truth").assign(share_1_on_scale=np.nan))
        found = pd.concat(tables, ignore_index=True)
        parts.append(found)
        content["magnitude"][str(k)] = band
        content["overall"][str(k)] = _overall(found)
        content["scales"][str(k)] = scale
        content["domain"][str(k)] = domain_shares(prediction_paths[k])
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _label_table(rows: pd.DataFrame, band: str, scale: Mapping, data_set: int, against: str) -> pd.DataFrame:
    """Coverage of the labels of some rows, as published and on the scale of the training."""
    tables = []
    for scores in (label_scores(rows), label_scores(rows, scale)):
        gathered = Coverage()
        gathered.add(rows, scores, numbers(rows, band), labels(rows).get("feh"))
        tables.append(gathered.table(data_set, against))
    keys = list(COLUMNS[:8])  # the same stars stand behind both
    moved = tables[1][[*keys, "share_1"]].rename(columns={"share_1": "share_1_on_scale"})
    return tables[0].merge(moved, on=keys, how="left", validate="one_to_one")


def _overall(table: pd.DataFrame) -> dict:
    found: dict = {}
    for row in table[(table["by"] == "all").to_numpy(bool)].to_dict("records"):
        keep = {c: row[c] for c in COLUMNS[7:]}
        found.setdefault(row["against"], {}).setdefault(row["parameter"], {})[row["star_class"]] = keep
    return found
