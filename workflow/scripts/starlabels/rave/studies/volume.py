"""Whether the training sample probes the same Galactic volume, and stars of the same ages, as the observed sample (Section 4.1)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, wasserstein_distance

from ...io import read_table, write_json, write_table
from ...metrics import Histogram1D

# quantity: (column, unit, bin, first and last edge)
QUANTITIES = {
    "r_mean": ("r_mean", "kpc", 0.25, 0.0, 20.0), "abs_z": ("z_gal", "kpc", 0.1, 0.0, 10.0), "z_max": ("z_max", "kpc", 0.1, 0.0, 20.0),
    "age_bdasp": ("age_bdasp", "Gyr", 0.5, 0.0, 15.0),
}
COVERED = 0.95             # share of the observed stars within the training sample's range that counts as the same range
NEAR = 0.1                 # Kolmogorov-Smirnov distance below which two shapes are alike


def compare(training: np.ndarray, observed: np.ndarray) -> dict:
    """Two-sample distances of a quantity.

    Returns
    -------
    dict
        n_training, n_observed; medians; ks (largest distance of the cumulative distributions; its p-value would only tell
        that large samples differ); wasserstein (mean shift, in the quantity's unit) and the same over the observed standard
        deviation; covered (share of the observed values between the 1st and 99th percentile of the training sample);
        same_range, same_shape (None without values).
    """
    a, b = (np.asarray(v, np.float64) for v in (training, observed))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    out = {"n_training": len(a), "n_observed": len(b)}
    keys = ("median_training", "median_observed", "ks", "wasserstein", "wasserstein_sigma", "covered", "same_range", "same_shape")
    if len(a) < 2 or len(b) < 2:
        return out | dict.fromkeys(keys)
    low, high = np.percentile(a, (1, 99))
    shift, spread = float(wasserstein_distance(a, b)), float(b.std())
    covered, ks = float(np.mean((b >= low) & (b <= high))), float(ks_2samp(a, b, method="asymp").statistic)
    return out | {
        "median_training": float(np.median(a)), "median_observed": float(np.median(b)), "ks": ks, "wasserstein": shift,
        "wasserstein_sigma": shift / spread if spread > 0 else None, "covered": covered, "same_range": covered >= COVERED,
        "same_shape": ks <= NEAR,
    }


def run_volume(stars_paths: Iterable, training_path, cfg: Mapping, simulated: bool, out_table, out_json) -> dict:
    """Radii, heights and ages of the training and the observed sample.

    Parameters
    ----------
    stars_paths : iterable of path
        `rave/stars/{slice}.parquet`.
    training_path : path
        `rave/samples/main/training.parquet` (which spectra; training and test part).
    out_table : path
        quantity, sample (training, observed), lo, hi, count, share.
    out_json : path
        {quantities {name: {unit, ...`compare`}}, same_volume, same_ages, note, simulated}.
    """
    ids = set(read_table(training_path, ["rave_obs_id"])["rave_obs_id"])
    columns = list(dict.fromkeys(q[0] for q in QUANTITIES.values()))
    observed, training = [], []
    for path in sorted(stars_paths, key=str):
        frame = read_table(path, ["rave_obs_id", "in_observed", *columns])
        training.append(frame.loc[frame["rave_obs_id"].isin(ids), columns])
        observed.append(frame.loc[frame["in_observed"].to_numpy(bool), columns])
    samples = {"training": pd.concat(training, ignore_index=True), "observed": pd.concat(observed, ignore_index=True)}
    found, tables = {}, []
    for name, (column, unit, width, lo, hi) in QUANTITIES.items():
        values = {k: np.abs(f[column].to_numpy(np.float64)) if name == "abs_z" else f[column].to_numpy(np.float64)
                  for k, f in samples.items()}
        found[name] = {"unit": unit, **compare(values["training"], values["observed"])}
        for sample, x in values.items():
            bars = Histogram1D(width, lo, hi)
            bars.add(x)
            part = bars.table().rename(columns={"x_lo": "lo", "x_hi": "hi"})
            part = part[part["count"] > 0]
            tables.append(part.assign(quantity=name, sample=sample, share=part["count"] / max(int(part["count"].sum()), 1)))
    table = pd.concat(tables, ignore_index=True)[["quantity", "sample", "lo", "hi", "count", "share"]]
    write_table(out_table, table.astype({"quantity": "str", "sample": "str"}), meta={"simulated": bool(simulated)})

    def all_of(names, key):
        answers = [found[n][key] for n in names]
        return None if None in answers else all(answers)

    content = {
        "quantities": found, "same_volume": all_of(("r_mean", "abs_z"), "same_range"), "same_ages": all_of(("age_bdasp",), "same_range"),
        "same_shape_of_ages": all_of(("age_bdasp",), "same_shape"),
        "note": "The paper compares ages of StarHorse too, which its catalogue for RAVE DR6 does not give.", "simulated": bool(simulated),
    }
    write_json(out_json, content)
    return content
