"""The stars of one slice: every packed spectrum with its photometry, parallax, labels of other sources and flags (Sections 2, 4.1)."""

import logging
import os
from collections.abc import Mapping

import h5py
import numpy as np
import pandas as pd

from ..errors import InputError
from ..flow import Flow
from ..io import read_meta, write_json, write_table
from .catalogs import APOGEE, ID, REQUIRED, TABLES, apogee_rows, given, spectrum_rows, starhorse_rows
from .scaling import BANDS, absolute_magnitudes

log = logging.getLogger(__name__)

CLASSES = ("rave_class_1", "rave_class_2", "rave_class_3")
FIRST = (
    ID, "raveid", "gaia_dr2_source_id", "ra", "dec", "obsdate", "hrv_rave", "hrv_rave_err", "snr_rave", "rave_xcorr", *CLASSES,
    "parallax", "parallax_err", *BANDS, "av_starhorse", "dist_starhorse", *(f"abs_{band}" for band in BANDS),
)  # fmt: skip
DERIVED = {
    "obsdate": ("", "Date of the observation, YYYYMMDD"),
    **{f"abs_{band}": ("mag", f"Absolute magnitude of {band}, not corrected for extinction, parallax floored (B-14)") for band in BANDS},
    "n_bad": ("", "Bad pixels of the spectrum that were bridged"),
    "n_edge": ("", "Pixels of the grid beyond the spectrum's ends, set to 1"),
    "parallax_error_ratio": ("", "Parallax error over parallax; infinite where the parallax is not positive"),
    "has_photometry": ("", "Eight magnitudes, parallax and A_V are known"),
    "class_normal": ("", "All three flags are among observed.normal_classes (B-7)"),
    "in_observed": ("", "In the observed sample (Section 4.1)"),
}


def run_stars(spectra: str | os.PathLike, inputs: Mapping, cfg: Mapping, output: str | os.PathLike, selection: str | os.PathLike) -> None:
    """Write one row a packed spectrum, in the order of the packed file.

    Parameters
    ----------
    spectra : path
        Packed spectra of the slice (only ids and pixel counts are read).
    inputs : mapping of dataset to path
        Canonical tables: `catalogs.REQUIRED`, apogee16, starhorse; the comparison tables where the run has them.
    cfg : mapping
        config/rave.yaml, `rave`.
    output : path
        Parquet.
    selection : path
        JSON: `flow` of the observed sample, `apogee`, `starhorse` (counts of their matches), `absent` (tables not given).

    Raises
    ------
    InputError
        When a needed table or column is absent, or a table has two rows of one spectrum.
    """
    ids, n_bad, n_edge = _packed(spectra)
    columns: dict[str, np.ndarray] = {ID: ids.astype(object)}
    meta: dict[str, dict] = {}
    known, absent = np.zeros(len(ids), bool), []
    for dataset in TABLES:
        path = given(inputs, dataset) if dataset in REQUIRED else inputs.get(dataset)
        values, found = spectrum_rows(dataset, path, ids)
        columns |= values
        if path is None:
            absent.append(dataset)
        else:
            meta |= _described(path, values)
        if dataset == "rave_obsdata":
            known = found
    gaia = columns["gaia_dr2_source_id"]
    path = given(inputs, "apogee16")
    apogee, apogee_counts = apogee_rows(path, gaia, cfg["training"]["extratarg_duplicate_bit"])
    meta |= _described(path, apogee)
    path = given(inputs, "starhorse")
    starhorse, starhorse_counts = starhorse_rows(path, ids, gaia)
    meta |= _described(path, starhorse)
    columns |= apogee | starhorse
    for name in CLASSES:
        columns[name] = np.array([str(value).strip().lower() for value in columns[name]], dtype=object)
    columns["obsdate"] = np.array([name[:8] for name in ids], dtype=object)       # the ids of RAVE begin with the night
    columns |= {"n_bad": n_bad, "n_edge": n_edge}
    frame = pd.DataFrame(columns)
    frame = frame.assign(**absolute_magnitudes(frame, {**cfg, "distance": "parallax"}), **flags(frame, cfg))
    flow, observed = observed_flow(frame, known, cfg)
    frame["in_observed"] = observed
    rest = [c for c in frame.columns if c not in FIRST and c not in APOGEE and c not in DERIVED]
    order = [*FIRST, *APOGEE, *rest, *(c for c in DERIVED if c not in FIRST)]
    text = {c: "str" for c in (ID, "raveid", "obsdate", *CLASSES)}
    meta |= {name: {"unit": unit, "description": about} for name, (unit, about) in DERIVED.items()}
    write_table(output, frame[order].astype(text), meta)
    write_json(selection, {"flow": flow.to_list(), "apogee": apogee_counts, "starhorse": starhorse_counts, "absent": absent})
    for entry in flow.to_list():
        log.info("%s: %d spectra", entry["cut"], entry["kept"])


def _packed(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with h5py.File(path, "r") as file:
            return file["rave_obs_id"][:].astype(str), file["n_bad"][:], file["n_edge"][:]
    except (OSError, KeyError) as error:
        raise InputError(path, f"is no file of packed spectra ({error})", "Delete it and run again") from error


def _described(path: str | os.PathLike, columns: Mapping) -> dict:
    about = read_meta(path)["columns"]
    return {name: about[name] for name in columns if name in about}


def flags(frame: pd.DataFrame, cfg: Mapping) -> dict[str, np.ndarray]:
    """`parallax_error_ratio`, `has_photometry` and `class_normal` of some stars."""
    parallax, error = frame["parallax"].to_numpy(np.float64), frame["parallax_err"].to_numpy(np.float64)
    ratio = np.divide(error, parallax, out=np.full(len(frame), np.inf), where=parallax > 0)
    ratio[~np.isfinite(parallax) | ~np.isfinite(error)] = np.nan
    needed = frame[[*BANDS, "parallax", "av_starhorse"]].to_numpy(np.float64)
    return {
        "parallax_error_ratio": ratio,
        "has_photometry": np.isfinite(needed).all(axis=1),
        "class_normal": np.logical_and.reduce([frame[c].isin(cfg["observed"]["normal_classes"]).to_numpy(bool) for c in CLASSES]),
    }


def any_class(frame: pd.DataFrame, bad: list[str]) -> np.ndarray:
    """Mask (n,): one of the three flags is among the bad classes (B-7)."""
    return np.logical_or.reduce([frame[c].isin(bad).to_numpy(bool) for c in CLASSES])


def photometry_masks(frame: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """(text, mask) of the photometric requirements that both samples share (Sections 2 and 4.1; B-12)."""

    def there(*names: str) -> np.ndarray:
        return np.isfinite(frame[list(names)].to_numpy(np.float64)).all(axis=1)

    return [
        ("2MASS J, H, Ks known", there("tmass_j", "tmass_h", "tmass_ks")),
        ("AllWISE W1, W2 known", there("wise_w1", "wise_w2")),
        ("Gaia G, BP, RP known", there("gaia_g", "gaia_bp", "gaia_rp")),
        ("Gaia parallax known", there("parallax")),
        ("StarHorse A_V known", there("av_starhorse")),
    ]


def narrow(flow: Flow, text: str, alive: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Record a cut given over all rows; returns the mask of the rows that pass this and every earlier cut."""
    flow.cut(text, np.asarray(mask, dtype=bool)[alive])
    return alive & mask


def observed_flow(frame: pd.DataFrame, known: np.ndarray, cfg: Mapping) -> tuple[Flow, np.ndarray]:
    """Cuts of the observed sample (Section 4.1): flow and mask (n,). `known`: the spectrum is in RAVE DR6's own table."""
    cuts = cfg["observed"]
    flow, alive = Flow(len(frame), "packed spectra"), np.ones(len(frame), bool)
    alive = narrow(flow, "in the table of RAVE DR6", alive, known)
    for text, mask in photometry_masks(frame):
        alive = narrow(flow, text, alive, mask)
    alive = narrow(flow, f"RAVE S/N > {cuts['snr_min']:g}", alive, (frame["snr_rave"] > cuts["snr_min"]).to_numpy(bool))
    return flow, narrow(flow, f"no class {', '.join(cuts['bad_classes'])}", alive, ~any_class(frame, cuts["bad_classes"]))
