"""Cuts of the training sample (Section 2), each counted."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..errors import InputError
from ..flow import Flow
from .catalogs import ID
from .scaling import BANDS, DISTANCE
from .stars import CLASSES, any_class, narrow, photometry_masks


def columns_needed(cfg: Mapping) -> list[str]:
    """Columns of the stars that the cuts and the training table use."""
    labels = [f"{p}_apogee{s}" for p in cfg["labels"] for s in ("", "_err")]
    flags = [f"{e}_apogee_flag" for e in cfg["training"]["element_flags"]]
    plain = ["raveid", "gaia_dr2_source_id", "snr_rave", *CLASSES, "parallax", "parallax_err", "parallax_error_ratio", *BANDS]
    rest = ["av_starhorse", DISTANCE, "snr_apogee", "apogee_aspcapflag", *labels, *flags, "logg_bdasp", "teff_irfm", "logg_k2"]
    return [ID, *dict.fromkeys(plain + rest)]


def _there(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return np.isfinite(frame[list(names)].to_numpy(np.float64)).all(axis=1)


def published_cuts(frame: pd.DataFrame, cfg: Mapping) -> list[tuple[str, np.ndarray]]:
    """(text, mask over all rows) of Section 2's cuts in their order; that on the parallax error is named `parallax_text`."""
    t = cfg["training"]
    cuts = [
        ("in APOGEE DR16, by Gaia DR2 id", _there(frame, ["snr_apogee"])),
        ("every label and its error known", _there(frame, [f"{p}_apogee{s}" for p in cfg["labels"] for s in ("", "_err")])),
        (f"APOGEE S/N >= {t['snr_apogee_min']:g}", (frame["snr_apogee"] >= t["snr_apogee_min"]).to_numpy(bool)),
    ]
    if t["aspcapflag"] is not None:
        cuts.append((f"ASPCAPFLAG = {t['aspcapflag']}", (frame["apogee_aspcapflag"] == t["aspcapflag"]).to_numpy(bool)))
    if t["element_flags"]:
        flags = frame[[f"{e}_apogee_flag" for e in t["element_flags"]]].to_numpy(np.int64)
        cuts.append(("X_FE_FLAG = 0", (flags == 0).all(axis=1)))
    cuts.append((f"RAVE S/N > {t['snr_min']:g}", (frame["snr_rave"] > t["snr_min"]).to_numpy(bool)))
    if t["snr_max"] is not None:
        cuts.append((f"RAVE S/N <= {t['snr_max']:g}", (frame["snr_rave"] <= t["snr_max"]).to_numpy(bool)))
    cuts.append((f"no class {', '.join(t['bad_classes'])}", ~any_class(frame, t["bad_classes"])))
    cuts += photometry_masks(frame)
    if cfg["distance"] == "starhorse":
        cuts.append(("StarHorse distance known", _there(frame, [DISTANCE])))
    cuts.append((parallax_text(cfg), (frame["parallax_error_ratio"] < t["parallax_error_max"]).to_numpy(bool)))
    return cuts


def parallax_text(cfg: Mapping) -> str:
    """How the cut on the parallax error is called in the flow."""
    return f"parallax error < {100 * cfg['training']['parallax_error_max']:g} %"


def listed_cuts(frame: pd.DataFrame, cfg: Mapping, listed: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The cuts where a list of spectra takes their place (B-5): in the list, and everything known that a network needs."""
    errors = [f"{p}_apogee_err" for p in cfg["labels"]] if cfg["label_noise"] else []
    cuts = [
        (f"in the list {cfg['training']['include']}", frame[ID].isin(listed).to_numpy(bool)),
        ("every label known", _there(frame, [*(f"{p}_apogee" for p in cfg["labels"]), *errors])),
        *photometry_masks(frame),
    ]
    if cfg["distance"] == "starhorse":
        cuts.append(("StarHorse distance known", _there(frame, [DISTANCE])))
    return cuts


def select(frame: pd.DataFrame, cfg: Mapping, listed: np.ndarray | None = None) -> tuple[Flow, np.ndarray, np.ndarray]:
    """Apply the cuts to some stars.

    Parameters
    ----------
    frame : DataFrame (n rows)
        `columns_needed` of the stars.
    cfg : mapping
        `variants.merged(cfg, variant)`.
    listed : ndarray of str, optional
        Ids to take instead of the cuts.

    Returns
    -------
    flow : Flow
    selected : ndarray (n,) of bool
    poor : ndarray (n,) of bool
        Rows that only the cut on the parallax error keeps out, with a positive parallax (Section 4.2.3).
    """
    cuts = published_cuts(frame, cfg) if listed is None else listed_cuts(frame, cfg, listed)
    flow, alive, others = Flow(len(frame), "packed spectra"), np.ones(len(frame), bool), np.ones(len(frame), bool)
    for text, mask in cuts:
        alive = narrow(flow, text, alive, mask)
        if text != parallax_text(cfg):
            others &= mask
    poor = others & ~alive & np.isfinite(frame["parallax_error_ratio"].to_numpy(np.float64))
    return flow, alive, poor if listed is None else np.zeros(len(frame), bool)


def refuse_empty(flow: Sequence[Mapping], variant: str) -> None:
    """Raise InputError when no row is left, naming the cut that took the last ones."""
    if flow[-1]["kept"]:
        return
    entry = next(entry for entry in flow if not entry["kept"])
    found = f"is empty: the cut `{entry['cut']}` dropped the last {entry['dropped']} spectra"
    raise InputError(f"the training sample of variant {variant}", found, "Loosen that cut under `rave.training`, or give more spectra")
