"""How the networks of an ensemble trained: epochs, last losses, who is kept (Section 3.3; Figure 5)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_json, read_table, write_json, write_table

MOST_BINS, LEAST_BINS = 25, 6
HISTORY = ["network", "epoch", "train_loss", "test_loss", "test_r2", "test_accuracy"]


def runs(ensemble: Mapping, where) -> pd.DataFrame:
    """One row a network: network, seed, epochs, last_test_loss, kept, failed, reason.

    Raises
    ------
    InputError
        When the ensemble lists no network or an entry lacks a key.
    """
    table = pd.DataFrame(ensemble.get("networks") or [])
    if table.empty:
        raise InputError(f"{where}, key networks", "lists no network", "Run the stage that joins the networks")
    lacking = [key for key in ("network", "epochs", "last_test_loss", "kept", "failed") if key not in table.columns]
    if lacking:
        raise InputError(f"{where}, key networks", f"has no entry {lacking[0]!r}", "Delete it and run again")
    return table


def loss_histogram(table: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    """lo, hi, kept, dropped: networks by their last test loss; those without one are left out. A bin begins at the threshold."""
    usable = table[np.isfinite(table["last_test_loss"].astype(float)) & ~table["failed"].astype(bool)]
    loss = usable["last_test_loss"].to_numpy(np.float64)
    if not len(loss):
        return pd.DataFrame({"lo": [], "hi": [], "kept": [], "dropped": []})
    bins = int(np.clip(len(loss) // 2, LEAST_BINS, MOST_BINS))
    low, high = float(loss.min()), float(loss.max())
    width = ((high - low) or 0.1 * abs(high) or 1.0) / bins
    start = low if threshold is None else float(threshold)
    first, last = int(np.floor((low - start) / width)), int(np.floor((high - start) / width)) + 1
    edges = start + width * np.arange(first, last + 1)
    kept = usable["kept"].to_numpy(bool)
    counts = [np.histogram(loss[mask], edges)[0] for mask in (kept, ~kept)]
    return pd.DataFrame({"lo": edges[:-1], "hi": edges[1:], "kept": counts[0], "dropped": counts[1]})


def last_scores(history: pd.DataFrame, kept: Iterable[int]) -> dict:
    """Median over the kept networks of the scores of their last epochs."""
    last = history.sort_values(["network", "epoch"]).groupby("network").tail(1)
    last = last[last["network"].isin(set(kept))]
    found = {key: last[key].to_numpy(np.float64) for key in ("test_loss", "test_r2", "test_accuracy")}
    return {key: float(np.median(x)) if len(x) else np.nan for key, x in found.items()}


def run_training_runs(history_path, ensemble_path, simulated: bool, out_table, out_json) -> dict:
    """What Figure 5 draws and states.

    Parameters
    ----------
    history_path, ensemble_path : path
        `history.parquet` and `ensemble.json` of an ensemble.
    out_table : path
        lo, hi, kept, dropped (networks by their last test loss).
    out_json : path
        {network, n_networks, n_kept, n_failed, threshold, epochs: {min, median, max}, last: {test_loss, test_r2,
        test_accuracy: medians over the kept networks}, simulated}. Accuracy is the share of stars whose largest
        normalised label is the same in prediction and label (B-15).
    """
    ensemble, history = read_json(ensemble_path), read_table(history_path, HISTORY)
    table = runs(ensemble, ensemble_path)
    trained = table[~table["failed"].astype(bool)]
    epochs = trained["epochs"].to_numpy(np.float64)
    kept = trained.loc[trained["kept"].astype(bool), "network"].tolist()
    content = {
        "variant": ensemble.get("variant"), "network": ensemble.get("network"), "n_networks": len(table), "n_kept": len(kept),
        "n_failed": int(table["failed"].astype(bool).sum()), "threshold": ensemble.get("threshold"),
        "epochs": {k: float(f(epochs)) if len(epochs) else np.nan for k, f in (("min", np.min), ("median", np.median), ("max", np.max))},
        "last": last_scores(history, kept), "simulated": bool(simulated),
    }
    write_table(out_table, loss_histogram(table, ensemble.get("threshold")), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def seconds_a_network(benchmark_paths: Iterable, networks_in_all: int) -> float:
    """Wall time of the training jobs divided by the number of networks, s; from Snakemake's benchmark tables (column `s`).

    Raises
    ------
    InputError
        When a file is missing or has no such column.
    """
    total = 0.0
    for path in benchmark_paths:
        try:
            table = pd.read_csv(path, sep="\t")
        except (OSError, pd.errors.EmptyDataError) as error:
            raise InputError(path, "is no readable benchmark table", "Run the training again") from error
        if "s" not in table.columns:
            raise InputError(f"{path}, column s", "is absent", "Run the training again")
        total += float(table["s"].sum())
    return total / max(networks_in_all, 1)
