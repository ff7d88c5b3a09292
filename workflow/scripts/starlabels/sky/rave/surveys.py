"""What RAVE did with the true stars: nights, fibres, signal-to-noise, classes of the spectra; and which stars others observed.

One row a spectrum. Numbers belong to a star or to a visit of it, never to the order of the rows.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from ...errors import InputError
from .. import random as rnd
from ..clusters import CLUSTERS
from ..layout import FIELD_STEP
from ..observe import draw
from .layout import (
    APOGEE_CLUSTERS,
    FIRST_NUMBER,
    K2_FIELD,
    K2_NUMBER,
    MOST_VISITS,
    SUPERGIANT_NUMBER,
    SUPERGIANT_PLACE,
    SUPERGIANT_VISITS,
    Shard,
    apogee_share,
    visits_of,
)

FIBRES = 150  # of the spectrograph 6dF
NIGHTS = 3643  # a prime number of nights between April 2003 and April 2013
STRIDE = 1009
FIRST_NIGHT = np.datetime64("2003-04-12")

LOW_SHARE = 0.035  # of the spectra have a signal-to-noise ratio of 4 to 10
#: stars that APOGEE observed: quantiles of the ratio below 30, as the authors' samples with limits of 10, 15 and 20 have them; above
#: it 30 + Gamma(1.7, 10); the others 10 + Gamma(2.9, 11.5), so that the shares above 20, 30 and 40 are those of the observed sample
COMMON_QUANTILES = ((0.0, 10.0), (0.022, 15.0), (0.065, 20.0), (0.24, 30.0))
COMMON_TAIL, OTHER_LAW, SNR_MAX = (1.7, 10.0), (2.9, 11.5), 140.0
#: what makes the ratio of a star's spectra alike: its brightness and itself; the rest is weather
SNR_BRIGHTNESS, SNR_STAR = 0.50, 0.30
FAVOUR = (1.4, 0.5)  # of cluster members and K2 stars, in standard deviations

#: share of the classes that spoil a spectrum or mark its star; `o` are the hottest stars, the others are normal
BINARY_SHARE, CONTINUUM_SHARE, WAVELENGTH_SHARE, ODD_SHARE = 0.020, 0.018, 0.010, 0.024
HOT_TEFF, HOT_SHARE = 6450.0, 0.55
SECOND_SHARE = 0.005  # normal spectra whose second or third class is another

COMPANION_SPEED = (30.0, 150.0)  # km/s, between the two stars of a class-b spectrum


def visit_index(star_index: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """A number that belongs to one spectrum."""
    return np.asarray(star_index, np.int64) * 8 + np.asarray(visit, np.int64)


def visits(stars: pd.DataFrame, piece: Shard, config: Mapping) -> pd.DataFrame:
    """Every spectrum of a shard.

    Parameters
    ----------
    stars : DataFrame
        The shard's true stars (`stars.true_stars`).
    piece : Shard
    config : mapping
        The merged configuration (`seed`, `sky.rave`).

    Returns
    -------
    DataFrame
        One row a spectrum: `star` (row of `stars`), `visit` (0 to 5), `index` (of the spectrum), rave_obs_id, obsdate, field_name,
        fibre, snr (as measured), class_1 to class_3, weight_1 to weight_3, and `in_apogee` (its star is in APOGEE).
    """
    if piece.kind == "clusters":
        special_star = stars["star_index"].to_numpy() // FIELD_STEP == SUPERGIANT_NUMBER
        number = np.where(special_star, SUPERGIANT_VISITS, 1)
    else:
        number = visits_of(piece, config["seed"])
    star = np.repeat(np.arange(len(stars)), number)
    visit = np.concatenate([np.arange(k) for k in number]) if len(number) else np.empty(0, np.int64)
    frame = pd.DataFrame({"star": star, "visit": visit.astype(np.int64)})
    index = stars["star_index"].to_numpy(np.int64)[star]
    frame["index"] = visit_index(index, frame["visit"])
    frame["in_apogee"] = in_apogee(stars, config)[star]
    _names(frame, stars, piece, config)
    frame["snr"] = _signal(frame, stars, config)
    _classes(frame, stars, config)
    return frame


def _names(frame: pd.DataFrame, stars: pd.DataFrame, piece: Shard, config: Mapping) -> None:
    """Night, pointing and fibre of each spectrum and the id made of them; no two spectra of a field share all three."""
    index = stars["star_index"].to_numpy(np.int64)[frame["star"].to_numpy()]
    place, number = index % FIELD_STEP, index // FIELD_STEP
    slot = place // FIBRES * MOST_VISITS + frame["visit"].to_numpy()
    night = FIRST_NIGHT + (slot * STRIDE + 97 * (number - FIRST_NUMBER)) % NIGHTS
    frame["obsdate"] = pd.array(np.char.replace(np.datetime_as_string(night, unit="D"), "-", ""), dtype="str")
    frame["fibre"] = place % FIBRES + 1
    centres = pointings(config)
    names = {n: pointing_name(*centres[n]) for n in set(number.tolist())}
    more = slot // NIGHTS  # a field that is full for ten years goes on under other pointings
    frame["field_name"] = pd.array([_later(names[n], k) for n, k in zip(number.tolist(), more.tolist(), strict=True)], dtype="str")
    frame["rave_obs_id"] = frame["obsdate"] + "_" + frame["field_name"] + "_" + frame["fibre"].map("{:03d}".format)
    frame["rave_obs_id"] = frame["rave_obs_id"].astype("str")


def _later(name: str, minutes: int) -> str:
    return f"{name[:2]}{(int(name[2:4]) + minutes) % 60:02d}{name[4:]}"


def pointings(config: Mapping) -> dict[int, tuple[float, float]]:
    """Centre (deg) of the pointings of each number of star indices.

    Raises
    ------
    InputError
        When two fields have the same pointing, so that their spectra could have the same id.
    """
    rave = config["sky"]["rave"]
    centres = {FIRST_NUMBER + k: (float(f["ra"]), float(f["dec"])) for k, f in enumerate(rave["fields"])}
    centres[K2_NUMBER] = (K2_FIELD["ra"], K2_FIELD["dec"])
    centres[SUPERGIANT_NUMBER] = SUPERGIANT_PLACE
    first = SUPERGIANT_NUMBER + 1
    centres |= {first + k: (CLUSTERS[name]["ra"], CLUSTERS[name]["dec"]) for k, name in enumerate(rave["clusters"])}
    names = [pointing_name(*c) for c in centres.values()]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        found = f"put two fields at the pointing {twice}"
        raise InputError("configuration keys `sky.rave.fields`, `sky.rave.clusters`", found, "Move one of them by a degree")
    return centres


def pointing_name(ra: float, dec: float) -> str:
    """RAVE's name of a pointing: hours and minutes, `m` or `p`, degrees."""
    minutes = int(ra * 4) % 1440
    return f"{minutes // 60:02d}{minutes % 60:02d}{'m' if dec < 0 else 'p'}{int(abs(dec)):02d}"


def _signal(frame: pd.DataFrame, stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Signal-to-noise ratio a pixel: the survey's law, alike in the spectra of one star."""
    row = frame["star"].to_numpy()
    bright = (11.1 - stars["gaia_g"].to_numpy()) / 0.95  # in standard deviations of the survey's G
    # of stars to calibrate with, good spectra are known
    favour = np.select([stars["cluster"] != "", stars["star_index"] // FIELD_STEP == K2_NUMBER], FAVOUR, 0.0)
    bright = np.where(favour > 0, np.clip(bright, -0.5, 2.0) + favour, bright)
    own = draw(config, "rave/snr/star", stars["star_index"], normal=True)
    weather = draw(config, "rave/snr/visit", frame["index"], normal=True)
    rest = np.sqrt(1 - SNR_BRIGHTNESS**2 - SNR_STAR**2)
    quantile = special.ndtr((SNR_BRIGHTNESS * np.clip(bright, -3, 3) + SNR_STAR * own)[row] + rest * weather)
    common = frame["in_apogee"].to_numpy()
    u = (quantile - LOW_SHARE) / (1 - LOW_SHARE)
    below, values = np.array(COMMON_QUANTILES).T
    tail = 30.0 + rnd.gamma_of(np.clip((u - below[-1]) / (1 - below[-1]), 0, 1), *COMMON_TAIL)
    snr = np.where(common, np.where(u < below[-1], np.interp(u, below, values), tail), 10.0 + rnd.gamma_of(np.clip(u, 0, 1), *OTHER_LAW))
    return np.minimum(np.where(u < 0, 4.0 + 6.0 * quantile / LOW_SHARE, snr), SNR_MAX)


def _classes(frame: pd.DataFrame, stars: pd.DataFrame, config: Mapping) -> None:
    """Three classes a spectrum, best first, and their weights: mostly three times the same letter."""
    row = frame["star"].to_numpy()
    chance = draw(config, "rave/class", frame["index"], 5)
    teff, logg = (stars[c].to_numpy()[row] for c in ("teff", "logg"))
    cool = np.where(teff < 4000, np.where(logg > 3.5, "d", "g"), np.where(teff < 4600, np.where(logg > 3.5, "e", "g"), "p"))
    letters = np.select(
        [chance[:, 0] < edge for edge in np.cumsum([BINARY_SHARE, CONTINUUM_SHARE, WAVELENGTH_SHARE])], ["b", "c", "w"],
        np.where(chance[:, 1] < ODD_SHARE, cool, np.where((teff > HOT_TEFF) & (chance[:, 2] < HOT_SHARE), "o", "n")),
    )  # fmt: skip
    quiet = np.isin(stars["star_index"].to_numpy()[row] // FIELD_STEP, (SUPERGIANT_NUMBER, K2_NUMBER))
    letters = np.where(quiet, "n", letters)
    other = np.array(list("oxbcw"))[np.minimum((5 * chance[:, 4]).astype(int), 4)]
    mixed = (chance[:, 3] < np.where(letters == "n", SECOND_SHARE, 0.3)) & ~quiet
    back = np.where(letters == "n", other, "n")
    frame["class_1"] = letters
    frame["class_2"] = np.where(mixed & (chance[:, 3] < 0.15), back, letters)
    frame["class_3"] = np.where(mixed, back, letters)
    frame["weight_1"] = np.where(mixed, 0.5 + 0.3 * chance[:, 4], 0.8 + 0.2 * chance[:, 4]).round(3)
    frame["weight_2"] = (0.6 * (1 - frame["weight_1"])).round(3)
    frame["weight_3"] = (1 - frame["weight_1"] - frame["weight_2"]).round(3)


def in_apogee(stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Which stars are in APOGEE DR16: a share of the fields', the members of two clusters; not the supergiant."""
    listed = stars["cluster"].isin(APOGEE_CLUSTERS).to_numpy()
    field = stars["cluster"].eq("").to_numpy() & (stars["star_index"].to_numpy() // FIELD_STEP != SUPERGIANT_NUMBER)
    return listed | (field & (draw(config, "rave/apogee", stars["star_index"]) < apogee_share(config)))


def companions_of(frame: pd.DataFrame, stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """The second star in each spectrum of class `b`.

    Dwarfs get a lighter star of the main sequence (L2 = L1 q^4.5, T2 = T1 q^0.6), giants one like themselves.

    Returns
    -------
    DataFrame
        row (of `frame`), teff (K), logg, light (over that of the first star), speed (km/s, against the first star).
    """
    row = np.flatnonzero(frame["class_1"].to_numpy() == "b")
    star = stars.iloc[frame["star"].to_numpy()[row]]
    teff, logg = star["teff"].to_numpy(), star["logg"].to_numpy()
    chance = draw(config, "rave/companion", frame["index"].to_numpy()[row], 3)
    light = 0.25 + 0.70 * chance[:, 0]
    ratio = np.where(logg > 3.5, light ** (1 / 4.5), 1.0)
    low, high = COMPANION_SPEED
    speed = (low + (high - low) * chance[:, 1]) * np.where(chance[:, 2] < 0.5, -1, 1)
    gravity = np.where(logg > 3.5, logg + np.log10(ratio) - np.log10(light) + 2.4 * np.log10(ratio), logg)
    return pd.DataFrame({"row": row, "teff": np.maximum(teff * ratio**0.6, 3600.0), "logg": gravity, "light": light, "speed": speed})
