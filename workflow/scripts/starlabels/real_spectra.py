"""Observed spectra of the calcium triplet from other surveys, on one footing: air wavelengths at rest, a resolution, labels.

Three folders are known: spectra of the Gaia radial-velocity spectrometer as the archive gives them (CSV), Magellan/MIKE spectra of
very metal-poor stars (FITS), and windows of LAMOST low-resolution spectra (one FITS file).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from .errors import InputError

REFERENCE = 8600.0  # Angstrom, where the resolving power holds
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class RealSpectrum:
    """A spectrum: survey, star, air wavelengths (Angstrom, rising), flux, resolving power, labels teff, logg, feh (empty: unknown)."""

    survey: str
    name: str
    wavelength: np.ndarray
    flux: np.ndarray
    resolution: float
    labels: dict[str, float] = field(default_factory=dict)
    snr: float = np.nan


def air(vacuum: np.ndarray) -> np.ndarray:
    """Air wavelengths of evenly spaced vacuum wavelengths, Angstrom (wcslib's refractive index of standard air)."""
    vacuum = np.asarray(vacuum, float)
    steps = np.diff(vacuum)
    if len(vacuum) < 2 or np.ptp(steps) > 1e-3 * abs(steps[0]):
        raise ValueError("the vacuum wavelengths are not evenly spaced")
    scale = WCS(naxis=1)
    scale.wcs.ctype, scale.wcs.cunit, scale.wcs.crpix = ["WAVE"], ["Angstrom"], [1.0]
    scale.wcs.crval, scale.wcs.cdelt = [vacuum[0]], [(vacuum[-1] - vacuum[0]) / (len(vacuum) - 1)]
    scale.wcs.set()
    scale = scale.sub(1)
    scale.wcs.sptr("AWAV-W2A")
    return 1e10 * scale.wcs_pix2world(np.arange(len(vacuum)), 0)[0]


def blur(wavelength: np.ndarray, flux: np.ndarray, resolution: float, wanted: float) -> np.ndarray:
    """Bring fluxes (m,) or (n, m) on evenly spaced wavelengths to a lower resolving power with a Gaussian."""
    if not wanted < resolution:
        raise ValueError(f"a spectrum of resolving power {resolution:.0f} cannot be brought to {wanted:.0f}")
    sigma = REFERENCE / FWHM * np.sqrt(wanted**-2 - resolution**-2) / np.median(np.diff(wavelength))
    return ndimage.gaussian_filter1d(np.asarray(flux, float), sigma, axis=-1, mode="nearest")


def degrade(spectrum: RealSpectrum, resolution: float) -> np.ndarray:
    """Flux of a spectrum at a lower resolving power."""
    return blur(spectrum.wavelength, spectrum.flux, spectrum.resolution, resolution)


def _filled(flux: np.ndarray) -> np.ndarray:
    """Missing pixels bridged; the nearest value at the ends."""
    flux, pixel = np.asarray(flux, float), np.arange(len(flux))
    good = np.isfinite(flux)
    return np.interp(pixel, pixel[good], flux[good]) if good.any() else flux


def _files(folder: str | Path, pattern: str) -> list[Path]:
    found = sorted(Path(folder).glob(pattern))
    if not found:
        raise InputError(folder, f"holds no file {pattern}", "Correct the key `rave.real_spectra`")
    return found


def read_rvs(folder: str | Path, labels: dict[str, dict] | None = None) -> Iterator[RealSpectrum]:
    """Spectra of the Gaia archive: CSV with wavelength (nm, vacuum, at rest) and normalised flux; R = 11500.

    Parameters
    ----------
    labels : dict
        Labels of stars by the stem of their file.

    Raises
    ------
    InputError
        When the folder has no spectrum.
    """
    spectra = 0
    for path in _files(folder, "*.csv"):
        table = pd.read_csv(path)
        if not {"wavelength", "flux", "flux_error"} <= set(table.columns):
            continue  # a table of another kind
        spectra += 1
        flux = table["flux"].to_numpy(float)
        snr = float(np.nanmedian(flux / table["flux_error"].to_numpy(float)))
        wavelength = air(10.0 * table["wavelength"].to_numpy(float))
        yield RealSpectrum("Gaia RVS", path.stem, wavelength, _filled(flux), 11500.0, (labels or {}).get(path.stem, {}), snr)
    if not spectra:
        raise InputError(folder, "holds no table with wavelength, flux and flux_error", "Correct the key `rave.real_spectra`")


def read_mike(folder: str | Path) -> Iterator[RealSpectrum]:
    """MIKE spectra `<star>_cat.fits`: normalised flux on a linear air wavelength; R = 28000; labels are medians of the literature.

    Raises
    ------
    InputError
        When a file or its wavelength scale is missing.
    """
    table = Path(folder) / "stellar_parameters_jinabase.csv"
    literature = _mike_labels(table) if table.exists() else {}
    for path in _files(folder, "*_cat.fits"):
        with fits.open(path) as hdus:
            header, flux = hdus[0].header, np.asarray(hdus[0].data, float).ravel()
        if not {"CRVAL1", "CDELT1"} <= set(header):
            raise InputError(path, "has no CRVAL1 and CDELT1", "Get the file again")
        wavelength = header["CRVAL1"] + header["CDELT1"] * (np.arange(len(flux)) + 1 - header.get("CRPIX1", 1.0))
        name = path.stem.removesuffix("_cat").upper().replace("_", " ")
        yield RealSpectrum("MIKE", name, wavelength, _filled(flux), 28000.0, literature.get(path.name, {}))


def _mike_labels(path: Path) -> dict[str, dict[str, float]]:
    """Median labels of each star over the papers of the table, by the name of its spectrum."""
    table = pd.read_csv(path)
    absent = {"spectrum", "teff", "logg", "feh"} - set(table.columns)
    if absent:
        raise InputError(f"{path}, column {sorted(absent)[0]}", "is absent", "Get the file again")
    middle = table.groupby("spectrum")[["teff", "logg", "feh"]].median()
    return {str(spectrum): {name: float(value) for name, value in row.items()} for spectrum, row in middle.iterrows()}


def read_lamost(folder: str | Path) -> Iterator[RealSpectrum]:
    """Windows of LAMOST spectra, `lamost_cat_window_*.fits`: FLUX (n, m), WAVE (vacuum, at rest), LABELS; R = 1800; not normalised.

    Raises
    ------
    InputError
        When the file lacks a part.
    """
    for path in _files(folder, "lamost_cat_window_*.fits"):
        with fits.open(path) as hdus:
            names = {hdu.name for hdu in hdus}
            if not {"FLUX", "WAVE", "LABELS"} <= names:
                raise InputError(path, "has not the extensions FLUX, WAVE and LABELS", "Get the file again")
            flux, wavelength = np.asarray(hdus["FLUX"].data, float), air(np.asarray(hdus["WAVE"].data.field(0), float))
            table = {name: np.asarray(hdus["LABELS"].data[name]) for name in ("filename", "teff", "logg", "feh", "snr_z")}
        for i in range(len(flux)):
            labels = {name: float(table[name][i]) for name in ("teff", "logg", "feh")}
            if not np.isfinite(flux[i]).sum() > 0.9 * len(wavelength):
                continue
            known = labels if np.isfinite(list(labels.values())).all() else {}
            name = str(table["filename"][i]).strip().removesuffix(".fits")
            yield RealSpectrum("LAMOST", name, wavelength, _filled(flux[i]), 1800.0, known, float(table["snr_z"][i]))
