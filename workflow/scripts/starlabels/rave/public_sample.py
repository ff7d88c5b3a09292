"""The authors' public training sample: labels and photometry of 3 904 spectra, through the same split, scaling and magnitudes.

Two tables of one row a spectrum, in the same order, and an image of the spectra. They have neither S/N nor errors nor Gaia
ids: rows of equal parallax and magnitudes are of one star.
"""

import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
from astropy.io import fits

from ..errors import InputError
from ..spectra import grid_of
from ..spectra_pack import write_packed
from .catalogs import GAIA, ID
from .scaling import BANDS
from .training import COMPARED, assemble, write_sample
from .variants import merged

LABELS = {"Teff": "teff", "logg": "logg", "MH": "mh", "FeH": "feh", "alphaM": "alpha_m", "SiFe": "si_fe", "AlFe": "al_fe", "MgFe": "mg_fe",
          "NiFe": "ni_fe"}  # fmt: skip
PHOTOMETRY = dict(zip(
    ("parallax", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "Jmag_2MASS", "Hmag_2MASS", "Kmag_2MASS",
     "wise1", "wise2", "av50"),
    ("parallax", *BANDS, "av_starhorse"), strict=True,
))  # fmt: skip


def public_rows(labels: str | os.PathLike, parameters: str | os.PathLike) -> pd.DataFrame:
    """The rows of both tables under canonical names, in their order.

    Raises
    ------
    InputError
        When a column is absent, the tables differ in length, a value is missing or no number, or an id occurs twice.
    """
    left, right = _read(labels, {"RAVE_OBS_ID": ID, **LABELS}), _read(parameters, PHOTOMETRY)
    if len(left) != len(right):
        raise InputError(parameters, f"has {len(right)} rows, not the {len(left)} of {labels}", "Give the two tables of one version")
    rows = pd.concat([left, right], axis=1)
    rows[ID] = rows[ID].astype("str").str.strip()
    twice = rows.loc[rows[ID].duplicated(), ID]
    if len(twice):
        raise InputError(f"{labels}, column RAVE_OBS_ID", f"holds {twice.iloc[0]} more than once", "Fetch the table again")
    return rows


def _read(path: str | os.PathLike, names: Mapping[str, str]) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise InputError(path, f"is no readable table ({error})", "Set `rave.public.folder`") from error
    frame.columns = frame.columns.str.strip()
    for native, name in names.items():
        if native not in frame.columns:
            raise InputError(f"{path}, column {native}", "is absent", f"The file has: {', '.join(frame.columns)}")
        if name != ID and not (pd.api.types.is_numeric_dtype(frame[native]) and np.isfinite(frame[native]).all()):
            raise InputError(f"{path}, column {native}", "holds a missing value or a text", "Fetch the table again")
    return frame[list(names)].rename(columns=names)


def same_star(rows: pd.DataFrame) -> np.ndarray:
    """A number for each row; rows of equal parallax and magnitudes (one Gaia source) share it. A_V differs between repeats."""
    return rows.groupby(["parallax", *BANDS], sort=False).ngroup().to_numpy()


def public_spectra(path: str | os.PathLike, n: int, pixels: int) -> np.ndarray:
    """The authors' image of the training spectra as rows, float32 (n, pixels), in the order of the tables.

    Raises
    ------
    InputError
        When the file is no such image, of another size, or holds a value that is not finite.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            image = next((hdu.data for hdu in hdus if hdu.data is not None), None)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(path, f"is no readable FITS file ({error})", "Delete it and fetch it again") from error
    if image is None or image.ndim != 2 or n not in image.shape:
        shape = "no image" if image is None else f"an image of shape {image.shape}"
        raise InputError(path, f"holds {shape}, not {n} spectra of {pixels} pixels", "Give training_sample_spectra.fits")
    rows = image if image.shape[0] == n else image.T
    if rows.shape[1] != pixels:
        raise InputError(path, f"has spectra of {rows.shape[1]} pixels, not {pixels}", "Set rave.spectra.pixels to those of the file")
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise InputError(path, "holds values that are not finite", "Delete it and fetch it again")
    return rows


def run_public_sample(
    labels: str | os.PathLike, parameters: str | os.PathLike, cfg: Mapping, seed: int, outputs: Mapping[str, str | os.PathLike],
    image: str | os.PathLike | None = None, variant: str = "main",
) -> None:  # fmt: skip
    """Write the public sample as `training.run_training` writes one.

    Parameters
    ----------
    labels, parameters : path
        training_sample_labels.csv and training_sample_parameters.csv.
    cfg : mapping
        config/rave.yaml, `rave`.
    outputs : mapping
        `training`, `scaling`, `selection`; and `spectra` where the image is given.
    image : path, optional
        training_sample_spectra.fits.
    """
    cfg = merged(cfg, variant)
    if cfg["label_noise"] or cfg["distance"] != "parallax":
        found = "needs errors or distances, which the public sample lacks"
        raise InputError(f"configuration key `rave.variants.{variant}`", found, "Use main")
    rows = public_rows(labels, parameters)
    flux = None if image is None else public_spectra(image, len(rows), cfg["spectra"]["pixels"])
    absent = ("snr_rave", "parallax_err", "parallax_error_ratio", *COMPARED, *(f"{p}_apogee_err" for p in cfg["labels"]))
    empty = dict.fromkeys(("raveid", "rave_class_1"), pd.array([""] * len(rows), dtype="str"))
    full = rows.rename(columns={name: f"{name}_apogee" for name in LABELS.values()})
    full = full.assign(**dict.fromkeys(absent, np.nan), **empty, **{GAIA: np.int64(-1)})
    training = assemble(full, same_star(rows), cfg, seed)
    flow = [{"cut": "spectra of the public sample", "kept": len(rows), "dropped": 0}]
    write_sample(training, cfg, {"variant": variant, "flow": flow}, outputs, {}, simulated=False)
    if flux is not None:
        none = np.zeros(len(rows), np.int32)
        write_packed(outputs["spectra"], rows[ID], flux, none, none, grid_of(cfg["spectra"]), simulated=False)
