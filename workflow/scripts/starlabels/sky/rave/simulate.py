"""One shard of the simulated RAVE survey: native tables, spectra, and the truth behind them."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ...io import write_table
from .layout import Shard, shard
from .native import apogee16, literature, rave, starhorse
from .native.spectra import write_spectra
from .stars import true_stars
from .surveys import visits

log = logging.getLogger(__name__)

#: columns of the truth: unit, description
TRUTH_META = {
    "rave_obs_id": ("", "RAVE observation"),
    "raveid": ("", "Name of the star in RAVE"),
    "gaia_dr2_source_id": ("", "Gaia DR2 source id"),
    "star_index": ("", "Number of the star in the simulated sky"),
    "visit": ("", "Number of the visit, from 0"),
    "component": ("", "Component of the Galaxy, or cluster"),
    "is_member": ("", "Member of a cluster"),
    "cluster": ("", "Cluster; empty: none"),
    "in_apogee": ("", "The star is in the simulated APOGEE DR16"),
    "teff": ("K", "Effective temperature"),
    "logg": ("dex", "Surface gravity, log cgs"),
    "mh": ("dex", "[M/H] on the scale of the labels: [Fe/H] + 0.010"),
    "feh": ("dex", "[Fe/H]"),
    "alpha_m": ("dex", "[alpha/Fe]"),
    "mg_fe": ("dex", "[Mg/Fe]"),
    "si_fe": ("dex", "[Si/Fe]"),
    "al_fe": ("dex", "[Al/Fe]"),
    "ni_fe": ("dex", "[Ni/Fe]"),
    "snr": ("", "Signal-to-noise ratio a pixel"),
    "class": ("", "Class of the spectrum"),
    "is_binary": ("", "Unresolved companion in the photometry"),
    "distance": ("pc", "Distance"),
    "ebv": ("mag", "E(B-V)"),
    "age": ("Gyr", "Age"),
    "mass": ("solMass", "Mass"),
    "rv": ("km/s", "Radial velocity"),
    "r_gal": ("kpc", "Galactocentric radius"),
    "z_gal": ("kpc", "Height above the plane"),
    "v_phi": ("km/s", "Velocity along Galactic rotation"),
    "ecc": ("", "Eccentricity of the orbit"),
    "z_max": ("kpc", "Largest height of the orbit"),
    "r_mean": ("kpc", "Mean of peri- and apocentre"),
}
MH_SHIFT = 0.010


def native_rows(stars: pd.DataFrame, spectra: pd.DataFrame, config: Mapping) -> dict[str, pd.DataFrame]:
    """What every catalogue lists of the stars and spectra of a shard: dataset -> rows in native columns."""
    tables = {name: make(stars, spectra, config) for name, make in rave.TABLES.items()}
    seen = pd.Series(spectra["in_apogee"].to_numpy(), index=spectra["star"].to_numpy()).groupby(level=0).first()
    tables["apogee16"] = apogee16.rows(stars, seen.reindex(range(len(stars)), fill_value=False).to_numpy(bool), config)
    tables["starhorse"] = starhorse.rows(stars, spectra, config)
    return tables | literature.high_resolution(stars, config) | literature.clusters(stars, config)


WRITERS = {
    **dict.fromkeys(rave.TABLES, rave.write), "apogee16": apogee16.write, "starhorse": starhorse.write,
    **dict.fromkeys(literature.LISTS, literature.write), **{entry[0]: literature.write for entry in literature.CLUSTER_LISTS.values()},
}  # fmt: skip


def truth_rows(stars: pd.DataFrame, spectra: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """The truth of every spectrum, columns `TRUTH_META`."""
    frame = stars.assign(raveid=rave.raveid(stars, config), mh=stars["feh"] + MH_SHIFT, alpha_m=stars["alpha_fe"])
    frame["is_member"] = frame["cluster"] != ""
    frame = frame.iloc[spectra["star"].to_numpy()].reset_index(drop=True)
    frame = frame.assign(**{name: spectra[name].to_numpy() for name in ("visit", "snr", "in_apogee")})
    frame["rave_obs_id"], frame["class"] = spectra["rave_obs_id"], spectra["class_1"].astype("str")
    return frame[list(TRUTH_META)]


def made_up(piece: Shard, config: Mapping) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True stars and spectra (visits) of a shard."""
    stars = true_stars(piece, config)
    return stars, visits(stars, piece, config)


def run_simulate_rave(shard_name: str, config: Mapping, outputs: Mapping[str, str | Path]) -> None:
    """Write the native tables, the spectra and the truth of one shard.

    Parameters
    ----------
    shard_name : str
        A name of `layout.shards(config)`.
    config : mapping
        The merged configuration: `seed`, `sky.rave`, `sky.binaries`, `sages.bands` (reddening).
    outputs : mapping
        Dataset -> path; "spectra": folder, replaced when it is there; "truth": Parquet. What is not named is not written.

    Raises
    ------
    InputError
        When the configuration has no such shard, or something cannot be written.
    """
    piece = shard(config, shard_name)
    stars, spectra = made_up(piece, config)
    tables = native_rows(stars, spectra, config)
    for dataset, path in outputs.items():
        if dataset == "spectra":
            write_spectra(path, stars, spectra, config)
        elif dataset == "truth":
            about = {name: {"unit": unit, "description": text} for name, (unit, text) in TRUTH_META.items()}
            meta = {"simulated": True, "shard": shard_name, "seed": config["seed"]}
            write_table(path, truth_rows(stars, spectra, config), columns=about, meta=meta)
        else:
            WRITERS[dataset](path, tables[dataset])
    log.info("%s: %d stars, %d spectra; %s", shard_name, len(stars), len(spectra), ", ".join(f"{n} {len(t)}" for n, t in tables.items()))
