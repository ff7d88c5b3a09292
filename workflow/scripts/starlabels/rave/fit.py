"""Training of the networks of one job, as a stage that reads and writes files (Guiglion et al. 2020, Section 3).

A job trains some networks of an ensemble, each with a starting point, an order of the spectra and a dropout of its own, which
hang on its number and on the seed of the run. Which networks share a job, and how many threads there are, changes nothing
(with JAX, which computes the networks of a job together: nothing but rounding).
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..ensemble import Ensemble
from ..errors import InputError
from ..io import read_json, read_table, write_json
from ..network import Architecture, of_configuration
from ..network_fit import HISTORY, Fitted, Sample
from ..spectra import grid_of
from ..spectra_pack import read_packed
from .engines import backend_of, engine_of, train_networks, versions_of
from .scaling import scaled
from .variants import merged

ID = "rave_obs_id"


@dataclass(frozen=True)
class TrainingSet:
    """Scaled training and test samples, the limits of the scaling, and whether the stars are simulated."""

    train: Sample
    test: Sample
    scaling: dict
    simulated: bool


def read_training(training, spectra, scaling, cfg: Mapping, architecture: Architecture) -> TrainingSet:
    """Read a sample that `rave/training.py` wrote.

    Parameters
    ----------
    training, scaling : path
        training.parquet, scaling.json.
    spectra : path or None
        training.h5; None for a network without a spectral branch.
    cfg : mapping
        The `rave` part of the configuration, variant merged in.

    Raises
    ------
    InputError
        When a file does not fit the others or the configuration, a value is missing, or a part of the sample is empty.
    """
    frame = read_table(training, [ID, "role", *cfg["labels"], *cfg["inputs"]])
    limits = {**read_json(scaling)}
    for kind, names in (("labels", cfg["labels"]), ("inputs", cfg["inputs"])):
        if list(limits.get(kind, {})) != list(names):
            found = f"has the {kind} {', '.join(limits.get(kind, {})) or '(none)'}"
            raise InputError(scaling, found, f"The configuration has {', '.join(names)}: delete it and run again")
    limits.setdefault("flags", limits["labels"])
    labels = scaled(frame[list(cfg["labels"])].to_numpy(np.float64), limits["labels"], cfg["labels"])
    inputs = scaled(frame[list(cfg["inputs"])].to_numpy(np.float64), limits["inputs"], cfg["inputs"])
    flux, simulated = np.empty((len(frame), 0), np.float32), False
    if architecture.pixels:
        packed = read_packed(spectra, grid_of(cfg["spectra"]))
        same_rows(packed.ids, spectra, frame[ID], training)
        flux, simulated = packed.flux, packed.simulated
    parts = []
    for role in ("train", "test"):
        rows = (frame["role"] == role).to_numpy(bool)
        if not rows.any():
            raise InputError(f"{training}, column role", f"names no spectrum {role}", "Give more spectra, or another rave.split")
        arrays = (flux[rows], inputs[rows, : architecture.inputs], labels[rows])
        part = Sample(*(np.ascontiguousarray(x, dtype=np.float32) for x in arrays))
        for name, x in (("flux", part.flux), ("inputs", part.inputs), ("labels", part.labels)):
            if not np.isfinite(x).all():
                raise InputError(f"{training}, {name} of the {role} sample", "has missing or infinite values", "Delete it and run again")
        parts.append(part)
    return TrainingSet(*parts, limits, simulated)


def same_rows(ids: Sequence[str], spectra, expected: pd.Series, table) -> None:
    """Refuse packed spectra that are not those of a table, row by row."""
    expected = expected.to_numpy(dtype=str)
    if len(ids) != len(expected) or not np.array_equal(np.asarray(ids, dtype=str), expected):
        raise InputError(spectra, f"holds {len(ids)} spectra that are not the {len(expected)} rows of {table}", "Delete both and run again")


def gather(
    fitted: Sequence[Fitted], networks: Sequence[int], seed: int, architecture: Architecture, data: TrainingSet, about: Mapping
) -> Ensemble:
    """Trained networks as an `Ensemble`; `about` gives variant, network, engine, labels, inputs."""
    reports = [
        {
            "network": int(k), "seed": int(seed), "epochs": f.epochs, "failed": bool(f.failed), "reason": f.failed,
            "last_test_loss": f.history["test_loss"][-1] if np.isfinite(f.history["test_loss"][-1]) else None,
        }
        for k, f in zip(networks, fitted, strict=True)
    ]  # fmt: skip
    history = {
        "network": np.repeat(np.asarray(networks, np.int64), [f.epochs for f in fitted]),
        "epoch": np.concatenate([np.arange(1, f.epochs + 1) for f in fitted]),
        **{name: np.concatenate([f.history[name] for f in fitted]) for name in HISTORY},
    }
    about = {**about, "scaling": data.scaling, "simulated": data.simulated}
    return Ensemble(architecture, about, reports, np.stack([f.weights for f in fitted]), pd.DataFrame(history))


def run_train(
    training: str | Path, spectra: str | Path | None, scaling: str | Path, cfg: Mapping, variant: str, network: str,
    networks: Sequence[int], seed: int, threads: int, out_npz: str | Path, out_json: str | Path,
) -> None:  # fmt: skip
    """Train the networks of one job.

    Parameters
    ----------
    training, spectra, scaling : path
        training.parquet, training.h5, scaling.json of the variant's sample.
    cfg : mapping
        The `rave` part of the configuration; the variant's changes are merged in here.
    network : str
        "photometry" (spectrum and photometry) or "spectra" (the spectrum alone, B-30).
    networks : sequence of int
        Numbers of the networks of this job.
    out_npz, out_json : path
        Weights and history; what people want to know.

    Raises
    ------
    InputError
        When the sample or the settings cannot be used. A network that fails is reported, not an error.
    """
    cfg, networks = merged(cfg, variant), [int(k) for k in networks]
    if not networks:
        raise InputError(str(out_npz), "has no network to train", "Correct rave.ensemble.n_networks or batch_networks")
    architecture = of_configuration(cfg, network)
    data = read_training(training, spectra, scaling, cfg, architecture)
    engine = engine_of(cfg, architecture)
    found = train_networks(data, architecture, cfg["fit"], engine, networks, seed, threads, f"{variant}/{network}")
    about = {"variant": variant, "network": network, "engine": engine, "labels": list(cfg["labels"]),
             "inputs": list(cfg["inputs"])[: architecture.inputs]}
    ensemble = gather([fitted for fitted, _ in found], networks, seed, architecture, data, about)
    ensemble.save(out_npz)
    write_json(out_json, {
        **{k: about[k] for k in ("variant", "network", "engine")}, "backend": backend_of(cfg, engine),
        "n_train": len(data.train.labels), "n_test": len(data.test.labels), "parameters": architecture.parameters,
        "networks": [{**r, "seconds": s} for r, (_, s) in zip(ensemble.reports, found, strict=True)], "threads": threads,
        "simulated": data.simulated,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **versions_of(cfg, engine)},
    })  # fmt: skip
