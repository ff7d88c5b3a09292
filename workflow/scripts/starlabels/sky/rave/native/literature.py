"""Stars known from high-resolution spectra: eight papers of Section 6.4 and the members of five clusters (Section 6.6).

Each list has column names of its own, as tables of this kind have. Some give Gaia DR2 ids, most only positions (J2000). Two lists
give abundances over hydrogen, Gaia-ESO logarithmic abundances on the scale of hydrogen 12.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ... import observe
from ...native import formats
from ...observe import draw
from ...random import choice_of
from .pipelines import LOGG_GIANT, is_supergiant, switched

HR_SHARE = 0.030  # of the stars, before the preferences
TWICE_SHARE = 0.10  # of them in a second list
#: abundances of the Sun that Gaia-ESO's values are turned with (config/datasets.yaml takes them off again)
SUN = {"mg": 7.53, "si": 7.51, "al": 6.37, "ni": 6.23}

#: list -> (weight, whom it takes, native names of what it gives)
LISTS = {
    "hr_reddy2003": (250, "dwarf", {
        "star_name": "Star", "ra": "RAdeg", "dec": "DEdeg", "teff": "Teff", "logg": "logg", "feh": "[Fe/H]", "mg_fe": "[Mg/Fe]",
        "si_fe": "[Si/Fe]", "al_fe": "[Al/Fe]", "ni_fe": "[Ni/Fe]"}),
    "hr_valenti2005": (500, "dwarf", {
        "star_name": "Name", "ra": "_RA", "dec": "_DE", "teff": "Teff", "logg": "log(g)", "feh": "[Fe/H]", "si_h": "[Si/H]",
        "ni_h": "[Ni/H]"}),
    "hr_soubiran2005": (350, "any", {
        "star_name": "Name", "ra": "RAJ2000", "dec": "DEJ2000", "teff": "Teff", "logg": "logg", "feh": "[Fe/H]", "alpha_fe": "[a/Fe]",
        "mg_fe": "[Mg/Fe]", "si_fe": "[Si/Fe]", "al_fe": "[Al/Fe]", "ni_fe": "[Ni/Fe]"}),
    "hr_reddy2006": (2500, "thick", {
        "star_name": "HIP", "ra": "_RAJ2000", "dec": "_DEJ2000", "teff": "Teff", "logg": "logg", "feh": "[Fe/H]", "mg_fe": "[Mg/Fe]",
        "si_fe": "[Si/Fe]", "al_fe": "[Al/Fe]", "ni_fe": "[Ni/Fe]"}),
    "hr_ruchti2011": (700, "poor", {
        "star_name": "RAVE", "ra": "RA_deg", "dec": "DEC_deg", "teff": "Teff", "logg": "log_g", "feh": "[Fe/H]",
        "alpha_fe": "[alpha/Fe]", "mg_fe": "[Mg/Fe]", "si_fe": "[Si/Fe]"}),
    "hr_adibekyan2012": (450, "dwarf", {
        "star_name": "Star", "gaia_id": "GaiaDR2", "ra": "RA_ICRS", "dec": "DE_ICRS", "teff": "teff", "logg": "logg", "feh": "feh",
        "alpha_fe": "alpha_fe", "mg_fe": "mg_fe", "si_fe": "si_fe", "al_fe": "al_fe", "ni_fe": "ni_fe"}),
    "hr_bensby2014": (400, "any", {
        "star_name": "HIP", "gaia_id": "Gaia", "ra": "RAdeg", "dec": "DEdeg", "teff": "Teff", "logg": "logg", "feh": "Fe/H",
        "alpha_fe": "alpha/Fe", "mg_fe": "Mg/Fe", "si_fe": "Si/Fe", "al_fe": "Al/Fe", "ni_fe": "Ni/Fe"}),
    "hr_gaiaeso": (600, "any", {
        "star_name": "object", "ra": "ra", "dec": "dec", "teff": "teff", "logg": "logg", "feh": "feh", "mg_a": "mg1", "si_a": "si1",
        "al_a": "al1", "ni_a": "ni1"}),
}  # fmt: skip
SIGMA = {"teff": 110.0, "logg": 0.15, "feh": 0.12, "alpha_fe": 0.06, "mg_fe": 0.07, "si_fe": 0.07, "al_fe": 0.08, "ni_fe": 0.06}

#: cluster -> (dataset, native names of name, ra, dec, teff, logg, feh; offsets of the literature in teff, log g, [Fe/H]; their errors)
CLUSTER_LISTS = {
    "47 Tuc": ("cl_47tuc", ("Star", "RAdeg", "DEdeg", "Teff", "log(g)", "[Fe/H]I"), (0.0, 0.05, -0.13), (60.0, 0.12, 0.05)),
    "omega Cen": ("cl_omegacen", ("LEID", "_RAJ2000", "_DEJ2000", "Teff", "log(g)", "[Fe/H]"), (0.0, 0.0, 0.0), (70.0, 0.15, 0.08)),
    "IC 4651": ("cl_ic4651", ("Star", "_RA", "_DE", "Teff", "logg", "[Fe/H]"), (0.0, -0.05, 0.0), (60.0, 0.10, 0.02)),
    "Pleiades": ("cl_pleiades", ("Name", "RA_ICRS", "DE_ICRS", "Teff", "logg", "Fe/H"), (353.0, 0.0, 0.0), (80.0, 0.10, 0.05)),
    "Blanco 1": ("cl_blanco1", ("ID", "ra", "dec", "teff", "logg", "feh"), (0.0, 0.0, 0.0), (80.0, 0.10, 0.04)),
}


def _values(stars: pd.DataFrame, config: Mapping, dataset: str) -> dict[str, np.ndarray]:
    """What a paper finds of its stars: literature scale, rounded."""
    index, on = stars["star_index"].to_numpy(), switched(config, "high_resolution")
    noise = draw(config, f"rave/{dataset}/labels", index, len(SIGMA), normal=True)
    poor = (stars["feh"] < -0.5).to_numpy()
    offset = {"logg": -0.13 * on} | dict.fromkeys(("alpha_fe", "mg_fe", "si_fe"), 0.05 * on * poor)
    found = {}
    for k, (label, sigma) in enumerate(SIGMA.items()):
        # metal-poor stars have fewer lines
        spread = sigma * np.where(poor, 1.4, 1.0) if label.endswith("_fe") else sigma
        found[label] = (stars[label].to_numpy() + offset.get(label, 0.0) + spread * noise[:, k]).round(0 if label == "teff" else 2)
    for element, sun in SUN.items():
        found[f"{element}_h"] = (found["feh"] + found[f"{element}_fe"]).round(2)
        found[f"{element}_a"] = (found[f"{element}_h"] + sun).round(2)
    ra, dec = observe.at_epoch(stars, 2000.0)
    ra, dec = observe.scatter(config, f"rave/{dataset}", index, ra, dec, arcsec=0.15)
    found |= {"ra": ra.round(6), "dec": dec.round(6), "star_name": formats.sexagesimal(ra, dec, "SIM J", 2, 1)}
    found["gaia_id"] = stars["gaia_dr2_source_id"].to_numpy()
    return found


def _suitable(stars: pd.DataFrame) -> np.ndarray:
    """Whether each list takes each star, bool (n, 8)."""
    dwarf, feh = (stars["logg"] > LOGG_GIANT).to_numpy(), stars["feh"].to_numpy()
    thick = (stars["component"] == "thick").to_numpy()
    takes = {"any": np.ones(len(stars), bool), "dwarf": dwarf & (feh > -0.9), "thick": dwarf & (thick | (feh < -0.3)), "poor": feh < -0.5}
    return np.column_stack([takes[kind] for _, kind, _ in LISTS.values()])


def high_resolution(stars: pd.DataFrame, config: Mapping) -> dict[str, pd.DataFrame]:
    """The eight lists. Bright and metal-poor stars are preferred; a tenth of the stars stand in two lists."""
    index, feh = stars["star_index"].to_numpy(), stars["feh"].to_numpy()
    chance = HR_SHARE * np.where(stars["gaia_g"].to_numpy() < 11.0, 1.5, 0.7) * np.select([feh < -1.0, feh < -0.5], [8.0, 3.0], 1.0)
    field = stars["cluster"].eq("").to_numpy() & ~is_supergiant(stars)
    chosen = stars[field & (draw(config, "rave/hr/choice", index) < chance)].reset_index(drop=True)
    pick = draw(config, "rave/hr/list", chosen["star_index"], 3)
    weights = np.array([weight for weight, _, _ in LISTS.values()], float) * _suitable(chosen)
    first, second = (
        np.array([choice_of(u, row) for u, row in zip(pick[:, k], weights, strict=True)], np.int64).reshape(-1) for k in (0, 1)
    )
    second = np.where(pick[:, 2] < TWICE_SHARE, second, first)
    tables = {}
    for number, (dataset, (_, _, names)) in enumerate(LISTS.items()):
        part = chosen[(first == number) | (second == number)].reset_index(drop=True)
        values = _values(part, config, dataset)
        tables[dataset] = pd.DataFrame({native: values[label] for label, native in names.items()})
    return tables


def clusters(stars: pd.DataFrame, config: Mapping) -> dict[str, pd.DataFrame]:
    """The members of each cluster as its paper lists them."""
    tables, on = {}, switched(config, "high_resolution")
    for name, (dataset, natives, offsets, sigmas) in CLUSTER_LISTS.items():
        part = stars[stars["cluster"] == name].reset_index(drop=True)
        index = part["star_index"].to_numpy()
        noise = draw(config, f"rave/{dataset}/labels", index, 3, normal=True)
        ra, dec = observe.at_epoch(part, 2000.0)
        ra, dec = observe.scatter(config, f"rave/{dataset}", index, ra, dec, arcsec=0.15)
        columns = [formats.sexagesimal(ra, dec, "SIM J", 2, 1), ra.round(6), dec.round(6)]
        for k, label in enumerate(("teff", "logg", "feh")):
            columns.append((part[label].to_numpy() + on * offsets[k] + sigmas[k] * noise[:, k]).round(0 if label == "teff" else 2))
        tables[dataset] = pd.DataFrame(dict(zip(natives, columns, strict=True)))
    return tables


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write CSV; missing values are empty."""
    formats.write_text(path, frame)
