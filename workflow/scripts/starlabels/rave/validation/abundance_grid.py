"""Abundance patterns in bins of Teff and log g (Section 4.2.2, Appendix A; Figures 9, 11 and A.1 to A.4).

Teff, log g, metallicity and abundance are the networks' in both samples. Bins are half-open, the last ones closed.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import write_json, write_table
from ..rows import iter_observed, normal, parallax_good, training_rows
from .planes import EDGES, Plane, cell_number, factor_for, kiel_plane

METALLICITY = {"alpha_m": "mh", "mg_fe": "feh", "si_fe": "feh", "al_fe": "feh", "ni_fe": "feh"}     # on the x axis of each abundance
X_EDGES = np.round(np.arange(-3.0, 1.0001, 0.025), 6)
Y_EDGES = np.round(np.arange(-1.0, 1.2001, 0.01), 6)
KIEL_FACTOR = 2                         # cells of the inset: 50 K by 0.05 dex
STARS = ["snr_rave", "class_normal", "parallax_error_ratio"]
BIN = ("teff_lo", "teff_hi", "logg_lo", "logg_hi")
STEPS = {100_000: 1, 15_000: 2, 0: 3}   # cells of the observed patterns by number of stars


class Bins:
    """Bins of Teff and log g, numbered along log g first.

    Parameters
    ----------
    settings : mapping
        `teff` and `logg`, each [first edge, last edge, width].
    """

    def __init__(self, settings: Mapping):
        edges = []
        for name in ("teff", "logg"):
            lo, hi, width = (float(v) for v in settings[name])
            n = round((hi - lo) / width)
            if not (n >= 1 and np.isclose(lo + n * width, hi)):
                raise InputError(f"rave.validation.kiel_bins.{name}", f"{settings[name]} gives no whole number of bins", "Change the width")
            edges.append(lo + width * np.arange(n + 1))
        self.teff, self.logg = edges
        self.n = (len(self.teff) - 1) * (len(self.logg) - 1)

    def number(self, teff: np.ndarray, logg: np.ndarray) -> np.ndarray:
        """Bin of each star, -1 outside."""
        i, j = cell_number(teff, self.teff), cell_number(logg, self.logg)
        return np.where((i >= 0) & (j >= 0), i * (len(self.logg) - 1) + j, -1)

    def edges(self, number: int) -> dict:
        """teff_lo, teff_hi, logg_lo, logg_hi of a bin."""
        i, j = divmod(int(number), len(self.logg) - 1)
        return dict(zip(BIN, (float(v) for v in (*self.teff[i:i + 2], *self.logg[j:j + 2])), strict=True))


class Sample:
    """What the figures need of one sample: a plane a bin and abundance, and the Kiel diagram of all its stars.

    Parameters
    ----------
    pairs : mapping
        Abundance -> metallicity of its x axis.
    """

    def __init__(self, bins: Bins, pairs: Mapping[str, str]):
        self.bins, self.pairs, self.kiel = bins, dict(pairs), kiel_plane()
        self.planes = {y: {} for y in self.pairs}
        self.counts, self.n = np.zeros(bins.n, np.int64), 0

    def add(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Take in a piece of finite labels; returns the bin of each star."""
        number = self.bins.number(values["teff"], values["logg"])
        self.counts += np.bincount(number[number >= 0], minlength=self.bins.n)
        self.n += len(number)
        self.kiel.add(values["teff"], values["logg"])
        for k in np.unique(number[number >= 0]):
            part = number == k
            for y, x in self.pairs.items():
                self.planes[y].setdefault(int(k), Plane(X_EDGES, Y_EDGES)).add(values[x][part], values[y][part])
        return number

    def shown(self, least: int) -> list[int]:
        """Bins with at least so many stars."""
        return [int(k) for k in np.flatnonzero(self.counts >= max(least, 1))]

    def table(self, y: str, least: int) -> pd.DataFrame:
        """teff_lo ... logg_hi, x_label, y_label, x_lo ... y_hi, count of the bins that are shown."""
        factor = factor_for(self.n, STEPS)
        parts = [self.planes[y][k].coarser(factor).table(**self.bins.edges(k), x_label=self.pairs[y], y_label=y) for k in self.shown(least)]
        columns = [*BIN, "x_label", "y_label", *EDGES, "count"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame({c: [] for c in columns})

    def summary(self, least: int) -> dict:
        """Numbers of stars, in all and by bin."""
        shown = self.shown(least)
        return {
            "n": self.n, "outside_bins": self.n - int(self.counts.sum()), "bin_min_stars": least,
            "in_poor_bins": int(self.counts.sum() - self.counts[shown].sum()),
            "bins": [{**self.bins.edges(k), "n": self.counts[k]} for k in shown],
            "outside_plane": {y: sum(p.outside for p in self.planes[y].values()) for y in self.pairs},
        }


def run_abundance_grids(
    stars_paths: Iterable, prediction_paths: Iterable, training_path, training_prediction_path, cfg: Mapping, simulated: bool,
    out_training: Mapping, out_observed: Mapping, out_kiel, out_json,
) -> dict:
    """Gather the abundance patterns of the training and of the observed sample.

    The training sample are the rows of role `train`; observed are the stars of classes "n" and "o" with S/N above
    `validation.snr_abundances` and a parallax error below the limit.

    Parameters
    ----------
    out_training, out_observed : mapping
        Abundance -> path. The training table has a row a star: teff_lo, teff_hi, logg_lo, logg_hi, x_label, y_label, x, y; the
        observed one a row a cell: the same up to y_label, then x_lo, x_hi, y_lo, y_hi, count. Bins with fewer than
        `validation.bin_min_stars` stars are left out.
    out_kiel : path
        sample (`training`, `observed`), x_lo, x_hi (Teff, K), y_lo, y_hi (log g), count.
    out_json : path
        {`simulated`, `pairs`, `training`, `observed` {n, outside_bins, in_poor_bins, bin_min_stars, bins [{..., n}]}}.

    Raises
    ------
    InputError
        When a sample has no star, or an abundance is not among the labels.
    """
    settings = cfg["validation"]
    bins, least = Bins(settings["kiel_bins"]), int(settings["bin_min_stars"])
    pairs = {y: METALLICITY[y] for y in out_observed if y in METALLICITY}
    if set(out_observed) != set(out_training) or set(pairs) != set(out_observed):
        raise InputError("rave abundance grids", f"cannot be made for {sorted(out_observed)}", f"Give some of {sorted(METALLICITY)}, twice")
    wanted = list(dict.fromkeys(["teff", "logg", *pairs.values(), *pairs]))
    absent = [p for p in wanted if p not in cfg["labels"]]
    if absent:
        raise InputError("rave.labels", f"has no {absent[0]}, which the abundance patterns need", "Add it or leave the figures out")

    training = Sample(bins, pairs)
    rows = training_rows(training_path, training_prediction_path)
    values = _finite(rows[(rows["role"] == "train").to_numpy(bool)], wanted)
    number = training.add(values)
    observed = Sample(bins, pairs)
    for frame in iter_observed(stars_paths, prediction_paths, STARS, [f"{p}_cnn" for p in wanted]):
        keep = normal(frame) & parallax_good(frame, cfg) & (frame["snr_rave"].to_numpy(np.float64) > settings["snr_abundances"])
        observed.add(_finite(frame[keep], wanted))
    for sample, name, remedy in ((training, "training", "Check rave.training"), (observed, "observed", "Check rave.observed and the S/N")):
        if not sample.n:
            raise InputError(f"rave abundance grids, {name} sample", "has no star that passes the cuts", remedy)

    meta = {"simulated": bool(simulated)}
    for y, x in pairs.items():
        write_table(out_training[y], _points(training, number, values[x], values[y], x, y, least), meta=meta)
        write_table(out_observed[y], observed.table(y, least), meta=meta)
    kiel = [s.kiel.coarser(KIEL_FACTOR).table(sample=name) for name, s in (("training", training), ("observed", observed))]
    write_table(out_kiel, pd.concat(kiel, ignore_index=True), meta=meta)
    content = {
        "simulated": bool(simulated), "pairs": pairs, "training": training.summary(least), "observed": observed.summary(least),
        "claims": {"rave.n.fig11": {"value": observed.n, "paper": 301076, "what": "spectra of Figure 11"}},
    }
    write_json(out_json, content)
    return content


def _finite(frame: pd.DataFrame, labels: list[str]) -> dict[str, np.ndarray]:
    """The networks' labels of the rows that have them all."""
    values = frame[[f"{p}_cnn" for p in labels]].to_numpy(np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    return {p: values[:, k] for k, p in enumerate(labels)}


def _points(sample: Sample, number: np.ndarray, x: np.ndarray, y: np.ndarray, x_label: str, y_label: str, least: int) -> pd.DataFrame:
    parts = [pd.DataFrame({**sample.bins.edges(k), "x_label": x_label, "y_label": y_label, "x": x[number == k], "y": y[number == k]})
             for k in sample.shown(least)]
    columns = [*BIN, "x_label", "y_label", "x", "y"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame({c: [] for c in columns})
