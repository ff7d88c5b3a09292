"""Variants of the training beside the main run, on the same spectra where both have them (Sections 2, 3, 4.2.3 and 5).

Ensembles of different sizes are compared fairly by the scatter of one of their networks: the mean over the networks of the squared
residual is exactly the squared residual of their mean plus the variance over the networks, which is the predicted error squared.
"""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_json, write_json, write_table
from ..rows import ID, training_rows
from ..statistics import residual_statistics
from .statements import alpha_line, basis_of, extinction, judge

log = logging.getLogger(__name__)

MAIN = "main"
BASES = ("own", "common", "shared")
INTERVAL = (5.0, 95.0)             # percentiles of the bootstrap that decide on a change
MATTERS = 0.03                     # smaller changes of the scatter are none
LEAST = 20                         # spectra below which nothing is compared
TABLE = ["variant", "label", "basis", "n", "bias", "sigma", "sigma_lo", "sigma_hi", "robust_sigma", "sigma_one", "error", "n_main",
         "sigma_main", "sigma_one_main", "ratio", "ratio_lo", "ratio_hi"]


def read_variant(training_path, prediction_path, labels: list[str], reference: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rows of a variant's sample with its predictions, indexed by spectrum.

    Where the main sample has the spectrum too, its labels are taken: a variant's own may carry added noise.
    """
    frame = training_rows(training_path, prediction_path).set_index(ID)
    if reference is not None:
        both = frame.index.intersection(reference.index)
        frame = frame.astype({p: np.float64 for p in labels})
        frame.loc[both, labels] = reference.loc[both, labels].to_numpy(np.float64)
    return frame


def bases(variant: pd.DataFrame, main: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Test spectra on which a variant and the main run are compared.

    own: the test spectra of each. common: those that are test spectra of both. shared: test spectra of each that the other's
    sample (training or test) holds, so that both are of one kind though not the same.
    """
    ours, theirs = (f[(f["role"] == "test").to_numpy(bool)] for f in (variant, main))
    common = ours.index.intersection(theirs.index)
    return {
        "own": (ours, theirs), "common": (ours.loc[common], theirs.loc[common]),
        "shared": (ours[ours.index.isin(main.index)], theirs[theirs.index.isin(variant.index)]),
    }


def residuals(frame: pd.DataFrame, labels: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """CNN minus label and the errors, (n, labels) each."""
    predicted, reference = (frame[[f"{p}{end}" for p in labels]].to_numpy(np.float64) for end in ("_cnn", ""))
    return predicted - reference, frame[[f"{p}_cnn_err" for p in labels]].to_numpy(np.float64)


def one_network(residual: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Scatter of one network of an ensemble (labels,): that of the mean and the variance over the networks together."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.nanvar(residual, axis=0) + np.nanmean(error**2, axis=0))


def ratios(ours: tuple, theirs: tuple, paired: bool, bootstrap: int, seed: int) -> dict:
    """Scatter of one network over the main run's, with intervals; `overall` is the geometric mean over the labels.

    Parameters
    ----------
    ours, theirs : (residual, error)
        Of the variant and of the main run.
    paired : bool
        Whether both have the same spectra in the same order: they are resampled together then.
    """
    def sample(pick, other):
        with np.errstate(invalid="ignore", divide="ignore"):
            return one_network(ours[0][pick], ours[1][pick]) / one_network(theirs[0][other], theirs[1][other])

    n, m = len(ours[0]), len(theirs[0])
    found = sample(slice(None), slice(None))
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(bootstrap):
        pick = rng.integers(0, n, n)
        drawn.append(sample(pick, pick if paired else rng.integers(0, m, m)))
    drawn = np.array(drawn)
    overall = np.exp(np.nanmean(np.log(drawn), axis=1))
    return {
        "ratio": found, "interval": np.nanpercentile(drawn, INTERVAL, axis=0).T,
        "overall": float(np.exp(np.nanmean(np.log(found)))), "overall_interval": [float(v) for v in np.percentile(overall, INTERVAL)],
    }


def change(ratio: float | None, interval) -> str | None:
    """worse, better or no clear change; None where nothing was measured."""
    if ratio is None or not np.isfinite([ratio, *interval]).all():
        return None
    if interval[0] > 1 and ratio > 1 + MATTERS:
        return "worse"
    return "better" if interval[1] < 1 and ratio < 1 - MATTERS else "no clear change"


def compared(name: str, variant: pd.DataFrame, main: pd.DataFrame, labels: list[str], bootstrap: int, seed: int) -> tuple[list[dict], dict]:
    """Rows of the table, and {basis: {n, n_main, overall, interval, abundances, abundances_interval, change}}, of a variant."""
    rows, out = [], {}
    for basis, (mine, other) in bases(variant, main).items():
        ours, theirs = residuals(mine, labels), residuals(other, labels)
        enough = min(len(mine), len(other)) >= LEAST
        found = ratios(ours, theirs, basis == "common", bootstrap, seed) if enough else None
        out[basis] = {"n": len(mine), "n_main": len(other), "overall": None, "interval": [None, None], "change": None}
        if found:
            out[basis] |= {"overall": found["overall"], "interval": found["overall_interval"],
                           "change": change(found["overall"], found["overall_interval"])}
            part = [k for k, p in enumerate(labels) if p not in ("teff", "logg", "mh", "feh")]
            if part:
                own = ratios(*((r[:, part], e[:, part]) for r, e in (ours, theirs)), basis == "common", bootstrap, seed)
                out[basis] |= {"abundances": own["overall"], "abundances_interval": own["overall_interval"],
                               "abundances_change": change(own["overall"], own["overall_interval"])}
        for k, label in enumerate(labels):
            statistics = residual_statistics(ours[0][:, k], bootstrap, seed)
            low, high = statistics["sigma_interval"]
            some = len(mine) > 1
            rows.append({
                "variant": name, "label": label, "basis": basis, "n": statistics["n"], "bias": statistics["bias"],
                "sigma": statistics["sigma"], "sigma_lo": low, "sigma_hi": high, "robust_sigma": statistics["robust_sigma"],
                "sigma_one": one_network(ours[0], ours[1])[k] if some else np.nan,
                "error": float(np.nanmedian(ours[1][:, k])) if some else np.nan, "n_main": len(other),
                "sigma_main": float(np.nanstd(theirs[0][:, k])) if len(other) else np.nan,
                "sigma_one_main": one_network(*theirs)[k] if len(other) > 1 else np.nan,
                "ratio": found["ratio"][k] if found else np.nan, "ratio_lo": found["interval"][k, 0] if found else np.nan,
                "ratio_hi": found["interval"][k, 1] if found else np.nan,
            })
    return rows, out


def ensemble_facts(path) -> dict:
    """Networks, epochs and parameters of an ensemble."""
    content = read_json(path)
    networks = [n for n in content.get("networks", []) if not n.get("failed")]
    epochs = [n["epochs"] for n in networks]
    return {
        "n_networks": content.get("n_networks"), "n_kept": content.get("n_kept"), "parameters": content.get("parameters"),
        "n_failed": len(content.get("networks", [])) - len(networks),
        "epochs": {"median": float(np.median(epochs)), "max": int(max(epochs))} if epochs else {"median": None, "max": None},
    }


def run_variants(
    training_paths: Mapping[str, str], prediction_paths: Mapping[str, str], ensemble_paths: Mapping[str, str],
    cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42,
) -> dict:
    """Every variant beside the main run, and what the paper says of each.

    Parameters
    ----------
    training_paths, prediction_paths, ensemble_paths : mapping
        Variant -> `rave/samples/{variant}/training.parquet`, `rave/predictions/{variant}/photometry/training.parquet`,
        `rave/models/{variant}/photometry/ensemble.json`; `main` is needed.
    out_table : path
        `TABLE`: a row a variant, label and basis (`bases`); sigma of the ensemble's mean, sigma_one of one network; `ratio` of the
        latter over the main run's with its 5-95 % interval.
    out_json : path
        {variants {name: {n, n_train, n_test, share_of_main, ensemble, compared {basis: ...}, basis (that decides), alpha, extinction,
        error_median}}, statements
        [...] (`statements.judge`), simulated}.

    Raises
    ------
    InputError
        When the main run is not among the variants, or one lacks a file.
    """
    if MAIN not in training_paths:
        raise InputError("rave.variants", "lacks the variant main", "Give its sample and predictions too")
    labels, bootstrap = list(cfg["labels"]), int(cfg["validation"]["bootstrap"])
    main = read_variant(training_paths[MAIN], prediction_paths[MAIN], labels)
    rows, variants = [], {}
    for k, name in enumerate([MAIN, *sorted(v for v in training_paths if v != MAIN)]):
        frame = main if name == MAIN else read_variant(training_paths[name], prediction_paths[name], labels, main)
        table, found = compared(name, frame, main, labels, bootstrap, seed + k)
        rows += table if name != MAIN else [row for row in table if row["basis"] == "own"]
        roles = frame["role"].to_numpy(dtype=str)
        variants[name] = {
            "n": len(frame), "n_train": int((roles == "train").sum()), "n_test": int((roles == "test").sum()),
            "share_of_main": len(frame) / max(len(main), 1), "ensemble": ensemble_facts(ensemble_paths[name]),
            "compared": {} if name == MAIN else found, "basis": None if name == MAIN else basis_of(found),
            "alpha": alpha_line(frame), "extinction": extinction(frame),
            "error_median": {p: float(np.nanmedian(frame[f"{p}_cnn_err"])) for p in labels},
        }
    table = pd.DataFrame(rows, columns=TABLE)
    counts = ["n", "n_main"]
    write_table(out_table, table.astype({c: np.int64 for c in counts}), meta={"simulated": bool(simulated)})
    content = {"variants": variants, "statements": judge(variants, labels), "simulated": bool(simulated)}
    write_json(out_json, content)
    return content
