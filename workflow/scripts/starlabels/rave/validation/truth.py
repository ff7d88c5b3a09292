"""Both networks against the truth of a simulated sky. Only this module reads the truth."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_tables, write_json, write_table
from ..rows import ID, iter_observed, normal, parallax_good, training_rows
from ..statistics import coverage, linear_relation, residual_statistics
from .labels import ROLES, split_masks
from .planes import Plane, factor_for

STARS = ["raveid", "snr_rave", "class_normal", "parallax_error_ratio"]
CELLS = 240                             # along an axis of the narrowest density cells
STEPS = {100_000: 2, 10_000: 4, 0: 8}   # cells of the density by number of stars
SNR_EDGES = (10, 20, 30, 40, 60, 80, 1000)
TRUTH = "_true"
SNR_COLUMNS = ["network", "sample", "label", "snr_lo", "snr_hi", "snr_mid", "n", "bias", "sigma", "robust_sigma", "sigma_lo", "sigma_hi",
               "within_1", "factor_68"]


def read_truth(paths: Iterable, labels: list[str]) -> pd.DataFrame:
    """rave_obs_id and `<label>_true` of every spectrum."""
    frame = read_tables(sorted(paths, key=str), [ID, *labels])
    twice = frame.loc[frame[ID].duplicated(), ID]
    if len(twice):
        raise InputError("native/rave_truth", f"lists {twice.iloc[0]} twice", "Make the simulated sky again")
    return frame.rename(columns={p: f"{p}{TRUTH}" for p in labels})


def observed_rows(stars_paths, prediction_paths, truth: pd.DataFrame, training_stars: set, labels: list[str]) -> pd.DataFrame:
    """Observed spectra of stars that the networks were not trained on, with truth and predictions."""
    columns = [c for p in labels for c in (f"{p}_cnn", f"{p}_cnn_err")]
    parts = []
    for frame in iter_observed(stars_paths, prediction_paths, STARS, columns):
        unseen = ~frame["raveid"].isin(training_stars).to_numpy(bool)
        parts.append(frame[unseen].merge(truth, on=ID, how="inner"))
    return pd.concat(parts, ignore_index=True)


def _numbers(frame: pd.DataFrame, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and its error."""
    truth, value, error = (frame[c].to_numpy(np.float64) for c in (f"{label}{TRUTH}", f"{label}_cnn", f"{label}_cnn_err"))
    return truth, value, error


def measures(frame: pd.DataFrame, mask: np.ndarray, label: str, bootstrap: int, seed: int) -> dict:
    """Residual statistics against the truth, slope and r2, coverage of the dispersion over the networks."""
    truth, value, error = (v[mask] for v in _numbers(frame, label))
    line = linear_relation(truth, value)
    found = residual_statistics(value - truth, bootstrap, seed)
    return found | {"slope": line["slope"], "r2": line["r2"], "coverage": coverage(value - truth, error)}


def run_truth(
    stars_paths: Iterable, prediction_paths: Mapping[str, Iterable], training_path, training_prediction_paths: Mapping,
    truth_paths: Iterable, cfg: Mapping, out_json, out_density, out_hist, out_points, out_snr, seed: int = 42,
) -> dict:
    """Compare predictions of the observed sample and of the training table with the truth.

    The observed rows are those of stars without a spectrum in training, all classes (`observed`), and of these the ones of
    classes "n" and "o" with a good parallax (`observed_normal`).

    Parameters
    ----------
    prediction_paths : mapping
        network (`photometry`, `spectra`) -> predictions of the slices; `spectra` may be absent.
    training_prediction_paths : mapping
        network -> predictions of the training table.
    truth_paths : iterable of path
        `native/rave_truth/part-*.parquet`.
    out_json : path
        {`simulated`, `n` {sample: spectra}, `networks` {network: {label: {sample: measures}}}, `labels` {label: {role: statistics
        of APOGEE's label minus truth}}}; samples: observed, observed_normal, train, test, test_clean.
    out_density : path
        label, kind (`one_to_one`: x truth, y prediction; `residual`: y prediction minus truth), x_lo, x_hi, y_lo, y_hi, count of the
        sample `observed`, network with photometry.
    out_hist : path
        label, axis (`reference`: truth, `predicted`, `residual`), role (`observed`), lo, hi, count.
    out_points : path
        The test spectra: rave_obs_id, role, `<label>` (truth), `<label>_cnn` (with photometry).
    out_snr : path
        network, sample (`observed`, `test`), label, snr_lo, snr_hi, snr_mid (median), n, bias, sigma, robust_sigma, sigma_lo,
        sigma_hi, within_1, factor_68; bins with fewer than `validation.bin_min_stars` spectra are left out.

    Raises
    ------
    InputError
        When no observed spectrum or no test spectrum has a truth.
    """
    labels = list(cfg["labels"])
    truth = read_truth(truth_paths, labels)
    content: dict = {"simulated": True, "snr_edges": list(SNR_EDGES), "n": {}, "networks": {}, "labels": {}}
    bins = []
    for network in reversed(list(prediction_paths)):                      # the one with photometry last: it is the one drawn
        training = training_rows(training_path, training_prediction_paths[network]).merge(truth, on=ID, how="inner")
        masks = split_masks(training)
        used = set(training.loc[masks["train"], "raveid"])
        observed = observed_rows(stars_paths, prediction_paths[network], truth, used, labels)
        if not len(observed) or not masks["test"].any():
            kind = "test" if len(observed) else "observed"
            raise InputError("native/rave_truth", f"knows no {kind} spectrum of the {network} network", "Make sky and predictions again")
        test = training[masks["test"]]
        found, counts = _compare(observed, training, masks, cfg, seed)
        content["networks"], content["n"] = {network: found} | content["networks"], counts
        for name, frame in (("observed", observed), ("test", test)):
            bins += [{"network": network, "sample": name, **row} for row in snr_rows(frame, cfg, seed)]
    for p in labels:
        off = (training[p] - training[f"{p}{TRUTH}"]).to_numpy(np.float64)
        content["labels"][p] = {r: residual_statistics(off[masks[r]], int(cfg["validation"]["bootstrap"]), seed) for r in ROLES}
    planes = [density(observed, test, p) for p in labels]
    meta = {"simulated": True}
    write_table(out_density, pd.concat([table for pair in planes for table in pair], ignore_index=True), meta=meta)
    write_table(out_hist, pd.concat([histograms(pair, p) for p, pair in zip(labels, planes, strict=True)], ignore_index=True), meta=meta)
    points = {c: test[c] for c in (ID, "role")} | {k: test[v] for p in labels for k, v in ((p, f"{p}{TRUTH}"), (f"{p}_cnn", f"{p}_cnn"))}
    write_table(out_points, pd.DataFrame(points), meta=meta)
    write_table(out_snr, pd.DataFrame(bins, columns=SNR_COLUMNS), meta=meta)
    write_json(out_json, content)
    return content


def _compare(observed: pd.DataFrame, training: pd.DataFrame, masks: Mapping, cfg: Mapping, seed: int) -> tuple[dict, dict]:
    """{label: {sample: measures}} and {sample: spectra} of one network."""
    samples = {
        "observed": (observed, np.ones(len(observed), bool)),
        "observed_normal": (observed, normal(observed) & parallax_good(observed, cfg)),
        **{split: (training, mask) for split, mask in masks.items()},
    }
    bootstrap = int(cfg["validation"]["bootstrap"])
    found = {p: {k: measures(frame, mask, p, bootstrap, seed) for k, (frame, mask) in samples.items()} for p in cfg["labels"]}
    return found, {name: mask.sum() for name, (_, mask) in samples.items()}


def snr_rows(frame: pd.DataFrame, cfg: Mapping, seed: int) -> list[dict]:
    """Statistics of every label in bins of S/N that hold at least `validation.bin_min_stars` spectra."""
    settings, rows, snr = cfg["validation"], [], frame["snr_rave"].to_numpy(np.float64)
    for lo, hi in zip(SNR_EDGES[:-1], SNR_EDGES[1:], strict=True):
        mask = (snr > lo) & (snr <= hi)
        if mask.sum() < max(int(settings["bin_min_stars"]), 2):
            continue
        for label in cfg["labels"]:
            found = measures(frame, mask, label, int(settings["bootstrap"]), seed)
            rows.append({
                "label": label, "snr_lo": float(lo), "snr_hi": float(hi), "snr_mid": float(np.median(snr[mask])),
                **{k: found[k] for k in ("n", "bias", "sigma", "robust_sigma")},
                "sigma_lo": found["sigma_interval"][0], "sigma_hi": found["sigma_interval"][1],
                **{k: found["coverage"][k] for k in ("within_1", "factor_68")},
            })
    return rows


def density(observed: pd.DataFrame, test: pd.DataFrame, label: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of prediction against truth, and of the residual against truth; both hold all stars but 0.1 % at either end."""
    truth, value, _ = _numbers(observed, label)
    good = np.isfinite(truth) & np.isfinite(value)
    truth, value = truth[good], value[good]
    low, high = np.quantile(np.concatenate([truth, value]), [0.001, 0.999]) if len(truth) else (0.0, 1.0)
    shown = np.concatenate([[low, high], *_numbers(test, label)[:2]])                  # the test spectra are drawn one by one
    low, high = np.nanmin(shown), np.nanmax(shown)
    high = high if high > low else low + 1.0
    off = np.abs(value - truth)
    reach = np.quantile(off, 0.995) if len(off) else 1.0
    reach = reach if reach > 0 else 1.0
    edges, up = np.linspace(low, high, CELLS + 1), np.linspace(-reach, reach, CELLS // 2 + 1)
    factor, tables = factor_for(len(truth), STEPS), []
    for kind, y, y_edges in (("one_to_one", value, edges), ("residual", value - truth, up)):
        plane = Plane(edges, y_edges)
        plane.add(truth, y)
        tables.append(plane.coarser(factor).table(label=label, kind=kind))
    return tables[0], tables[1]


def histograms(pair: tuple[pd.DataFrame, pd.DataFrame], label: str) -> pd.DataFrame:
    """Counts along the axes of the two planes."""
    parts = []
    for axis, table, name in (("reference", pair[0], "x"), ("predicted", pair[0], "y"), ("residual", pair[1], "y")):
        rows = table.groupby([f"{name}_lo", f"{name}_hi"], as_index=False)["count"].sum()
        rows = rows.rename(columns={f"{name}_lo": "lo", f"{name}_hi": "hi"})
        parts.append(rows.assign(label=label, axis=axis, role="observed")[["label", "axis", "role", "lo", "hi", "count"]])
    return pd.concat(parts, ignore_index=True)
