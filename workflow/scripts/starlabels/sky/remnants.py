"""White dwarfs and hot subdwarfs: colours and M_G that put them at their places of the colour-magnitude diagram, no labels.

They make the four classes of the diagram fill (0.3 % of the field stars). The sequences are straight lines by eye: hydrogen white
dwarfs of 0.6 solar masses, and hot subdwarfs around BP-RP = -0.35, M_G = 4.5. Bands beyond Gaia are only plausible.
"""

import numpy as np

from . import random as rnd
from .colours import BANDS

SHARE = 0.003
WHITE_DWARF_SHARE = 0.8  # of them

# colour to BP of each band: constant and slope with BP-RP (0 for Vega-like magnitudes; AB offsets of u, v, NUV)
_BP_MINUS = {
    "gaia_rp": (0.0, 1.0), "tmass_j": (0.0, 1.5), "tmass_h": (0.02, 1.8), "tmass_ks": (0.02, 1.9), "wise_w1": (0.02, 2.0),
    "wise_w2": (0.02, 2.0), "sages_u": (-0.40, -0.9), "sages_v": (-0.20, -0.6), "galex_nuv": (-0.60, -2.6),
}  # fmt: skip


def draw_remnants(seed: int, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which stars are remnants, and which of them are white dwarfs: two bool arrays."""
    u = rnd.uniforms(seed, "true/remnant", index, 2)
    remnant = u[:, 0] < SHARE
    return remnant, remnant & (u[:, 1] < WHITE_DWARF_SHARE)


def magnitudes(seed: int, index: np.ndarray, white_dwarf: np.ndarray) -> np.ndarray:
    """Absolute magnitudes (n, 11) of remnants in the order of `colours.BANDS`."""
    u = rnd.uniforms(seed, "true/remnant_colour", index, 2)
    z = rnd.normal_of(u[:, 1], 0, 1, -2.5, 2.5)
    colour = np.where(white_dwarf, -0.40 + 1.2 * u[:, 0], rnd.normal_of(u[:, 0], -0.35, 0.06, -0.5, -0.15))
    g = np.where(white_dwarf, 11.3 + 3.0 * colour + 0.25 * z, 4.5 + 1.5 * (colour + 0.35) + 0.4 * z)
    bp = g + 0.45 * colour + 0.02
    result = np.empty((len(g), len(BANDS)))
    for j, band in enumerate(BANDS):
        zero, slope = _BP_MINUS.get(band, (0.0, 0.0))
        result[:, j] = bp - zero - slope * colour
    result[:, BANDS.index("gaia_g")] = g
    return result
