"""Residuals against E(B-V): do the predictions hold where the training has no star (Table 2: 0.05 against 0.5)?"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from ...io import read_table, write_json, write_table
from .cells import ID, iter_matches
from .panels import PARAMETERS, in_class, masked, numbers, panels_for, split_panel
from .residuals import BinnedResiduals, Residuals

MIN_STARS = 20                           # few stars are reddened much: half the limit of Figure 8's bins


def label_surveys(cfg: Mapping) -> list[str]:
    """Surveys whose labels are compared: test surveys that deliver Teff; of a random split, those of the training sample."""
    for role in ("test", "train"):
        found = [s for s, spec in (cfg["samples"].get(role) or {}).items() if spec and "teff" in spec["labels"]]
        if found:
            return found
    return []


def training_ids(sample_path) -> np.ndarray:
    """Gaia ids of the stars that a model was trained on."""
    frame = read_table(sample_path, [ID, "role"])
    return np.unique(frame[ID].to_numpy()[(frame["role"] == "train").to_numpy(bool)])


def iter_labels(prediction_paths, label_paths, cfg: Mapping, survey: str, trained: np.ndarray) -> Iterator[pd.DataFrame]:
    """Yield predictions with the labels of one survey (`<parameter>_ref`, NaN beyond the error limits of Table 2).

    Stars of the training sample and masked stars are left out.
    """
    columns = {c: f"{c}_ref" for p in PARAMETERS for c in (p, f"{p}_err")}
    wanted = ["star_class", "ebv_sfd", "cool_mask", *PARAMETERS]
    for frame in iter_matches(prediction_paths, label_paths, wanted, columns, survey):
        frame = frame[~masked(frame) & ~np.isin(frame[ID].to_numpy(), trained)].reset_index(drop=True)
        for parameter in PARAMETERS:
            limit = cfg["cuts"][f"{parameter}_err_max"]
            if limit is not None:
                bad = ~(numbers(frame, f"{parameter}_err_ref") <= limit)
                frame[f"{parameter}_ref"] = np.where(bad, np.nan, numbers(frame, f"{parameter}_ref"))
        yield frame


class Trend:
    """Residuals of every panel in bins of E(B-V), and below and above the limit of the training sample."""

    def __init__(self, cfg: Mapping):
        self.cfg, self.limit = cfg, cfg["cuts"]["ebv_max_train"]
        self.bins, self.sides = {}, {}
        for name in panels_for(cfg, PARAMETERS):
            parameter = split_panel(name)[0]
            self.bins[name] = BinnedResiduals(parameter, cfg, cfg["validation"]["ebv_edges"])
            self.sides[name] = {side: Residuals(parameter, cfg) for side in ("trained", "beyond")}

    def add(self, frame: pd.DataFrame, suffix: str) -> None:
        """Take in stars whose reference is `<parameter><suffix>`."""
        ebv = numbers(frame, "ebv_sfd")
        inside = ebv <= (np.inf if self.limit is None else self.limit)
        for name, gathered in self.bins.items():
            parameter, star_class = split_panel(name)
            mask = in_class(frame, star_class)
            residual = numbers(frame, parameter) - numbers(frame, f"{parameter}{suffix}")
            gathered.add(ebv[mask], residual[mask])
            self.sides[name]["trained"].add(residual[mask & inside])
            self.sides[name]["beyond"].add(residual[mask & ~inside])

    def table(self, data_set: int, against: str, survey: str) -> pd.DataFrame:
        """Rows of extinction.parquet."""
        parts = []
        for name, gathered in self.bins.items():
            parameter, star_class = split_panel(name)
            labels = {"data_set": data_set, "against": against, "survey": survey, "star_class": star_class, "parameter": parameter}
            parts.append(gathered.table(MIN_STARS, **labels))
        return pd.concat(parts, ignore_index=True)

    def summary(self) -> dict:
        """Statistics of each panel within the training's E(B-V) and beyond it."""
        return {name: {side: r.statistics(fallback=True) for side, r in sides.items()} for name, sides in self.sides.items()}


def run_extinction(
    prediction_paths: Mapping[int, Iterable], label_paths: Iterable, sample_paths: Mapping[int, str], cfg: Mapping, simulated: bool,
    out_json, out_parquet, truth_frames: Mapping[int, Iterable[pd.DataFrame]] | None = None,
) -> dict:
    """Residuals in bins of E(B-V) up to the limit of the predictions.

    The samples stop at E(B-V) = 0.05, so the labels come from the label tables: every predicted star with a label of a test
    survey that meets the label errors of Table 2 and is no training star.

    Parameters
    ----------
    prediction_paths : mapping
        Data set -> `predictions/set<k>/cell-*.parquet`.
    label_paths : iterable of path
        `labels/cell-*.parquet` of the same cells.
    sample_paths : mapping
        Data set -> `samples/set<k>.parquet` (which stars were trained on).
    truth_frames : mapping, optional
        Data set -> iterator of `truth.iter_truth` where a truth exists.
    out_parquet : path
        data_set, against (label | truth), survey, star_class, parameter, lo, hi, mid, n, mean, sigma, median, robust_sigma, bias,
        std, fit; bins under 20 stars are absent.
    out_json : path
        {`training_limit`, `edges`, `data_sets`: {k: {survey or truth: {panel: {trained, beyond}}}}, `simulated`}.
    """
    parts, content = [], {"training_limit": cfg["cuts"]["ebv_max_train"], "edges": list(cfg["validation"]["ebv_edges"]), "data_sets": {}}
    label_paths = list(label_paths)
    for k, paths in sorted(prediction_paths.items()):
        paths, trained, found = list(paths), training_ids(sample_paths[k]), {}
        sources = [("label", s, "_ref", iter_labels(paths, label_paths, cfg, s, trained)) for s in label_surveys(cfg)]
        if truth_frames and k in truth_frames:
            sources.append(("truth", "truth", "_true", truth_frames[k]))
        for against, survey, suffix, frames in sources:
            trend = Trend(cfg)
            for frame in frames:
                trend.add(frame, suffix)
            parts.append(trend.table(k, against, survey))
            found[survey] = trend.summary()
        content["data_sets"][str(k)] = found
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    content["simulated"] = bool(simulated)
    write_json(out_json, content)
    return content
