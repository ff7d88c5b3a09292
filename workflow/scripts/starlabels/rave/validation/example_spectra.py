"""Four spectra of the training sample: a metal-poor and a metal-rich giant and dwarf (Section 2; Figure 2)."""

from collections.abc import Mapping

import h5py
import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_table, write_json, write_table

# The strongest lines of each element that a spectrum of R = 7500 shows apart from others; air wavelengths, Angstrom.
LINES = {
    "Ca II": (8498.02, 8542.09, 8662.14),
    "Fe": (8468.41, 8514.07, 8582.26, 8611.80, 8621.60, 8674.75, 8688.62, 8757.19, 8763.97),
    "Mg": (8717.83, 8736.02),
    "Si": (8556.80, 8648.47, 8728.01, 8742.45, 8752.01),
    "Al": (8772.87, 8773.90),
    "Ni": (8637.00, 8702.49, 8770.67),
    "Ti": (8426.51, 8434.96, 8675.37, 8682.98, 8692.33, 8734.71),
}
TAIL = 0.06                   # share of a class's stars that counts as metal-poor, and as metal-rich
POOR_DWARFS = 0.02            # of the dwarfs, few of which are metal-poor
LEAST = 5                     # but not fewer stars than these
KINDS = (("metal_poor_giant", "giant", "poor"), ("metal_poor_dwarf", "dwarf", "poor"), ("metal_rich_giant", "giant", "rich"),
         ("metal_rich_dwarf", "dwarf", "rich"))
COLUMNS = ["rave_obs_id", "role", "snr_rave", "teff", "logg", "mh", "alpha_m"]


def group(table: pd.DataFrame, star_class: str, end: str, cfg: Mapping) -> pd.DataFrame:
    """Training stars of a class (log g on either side of `validation.logg_giant`) at one end of [M/H]."""
    limit = cfg["validation"]["logg_giant"]
    own = table[table["logg"] < limit if star_class == "giant" else table["logg"] >= limit]
    share = POOR_DWARFS if (star_class, end) == ("dwarf", "poor") else TAIL
    size = min(max(int(round(share * len(own))), LEAST), len(own))
    return own.sort_values(["mh", "rave_obs_id"], ascending=[end == "poor", True], kind="stable").head(size)


def typical(stars: pd.DataFrame) -> pd.Series:
    """The star nearest to the group's middle in Teff, log g and [M/H], among the better half in S/N."""
    clear = stars[stars["snr_rave"] >= stars["snr_rave"].median()]
    distance = np.zeros(len(clear))
    for name in ("teff", "logg", "mh"):
        values = stars[name].to_numpy(np.float64)
        distance += ((clear[name].to_numpy(np.float64) - np.median(values)) / (values.std() or 1.0)) ** 2
    return clear.assign(distance=distance).sort_values(["distance", "rave_obs_id"], kind="stable").iloc[0]


def run_example_spectra(training_path, spectra_path, cfg: Mapping, simulated: bool, out_spectra, out_json) -> dict:
    """Choose the four spectra of Figure 2; the same input gives the same choice.

    Parameters
    ----------
    training_path, spectra_path : path
        `rave/samples/main/training.parquet` and `training.h5` (dataset `flux`, the same order).
    cfg : mapping
        The paper's configuration (`spectra`, `validation`).
    out_spectra : path
        kind, wavelength (Angstrom), flux.
    out_json : path
        {stars: [{kind, rave_obs_id, n (stars of the group), snr, teff, logg, mh, alpha_m}], lines: {element: [Angstrom]}, simulated}.
        A group without a star is absent.

    Raises
    ------
    InputError
        When the two files do not fit each other.
    """
    table = read_table(training_path, COLUMNS)
    chosen, parts = [], []
    try:
        file = h5py.File(spectra_path, "r")
    except OSError as error:
        raise InputError(spectra_path, "is no readable HDF5 file", "Run the stage that makes the samples") from error
    with file:
        flux = file.get("flux")
        if flux is None or flux.shape != (len(table), cfg["spectra"]["pixels"]):
            found = "is absent" if flux is None else f"has the shape {flux.shape}"
            remedy = f"{len(table)} spectra of {cfg['spectra']['pixels']} pixels are expected; run the stage again"
            raise InputError(f"{spectra_path}, dataset flux", found, remedy)
        wave = cfg["spectra"]["start"] + cfg["spectra"]["step"] * np.arange(flux.shape[1])
        train = table[table["role"] == "train"]
        for kind, star_class, end in KINDS:
            stars = group(train, star_class, end, cfg)
            if not len(stars):
                continue
            star = typical(stars)
            names = {"rave_obs_id": star["rave_obs_id"], "n": len(stars), "snr": star["snr_rave"]}
            chosen.append({"kind": kind, **names, **{c: star[c] for c in ("teff", "logg", "mh", "alpha_m")}})
            parts.append(pd.DataFrame({"kind": kind, "wavelength": wave.round(6), "flux": flux[int(star.name)].astype(np.float64)}))
    if not chosen:
        raise InputError(f"{training_path}, column role", "names no row 'train'", "Check the cuts of `rave.training`")
    content = {"stars": chosen, "lines": {k: list(v) for k, v in LINES.items()}, "simulated": bool(simulated)}
    write_table(out_spectra, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
