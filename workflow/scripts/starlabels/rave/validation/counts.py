"""Sizes of the samples that the paper prints, the cut flow behind them, and two shares (rave.n.*, rave.frac.*).

The sizes of the selections of single figures are measured where the figure is; they are gathered here from those files.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...flow import merge
from ...io import read_json, read_table, row_count, write_json
from ..rows import parallax_good
from .training_runs import runs, seconds_a_network

GATHERED = ("rave.n.", "rave.frac.")
AV_LIMIT = 0.5               # mag, Section 3.2
PAPER = {
    "rave.n.rave": 518387, "rave.n.apogee": 473307, "rave.n.common": 7000, "rave.n.clean": 3904, "rave.n.train": 3669,
    "rave.n.test": 235, "rave.n.observed": 420165, "rave.frac.av": 0.78, "rave.frac.plx": 0.94, "rave.epochs": 120,
    "rave.train_time": [70, 90],
}


def good_alpha(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """Mask (n,): RAVE DR6 [alpha/Fe] that passes the quality cuts of `validation.alpha` (B-20; a limit of null cuts nothing)."""
    cuts = cfg["validation"]["alpha"]
    mask = np.isfinite(frame["alpha_fe_gauguin"].to_numpy(np.float64)) & (frame["snr_rave"] > cuts["snr_min"]).to_numpy(bool)
    if cuts["algo_flag"] is not None:
        mask &= (frame["madera_algo_flag"] == cuts["algo_flag"]).fillna(False).to_numpy(bool)
    if cuts["chisq_max"] is not None:
        mask &= (frame["alpha_fe_gauguin_chisq"] < cuts["chisq_max"]).fillna(False).to_numpy(bool)
    if cuts["lines_min"] is not None:
        mask &= (frame["alpha_fe_gauguin_nl"] >= cuts["lines_min"]).fillna(False).to_numpy(bool)
    return mask


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan


def common_sources(stars_paths: Iterable) -> dict:
    """Sources that have an APOGEE entry, and their spectra, before any cut."""
    sources, spectra = set(), 0
    for path in stars_paths:
        rows = read_table(path, ["gaia_dr2_source_id", "snr_apogee"])
        rows = rows[np.isfinite(rows["snr_apogee"].to_numpy(np.float64))]
        sources.update(rows["gaia_dr2_source_id"].tolist())
        spectra += len(rows)
    return {"value": len(sources), "spectra": spectra}


def flow_of(path) -> list[dict]:
    """The cut flow in a JSON file: the list itself, or its entry `flow`.

    Raises
    ------
    InputError
        When the file holds none.
    """
    content = read_json(path)
    flow = content if isinstance(content, list) else content.get("flow")
    if not isinstance(flow, list):
        raise InputError(f"{path}, key flow", "is absent", "Delete it and run again")
    return flow


def observed_counts(stars_paths: Iterable, cfg: Mapping) -> dict[str, dict]:
    """Observed spectra, and their shares with little extinction and with good parallaxes."""
    n = known = low = sharp = 0
    for path in stars_paths:
        rows = read_table(path, ["in_observed", "av_starhorse", "parallax_error_ratio"])
        rows = rows[rows["in_observed"].to_numpy(bool)]
        extinction = rows["av_starhorse"].to_numpy(np.float64)
        n, known, low = n + len(rows), known + int(np.isfinite(extinction).sum()), low + int((extinction < AV_LIMIT).sum())
        sharp += int(parallax_good(rows, cfg).sum())
    limit = cfg["validation"]["parallax_error_max"]
    return {
        "rave.n.observed": {"value": n, "what": "spectra of the observed sample"},
        "rave.frac.av": {"value": _share(low, known), "n": known, "what": f"share of observed spectra with A_V < {AV_LIMIT} mag"},
        "rave.frac.plx": {"value": _share(sharp, n), "n": n, "what": f"share of observed spectra with a parallax error below {limit:.0%}"},
    }


def labelled_counts(training_path) -> tuple[dict[str, dict], float]:
    """Labelled spectra by role, and their share with little extinction."""
    rows = read_table(training_path, ["role", "av_starhorse"])
    av = rows["av_starhorse"].to_numpy(np.float64)
    roles = {role: int((rows["role"] == role).sum()) for role in ("train", "test")}
    found = {"rave.n.clean": {"value": len(rows)}, **{f"rave.n.{role}": {"value": n} for role, n in roles.items()}}
    return found, _share(int((av < AV_LIMIT).sum()), int(np.isfinite(av).sum()))


def gathered(summary_paths: Iterable) -> dict[str, dict]:
    """Counts and shares among the claims of other validations; where two measure the same, the first by file name counts."""
    found: dict[str, dict] = {}
    for path in sorted(summary_paths, key=str):
        for name, entry in (read_json(path).get("claims") or {}).items():
            if name.startswith(GATHERED) and name not in found and isinstance(entry, Mapping):
                value = entry["value"] if "value" in entry else entry.get("found")
                found[name] = {"value": value, "paper": entry.get("paper"), "from": str(path).rpartition("/")[2]}
    return found


def run_counts(
    stars_paths: Iterable, training_path, flow_paths: Iterable, selection_path, ensemble_path, obsdata_paths: Iterable,
    apogee_paths: Iterable, cfg: Mapping, simulated: bool, out_json, summary_paths: Iterable = (), benchmark_paths: Iterable = (),
    networks_timed: int | None = None,
) -> dict:
    """Every count that the paper prints.

    Parameters
    ----------
    stars_paths, flow_paths : iterable of path
        `rave/stars/{slice}.parquet` and `.json`.
    training_path, selection_path : path
        `rave/samples/main/training.parquet` and `selection.json`.
    ensemble_path : path
        `rave/models/main/photometry/ensemble.json`.
    obsdata_paths, apogee_paths : iterable of path
        Canonical tables of the RAVE observations and of APOGEE DR16: their rows are counted.
    summary_paths : iterable of path, optional
        JSON files of the validations of single figures; their counts are gathered.
    benchmark_paths : iterable of path, optional
        Snakemake's benchmark tables of the training jobs; without them the training time is left out.
    networks_timed : int, optional
        Networks that these jobs trained; those of the ensemble by default.
    out_json : path
        {claims: {id: {value, paper, ...}}, flow: {observed, training}, simulated}.
    """
    stars_paths = sorted(stars_paths, key=str)
    labelled, low_extinction = labelled_counts(training_path)
    found: dict[str, dict] = {
        "rave.n.rave": {"value": sum(row_count(p) for p in obsdata_paths), "packed": sum(row_count(p) for p in stars_paths)},
        "rave.n.apogee": {"value": sum(row_count(p) for p in apogee_paths)}, "rave.n.common": common_sources(stars_paths),
        **labelled, **observed_counts(stars_paths, cfg), **_training(ensemble_path, list(benchmark_paths), networks_timed),
    }
    found["rave.frac.av"]["training_test"] = low_extinction
    claims = {name: {**found[name], "paper": PAPER[name]} for name in PAPER if name in found}
    claims |= {name: entry for name, entry in gathered(summary_paths).items() if name not in claims}
    flow = {"observed": merge(flow_of(p) for p in flow_paths), "training": flow_of(selection_path)}
    content = {"claims": claims, "flow": flow, "simulated": bool(simulated)}
    write_json(out_json, content)
    return content


def _training(ensemble_path, benchmarks: list, networks_timed: int | None) -> dict[str, dict]:
    """Epochs after which every network has stopped, and the time of a network where it was measured."""
    ensemble = read_json(ensemble_path)
    trained = runs(ensemble, ensemble_path)
    trained = trained[~trained["failed"].astype(bool)]
    out = {"rave.epochs": {"value": int(trained["epochs"].max()) if len(trained) else None, "n": len(trained)}}
    if benchmarks:
        number = networks_timed or int(ensemble.get("n_networks") or len(trained))
        out["rave.train_time"] = {"value": seconds_a_network(benchmarks, number), "n": number, "what": "wall time of the jobs, a network"}
    return out
