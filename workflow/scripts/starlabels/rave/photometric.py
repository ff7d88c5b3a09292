"""The photometric branch alone: what absolute magnitudes and extinction tell about the labels without any spectrum.

It is the network of Section 3.2 without its convolutions: the nine inputs, 27 and 16 neurons, the labels. The authors' public
training sample has photometry and labels, so that this much of the method can be judged on real stars without the spectra.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..ensemble import select
from ..io import read_table, write_json
from ..network import of_configuration
from .fit import engine_of, gather, read_training, train_networks
from .predict import label_columns
from .statistics import residual_statistics
from .variants import merged

log = logging.getLogger(__name__)


def run_photometric(
    training: str | Path, scaling: str | Path, cfg: Mapping, seed: int, threads: int, simulated: bool, out_json: str | Path
) -> None:
    """Train an ensemble on photometry alone and compare its labels with those of the sample.

    Parameters
    ----------
    training, scaling : path
        training.parquet and scaling.json of a sample; its spectra are not needed.
    cfg : mapping
        The `rave` part of the configuration.
    simulated : bool
        Whether the sample is simulated; kept in the output.
    out_json : path
        {n_train, n_test, n_networks, n_kept, parameters, epochs, dispersion_bias, train | test | test_without_twins:
        {label: residual_statistics of prediction minus label}, spread: {label: standard deviation of the test labels},
        simulated}. Test spectra whose star has another one in training are left out of `test_without_twins`.

    Raises
    ------
    InputError
        When the sample or the settings cannot be used, or too few networks can be kept.
    """
    cfg = merged(cfg, "main")
    architecture = of_configuration(cfg, "photometry_only")
    data = read_training(training, None, scaling, cfg, architecture)
    engine, networks = engine_of(cfg, architecture), list(range(int(cfg["ensemble"]["n_networks"]["photometry"])))
    found = train_networks(data, architecture, cfg["fit"], engine, networks, seed, threads, "photometry alone")
    names = {kind: list(cfg[kind]) for kind in ("labels", "inputs")}
    about = {"variant": "main", "network": "photometry_only", "engine": engine, **names}
    kept, summary = select(gather([f for f, _ in found], networks, seed, architecture, data, about), cfg["ensemble"])
    frame = read_table(training)
    inputs = frame[list(cfg["inputs"])].to_numpy(np.float64)
    _, columns = label_columns(np.empty((len(frame), 0), np.float32), inputs, kept, cfg, threads)
    test = (frame["role"] == "test").to_numpy(bool)
    parts = {"train": ~test, "test": test, "test_without_twins": test & ~frame["twin_in_train"].to_numpy(bool)}
    bootstrap, out = int(cfg["validation"]["bootstrap"]), {}
    for part, rows in parts.items():
        out[part] = {}
        for label in cfg["labels"]:
            residual = columns[f"{label}_cnn"][rows].astype(np.float64) - frame[label].to_numpy(np.float64)[rows]
            out[part][label] = residual_statistics(residual, bootstrap, seed)
    for label in ("teff", "logg", "mh"):
        if label in out["test"]:
            log.info("photometry alone, %s: bias %.3g, sigma %.3g", label, out["test"][label]["bias"], out["test"][label]["sigma"])
    write_json(out_json, {
        "n_train": int((~test).sum()), "n_test": int(test.sum()), "n_networks": len(networks), "n_kept": summary["n_kept"],
        "parameters": architecture.parameters, "epochs": [r["epochs"] for r in kept.reports], "engine": engine,
        "dispersion_bias": summary["dispersion_bias"], **out,
        "spread": {label: float(frame.loc[test, label].std(ddof=0)) for label in cfg["labels"]}, "simulated": bool(simulated),
    })  # fmt: skip
