"""A folder of spectra in, one HDF5 file out: rows sorted by id, on the grid of the configuration, refusals counted.

The file holds `rave_obs_id` (n,) bytes, `flux` (n, pixels) float32, `n_bad` and `n_edge` (n,) int32, and the attributes
start, step, unit, simulated. It holds no date and its chunks are fixed, so that equal spectra give equal bytes.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from astropy.utils.exceptions import AstropyWarning
from tqdm import tqdm

from .errors import InputError
from .io import atomic, write_json
from .spectra import DUPLICATE, UNREADABLE, Grid, RefusedError, grid_of, resample
from .spectra_fits import id_of, read_spectrum

log = logging.getLogger(__name__)

CHUNK = 256                        # spectra a chunk of the file
NAMED = 10                         # refused ids that are named for each reason


@dataclass(frozen=True)
class Packed:
    """Packed spectra: ids (n,) of str, flux (n, pixels) float32, n_bad and n_edge (n,), their grid, whether simulated."""

    ids: np.ndarray
    flux: np.ndarray
    n_bad: np.ndarray
    n_edge: np.ndarray
    grid: Grid
    simulated: bool


def list_spectra(folders: Sequence[str | os.PathLike], may_be_empty: bool = False) -> list[tuple[str, str]]:
    """(id, path) of every FITS file below some folders, sorted; the id is that of the name.

    Raises
    ------
    InputError
        When a folder is missing, or none holds a FITS file (unless that may be).
    """
    for folder in folders:
        if not os.path.isdir(folder):
            raise InputError(folder, "is no folder", "Give the folder of the spectra")
    found = {(id_of(path), path) for folder in folders for path in _fits_files(str(folder))}
    if not found and not may_be_empty:
        raise InputError(_named(folders), "holds no FITS file", "Give the folder of the spectra, RAVE_<rave_obs_id>.fits")
    return sorted(found)


def _named(folders: Sequence) -> str:
    return str(folders[0]) + (f" (and {len(folders) - 1} more)" if len(folders) > 1 else "")


def _fits_files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _fits_files(entry.path)
            elif entry.name.endswith((".fits", ".fits.gz")) and not entry.name.startswith("."):
                yield entry.path


def run_pack(
    folders: Sequence[str | os.PathLike], spectra: Mapping, simulated: bool, output: str | os.PathLike, counts: str | os.PathLike,
    may_be_empty: bool = False,
) -> None:
    """Pack the spectra of some folders and of those below them.

    Memory: the flux of one packed file (75 MB for 20 000 spectra) and one spectrum.

    Parameters
    ----------
    spectra : mapping
        Configuration, `rave.spectra`.
    simulated : bool
        Kept in the file.
    output, counts : path
        HDF5; JSON {files, read, refused: {reason: {n, first}}, bad_pixels, edge_pixels, grid, simulated}.

    Raises
    ------
    InputError
        When there is no file, or no spectrum can be used; a single bad spectrum is only counted.
    """
    files, grid = list_spectra(folders, may_be_empty), grid_of(spectra)
    flux = np.empty((len(files), grid.pixels), np.float32)
    n_bad, n_edge = np.zeros(len(files), np.int32), np.zeros(len(files), np.int32)
    ids: list[str] = []
    refused: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)        # of files that break the standard; what cannot be read is refused
        for name, path in tqdm(files, desc="spectra", unit="file", mininterval=5):
            row = len(ids)
            try:
                if ids and ids[-1] == name:
                    raise RefusedError(DUPLICATE)
                flux[row], n_bad[row], n_edge[row] = resample(
                    read_spectrum(path), grid, spectra["resampling"], spectra["edge_max"], spectra["bad_max"]
                )
                ids.append(name)
            except (RefusedError, OSError) as error:
                reason = error.args[0] if isinstance(error, RefusedError) else UNREADABLE
                refused.setdefault(reason, []).append(name)
    n = len(ids)
    for reason, names in sorted(refused.items()):
        log.warning("%s: %d spectra refused, %s: %s", _named(folders), len(names), reason, ", ".join(names[:3]))
    if files and not n:
        worst = max(refused, key=lambda reason: len(refused[reason]))
        raise InputError(_named(folders), f"holds no usable spectrum of {len(files)} (most: {worst}, such as {refused[worst][0]})",
                         "Check that these are spectra of RAVE DR6, and rave.spectra in the configuration")
    write_packed(output, ids, flux[:n], n_bad[:n], n_edge[:n], grid, simulated)
    write_json(counts, {
        "files": len(files), "read": n,
        "refused": {reason: {"n": len(names), "first": names[:NAMED]} for reason, names in sorted(refused.items())},
        "bad_pixels": _pixels(n_bad[:n]), "edge_pixels": _pixels(n_edge[:n]),
        "grid": {"start": grid.start, "step": grid.step, "pixels": grid.pixels, "resampling": spectra["resampling"]},
        "simulated": bool(simulated),
    })  # fmt: skip


def _pixels(numbers: np.ndarray) -> dict:
    return {"spectra": int(np.count_nonzero(numbers)), "pixels": int(numbers.sum()), "most": int(numbers.max(initial=0))}


def write_packed(path: str | os.PathLike, ids: Sequence[str], flux, n_bad, n_edge, grid: Grid, simulated: bool) -> None:
    """Write packed spectra; one row an id, in the order given.

    Raises
    ------
    InputError
        When an id is not ASCII, or the file cannot be written.
    """
    try:
        names = np.array([str(name).encode("ascii") for name in ids], dtype="S")
    except UnicodeEncodeError as error:
        raise InputError(path, f"cannot hold the id {error.object!r}", "Ids of RAVE are ASCII") from error
    chunks = (min(CHUNK, len(names)), grid.pixels) if len(names) else None
    with atomic(path) as part, h5py.File(part, "w") as file:
        for key, value in (("start", grid.start), ("step", grid.step), ("unit", "Angstrom"), ("simulated", bool(simulated))):
            file.attrs[key] = value
        file.create_dataset("rave_obs_id", data=names)
        file.create_dataset("flux", data=np.asarray(flux, np.float32), chunks=chunks)
        file.create_dataset("n_bad", data=np.asarray(n_bad, np.int32))
        file.create_dataset("n_edge", data=np.asarray(n_edge, np.int32))


def read_packed(path: str | os.PathLike, grid: Grid | None = None) -> Packed:
    """Read packed spectra; where a grid is given the file must be on it.

    Raises
    ------
    InputError
        When the file is missing, damaged, or on another grid.
    """
    if not Path(path).exists():
        raise InputError(path, "does not exist", "Run the stage that packs the spectra")
    try:
        with h5py.File(path, "r") as file:
            ids = file["rave_obs_id"][:].astype(str)
            flux, n_bad, n_edge = (file[name][:] for name in ("flux", "n_bad", "n_edge"))
            own = Grid(float(file.attrs["start"]), float(file.attrs["step"]), flux.shape[1])
            simulated = bool(file.attrs["simulated"])
    except (OSError, KeyError) as error:
        raise InputError(path, f"is no file of packed spectra ({error})", "Delete it and run again") from error
    if grid is not None and own != grid:
        raise InputError(path, f"has the grid {own}, not {grid} of the configuration", "Delete it and run again")
    return Packed(ids, flux, n_bad, n_edge, own, simulated)


def take_spectra(paths: Sequence[str | os.PathLike], ids: Sequence[str], grid: Grid | None = None) -> Packed:
    """The spectra of some ids out of several packed files, in the order of the ids; one file at a time is in memory.

    Raises
    ------
    InputError
        When a spectrum is in none of the files.
    """
    ids = np.asarray(ids, dtype=str)
    order = np.argsort(ids)
    found = np.zeros(len(ids), bool)
    out = None
    for path in paths:
        packed = read_packed(path, grid)
        if out is None:
            pixels = packed.flux.shape[1]
            out = Packed(ids, np.empty((len(ids), pixels), np.float32), *np.zeros((2, len(ids)), np.int32), packed.grid, packed.simulated)
        at = np.searchsorted(ids[order], packed.ids)
        hit = np.flatnonzero(at < len(ids))
        hit = hit[ids[order][at[hit]] == packed.ids[hit]]
        rows = order[at[hit]]
        out.flux[rows], out.n_bad[rows], out.n_edge[rows] = packed.flux[hit], packed.n_bad[hit], packed.n_edge[hit]
        found[rows] = True
    if out is None or not found.all():
        missing = ids[~found]
        raise InputError("the packed spectra", f"lack {len(missing)} spectra, the first {missing[0] if len(missing) else ''}",
                         "Give the packed files of the same slices as the star tables")
    return out
