"""Table 2: which stars enter training and prediction, every cut counted.

The paper lists limits, not inequalities: parallax / error must exceed its limit, everything else may reach it (<=).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..flow import Flow
from ..photometry import bands_of, column

LABELS = ("teff", "logg", "feh")


class Selection:
    """A mask over all rows that cuts narrow, and the flow table of what each took away."""

    def __init__(self, n: int, name: str):
        self.mask = np.ones(n, dtype=bool)
        self.flow = Flow(n, name)

    def cut(self, text: str, passes: np.ndarray) -> "Selection":
        """Keep the rows that pass (mask over all rows; those already lost are not counted again)."""
        self.mask = self.mask & passes
        self.flow.cut(text, int(self.mask.sum()))
        return self


def _within(error: np.ndarray, limit: float) -> np.ndarray:
    """Errors from 0 to the limit; a negative one is no error but a mark of the catalogue for "unknown"."""
    return (error >= 0) & (error <= limit)


def photometric_cuts(chosen: Selection, frame: pd.DataFrame, cfg: Mapping, data_set: int, purpose: str) -> Selection:
    """Apply the flags (A-2), the presence of the set's magnitudes, and Table 2 without the label errors, in its order.

    A flag of a band cuts only where the set has that band.

    Stars whose parallax error exceeds the parallax, which Section 2.1 calls likely giants, fall to the parallax cut; they
    have an entry of their own in the flow (A-11).

    Parameters
    ----------
    frame : DataFrame
        Star columns, `ebv_sfd`, and `star_class`.
    purpose : {"train", "predict"}
        Which column of Table 2. A limit of null makes no cut.
    """
    bands, cuts = bands_of(cfg, data_set), cfg["cuts"]
    elsewhere = {f"{band}_flag" for band in cfg["bands"] if band not in bands}
    for flag in cuts["flags_zero"]:
        if flag not in elsewhere:
            chosen.cut(f"{flag} = 0", column(frame, flag, "sages.cuts.flags_zero") == 0)
    for band in bands:
        chosen.cut(f"{band} present", np.isfinite(column(frame, band, "sages.data_sets")))
    limit = cuts["parallax_over_err_min"]
    if limit is not None:
        parallax, error = (column(frame, name, "sages.cuts.parallax_over_err_min") for name in ("parallax", "parallax_err"))
        chosen.cut("parallax and error present", np.isfinite(parallax) & np.isfinite(error) & (error > 0))
        chosen.cut("parallax error <= parallax (likely giants go, A-11)", error <= parallax)
        chosen.cut(f"parallax / error > {limit:g}", parallax > limit * error)
    elif cfg["features"]["abs_magnitude"] is not None:
        chosen.cut("parallax > 0", column(frame, "parallax", "sages.features.abs_magnitude") > 0)  # no absolute magnitude without one
    elif cfg["features"]["parallax"]:
        chosen.cut("parallax present", np.isfinite(column(frame, "parallax", "sages.features.parallax")))
    limit, ebv = cuts[f"ebv_max_{purpose}"], column(frame, "ebv_sfd")
    chosen.cut("E(B-V) present" if limit is None else f"E(B-V) <= {limit:g}", np.isfinite(ebv) if limit is None else ebv <= limit)
    for band in bands:
        limit = cfg["bands"][band][f"err_max_{purpose}"]
        if limit is not None:
            chosen.cut(f"{band} error <= {limit:g}", _within(column(frame, f"{band}_err", f"sages.bands.{band}.err_max_{purpose}"), limit))
    kind = frame["star_class"].to_numpy(dtype=object)
    chosen.cut("class known", kind != "unclassified")
    chosen.cut("not a white dwarf", kind != "white_dwarf")
    return chosen.cut("not a hot subdwarf", kind != "hot_subdwarf")


def prediction_mask(frame: pd.DataFrame, cfg: Mapping, data_set: int) -> tuple[np.ndarray, Flow]:
    """Stars whose parameters are predicted: Table 2, column "prediction", and class dwarf or giant.

    Returns
    -------
    mask : ndarray (n,) of bool
    flow : Flow

    Raises
    ------
    InputError
        When a needed column is absent or not numeric.
    """
    chosen = photometric_cuts(Selection(len(frame), "matched stars"), frame, cfg, data_set, "predict")
    return chosen.mask, chosen.flow


def training_mask(
    frame: pd.DataFrame, cfg: Mapping, data_set: int, survey: Mapping, name: str = "stars with a label"
) -> tuple[np.ndarray, Flow]:
    """Rows of one survey that may train or test: Table 2, column "training", then the survey's own conditions.

    Every label that the survey delivers must be present and meet its error limit.

    Parameters
    ----------
    frame : DataFrame
        Features joined with the labels of one survey (`teff`, `teff_err`, ..., `snr`).
    survey : mapping
        Entry of `samples.train` or `samples.test`: `labels`, and optionally `feh_max` ([Fe/H] as published must be
        below it, A-15), `snr_min` (S/N must exceed it, A-17) and `missing_error_ok` (for lists that print no errors: a label
        without one passes).

    Returns
    -------
    mask : ndarray (n,) of bool
    flow : Flow
    """
    chosen = photometric_cuts(Selection(len(frame), name), frame, cfg, data_set, "train")
    if survey.get("snr_min") is not None:
        chosen.cut(f"S/N > {survey['snr_min']:g}", column(frame, "snr") > survey["snr_min"])
    for label in LABELS:
        if label in survey["labels"]:
            chosen.cut(f"{label} present", np.isfinite(column(frame, label)))
            limit = cfg["cuts"][f"{label}_err_max"]
            if limit is not None:
                error = column(frame, f"{label}_err", f"sages.cuts.{label}_err_max")
                if survey.get("missing_error_ok"):
                    chosen.cut(f"{label} error <= {limit:g} or not given", _within(error, limit) | np.isnan(error))
                else:
                    chosen.cut(f"{label} error <= {limit:g}", _within(error, limit))
    if survey.get("feh_max") is not None:
        chosen.cut(f"[Fe/H] < {survey['feh_max']:g}", column(frame, "feh") < survey["feh_max"])
    return chosen.mask, chosen.flow
