"""Labels against high-resolution studies of the literature (Section 6.4, Figures 17 and 18; Section 7 for the spectra alone)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import read_table, write_json, write_table
from .agreement import claim, intervals, measured, unit
from .both_networks import alone, observed_both

log = logging.getLogger(__name__)

# our label: column of the lists. [M/H] stands against their [Fe/H], [alpha/M] against their [alpha/Fe].
AGAINST = {
    "teff": "teff_hr", "logg": "logg_hr", "mh": "feh_hr", "feh": "feh_hr", "alpha_m": "alpha_fe_hr", "mg_fe": "mg_fe_hr",
    "si_fe": "si_fe_hr", "al_fe": "al_fe_hr", "ni_fe": "ni_fe_hr",
}
ABUNDANCES = ("alpha_m", "mg_fe", "si_fe", "al_fe", "ni_fe")
HIGH_SNR = 50                               # Section 6.4, for the scatter of [Fe/H]
POOR = -0.5                                 # dex; Section 6.4 tells the patterns apart at this [Fe/H]
TEXT = ("rave_obs_id", "raveid", "list", "star_name", "cluster")
SIGN = "CNN minus literature; Sections 6.4 and 7 print their biases without a sign but for +0.26 dex of log g without photometry"
DEFINITION = (
    "alpha_m is [alpha/M] as APOGEE defines it, a fit of one common factor on all alpha elements relative to the overall metallicity; "
    "alpha_fe_hr is [alpha/Fe], the mean that each study forms of the alpha elements it measures, relative to iron. A part of the "
    "difference between them is this difference of definition."
)


def literature_rows(path, kind: str) -> pd.DataFrame:
    """The entries of one kind ("hr" or "cluster"), one a spectrum: the most recent paper wins (B-23), then the list's name.

    Raises
    ------
    InputError
        When the file or a column is absent.
    """
    wanted = ["rave_obs_id", "kind", "list", "cluster", "star_name", "year", *dict.fromkeys(AGAINST.values())]
    rows = read_table(path, wanted)
    rows = rows[(rows["kind"] == kind).to_numpy(bool)].drop(columns="kind")
    rows = rows.sort_values(["rave_obs_id", "year", "list"], ascending=[True, False, True], kind="stable")
    return rows.drop_duplicates("rave_obs_id").reset_index(drop=True)


def with_labels(rows: pd.DataFrame, stars: Iterable, photometry: Iterable, spectra: Iterable, labels: Iterable[str]) -> pd.DataFrame:
    """The entries whose spectrum is in the observed sample, with raveid, snr_rave and the labels of both networks, by rave_obs_id."""
    predicted = [f"{p}_cnn" for p in labels]
    known = set(rows["rave_obs_id"])
    pieces = observed_both(stars, photometry, spectra, ["raveid", "snr_rave"], predicted)
    found = pd.concat([piece[piece["rave_obs_id"].isin(known)] for piece in pieces], ignore_index=True)
    table = rows.merge(found, on="rave_obs_id", how="inner", sort=False).sort_values("rave_obs_id", kind="stable").reset_index(drop=True)
    numeric = [c for c in table.columns if c not in TEXT and c != "year"]
    return table.astype({c: "str" for c in TEXT} | {"year": "int32"} | {c: "float64" for c in numeric})


def run_literature(
    literature, stars: Iterable, photometry: Iterable, spectra: Iterable, cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """Write every spectrum in common and the statistics of each label.

    Table: rave_obs_id, raveid, snr_rave, list, star_name, year, the `*_hr` values, `<label>_cnn` and `<label>_spectra`; spectra
    with S/N > `validation.snr_min`.

    JSON: `n` (spectra), `n_stars`, `lists`; `panels` {label: {all, high_snr, one_a_star (the spectrum of the highest S/N), rich,
    poor (literature [Fe/H] above and below -0.5), spectra_alone: statistics}}, `definition`, `sign`, `claims`, `simulated`.
    """
    labels = [p for p in AGAINST if p in cfg["labels"]]
    table = with_labels(literature_rows(literature, "hr"), stars, photometry, spectra, labels)
    table = table[table["snr_rave"] > cfg["validation"]["snr_min"]].drop(columns="cluster").reset_index(drop=True)
    best = ~table.sort_values("snr_rave", ascending=False, kind="stable").duplicated("raveid").reindex(table.index)
    parts = {
        "all": np.ones(len(table), bool), "high_snr": (table["snr_rave"] > HIGH_SNR).to_numpy(), "one_a_star": best.to_numpy(bool),
        "rich": (table["feh_hr"] > POOR).to_numpy(), "poor": (table["feh_hr"] <= POOR).to_numpy(),
    }
    panels = {}
    for p in labels:
        residual = (table[f"{p}_cnn"] - table[AGAINST[p]]).to_numpy()
        panels[p] = {name: measured(residual[mask], cfg, seed) for name, mask in parts.items()}
        panels[p]["spectra_alone"] = measured(table[alone(f"{p}_cnn")] - table[AGAINST[p]], cfg, seed)
        panels[p]["unit"] = unit(p)
    log.info("literature: %d spectra of %d stars", len(table), table["raveid"].nunique())
    content = {
        "n": len(table), "n_stars": table["raveid"].nunique(), "lists": table["list"].value_counts().sort_index().to_dict(),
        "snr_min": cfg["validation"]["snr_min"], "snr_high": HIGH_SNR, "feh_split": POOR, "panels": panels, "definition": DEFINITION,
        "sign": SIGN, "claims": claims(panels), "simulated": bool(simulated),
    }
    write_table(out_table, table, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def claims(panels: Mapping) -> dict:
    """Statements of Section 6.4, and of Section 7 for the spectra alone; a statement on labels that are not there is left out."""
    if not {"teff", "logg", "feh"} <= set(panels):
        return {}
    value, spread = {}, {}
    for p in ("teff", "logg", "feh"):
        value |= {f"{p}_bias": panels[p]["all"]["bias"], f"{p}_sigma": panels[p]["all"]["sigma"]}
        spread |= intervals(panels[p]["all"], bias=f"{p}_bias", sigma=f"{p}_sigma")
    value["feh_sigma_snr50"] = panels["feh"]["high_snr"]["sigma"]
    spread |= intervals(panels["feh"]["high_snr"], sigma="feh_sigma_snr50")
    each = {p: panels[p]["all"]["sigma"] for p in ABUNDANCES if p in panels}
    known = [v for v in each.values() if np.isfinite(v)]
    value["abundances_sigma"] = float(np.median(known)) if known else np.nan
    paper = {"teff_sigma": 200, "teff_bias": 0, "logg_sigma": 0.3, "logg_bias": 0.13, "feh_sigma": 0.3, "feh_bias": 0.3,
             "feh_sigma_snr50": 0.2, "abundances_sigma": 0.1}
    blind = {p: panels[p]["spectra_alone"] for p in ("teff", "logg")}
    blind_value = {
        "logg_sigma": blind["logg"]["sigma"], "logg_bias": blind["logg"]["bias"], "teff_bias": blind["teff"]["bias"],
        "teff_sigma_increase": blind["teff"]["sigma"] - panels["teff"]["all"]["sigma"],
    }
    blind_spread = intervals(blind["logg"], sigma="logg_sigma", bias="logg_bias") | intervals(blind["teff"], bias="teff_bias")
    blind_paper = {"logg_sigma": 0.58, "logg_bias": 0.26, "teff_bias": 55, "teff_sigma_increase": 80}
    return {
        "rave.hr": claim(value, paper, panels["teff"]["all"]["n"], "against the high-resolution literature; abundances: the median of the "
                         "elements' scatters", "K, dex", spread, sign=SIGN, abundances_each=each),
        "rave.hr.no_photometry": claim(blind_value, blind_paper, blind["logg"]["n"], "the same, spectra alone", "K, dex", blind_spread,
                                       sign=SIGN),
    }
