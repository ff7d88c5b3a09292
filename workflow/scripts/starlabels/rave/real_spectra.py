"""Simulated spectra beside observed ones of the same stars, and what a network that learnt simulated spectra makes of observed ones.

Gaia RVS and MIKE spectra are brought to RAVE's resolving power; the simulated spectra are brought to that of LAMOST. The observed
spectra are then written as RAVE publishes spectra, read and resampled as RAVE's are, and given to the trained network; so are the
simulated spectra with the labels of the same stars. What the two predictions have in common is the network's, what they differ by
is the spectra's.
"""

import logging
import os
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from ..ensemble import Ensemble
from ..errors import InputError
from ..io import write_json, write_table
from ..real_spectra import RealSpectrum, blur, degrade, read_lamost, read_mike, read_rvs
from ..sky.rave.native.spectra import file_bytes
from ..sky.rave.synthesis import PIXELS, RESOLUTION, START, STEP, Synthesizer
from ..spectra import RefusedError, grid_of, resample
from ..spectra_fits import read_spectrum
from .line_ratios import LINES, compare, flattened, summary
from .predict import label_columns

log = logging.getLogger(__name__)

FOLDERS = {"Gaia RVS": "gaia-rvs-samples", "MIKE": "mike-vmp-cat-spectra", "LAMOST": "lamost-lrs-spectra"}
FINE = START + STEP * np.arange(PIXELS)
LAMOST_TEFF = (3800.0, 7200.0)
LEAST_SNR = {"LAMOST": 15.0, "Gaia RVS": 50.0}  # a pixel, of spectra whose lines are measured
LAMOST_WINDOW = (8412.0, 8792.0)  # Angstrom
DWARFS = ((4100, 5000), (5000, 5600), (5600, 6100), (6100, 6900))  # K, groups of LAMOST dwarfs
LOGG_GIANT = 3.5
STRANGE = 0.15  # a median ratio that is off by more is named as a difference
RAVE_STEP = 0.37  # Angstrom, of the files that the reader gets
FEH_ALPHA = 0.35  # [alpha/Fe] that is assumed: minus this times [Fe/H] from 0 to -1, the same below


def labels_of(known: Mapping[str, float]) -> pd.DataFrame:
    """All labels that a simulated spectrum needs, one row; [alpha/Fe] is assumed from [Fe/H], the elements follow it."""
    alpha = FEH_ALPHA * float(np.clip(-known["feh"], 0.0, 1.0))
    elements = {"alpha_fe": alpha, "mg_fe": 1.29 * alpha, "si_fe": 0.85 * alpha, "al_fe": 0.80 * alpha, "ni_fe": 0.30 * alpha}
    return pd.DataFrame([{**known, **elements}])


def read_all(folder: str | os.PathLike) -> list[RealSpectrum]:
    """Every observed spectrum below `folder`; environment variables in it are expanded; an absent survey is left out with a warning.

    Raises
    ------
    InputError
        When no survey is there.
    """
    root = Path(os.path.expanduser(os.path.expandvars(os.fspath(folder))))
    known = yaml.safe_load((resources.files(__package__) / "real_stars.yaml").read_text())
    found = []
    for survey, name in FOLDERS.items():
        if not (root / name).is_dir():
            log.warning("%s has no folder %s: no spectra of %s", root, name, survey)
        elif survey == "Gaia RVS":
            found += read_rvs(root / name, known)
        else:
            found += (read_mike if survey == "MIKE" else read_lamost)(root / name)
    if not found:
        raise InputError("rave.real_spectra", f"names {root}, which has none of the folders {', '.join(FOLDERS.values())}", "Correct it")
    return found


def group_of(spectrum: RealSpectrum) -> str:
    """Name of the group in which a star's lines are summarised."""
    if spectrum.survey != "LAMOST":
        return f"{spectrum.survey}: {spectrum.name}"
    if spectrum.labels["logg"] < LOGG_GIANT:
        return "LAMOST: giants"
    ranges = [f"LAMOST: dwarfs {low}-{high} K" for low, high in DWARFS if low <= spectrum.labels["teff"] < high]
    return ranges[0] if ranges else "LAMOST: other dwarfs"


def pair(spectrum: RealSpectrum, synthesizer: Synthesizer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Air wavelengths, observed and simulated flux at the lower of both resolving powers, continuum at 1 as far as it is known."""
    if spectrum.survey == "LAMOST":
        inside = (spectrum.wavelength > LAMOST_WINDOW[0]) & (spectrum.wavelength < LAMOST_WINDOW[1])
        wavelength, real = spectrum.wavelength[inside], spectrum.flux[inside]
        fine = blur(FINE, synthesizer.spectra(labels_of(spectrum.labels), FINE)[0], RESOLUTION, spectrum.resolution)
        return wavelength, flattened(wavelength, real), flattened(wavelength, np.interp(wavelength, FINE, fine))
    inside = (spectrum.wavelength > FINE[0] + 2) & (spectrum.wavelength < FINE[-1] - 2)
    wavelength = spectrum.wavelength[inside]
    model = synthesizer.spectra(labels_of(spectrum.labels), wavelength)[0] if spectrum.labels else np.full(len(wavelength), np.nan)
    return wavelength, degrade(spectrum, RESOLUTION)[inside], model


def usable(spectrum: RealSpectrum) -> bool:
    """Whether a spectrum has labels, light enough, and of LAMOST a temperature that the simulation covers."""
    if not spectrum.labels or spectrum.snr < LEAST_SNR.get(spectrum.survey, 0.0):
        return False
    return spectrum.survey != "LAMOST" or LAMOST_TEFF[0] <= spectrum.labels["teff"] <= LAMOST_TEFF[1]


def as_rave_reads(name: str, wavelength: np.ndarray, flux: np.ndarray, snr: float, spectra: Mapping) -> tuple[np.ndarray, int, int]:
    """Flux on the network's grid: written to a file as RAVE publishes them, read and resampled as RAVE's are.

    The limit on pixels beyond the ends is lifted, because other surveys have other windows.

    Returns
    -------
    flux : array of float32, shape (pixels,)
    n_bad, n_edge : int
    """
    first, last = wavelength[0], wavelength[-1]
    start = float(np.ceil(first * 100) / 100)
    grid = start + RAVE_STEP * np.arange(int((last - start) / RAVE_STEP) + 1)
    values = np.interp(grid, wavelength, flux)
    error = np.full(len(grid), 1.0 / snr if snr > 0 else 0.01)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"RAVE_{name}.fits"
        path.write_bytes(file_bytes(name, values.astype(np.float32), error.astype(np.float32), start, RAVE_STEP))
        spectrum = read_spectrum(path)
    return resample(spectrum, grid_of(spectra), spectra["resampling"], int(spectra["pixels"]), int(spectra["bad_max"]))


def predictions(spectra: list[tuple[RealSpectrum, np.ndarray, np.ndarray, np.ndarray]], ensemble_path, cfg: Mapping) -> list[dict]:
    """Labels that a network without photometry gives the observed and the simulated spectra.

    Parameters
    ----------
    spectra : list
        Spectrum, wavelengths, observed and simulated flux (as of `pair`).
    ensemble_path : path
        ensemble.npz of the network `spectra`.

    Returns
    -------
    list of dict
        survey, star, n_edge (pixels of the grid that the observation lacks and that are 1 in both spectra), labels (of the literature),
        observed and simulated: {label: [value, standard deviation over the networks, flag]}; simulated is None without labels.

    Raises
    ------
    InputError
        When the network takes photometry, or the spectra another grid.
    """
    ensemble = Ensemble.load(ensemble_path)
    if ensemble.architecture.inputs or ensemble.architecture.pixels != int(cfg["spectra"]["pixels"]):
        a = ensemble.architecture
        found = f"takes {a.inputs} photometric inputs and {a.pixels} pixels"
        raise InputError(ensemble_path, found, "Give the ensemble of the network `spectra`, trained on the configuration's grid")
    rows, flux = [], []
    for spectrum, wavelength, real, model in spectra:
        try:
            name = "".join(c for c in spectrum.name if c.isalnum())
            own = [as_rave_reads(name, wavelength, f, spectrum.snr, cfg["spectra"]) for f in (real, model if spectrum.labels else real)]
        except RefusedError as reason:
            log.warning("%s of %s is not given to the network: %s", spectrum.name, spectrum.survey, reason)
            continue
        rows.append({"survey": spectrum.survey, "star": spectrum.name, "n_edge": own[0][2], "labels": spectrum.labels})
        flux += [own[0][0], own[1][0]]
    if not rows:
        return []
    _, columns = label_columns(np.array(flux), np.empty((len(flux), 0)), ensemble, cfg, 1)
    for k, row in enumerate(rows):
        for what, i in (("observed", 2 * k), ("simulated", 2 * k + 1)):
            values = {label: [float(columns[f"{label}_cnn{suffix}"][i]) for suffix in ("", "_err", "_flag")] for label in cfg["labels"]}
            row[what] = values if what == "observed" or row["labels"] else None
    return rows


def network_differences(rows: list[dict], names) -> dict[str, dict]:
    """Label of the observed spectrum minus that of the simulated one: n, median and largest size, for each label."""
    both = [row for row in rows if row["simulated"]]
    found = {}
    for label in names if both else ():
        off = np.array([row["observed"][label][0] - row["simulated"][label][0] for row in both])
        found[label] = {"n": len(off), "median": float(np.median(off)), "largest": float(np.abs(off).max())}
    return found


def differences(groups: pd.DataFrame) -> list[dict]:
    """Lines whose median width is off by more than `STRANGE` whichever continuum is taken, the largest difference first."""
    first, second = (np.log(groups[name].astype(float).clip(lower=0.01)) for name in ("ratio", "ratio_beside"))
    limit = np.log1p(STRANGE)
    off = groups[((first > limit) & (second > limit)) | ((first < -limit) & (second < -limit))]
    off = off.iloc[np.argsort(-np.abs(first[off.index].to_numpy()), kind="stable")]
    return [
        {"group": r.group, "line": r.line, "n": int(r.n), "ratio": float(r.ratio), "ratio_beside": float(r.ratio_beside),
         "says": f"{r.line} is too {'strong' if r.ratio > 1 else 'weak'} in the simulated spectra: {r.ratio:.2f} of the observed width"}
        for r in off.itertuples()
    ]  # fmt: skip


def run_real_spectra(folder, ensemble_path, cfg: Mapping, out_summary, out_lines, out_windows) -> dict:
    """Compare observed and simulated spectra.

    Parameters
    ----------
    folder : path
        `rave.real_spectra`: the folder above those of the three surveys; environment variables are expanded.
    ensemble_path : path or None
        Ensemble of the network `spectra`; None: no predictions.
    cfg : mapping
        The `rave` part of the configuration.
    out_summary : path
        JSON: simulated, spectra (by survey: read, with_labels, compared), groups (as `line_ratios.summary`), differences,
        network (as `predictions`; null without one), network_differences.
    out_lines : path
        Parquet, rows as `line_ratios.compare` with `group`.
    out_windows : path
        Parquet: survey, star, group, wavelength (Angstrom, air), real, model (NaN: no labels); LAMOST as the median of a group.

    Raises
    ------
    InputError
        When there are no spectra, or the network does not fit.
    """
    synthesizer, spectra = Synthesizer(), read_all(folder)
    lines, windows, shown, counts = [], [], [], {}
    for spectrum in spectra:
        count = counts.setdefault(spectrum.survey, {"read": 0, "with_labels": 0, "compared": 0})
        count["read"] += 1
        count["with_labels"] += bool(spectrum.labels)
        compared = usable(spectrum)
        if not compared and spectrum.survey == "LAMOST":
            continue
        wavelength, real, model = pair(spectrum, synthesizer)
        if spectrum.survey != "LAMOST":
            shown.append((spectrum, wavelength, real, model))
        group = group_of(spectrum) if compared else f"{spectrum.survey}: {spectrum.name}"
        frame = {"survey": spectrum.survey, "star": spectrum.name, "group": group}
        grid = wavelength if spectrum.survey == "LAMOST" else FINE[(FINE >= wavelength[0]) & (FINE <= wavelength[-1])]
        both = {"real": np.interp(grid, wavelength, real), "model": np.interp(grid, wavelength, model)}
        windows.append(pd.DataFrame({**frame, "wavelength": grid, **both}))
        if compared:
            count["compared"] += 1
            # the orders of an echelle are joined within the wings
            wide, wings = spectrum.survey == "LAMOST", spectrum.survey != "MIKE"
            own = compare(spectrum.survey, spectrum.name, spectrum.labels, wavelength, real, model, wide, wings)
            lines.append(own.assign(group=group))
    table = pd.concat(lines, ignore_index=True)
    groups = summary(table.sort_values("group", kind="stable"))
    network = predictions(shown, ensemble_path, cfg) if ensemble_path else None
    found = {
        "simulated": True, "resolution": RESOLUTION, "lines": {name: centre for name, (centre, _) in LINES.items()}, "spectra": counts,
        "groups": groups.to_dict("records"), "differences": differences(groups),
        "network": network, "network_differences": network_differences(network or [], cfg["labels"]),
    }  # fmt: skip
    write_table(out_lines, table, {"wavelength": {"unit": "Angstrom"}, "ew_real": {"unit": "mA"}, "ew_model": {"unit": "mA"}})
    write_table(out_windows, _medians(pd.concat(windows, ignore_index=True)), {"wavelength": {"unit": "Angstrom", "description": "In air"}})
    write_json(out_summary, found)
    log.info("observed spectra compared: %s", ", ".join(f"{k} {v['compared']} of {v['read']}" for k, v in counts.items()))
    return found


def _medians(windows: pd.DataFrame) -> pd.DataFrame:
    """The windows, with those of LAMOST as medians of their groups."""
    mine = windows["survey"] == "LAMOST"
    middle = windows[mine].groupby(["survey", "group", "wavelength"], as_index=False, sort=True)[["real", "model"]].median()
    sizes = windows[mine].groupby("group")["star"].nunique()
    middle.insert(1, "star", "median of " + middle["group"].map(sizes).astype(str))
    return pd.concat([windows[~mine], middle], ignore_index=True)[["survey", "star", "group", "wavelength", "real", "model"]]
