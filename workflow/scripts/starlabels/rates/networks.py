"""Rates of the spectral half: training of the networks, and their prediction, from the results of a run that made them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..io import read_json, row_count
from .jobs import read_jobs
from .stages import native_rows

NETWORKS = ("photometry", "spectra")
COLUMNS = ("network", "networks", "epoch_s", "epochs", "spectra", "predict_s", "calls", "train_peak_mb", "predict_peak_mb", "exact")
READING = ("rave_spectra", "rave_stars")


def network_rates(results: str | os.PathLike, variant: str = "main") -> pd.DataFrame:
    """Core-seconds of the networks of one run, one row a kind of network; empty where the run has none.

    Returns
    -------
    DataFrame
        network; networks, how many were trained well; epoch_s, core-seconds an epoch of one network (a network is trained on
        one thread, so its own seconds are core-seconds where a core was free; the median, because the first network of each
        thread also compiles); epochs, their mean; spectra, training spectra; predict_s, core-seconds a spectrum and network,
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
        trained, spectra = _trained(summaries)
        start = f"{variant}_{network}_"
        fits = jobs[(jobs["rule"] == "train_cnn") & jobs["job"].str.startswith(start)]
        uses = jobs[(jobs["rule"] == "predict_cnn") & jobs["job"].str.startswith(start)]
        calls = _calls(results, variant, network)
        rows.append((
            network, len(trained), float((trained["seconds"] / trained["epochs"]).median()), float(trained["epochs"].mean()), spectra,
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


def _trained(summaries: list[Path]) -> tuple[pd.DataFrame, int]:
    found, spectra = [], 0
    for path in summaries:
        content = read_json(path)
        try:
            if content["engine"] != "numba":
                raise InputError(path, f"tells of the engine {content['engine']}", "Only networks on one thread each give core-seconds")
            found += [{"seconds": n["seconds"], "epochs": n["epochs"]} for n in content["networks"] if not n["failed"]]
            spectra = int(content["n_train"])
        except (KeyError, TypeError) as error:
            raise InputError(path, f"lacks {error}", "Delete it and train again") from error
    if not found:
        raise InputError(summaries[0], "has no network that ended well", "Train again")
    return pd.DataFrame(found), spectra


def _calls(results: Path, variant: str, network: str) -> int:
    """Spectra times networks of the prediction; 0 where it was not made."""
    summary = results / f"rave/models/{variant}/{network}/ensemble.json"
    parts = [p for p in results.glob(f"rave/predictions/{variant}/{network}/*.parquet") if p.stem != "training"]
    return read_json(summary)["n_kept"] * sum(row_count(p) for p in parts) if parts and summary.exists() else 0
