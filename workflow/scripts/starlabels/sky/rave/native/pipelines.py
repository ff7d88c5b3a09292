"""What the pipelines and other surveys say of a star: truth + offset + noise (design section 6.2).

Every systematic offset is a switch of `sky.rave.offsets`. Values of a star (infrared flux method, BDASP, K2) are the same for all its
spectra, those of a spectrum (MADERA, GAUGUIN) are not, and are worse where its signal-to-noise ratio is low.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...layout import FIELD_STEP
from ...observe import draw
from ..layout import K2_NUMBER, SUPERGIANT_NUMBER

LOGG_GIANT = 3.5
IRFM_TEFF = 5200.0  # K; hotter stars are 250 K too hot on the scale of the infrared flux method (Section 6.3)
ERROR_SCATTER = 0.25  # stated errors are the true ones times LogNormal(0, 0.25)
#: the supergiant in the pipelines (Section 6.8): teff, log g, [M/H]
SUPERGIANT_BDASP, SUPERGIANT_MADERA = (5047.0, 1.39, 0.28), (5986.0, 3.63, 0.51)


def switched(config: Mapping, name: str) -> float:
    """1 where the offsets of a survey are on, else 0."""
    return float(bool(config["sky"]["rave"]["offsets"][name]))


def is_supergiant(stars: pd.DataFrame) -> np.ndarray:
    """Which star is the supergiant of Section 6.8."""
    return stars["star_index"].to_numpy() // FIELD_STEP == SUPERGIANT_NUMBER


def is_seismic(stars: pd.DataFrame) -> np.ndarray:
    """Which stars have oscillations in K2."""
    return stars["star_index"].to_numpy() // FIELD_STEP == K2_NUMBER


def is_chosen(stars: pd.DataFrame) -> np.ndarray:
    """Which stars are there for their known values (seismic stars, the supergiant): lists of such stars hold those with good data."""
    return is_seismic(stars) | is_supergiant(stars)


def stated(config: Mapping, purpose: str, index: np.ndarray, sigma: np.ndarray | float, k: int) -> np.ndarray:
    """Stated error, column k of a survey's stream."""
    return sigma * np.exp(ERROR_SCATTER * draw(config, f"{purpose}/errors", index, k + 1, normal=True)[:, k])


def _measured(config, purpose, index, truth, models):
    """Values and stated errors: models is label -> (offset, sigma); columns `<label>`, `<label>_err`."""
    noise = draw(config, f"{purpose}/labels", index, len(models), normal=True)
    frame = {}
    for k, (label, (offset, sigma)) in enumerate(models.items()):
        frame[label] = truth[label] + offset + sigma * noise[:, k]
        frame[f"{label}_err"] = stated(config, purpose, index, sigma, k) * np.ones(len(index))
    return pd.DataFrame(frame)


def irfm(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """Temperatures of the infrared flux method: teff, teff_err (K)."""
    teff, on = stars["teff"].to_numpy(), switched(config, "irfm")
    hot = teff > IRFM_TEFF
    model = {"teff": (on * np.where(hot, 250.0, 20.0), np.where(hot, np.where(on > 0, 260.0, 120.0), 90.0))}
    return _measured(config, "rave/irfm", stars["star_index"].to_numpy(), {"teff": teff}, model)


def bdasp(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """BDASP: teff (K), logg, mh, distance (kpc), age (Gyr), mass (solar), log_av, each but the last with its error."""
    index, on = stars["star_index"].to_numpy(), switched(config, "bdasp")
    dwarf = stars["logg"].to_numpy() > LOGG_GIANT
    truth = {"teff": stars["teff"].to_numpy(), "logg": stars["logg"].to_numpy(), "mh": stars["feh"].to_numpy() + 0.01}
    frame = _measured(
        config, "rave/bdasp", index, truth, {"teff": (0.0, 90.0), "logg": (-0.10 * on * dwarf, 0.10), "mh": (0.0, 0.12)}
    )
    noise = draw(config, "rave/bdasp/rest", index, 4, normal=True)
    shares = {"distance": 0.06, "age": 0.25, "mass": 0.08}
    true = {"distance": stars["distance"].to_numpy() / 1000, "age": stars["age"].to_numpy(), "mass": stars["mass"].to_numpy()}
    for k, (name, share) in enumerate(shares.items()):
        frame[name] = true[name] * np.exp(share * noise[:, k])
        frame[f"{name}_err"] = frame[name] * share
    frame["log_av"] = np.log10(np.maximum(3.1 * stars["ebv"].to_numpy(), 0.005)) + 0.15 * noise[:, 3]
    if on:
        frame.loc[is_supergiant(stars), ["teff", "logg", "mh"]] = SUPERGIANT_BDASP
    return frame


def seismic(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """Gravities from K2's oscillations: logg, logg_err."""
    models = {"logg": (0.03 * switched(config, "k2"), 0.03)}
    return _measured(config, "rave/k2", stars["star_index"].to_numpy(), {"logg": stars["logg"].to_numpy()}, models)


def weakness(snr: np.ndarray) -> np.ndarray:
    """How much worse than at a signal-to-noise ratio of 40 a spectrum is measured."""
    return np.clip(np.sqrt(40.0 / np.maximum(snr, 1.0)), 0.7, 2.5)


def madera(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """MADERA, one row a spectrum: teff (K), logg, mh and errors; the offsets are those of RAVE's earlier releases."""
    row = visits["star"].to_numpy()
    truth = {"teff": stars["teff"].to_numpy()[row], "logg": stars["logg"].to_numpy()[row], "mh": stars["feh"].to_numpy()[row] + 0.01}
    on, weak = switched(config, "madera"), weakness(visits["snr"].to_numpy())
    models = {"teff": (-30.0 * on, 110.0 * weak), "logg": (0.05 * on, 0.25 * weak), "mh": (-0.05 * on, 0.13 * weak)}
    frame = _measured(config, "rave/madera", visits["index"].to_numpy(), truth, models)
    star = is_supergiant(stars)[row] & (on > 0)
    for label, value in zip(("teff", "logg", "mh"), SUPERGIANT_MADERA, strict=True):
        frame.loc[star, label] += value - truth[label][star] - models[label][0]
    return frame


def gauguin(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """GAUGUIN with MADERA's parameters, one row a spectrum: [Fe/H], [alpha/Fe], [Al/H], [Ni/H] and errors (Section 6.7).

    [Fe/H] is 0.14 dex low between -1 and 0, and right 0.2 dex outside of that range.
    """
    row = visits["star"].to_numpy()
    feh = stars["feh"].to_numpy()[row]
    truth = {"feh": feh, "alpha_fe": stars["alpha_fe"].to_numpy()[row]}
    truth |= {f"{x}_h": feh + stars[f"{x}_fe"].to_numpy()[row] for x in ("al", "ni")}
    shift = -0.14 * switched(config, "gauguin") * np.interp(feh, (-1.2, -1.0, 0.0, 0.2), (0.0, 1.0, 1.0, 0.0))
    weak = weakness(visits["snr"].to_numpy())
    models = {"feh": (shift, 0.12 * weak), "alpha_fe": (0.0, 0.10 * weak), "al_h": (shift, 0.13 * weak), "ni_h": (shift, 0.13 * weak)}
    return _measured(config, "rave/gauguin", visits["index"].to_numpy(), truth, models)
