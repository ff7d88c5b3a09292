"""Spectra as RAVE DR6 publishes them: one FITS file each, an empty primary with the card ROI, images SPECTRUM and ERROR.

Astropy lays out the three headers once for ids of one length; the cards that differ are then put in place, because thousands of files
would take minutes otherwise. The bytes are those that astropy would write.
"""

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.io import fits

from ....errors import InputError

BLOCK = 2880


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
