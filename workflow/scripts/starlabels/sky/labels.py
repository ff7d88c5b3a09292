"""Spectroscopic labels: catalogue value = truth + offset + noise, and who was observed (design section 6.2).

Every offset is a switch (`sky.label_offsets`). The stated errors are the true ones times LogNormal(0, 0.25), so that a
limit on the error acts as it does on real catalogues. Which stars a survey observed is made up to give realistic sizes,
overlaps and biases; the shares are in `sky.fraction_labelled`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .observe import draw

ERROR_SCATTER = 0.25
VMP_SHIFT = -0.427  # published minus LAMOST scale of the very metal-poor papers
VMP_FULL, VMP_NONE = -1.5, -1.0  # full shift below the first, none above the second [Fe/H]
APOGEE_FLOOR = -2.5  # its grid of models ends here; poorer stars have no labels
LAMOST_FLOOR = -2.5  # the pipeline's grid ends here
A23_LIMIT = 7000.0  # K; the training of A23 ends here


def _model(survey: str, stars: pd.DataFrame) -> dict[str, tuple[np.ndarray | float, np.ndarray | float]]:
    """Offset and sigma of each label of a survey."""
    giant = (stars["logg"] < 3.6).to_numpy()
    feh, teff, g = (stars[c].to_numpy() for c in ("feh", "teff", "gaia_g"))
    poor = np.maximum(-feh - 0.5, 0.0)

    def by_type(dwarf, giants):
        return np.where(giant, giants, dwarf)

    if survey == "lamost":
        n = 1.0 + 1.3 * np.clip((g - 14.0) / 3.0, 0.0, 1.3)
        return {
            "teff": (by_type(30.0, 10.0), by_type(45.0, 30.0) * n),
            "logg": (0.02, np.hypot(by_type(0.05, 0.075) * n, 0.05)),
            "feh": (0.01 + 0.10 * np.maximum(-1.5 - feh, 0.0), (0.035 + 0.03 * poor) * n),
        }
    if survey == "apogee":
        return {"teff": (by_type(-15.0, -5.0), by_type(50.0, 25.0)), "logg": (0.0, by_type(0.05, 0.04)), "feh": (0.0, 0.015 + 0.02 * poor)}
    if survey == "rave5":
        return {"teff": (-30.0, 110.0), "logg": (0.05, 0.25), "feh": (-0.05, 0.13)}
    if survey == "pastel":
        return {"teff": (20.0, 60.0), "logg": (0.0, 0.10), "feh": (0.0, 0.07)}
    if survey == "vmp":
        shift = VMP_SHIFT * np.clip((VMP_NONE - feh) / (VMP_NONE - VMP_FULL), 0.0, 1.0)
        return {"teff": (-50.0, 100.0), "logg": (-0.1, 0.2), "feh": (shift, 0.12)}
    if survey == "h23":
        return {"teff": (-20.0, 60.0), "feh": (0.0, 0.10)}
    if survey == "a23":
        # above the training's limit the values pile up below it
        hot = np.maximum(teff - A23_LIMIT + 100.0, 0.0)
        return {"teff": (-hot * 0.9, 90.0), "logg": (0.0, 0.12), "feh": (0.0, 0.12)}
    raise KeyError(survey)


def measured(survey: str, stars: pd.DataFrame, config: Mapping, visit: int = 0) -> pd.DataFrame:
    """Labels of one visit of a survey: columns `<label>` and `<label>_err` for those of teff (K), logg, feh that it gives.

    Parameters
    ----------
    survey : str
        lamost, apogee, rave5, pastel, vmp, h23 or a23.
    visit : int
        Another visit has noise of its own.
    """
    index = stars["star_index"].to_numpy()
    noise = draw(config, f"{survey}/labels/{visit}", index, 3, normal=True)
    stated = np.exp(ERROR_SCATTER * draw(config, f"{survey}/errors/{visit}", index, 3, normal=True))
    frame = {}
    for label, (offset, sigma) in _model(survey, stars).items():
        column = ("teff", "logg", "feh").index(label)
        shift = offset if config["sky"]["label_offsets"][survey] else 0.0
        frame[label] = stars[label].to_numpy() + shift + sigma * noise[:, column]
        frame[f"{label}_err"] = sigma * stated[:, column] * np.ones(len(stars))
    if survey == "lamost":
        # values below the end of the grid are pushed onto it
        frame["feh"] = np.where(frame["feh"] < LAMOST_FLOOR, LAMOST_FLOOR + 0.02 * np.abs(noise[:, 2]), frame["feh"])
    if survey == "a23":
        frame["teff"] = np.minimum(frame["teff"], A23_LIMIT)
    return pd.DataFrame(frame)


def _ordinary(stars: pd.DataFrame) -> np.ndarray:
    """Primary stars that are dwarfs or giants within the reach of stellar pipelines."""
    kind = stars["kind"].to_numpy()
    cool = (stars["teff"] > 3600.0) & (stars["teff"] < 8500.0)
    return ((kind == "dwarf") | (kind == "giant")) & cool.to_numpy() & ~stars["is_companion"].to_numpy()


def chance(survey: str, stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Probability that a survey observed each star, from its type, brightness and metallicity; shape (n,)."""
    g, h, feh = (stars[c].to_numpy() for c in ("gaia_g", "tmass_h", "feh"))
    giant = (stars["kind"] == "giant").to_numpy()
    share = config["sky"]["fraction_labelled"].get(survey, 0.0)
    if survey == "apogee":  # bright in H; giants were preferred, and halo stars where they were known
        p = share * np.where(giant, 3.0, 1.0) * np.where(feh < -1.0, 5.0, 1.0) * (h < 14.2) * (feh > APOGEE_FLOOR)
    elif survey == "lamost":  # fewer of those that APOGEE has, so that about a third of APOGEE is common
        p = share * (g < 17.5) * np.where(selected("apogee", stars, config), 0.55, 1.0)
    elif survey == "rave5":  # bright; metal-poor stars preferred, so that the supplement is not empty
        p = share * np.where(feh < -1.0, 20.0, 1.0) * (g < 14.5)
    elif survey == "pastel":  # literature of high resolution: bright, with a taste for metal-poor stars
        p = share * np.where(feh < -1.0, 40.0, 1.0) * (g < 14.5)
    elif survey == "vmp":
        p = _chance_vmp(feh, g, stars["ebv_map"].to_numpy(), giant)
    elif survey == "h23":
        p = np.full(len(stars), 0.66)
    elif survey == "a23":
        p = np.full(len(stars), 0.56)
    else:
        raise KeyError(survey)
    return np.minimum(p, 0.95) * _ordinary(stars)


def _chance_vmp(feh: np.ndarray, g: np.ndarray, ebv: np.ndarray, giant: np.ndarray) -> np.ndarray:
    """Candidates below about -2 on the published scale, and a few that turned out richer.

    Those below -2.5 and the richer ones are known from high resolution, which takes the brighter and less reddened stars and
    prefers giants. The numbers were chosen so that about 93 % of the entries are published below -2, as in the real lists, and
    that Figure 8 has enough stars in its bins from -3; some 13 % are then published below -3 (9.8 % in the real lists).
    """
    easy = (g < 16.6) & (ebv < 0.05)
    extreme = easy * np.where(giant, 0.95, 0.6) * np.exp(np.minimum(feh + 3.0, 0.0) / 0.10)
    richer = easy * np.where(giant, 0.4, 0.2) * np.interp(feh, (-1.35, -1.25), (1.0, 0.0))
    return np.where(feh < -2.5, extreme, np.where(feh < -1.65, 0.9 * (g < 17.2), richer))


def selected(survey: str, stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Which stars a survey observed; bool (n,)."""
    return draw(config, f"{survey}/choice", stars["star_index"]) < chance(survey, stars, config)
