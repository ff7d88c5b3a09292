"""Spectra as RAVE DR6 publishes them: one FITS file each, an empty primary with the card ROI, images SPECTRUM and ERROR.

Astropy lays out the three headers once for ids of one length; the cards that differ are then put in place, because thousands of files
would take minutes otherwise. The bytes are those that astropy would write.
"""

import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from ....errors import InputError
from ...observe import draw

LIGHT = 299792.458  # km/s
FIRST, LAST = 8410.5, 8795.0  # Angstrom, mean ends of the observed range
END_SCATTER = 1.2
WINDOW = (8408.1, 8796.9)  # of the simulated spectra, at rest
STEP = (0.362, 0.398)  # Angstrom a pixel as observed
SHORT_SHARE, SHORT_MOST = 0.02, 26.0  # spectra that begin late, and by how much at most (Angstrom)
BAD_SHARE, BAD_MOST, BROKEN_SHARE = 0.03, 14, 0.0015  # spectra with a run of bad pixels; with too many of them
BLOCK = 2880
CARD = 80


def grids(rv: np.ndarray, index: np.ndarray, config: Mapping) -> pd.DataFrame:
    """Wavelengths of each spectrum, shifted to the star's rest frame: `start`, `step` (Angstrom) and `pixels`.

    Parameters
    ----------
    rv : ndarray
        Radial velocity, km/s.
    index : ndarray of int64
        Numbers of the spectra.
    """
    chance, noise = draw(config, "rave/spectrum/grid", index, 3), draw(config, "rave/spectrum/ends", index, 2, normal=True)
    rest = 1.0 / (1.0 + np.asarray(rv) / LIGHT)
    late = np.where(chance[:, 0] < SHORT_SHARE, SHORT_MOST * chance[:, 1], 0.0)
    start = np.maximum((FIRST + late + END_SCATTER * noise[:, 0]) * rest, WINDOW[0]).round(4)
    end = np.minimum((LAST + END_SCATTER * noise[:, 1]) * rest, WINDOW[1])
    step = ((STEP[0] + (STEP[1] - STEP[0]) * chance[:, 2]) * rest).round(6)
    return pd.DataFrame({"start": start, "step": step, "pixels": np.floor((end - start) / step).astype(np.int64) + 1})


def wavelengths(grid: pd.DataFrame) -> np.ndarray:
    """Wavelengths (n, longest), Angstrom; a shorter spectrum repeats its last one."""
    pixel = np.minimum(np.arange(int(grid["pixels"].max()))[None, :], grid["pixels"].to_numpy()[:, None] - 1)
    return grid["start"].to_numpy()[:, None] + pixel * grid["step"].to_numpy()[:, None]


def relative_errors(flux: np.ndarray, snr: np.ndarray) -> np.ndarray:
    """Relative error of each pixel, float32: Poisson noise at a signal-to-noise ratio that holds in the continuum."""
    return (1.0 / (snr[:, None] * np.sqrt(np.maximum(flux, 0.05)))).astype(np.float32)


def spoil(flux: np.ndarray, error: np.ndarray, index: np.ndarray, config: Mapping) -> None:
    """Put bad pixels into some spectra, in place: flux not a number, error 0."""
    chance = draw(config, "rave/spectrum/bad", index, 3)
    for i in np.flatnonzero(chance[:, 0] < BAD_SHARE):
        broken = chance[i, 0] < BROKEN_SHARE
        length = 160 + int(80 * chance[i, 1]) if broken else 1 + int(BAD_MOST * chance[i, 1])
        first = int((flux.shape[1] - 300) * chance[i, 2]) + 20
        flux[i, first : first + length] = np.nan
        error[i, first : first + length] = 0.0


@lru_cache(maxsize=4)
def _template(length: int) -> tuple[bytes, int, bytes, bytes, dict[str, int]]:
    """Header blocks of primary, SPECTRUM and ERROR for ids of a length, and where their variable cards begin."""
    primary, image = fits.PrimaryHDU(), fits.ImageHDU(np.zeros(1, ">f4"), name="SPECTRUM")
    primary.header["ROI"] = "x" * length
    for key, value in (("CRPIX1", 1.0), ("CRVAL1", 8410.0), ("CDELT1", 0.38), ("CTYPE1", "AWAV"), ("CUNIT1", "Angstrom")):
        image.header[key] = value
    error = fits.ImageHDU(np.zeros(1, ">f4"), header=image.header, name="ERROR")
    hdus = fits.HDUList([primary, image, error])  # the list puts EXTEND into the primary header
    blocks = [hdu.header.tostring().encode("ascii") for hdu in hdus]
    places = {"ROI": blocks[0].index(b"ROI     =")}
    places |= {key: blocks[1].index(f"{key:<8}=".encode()) for key in ("NAXIS1", "CRVAL1", "CDELT1")}
    if any(len(block) != BLOCK for block in blocks) or any(blocks[2].index(f"{k:<8}=".encode()) != places[k] for k in list(places)[1:]):
        raise RuntimeError("the headers of SPECTRUM and ERROR must be one block each and alike")
    return *blocks, places


def _put(block: bytes, place: int, text: str) -> bytes:
    """Replace the value of a card whose comment, if any, starts behind column 30."""
    return block[:place] + text.encode("ascii") + block[place + len(text) :]


def file_bytes(rave_obs_id: str, flux: np.ndarray, error: np.ndarray, start: float, step: float) -> bytes:
    """The whole file of one spectrum.

    Parameters
    ----------
    flux, error : ndarray of float32, shape (pixels,)
        Normalised flux; relative error (0.01 is 1 %), 0 where the pixel is bad.
    start, step : float
        Wavelength of the first pixel and of a pixel's width, Angstrom.
    """
    primary, spectrum, errors, places = _template(len(rave_obs_id))
    roi = f"ROI     = '{rave_obs_id:<8}'"
    parts = [_put(primary, places["ROI"], roi)]
    numbers = {"NAXIS1": str(len(flux)), "CRVAL1": _number(start), "CDELT1": _number(step)}
    for block, values in ((spectrum, flux), (errors, error)):
        for key, text in numbers.items():
            block = _put(block, places[key], f"{key:<8}= {text:>20}")
        data = np.asarray(values, ">f4").tobytes()
        parts += [block, data, bytes(-len(data) % BLOCK)]
    return b"".join(parts)


def _number(value: float) -> str:
    """A FITS number of a value between 0.001 and 100 000."""
    return repr(float(value))


class SpectraFolder:
    """The folder of a shard's spectra, `<folder>/<YYYYMMDD>/RAVE_<rave_obs_id>.fits`; it appears whole or not at all.

    Parameters
    ----------
    folder : path
        A folder of that name that is there is replaced.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def __enter__(self) -> "SpectraFolder":
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            for abandoned in self.folder.parent.glob(f".{self.folder.name}.*.part"):
                shutil.rmtree(abandoned, ignore_errors=True)
            self._part = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", suffix=".part", dir=self.folder.parent))
            self._part.chmod(0o755)
        except OSError as error:
            raise InputError(self.folder, f"cannot be written ({error.strerror})", "Check the folder's rights and space") from error
        self._nights: set[str] = set()
        return self

    def write(self, rave_obs_id: str, content: bytes) -> None:
        """Write one file; its night is the beginning of its id."""
        night = rave_obs_id[:8]
        if night not in self._nights:
            (self._part / night).mkdir()
            self._nights.add(night)
        with open(self._part / night / f"RAVE_{rave_obs_id}.fits", "wb", buffering=0) as file:
            file.write(content)

    def __exit__(self, kind, value, trace):
        if kind is not None:
            shutil.rmtree(self._part, ignore_errors=True)
            if issubclass(kind, OSError):
                found = f"could not be written ({value.strerror or value})"
                raise InputError(self.folder, found, "Free space or choose another folder") from value
            return False
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self._part.rename(self.folder)
        return False


def write_spectra(folder, stars, visits, config):
    """later"""
    raise NotImplementedError
