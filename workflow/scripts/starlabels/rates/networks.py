"""Rates of the spectral half: training of the networks, and their prediction, from the results of a run that made them."""

import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..io import read_json, row_count
from .jobs import read_jobs
from .stages import native_rows

log = logging.getLogger(__name__)

NETWORKS = ("photometry", "spectra")
COLUMNS = ("network", "networks", "epoch_s", "epoch_exact", "epochs", "spectra", "predict_s", "calls", "train_peak_mb", "predict_peak_mb",
           "exact")
READING = ("rave_spectra", "rave_stars")


def network_rates(results: str | os.PathLike, variant: str = "main") -> pd.DataFrame:
    """Core-seconds of the networks of one run, one row a kind of network.

    A kind that the run has not, or whose networks were not all trained by the engine `numba` (on one thread each), has no row.

    Returns
    -------
    DataFrame
        network; networks, how many were trained well; epoch_s, seconds an epoch of one network; epoch_exact, whether these are
        core-seconds: those that jobs recorded themselves over all epochs that they trained, their start included. Else it is the
        wall time of a network, which is more where it waited for a core (the median, because the first network of each thread
        also compiles); epochs, their mean; spectra, training spectra; predict_s, core-seconds a spectrum and network,
        start of the jobs included; calls, spectra times networks of the prediction; peak memory of both kinds of jobs; exact,
        the share of prediction jobs with a record of their own.

    Raises
    ------
    InputError
        When a summary lacks its networks.
    """
    results = Path(results)
    jobs = read_jobs(results)
    rows = []
    for network in NETWORKS:
        summaries = sorted(results.glob(f"rave/models/{variant}/{network}/batch-*.json"))
        if not summaries:
            continue
        start = f"{variant}_{network}_"
        trained = _trained(summaries)
        if trained is None:
            continue
        fits = jobs[(jobs["rule"] == "train_cnn") & jobs["job"].str.startswith(start)]
        uses = jobs[(jobs["rule"] == "predict_cnn") & jobs["job"].str.startswith(start)]
        calls = _calls(results, variant, network)
        well = trained[~trained["failed"]]
        epoch_s, epoch_exact = _epoch_seconds(trained, fits, start)
        rows.append((
            network, len(well), epoch_s, epoch_exact, float(well["epochs"].mean()), int(well["spectra"].iloc[-1]),
            uses["core_s"].sum() / calls if calls and len(uses) else np.nan, calls,
            fits["peak_mb"].max(), uses["peak_mb"].max(), uses["exact"].mean() if len(uses) else np.nan,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reading_rates(results: str | os.PathLike) -> dict | None:
    """What it costs to read a spectrum and find its star, before any network.

    Returns
    -------
    dict or None
        spectra; core_s and disk_mb a spectrum; longest_s (wall time of the longest job), peak_mb; None where the run has no spectra.
    """
    results = Path(results)
    jobs = read_jobs(results)
    own = jobs[jobs["rule"].isin(READING)]
    if own.empty:
        return None
    spectra = native_rows(results, "rave_obsdata")
    files = [p for p in (*results.glob("rave/spectra/*"), *results.glob("rave/stars/*")) if p.is_file()]
    return {
        "spectra": spectra,
        "core_s": own["core_s"].sum() / spectra,
        "disk_mb": sum(p.stat().st_size for p in files) / 1e6 / spectra if files else np.nan,
        "longest_s": own["wall_s"].max(),
        "peak_mb": own["peak_mb"].max(),
    }


def _trained(summaries: list[Path]) -> pd.DataFrame | None:
    """Networks of these summaries: batch, seconds, epochs, failed, spectra; None where another engine trained some of them."""
    found = []
    for path in summaries:
        content = read_json(path)
        try:
            if content["engine"] != "numba":
                log.warning("%s tells of the engine %s, whose cores are not known: no rate of these networks", path, content["engine"])
                return None
            batch, spectra = path.stem.removeprefix("batch-"), int(content["n_train"])
            found += [(batch, n["seconds"], n["epochs"], bool(n["failed"]), spectra) for n in content["networks"]]
        except (KeyError, TypeError) as error:
            raise InputError(path, f"lacks {error}", "Delete it and train again") from error
    table = pd.DataFrame(found, columns=["batch", "seconds", "epochs", "failed", "spectra"])
    if table["failed"].all():
        raise InputError(summaries[0], "has no network that ended well", "Train again")
    return table


def _epoch_seconds(trained: pd.DataFrame, fits: pd.DataFrame, start: str) -> tuple[float, bool]:
    """Seconds an epoch of one network, and whether they are core-seconds of the jobs' own records."""
    epochs = trained.groupby("batch")["epochs"].sum()  # failed networks too have used their cores
    recorded = fits[fits["exact"].astype(bool)]
    own = epochs.reindex(recorded["job"].str.removeprefix(start))
    known = own.notna().to_numpy()
    if known.any():
        return float(recorded["core_s"].to_numpy()[known].sum() / own[known].sum()), True
    well = trained[~trained["failed"]]
    return float((well["seconds"] / well["epochs"]).median()), False


def _calls(results: Path, variant: str, network: str) -> int:
    """Spectra times networks of the prediction; 0 where it was not made."""
    summary = results / f"rave/models/{variant}/{network}/ensemble.json"
    parts = [p for p in results.glob(f"rave/predictions/{variant}/{network}/*.parquet") if p.stem != "training"]
    return read_json(summary)["n_kept"] * sum(row_count(p) for p in parts) if parts and summary.exists() else 0
