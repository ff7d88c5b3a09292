"""An ensemble of networks: the files of its training jobs, the choice of the networks that are kept, the saved ensemble.

Everything is plain arrays in .npz files; what describes them is JSON text inside (no pickle, nothing is run on loading).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import gammaln

from .errors import InputError
from .io import write_json, write_table
from .network import Architecture
from .network_fit import HISTORY
from .npz import load_arrays, save_arrays

PUBLISHED = 80          # networks that the paper averages
_ONE_ENGINE = "Set rave.fit.engine to one engine (auto takes jax where there is a GPU), delete the files of the other and train again"
_HISTORY_UNITS = {
    "network": "Number of the network", "epoch": "Epoch, from 1", "train_loss": "Loss over the training sample while the epoch runs",
    "test_loss": "Loss over the test sample after the epoch", "test_r2": "Mean R2 of the scaled labels over the test sample",
    "test_accuracy": "Share of test spectra whose largest scaled label is the same in prediction and truth",
}


@dataclass(frozen=True)
class Ensemble:
    """Networks of one architecture that were trained on one sample.

    Attributes
    ----------
    architecture : Architecture
    about : dict
        `variant`, `network`, `engine`, `simulated`, `labels` and `inputs` (names in the networks' order), `scaling`
        ({"labels" | "inputs" | "flags": {name: [min, max]}}).
    reports : list of dict
        For each network `network`, `seed`, `epochs`, `last_test_loss`, `failed`, `reason`.
    weights : ndarray (n, parameters) of float32
        In the order of the reports.
    history : DataFrame
        Columns network, epoch and those of `network_fit.HISTORY`.
    """

    architecture: Architecture
    about: dict
    reports: list[dict]
    weights: np.ndarray
    history: pd.DataFrame

    def save(self, path: str | Path) -> None:
        """Write the ensemble as .npz."""
        text = {"architecture": self.architecture.to_json(), "about": json.dumps(self.about), "reports": json.dumps(self.reports)}
        columns = {f"history_{name}": self.history[name].to_numpy() for name in ("network", "epoch", *HISTORY)}
        save_arrays(path, {**{k: np.array(v) for k, v in text.items()}, "weights": self.weights, **columns})

    @classmethod
    def load(cls, path: str | Path) -> "Ensemble":
        """Read what `save` wrote.

        Raises
        ------
        InputError
            When the file is missing, damaged, or does not fit its own architecture.
        """
        arrays = load_arrays(path)
        try:
            about, reports = (json.loads(str(arrays[name])) for name in ("about", "reports"))
        except json.JSONDecodeError as error:
            raise InputError(path, f"is damaged ({error})", "Delete it and train again") from error
        architecture, weights = Architecture.from_json(str(arrays["architecture"])), arrays["weights"]
        if weights.shape != (len(reports), architecture.parameters):
            found = f"has the shape {weights.shape} instead of {(len(reports), architecture.parameters)}"
            raise InputError(f"{path}, array weights", found, "Delete it and train again")
        history = pd.DataFrame({name: arrays[f"history_{name}"] for name in ("network", "epoch", *HISTORY)})
        return cls(architecture, about, reports, weights, history)


def together(paths: Sequence[str | Path]) -> Ensemble:
    """The networks of several training jobs as one ensemble, by their numbers.

    Raises
    ------
    InputError
        When there is no file, two hold the same network, or they were trained with different settings or samples.
    """
    if not paths:
        raise InputError("ensemble", "no file of trained networks was given", "Run the training first")
    parts = [Ensemble.load(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if (part.architecture, part.about) != (parts[0].architecture, parts[0].about):
            own, other = ({**p.about, "architecture": asdict(p.architecture)} for p in (part, parts[0]))
            key, mine, theirs = next(_differences(own, other))
            found = f"was trained with another {key} than {paths[0]}: {mine} instead of {theirs}"
            raise InputError(path, found, _ONE_ENGINE if key == "engine" else "Delete both and train again")
    reports = [report for part in parts for report in part.reports]
    numbers = [report["network"] for report in reports]
    if len(set(numbers)) < len(numbers):
        twice = next(n for n in numbers if numbers.count(n) > 1)
        raise InputError("ensemble", f"has the network {twice} in two files", "Delete the files and train again")
    order = np.argsort(numbers)
    history = pd.concat([part.history for part in parts], ignore_index=True).sort_values(["network", "epoch"], ignore_index=True)
    weights = np.concatenate([part.weights for part in parts])[order]
    return replace(parts[0], reports=[reports[k] for k in order], weights=weights, history=history)


def _differences(own: Mapping, other: Mapping, above: str = "") -> Iterator[tuple[str, object, object]]:
    """Key (`scaling.labels.teff`) and both values of what differs."""
    for key in {**other, **own}:
        mine, theirs = own.get(key, "(none)"), other.get(key, "(none)")
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            yield from _differences(mine, theirs, f"{above}{key}.")
        elif mine != theirs:
            yield f"{above}{key}", mine, theirs


def keep(losses: np.ndarray, failed: np.ndarray, quantile: float) -> tuple[np.ndarray, float]:
    """Which networks are kept: those with a last test loss strictly below a quantile of the networks that did not fail.

    Returns
    -------
    kept : ndarray (n,) of bool
    threshold : float
        NaN when every network failed.
    """
    losses, good = np.asarray(losses, np.float64), ~np.asarray(failed, bool)
    if not good.any():
        return good, np.nan
    threshold = float(np.quantile(losses[good], quantile))
    return good & (np.where(good, losses, np.inf) < threshold), threshold


def dispersion_ratio(n: int, reference: int = PUBLISHED) -> float:
    """Expected population standard deviation of n Gaussian values over that of `reference` values; 0 for one value."""

    def expected(k: int) -> float:
        return float(np.sqrt(2 / k) * np.exp(gammaln(k / 2) - gammaln((k - 1) / 2))) if k > 1 else 0.0

    return expected(n) / expected(reference)


def select(ensemble: Ensemble, settings: Mapping) -> tuple[Ensemble, dict]:
    """The networks that are kept, and what is to be said about the choice.

    Parameters
    ----------
    settings : mapping
        `keep_quantile`, `kept_min` (`rave.ensemble` of the configuration). A handful of networks is too few for `kept_min`
        even when none fails; then the number that the quantile leaves of them is what is asked for.

    Raises
    ------
    InputError
        When fewer networks are kept; names those that failed.
    """
    reports, quantile = ensemble.reports, float(settings["keep_quantile"])
    losses = np.array([np.nan if r["last_test_loss"] is None else r["last_test_loss"] for r in reports], np.float64)
    kept, threshold = keep(losses, np.array([r["failed"] for r in reports]), quantile)
    possible = int(np.ceil((len(reports) - 1) * quantile))
    needed = max(1, min(int(settings["kept_min"]), possible))
    where = f"networks of {ensemble.about['variant']}/{ensemble.about['network']}"
    if kept.sum() < needed:
        failures = "; ".join(f"network {r['network']} failed: {r['reason']}" for r in reports if r["failed"]) or "none failed"
        found = f"{int(kept.sum())} of {len(reports)} can be kept, at least {needed} are needed ({failures})"
        raise InputError(where, found, "Train more networks (rave.ensemble.n_networks), longer ones, or on more spectra")
    entries = [{**r, "kept": bool(k)} for r, k in zip(reports, kept, strict=True)]
    a, about = ensemble.architecture, ensemble.about
    summary = {
        "variant": about["variant"], "network": about["network"], "engine": about["engine"], "n_networks": len(reports),
        "parameters": a.parameters, "keep_quantile": quantile, "threshold": threshold, "networks": entries,
        "kept": [e["network"] for e in entries if e["kept"]], "n_kept": int(kept.sum()),
        "dispersion_bias": dispersion_ratio(int(kept.sum())), "scaling": about["scaling"], "architecture": json.loads(a.to_json()),
        "simulated": about["simulated"],
    }
    chosen = [r["network"] for r, k in zip(reports, kept, strict=True) if k]
    return replace(
        ensemble, reports=[r for r, k in zip(reports, kept, strict=True) if k], weights=ensemble.weights[kept],
        history=ensemble.history[ensemble.history["network"].isin(chosen)].reset_index(drop=True),
    ), summary


def run_ensemble(batches: Sequence[str | Path], cfg: Mapping, out_npz, out_json, out_history) -> None:
    """Choose the networks of an ensemble and write them as one file.

    Parameters
    ----------
    batches : sequence of path
        .npz files of the training jobs.
    cfg : mapping
        The `rave` part of the configuration.
    out_npz, out_json, out_history : path
        The kept networks; the choice, for people; losses of every network and epoch (Parquet).

    Raises
    ------
    InputError
        As `together` and `select`; nothing is written then.
    """
    everyone = together(list(batches))
    kept, summary = select(everyone, cfg["ensemble"])
    about = {name: {"description": text} for name, text in _HISTORY_UNITS.items()}
    write_table(out_history, everyone.history, about, {k: summary[k] for k in ("variant", "network", "simulated")})
    write_json(out_json, summary)
    kept.save(out_npz)
