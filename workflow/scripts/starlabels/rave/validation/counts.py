"""Sizes of the samples that the paper prints, the cut flow behind them, and two shares (rave.n.*, rave.frac.*)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...flow import merge
from ...io import read_json, read_table, row_count, write_json
from ..rows import iter_observed, normal, parallax_good
from .repeats import star_key
from .training_runs import runs, seconds_a_network

STAR_COLUMNS = [
    "raveid", "gaia_dr2_source_id", "snr_rave", "parallax_error_ratio", "class_normal", "av_starhorse", "logg_k2", "logg_bdasp",
    "teff_irfm", "alpha_fe_gauguin", "alpha_fe_gauguin_chisq", "alpha_fe_gauguin_nl", "madera_algo_flag", "ecc", "z_max", "v_phi",
    "r_mean", "z_gal",
]
AV_LIMIT = 0.5               # mag, Section 3.2
PAPER = {
    "rave.n.rave": 518387, "rave.n.apogee": 473307, "rave.n.common": 7000, "rave.n.clean": 3904, "rave.n.train": 3669,
    "rave.n.test": 235, "rave.n.observed": 420165, "rave.n.fig10": 371967, "rave.n.fig11": 301076, "rave.n.fig12": 3502,
    "rave.n.fig13": 391035, "rave.n.k2": 433, "rave.n.bdasp": 388299, "rave.n.irfm": 371166, "rave.n.repeats": 80342,
    "rave.n.clusters": 41, "rave.n.alpha": {"all": 69659, "dwarfs": 30988, "giants": 38671}, "rave.n.fig23": 198106,
    "rave.n.fig24": {"thin_disc": 75642, "dissipative": 15433, "accreted": 1400}, "rave.n.fig25": 185569,
    "rave.frac.av": 0.78, "rave.frac.plx": 0.94, "rave.epochs": 120, "rave.train_time": [70, 90],
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


def components(frame: pd.DataFrame, cfg: Mapping) -> dict[str, np.ndarray]:
    """Masks of the kinematic components of Section 8.1, in that order of precedence for none: a star is in one at most."""
    cuts = cfg["validation"]["components"]
    ecc, z_max, v_phi = (frame[c].to_numpy(np.float64) for c in ("ecc", "z_max", "v_phi"))
    known = np.isfinite(ecc) & np.isfinite(z_max) & np.isfinite(v_phi)
    thin = known & (ecc < cuts["ecc"]) & (z_max < cuts["z_max"])
    dissipative = known & (ecc > cuts["ecc"]) & (z_max > cuts["z_max"]) & (v_phi > cuts["v_phi"])
    return {"thin_disc": thin, "dissipative": dissipative, "accreted": known & ~thin & (v_phi < cuts["v_phi"])}


def selections(frame: pd.DataFrame, cfg: Mapping) -> dict[str, np.ndarray]:
    """Masks over observed rows (with `logg_cnn`) of the selections of the figures."""
    v = cfg["validation"]
    snr, giant = frame["snr_rave"].to_numpy(np.float64), (frame["logg_cnn"] < v["logg_giant"]).to_numpy(bool)
    sharp, clean, alpha = parallax_good(frame, cfg), normal(frame), good_alpha(frame, cfg)
    fig24 = giant & sharp & clean & (snr > v["snr_components"])
    found = {
        "rave.n.fig10": sharp & clean & (snr > v["snr_min"]), "rave.n.fig11": sharp & clean & (snr > v["snr_abundances"]),
        "rave.n.fig12": ~sharp & (snr > v["snr_poor_parallax"]), "rave.n.fig13": snr > v["snr_min"],
        "rave.n.k2": np.isfinite(frame["logg_k2"].to_numpy(np.float64)),
        "rave.n.bdasp": np.isfinite(frame["logg_bdasp"].to_numpy(np.float64)) & (snr > v["snr_min"]),
        "rave.n.irfm": np.isfinite(frame["teff_irfm"].to_numpy(np.float64)) & (snr > v["snr_min"]),
        "rave.n.alpha/all": alpha, "rave.n.alpha/dwarfs": alpha & ~giant, "rave.n.alpha/giants": alpha & giant,
        "rave.n.fig23": sharp & clean & (snr > v["snr_components"]),
        "rave.n.fig25": giant & sharp & clean & (snr > v["snr_abundances"]),
    }
    found |= {f"rave.n.fig24/{name}": fig24 & mask for name, mask in components(frame, cfg).items()}
    return found


class Tally:
    """Counts over the observed stars, a slice at a time."""

    def __init__(self, cfg: Mapping):
        self.cfg, self.sizes, self.n = cfg, {}, 0
        self.low_extinction = self.with_extinction = self.sharp = 0
        self._keys: list[np.ndarray] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Count the rows of a slice."""
        for name, mask in selections(frame, self.cfg).items():
            self.sizes[name] = self.sizes.get(name, 0) + int(mask.sum())
        extinction = frame["av_starhorse"].to_numpy(np.float64)
        self.n += len(frame)
        self.low_extinction += int((extinction < AV_LIMIT).sum())
        self.with_extinction += int(np.isfinite(extinction).sum())
        self.sharp += int(parallax_good(frame, self.cfg).sum())
        self._keys.append(star_key(frame[(frame["snr_rave"] > self.cfg["validation"]["snr_min"]).to_numpy(bool)]))

    def repeats(self) -> dict:
        """Spectra of stars with at least two above the S/N limit, and these stars (B-19)."""
        _, count = np.unique(np.concatenate(self._keys).astype(str), return_counts=True)
        return {"value": int(count[count > 1].sum()), "stars": int((count > 1).sum())}


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


def run_counts(
    stars_paths: Iterable, prediction_paths: Iterable, training_path, flow_paths: Iterable, selection_path, ensemble_path, literature_path,
    obsdata_paths: Iterable, apogee_paths: Iterable, cfg: Mapping, simulated: bool, out_json, benchmark_paths: Iterable = (),
    networks_timed: int | None = None,
) -> dict:
    """Every count that the paper prints.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet` and `rave/predictions/main/photometry/{slice}.parquet`.
    training_path, selection_path : path
        `rave/samples/main/training.parquet` and `selection.json`.
    flow_paths : iterable of path
        `rave/stars/{slice}.json`.
    ensemble_path, literature_path : path
        `rave/models/main/photometry/ensemble.json`, `rave/literature.parquet`.
    obsdata_paths, apogee_paths : iterable of path
        Canonical tables of the RAVE observations and of APOGEE DR16: their rows are counted.
    benchmark_paths : iterable of path, optional
        Snakemake's benchmark tables of the training jobs; without them the training time is left out.
    networks_timed : int, optional
        Networks that these jobs trained; those of the ensemble by default.
    out_json : path
        {claims: {id: {value, paper, ...}}, flow: {observed, training}, simulated}.
    """
    stars_paths, tally = sorted(stars_paths, key=str), Tally(cfg)
    for piece in iter_observed(stars_paths, prediction_paths, STAR_COLUMNS, ["logg_cnn"]):
        tally.add(piece)
    labelled = read_table(training_path, ["role", "av_starhorse"])
    found: dict[str, dict] = {
        "rave.n.rave": {"value": sum(row_count(p) for p in obsdata_paths), "packed": sum(row_count(p) for p in stars_paths)},
        "rave.n.apogee": {"value": sum(row_count(p) for p in apogee_paths)}, "rave.n.common": common_sources(stars_paths),
        "rave.n.clean": {"value": len(labelled)}, "rave.n.train": {"value": int((labelled["role"] == "train").sum())},
        "rave.n.test": {"value": int((labelled["role"] == "test").sum())}, "rave.n.observed": {"value": tally.n},
        **_sizes(tally.sizes), "rave.n.repeats": tally.repeats(), "rave.n.clusters": _clusters(literature_path, stars_paths, cfg),
    }
    av = labelled["av_starhorse"].to_numpy(np.float64)
    found["rave.frac.av"] = {
        "value": _share(tally.low_extinction, tally.with_extinction), "n": tally.with_extinction,
        "training_test": _share(int((av < AV_LIMIT).sum()), int(np.isfinite(av).sum())),
        "what": f"share of the observed spectra with A_V < {AV_LIMIT}; beside it of the training and test sample",
    }
    found["rave.frac.plx"] = {"value": _share(tally.sharp, tally.n), "n": tally.n}
    found |= _training(ensemble_path, list(benchmark_paths), networks_timed)
    claims = {name: {**found[name], "paper": PAPER[name]} for name in PAPER if name in found}
    flow = {"observed": merge(flow_of(p) for p in flow_paths), "training": flow_of(selection_path)}
    content = {"claims": claims, "flow": flow, "simulated": bool(simulated)}
    write_json(out_json, content)
    return content


def _sizes(sizes: Mapping[str, int]) -> dict[str, dict]:
    """{claim: {value}}; `claim/part` become a mapping of the parts."""
    out: dict[str, dict] = {}
    for name, n in sizes.items():
        claim, _, part = name.partition("/")
        if part:
            out.setdefault(claim, {"value": {}})["value"][part] = n
        else:
            out[claim] = {"value": n}
    return out


def _clusters(literature_path, stars_paths: Iterable, cfg: Mapping) -> dict:
    """Observed spectra of cluster stars above the S/N limit, and these stars (B-24)."""
    rows = read_table(literature_path, ["rave_obs_id", "kind", "star_name", "cluster"])
    rows = rows[rows["kind"] == "cluster"]
    wanted, kept = set(rows["rave_obs_id"]), set()
    for path in stars_paths if wanted else ():
        stars = read_table(path, ["rave_obs_id", "snr_rave", "in_observed"])
        use = stars["in_observed"].to_numpy(bool) & (stars["snr_rave"] > cfg["validation"]["snr_min"]).to_numpy(bool)
        kept.update(wanted & set(stars.loc[use, "rave_obs_id"]))
    rows = rows[rows["rave_obs_id"].isin(kept)]
    return {"value": len(rows[["cluster", "star_name"]].drop_duplicates()), "spectra": len(rows)}


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
