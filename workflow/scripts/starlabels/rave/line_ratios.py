"""Equivalent widths of the same lines in observed and simulated spectra of the same stars.

Both are at one resolving power and on one wavelength scale. A width depends on where the continuum is put: it is given with the
continuum that the spectra come with and with one taken next to each line, in both spectra alike.
"""

import numpy as np
import pandas as pd

#: name: centre (Angstrom), half width (Angstrom at R = 7500)
LINES = {
    "Ca II 8498": (8498.02, 1.55), "Ca II 8542": (8542.09, 1.55), "Ca II 8662": (8662.14, 1.55), "Ca II 8542 wings": (8542.09, 10.0),
    "Ca II 8662 wings": (8662.14, 10.0), "Fe I 8468": (8468.41, 1.5), "Fe I 8514": (8514.20, 1.8), "Fe I 8582": (8582.26, 1.5),
    "Fe I 8612": (8611.80, 1.5), "Fe I 8622": (8621.60, 1.5), "Fe I 8675": (8674.75, 1.5), "Fe I 8689": (8688.62, 1.5),
    "Si I 8556": (8556.80, 1.5), "Si I 8648": (8648.47, 1.5), "Mg I 8718": (8717.83, 1.5), "Mg I 8736": (8736.02, 1.8),
    "Al I 8773": (8773.50, 2.0), "Ti I 8435": (8435.30, 1.8),
}  # fmt: skip
#: the line that a resolving power of 1800 shows apart, and its half width; weaker ones hang on the continuum, and 8498 and 8662 have
#: sky lines beside them
WIDE = {"Ca II 8542": 12.0}
LEAST = 0.025  # Angstrom; no ratio is given of a line that is weaker in the simulated spectrum: its width is lost in noise and blends
TRIPLET = 15.0  # Angstrom around the Ca II lines that are no continuum
EDGE = 1.0  # Angstrom that a line must keep from the ends


def width(wavelength: np.ndarray, flux: np.ndarray, centre: float, half: float) -> float:
    """Equivalent width within `half` of `centre`, Angstrom, for a continuum of 1."""
    grid = np.linspace(centre - half, centre + half, 401)
    return float(np.trapezoid(1.0 - np.interp(grid, wavelength, flux), grid))


def level_beside(wavelength: np.ndarray, flux: np.ndarray, centre: float, half: float) -> float:
    """Continuum next to a line: the median flux between 1 and 2.5 half widths, at least 8 Angstrom, away.

    A median, because noise lifts the upper part of an observed spectrum but not that of a simulated one.
    """
    away = np.abs(wavelength - centre)
    return float(np.median(flux[(away > half) & (away < max(2.5 * half, 8.0))]))


def flattened(wavelength: np.ndarray, flux: np.ndarray, degree: int = 2) -> np.ndarray:
    """Flux over a polynomial through what lies outside the Ca II lines; for spectra without a continuum."""
    x = (wavelength - wavelength.mean()) / np.ptp(wavelength)
    outside = np.all([np.abs(wavelength - LINES[f"Ca II {name}"][0]) > TRIPLET for name in (8498, 8542, 8662)], axis=0)
    keep = outside.copy()
    for _ in range(6):
        level = np.polyval(np.polyfit(x[keep], flux[keep], degree), x)
        rest = flux - level
        spread = rest[keep].std()
        keep = outside & (np.abs(rest) < 2.0 * spread)
        if spread == 0 or keep.sum() < 10 * (degree + 1):
            break
    return flux / level


def compare(
    survey: str, name: str, labels: dict, wavelength: np.ndarray, real: np.ndarray, model: np.ndarray, wide: bool, wings: bool
) -> pd.DataFrame:
    """Widths of every line that the spectra cover.

    Parameters
    ----------
    wavelength, real, model : array, shape (m,)
        Air wavelengths (Angstrom) and both spectra with the continuum at 1.
    wide : bool
        The spectra have R = 1800: only the lines of `WIDE`.
    wings : bool
        The observed continuum can be trusted over 20 Angstrom: the wings of the Ca II lines count too.

    Returns
    -------
    DataFrame
        survey, star, teff, logg, feh, line, wavelength (Angstrom), ew_real, ew_model (mA), ratio, ew_real_beside, ew_model_beside (mA),
        ratio_beside (continuum next to the line); a ratio is NaN where the line is weaker than `LEAST`.
    """
    rows = []
    for line, (centre, half) in LINES.items():
        if not wings and line.endswith("wings"):
            continue
        if wide:
            if line not in WIDE:
                continue
            half = WIDE[line]
        if centre - half - EDGE < wavelength[0] or centre + half + EDGE > wavelength[-1]:
            continue
        row = {"survey": survey, "star": name, **labels, "line": line, "wavelength": centre}
        for suffix, levels in (("", (1.0, 1.0)), ("_beside", [level_beside(wavelength, f, centre, half) for f in (real, model)])):
            a, b = (width(wavelength, f / level, centre, half) for f, level in zip((real, model), levels, strict=True))
            row |= {f"ew_real{suffix}": 1e3 * a, f"ew_model{suffix}": 1e3 * b, f"ratio{suffix}": b / a if min(a, b) > LEAST else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def summary(lines: pd.DataFrame) -> pd.DataFrame:
    """Median ratio of each group and line.

    Parameters
    ----------
    lines : DataFrame
        Rows of `compare` with a column `group`.

    Returns
    -------
    DataFrame
        group, line, n (stars with a ratio), ratio, low, high (16th and 84th percentile), ratio_beside.
    """
    rows = []
    for (group, line), part in lines.groupby(["group", "line"], sort=False):
        good = part.dropna(subset=["ratio"])
        if len(good):
            low, middle, high = np.percentile(good["ratio"], [16, 50, 84])
            beside = float(np.nanmedian(good["ratio_beside"])) if good["ratio_beside"].notna().any() else np.nan
            rows.append({"group": group, "line": line, "n": len(good), "ratio": middle, "low": low, "high": high, "ratio_beside": beside})
    return pd.DataFrame(rows, columns=["group", "line", "n", "ratio", "low", "high", "ratio_beside"])
