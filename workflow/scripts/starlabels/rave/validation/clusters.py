"""Labels of cluster stars against the literature (Section 6.6, Figure 20)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import read_json, read_table, write_json, write_table
from .agreement import claim, measured
from .literature import literature_rows, with_labels

log = logging.getLogger(__name__)

PARAMETERS = ("teff", "logg", "feh")
HIGH_SNR = 40                               # Section 6.6, for the scatter of [Fe/H] of IC 4651
ORDER = ("47 Tuc", "IC 4651", "Pleiades", "Blanco 1", "omega Cen")
IN_TRAINING = ("47 Tuc", "Pleiades")        # Section 6.6 counts 13 training stars of these two
SIGN = "CNN minus literature, as in Section 6.6"


def cluster_name(text: str) -> str:
    """A cluster as Section 6.6 writes it, however a list spells it (cl_47tuc, 47Tuc, OmegaCentauri); other names as they are."""
    plain = "".join(c for c in text.lower().removeprefix("cl_") if c.isalnum()).replace("centauri", "cen")
    return {"".join(c for c in name.lower() if c.isalnum()): name for name in ORDER}.get(plain, text)


def names_of(rows: pd.DataFrame) -> list[str]:
    """The cluster of each row: by the list's column, else by the name of the list."""
    return [cluster_name(v) for v in rows["cluster"].fillna("").where(rows["cluster"].fillna("").str.len() > 0, rows["list"])]


def unobserved(literature, matches, there: Iterable[str]) -> dict[str, int]:
    """Clusters of the lists that have no spectrum among those compared, with the RAVE spectra that their stars have at all.

    Parameters
    ----------
    literature : path
        Matched entries (`rave/literature.parquet`).
    matches : path or None
        Entries and spectra of each list (`rave/literature.json`); it names lists without any match, too.
    there : iterable of str
        Clusters that have such spectra.
    """
    rows, there = literature_rows(literature, "cluster"), set(there)
    found = pd.Series(names_of(rows), dtype="str").value_counts().to_dict()
    for name, entry in read_json(matches).items() if matches else ():
        if name.startswith("cl_") and not entry["spectra"]:
            found.setdefault(cluster_name(name), 0)
    order = [*(n for n in ORDER if n in found), *sorted(set(found) - set(ORDER))]
    return {name: int(found[name]) for name in order if name not in there}


def cluster_points(literature, stars: Iterable, photometry: Iterable, spectra: Iterable, training, cfg: Mapping) -> pd.DataFrame:
    """Cluster stars in the observed sample with S/N > `validation.snr_min`: literature and CNN values side by side.

    Returns
    -------
    DataFrame
        cluster, rave_obs_id, raveid, star_name, list, year, snr_rave, role (train, test or none in the training sample), and for
        teff, logg, feh the columns `<p>_hr`, `<p>_cnn`, `<p>_spectra`; by cluster, then rave_obs_id.
    """
    rows = literature_rows(literature, "cluster")
    table = with_labels(rows, stars, photometry, spectra, PARAMETERS)
    table = table[table["snr_rave"] > cfg["validation"]["snr_min"]]
    roles = read_table(training, ["rave_obs_id", "role"])
    table = table.merge(roles, on="rave_obs_id", how="left", sort=False)
    table = table.assign(cluster=names_of(table), role=table["role"].fillna("none").astype("str"))
    columns = ["cluster", "rave_obs_id", "raveid", "star_name", "list", "year", "snr_rave", "role"]
    columns += [f"{p}_{kind}" for p in PARAMETERS for kind in ("hr", "cnn", "spectra")]
    return table[columns].astype({"cluster": "str"}).sort_values(["cluster", "rave_obs_id"], kind="stable").reset_index(drop=True)


def run_clusters(
    literature, stars: Iterable, photometry: Iterable, spectra: Iterable, training, cfg: Mapping, simulated: bool, out_table, out_json,
    seed: int = 42, matches=None,
) -> dict:
    """Write the cluster stars and the statistics of each cluster.

    JSON: `clusters` {name: {n, n_stars, n_giants, n_training, selected, high_snr: {teff, logg, feh: statistics}}} (those of the
    paper first), `all` {selected, high_snr}, `snr_min`, `snr_high`, `claims`, `sign`, `simulated`; `unobserved` {name: spectra} is
    what `unobserved` gives.
    """
    points = cluster_points(literature, stars, photometry, spectra, training, cfg)
    there = set(points["cluster"])
    names = [*(n for n in ORDER if n in there), *sorted(there - set(ORDER))]
    clusters = {name: _cluster(points[points["cluster"] == name], cfg, seed) for name in names}
    log.info("clusters: %d spectra of %d stars", len(points), points["raveid"].nunique())
    content = {
        "clusters": clusters, "all": _statistics(points, cfg, seed), "snr_min": cfg["validation"]["snr_min"], "snr_high": HIGH_SNR,
        "unobserved": unobserved(literature, matches, there), "claims": claims(points, clusters), "sign": SIGN,
        "simulated": bool(simulated),
    }
    write_table(out_table, points, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _cluster(part: pd.DataFrame, cfg: Mapping, seed: int) -> dict:
    giants = part["logg_cnn"] < cfg["validation"]["logg_giant"]
    counts = {"n": len(part), "n_stars": part["raveid"].nunique(), "n_giants": int(giants.sum())}
    counts["n_training"] = int((part["role"] != "none").sum())
    return counts | _statistics(part, cfg, seed)


def _statistics(part: pd.DataFrame, cfg: Mapping, seed: int) -> dict:
    masks = {"selected": np.ones(len(part), bool), "high_snr": (part["snr_rave"] > HIGH_SNR).to_numpy()}
    residual = {p: (part[f"{p}_cnn"] - part[f"{p}_hr"]).to_numpy() for p in PARAMETERS}
    return {name: {p: measured(residual[p][mask], cfg, seed) for p in PARAMETERS} for name, mask in masks.items()}


def claims(points: pd.DataFrame, clusters: Mapping) -> dict:
    """Statements of Section 6.6; of a cluster without stars, or with one, the value is missing."""
    wanted = {
        "pleiades_teff": ("Pleiades", "selected", "teff", "bias"), "tuc47_feh": ("47 Tuc", "selected", "feh", "bias"),
        "tuc47_feh_sigma": ("47 Tuc", "selected", "feh", "sigma"), "ic4651_feh_sigma_snr40": ("IC 4651", "high_snr", "feh", "sigma"),
        "omega_cen_feh": ("omega Cen", "selected", "feh", "bias"), "omega_cen_feh_sigma": ("omega Cen", "selected", "feh", "sigma"),
    }
    value, spread, counts = {}, {}, {}
    for key, (name, sample, parameter, statistic) in wanted.items():
        found = clusters[name][sample][parameter] if name in clusters else {"n": 0}
        value[key], counts[key] = found.get(statistic, np.nan), found["n"]
        spread[key] = found.get(f"{statistic}_interval", [np.nan, np.nan])
    paper = {"pleiades_teff": -353, "tuc47_feh": 0.13, "tuc47_feh_sigma": 0.1, "ic4651_feh_sigma_snr40": 0.03, "omega_cen_feh": 0.0,
             "omega_cen_feh_sigma": 0.1}
    training = points[(points["role"] != "none") & points["cluster"].isin(IN_TRAINING)]
    training_stars = {"value": training["raveid"].nunique(), "paper": 13}
    return {
        "rave.clusters": claim(value, paper, len(points), "offsets from the literature", "K, dex", spread, sign=SIGN, n_each=counts),
        "rave.n.clusters": claim(points["raveid"].nunique(), 41, len(points), "cluster stars in common beyond the least S/N",
                                 training_stars=training_stars),
    }
