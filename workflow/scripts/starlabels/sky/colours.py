"""Absolute magnitudes in the eleven bands from luminosity, Teff, log g and [Fe/H].

G: bolometric correction of Andrae et al. 2018 (A&A 616, A8, Table 4). BP, RP, J, H, Ks: the relations Teff(colour, log g,
[Fe/H]) of Casagrande et al. 2021 (MNRAS 507, 2684; Gaia DR3 coefficients), inverted. W1, W2, u, v, NUV: offsets from Ks or
BP; those of W1, W2 and v were tuned to real stars, u and NUV are assumptions of physical size. Gaia, 2MASS and
WISE magnitudes are Vega magnitudes, u, v and NUV AB.

Everything but W1 and W2, which jump at the border between giants and dwarfs, comes from one table of 34 632 nodes.
"""

from functools import lru_cache

import numpy as np

BANDS = (
    "gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2", "sages_u", "sages_v", "galex_nuv",
)  # fmt: skip
MBOL_SUN = 4.74
LOGG_GIANT = 3.6  # giants below

TEFF_NODES = np.arange(3500.0, 9001.0, 50.0)
LOGG_NODES = np.arange(-0.5, 5.51, 0.5)
FEH_NODES = np.linspace(-4.0, 0.6, 24)

# p0..p14 and the colours between which the relation holds (Casagrande et al. 2021, Table 1): dwarfs, giants
_RELATIONS = {
    "bp_rp": (
        (7980.8845, -4138.3457, 1264.9366, -130.4388, 0, 285.8393, -324.2196, 106.8511, -4.9825, 0,
         4.5138, -203.7774, 126.6981, -14.7442, 40.7376), (0.20, 2.00), (0.20, 2.55)),
    "bp_j": (
        (8172.2439, -2508.6436, 442.6771, -25.3120, 0, 251.5862, -240.7094, 86.0579, -11.2705, 0,
         -45.9166, -137.4645, 75.3191, -8.7175, 21.5739), (0.25, 3.00), (0.90, 4.20)),
    "bp_h": (
        (8158.9380, -2146.1221, 368.1630, -24.4624, 0, 231.8680, -170.8788, 52.9164, -6.8455, 0,
         -45.5554, -142.9127, 55.2465, -4.1694, 17.6593), (0.40, 4.00), (0.40, 4.90)),
    "bp_ks": (
        (8265.6045, -2124.5574, 355.5051, -23.1719, 0, 209.9927, -161.4505, 50.5904, -6.3337, 0,
         -27.2653, -160.3595, 67.9016, -6.5232, 16.5137), (0.30, 4.20), (0.30, 5.30)),
    "g_rp": (
        (8027.1190, -5796.4277, 0, 1747.7036, -308.7685, 248.1828, -323.9569, -120.2658, 225.9584, 0,
         -35.8856, -16.5715, 0, 0, 48.5619), (0.15, 0.85), (0.15, 1.15)),
}  # fmt: skip
_LOGG_RANGES = 3.2  # Casagrande et al. 2021 use the ranges of giants below


def relation_teff(name: str, colour: np.ndarray, logg: float, feh: float) -> np.ndarray:
    """Teff (K) of a colour: Casagrande et al. 2021, eq. 1."""
    p = _RELATIONS[name][0]
    c2, c3, c5 = colour**2, colour**3, colour**5
    return (
        p[0] + p[1] * colour + p[2] * c2 + p[3] * c3 + p[4] * c5
        + logg * (p[5] + p[6] * colour + p[7] * c2 + p[8] * c3 + p[9] * c5)
        + feh * (p[10] + p[11] * colour + p[12] * c2 + p[13] * c3) + p[14] * feh * logg * colour
    )  # fmt: skip


def _invert(name: str, logg: float, feh: float) -> np.ndarray:
    """Colour at each of TEFF_NODES: the falling branch of the relation, continued by straight lines at both ends."""
    low, high = _RELATIONS[name][1 if logg > _LOGG_RANGES else 2]
    colour = np.linspace(low, high, 400)
    teff = relation_teff(name, colour, logg, feh)
    falls = np.diff(teff) < 0
    middle = int(np.argmin(np.abs(teff - 5500)))
    middle = min(middle, len(falls) - 1)
    rising_after = np.flatnonzero(~falls[middle:])
    rising_before = np.flatnonzero(~falls[:middle])
    last = middle + int(rising_after[0]) if len(rising_after) else len(colour) - 1
    first = int(rising_before[-1]) + 1 if len(rising_before) else 0
    # a turning point has no slope to continue with: end the branch where the slope has fallen to a third of its mean
    slope = np.diff(teff[first : last + 1])
    keep = np.flatnonzero(slope < slope.mean() / 3)
    first, last = first + int(keep[0]), first + int(keep[-1]) + 1
    branch_teff, branch_colour = teff[first : last + 1], colour[first : last + 1]
    result = np.interp(TEFF_NODES, branch_teff[::-1], branch_colour[::-1])
    tail = min(20, len(branch_teff) - 1)
    cool, hot = TEFF_NODES < branch_teff[-1], TEFF_NODES > branch_teff[0]
    per_k_cool = (branch_colour[-1] - branch_colour[-1 - tail]) / (branch_teff[-1] - branch_teff[-1 - tail])
    per_k_hot = (branch_colour[tail] - branch_colour[0]) / (branch_teff[tail] - branch_teff[0])
    result[cool] = branch_colour[-1] + per_k_cool * (TEFF_NODES[cool] - branch_teff[-1])
    result[hot] = branch_colour[0] + per_k_hot * (TEFF_NODES[hot] - branch_teff[0])
    return result


def bolometric_correction(teff: np.ndarray) -> np.ndarray:
    """BC_G (mag) of Andrae et al. 2018, Table 4; the two temperature ranges are blended over 100 K around 4000 K."""
    d = np.asarray(teff, float) - 5772.0
    warm = 0.06 + d * (6.731e-5 + d * (-6.647e-8 + d * (2.859e-11 - d * 7.197e-15)))
    cool = 1.749 + d * (1.977e-3 + d * (3.737e-7 + d * (-8.966e-11 - d * 4.183e-14)))
    weight = np.clip((np.asarray(teff) - 3950.0) / 100.0, 0, 1)
    return weight * warm + (1 - weight) * cool


def _saturating(feh, slope, fall):
    """Line blanketing: derivative `slope` (mag/dex) at [Fe/H] 0, smaller by 10^fall per dex towards poor stars."""
    return slope * (10.0 ** (fall * feh) - 1) / (fall * np.log(10))


def v_minus_bp(x, teff, logg, feh):
    """SAGES v - BP; blanketing tuned to narrow-band data around Ca II H and K. x = BP-RP."""
    f = np.where(feh > -2, feh, -2 + 0.5 * (feh + 2))
    below = 4.4 - logg
    blanket = _saturating(f, 0.197, 0.197) * np.clip((6800 - teff) / 1800 + 0.464, 0.1, 2) * (1 + 0.13 * np.clip(below, 0, 3))
    return 0.91 + 1.79 * (x - 0.8) + 0.59 * (x - 0.8) ** 2 + blanket - 0.016 * below


def u_minus_bp(x, teff, logg, feh):
    """SAGES u - BP; the gravity term is the Balmer jump, largest near 7200 K."""
    below, jump = 4.4 - logg, _balmer(teff)
    blanket = _saturating(feh, 0.30, 0.25) * np.clip((7200 - teff) / 1800, 0.2, 1)
    return 1.15 + 1.625 * (x - 0.5) + 0.35 * (x - 0.8) ** 2 + blanket + 0.19 * below * jump - 0.05 * below * (1 - jump)


def nuv_minus_bp(x, teff, logg, feh):
    """GALEX NUV - BP."""
    blanket = _saturating(feh, 1.0, 0.20) * np.clip((7500 - teff) / 1800, 0.2, 1.05)
    return 2.5 + 7.6 * (x - 0.5) - 1.6 * np.clip(x - 1, 0, 2) ** 2 + blanket + 0.15 * (4.4 - logg) * _balmer(teff)


def _balmer(teff):
    return np.exp(-(((teff - 7200) / 1500) ** 2) / 2)


def ks_minus_w1(teff, logg):
    """Ks - W1 (AllWISE)."""
    th = 5040 / teff - 0.9
    return np.where(logg < LOGG_GIANT, 0.054 + 0.112 * th, 0.044 + 0.10 * np.maximum(th, 0))


def w2_minus_w1(teff, logg, feh):
    """W2 - W1 (AllWISE)."""
    th, fc = 5040 / teff - 0.9, np.clip(feh, -1.5, 0.5)
    return np.where(logg < LOGG_GIANT, 0.053 + 0.35 * th + 0.033 * fc + 0.12 * fc * th, 0.047 + 0.17 * th + 0.020 * fc)


@lru_cache(maxsize=1)
def magnitude_table() -> np.ndarray:
    """Magnitude minus bolometric magnitude at the nodes: (111 Teff, 13 log g, 24 [Fe/H], 9 bands), about 0.1 s."""
    colours = {
        name: np.array([[_invert(name, g, f) for f in FEH_NODES] for g in LOGG_NODES]).transpose(2, 0, 1) for name in _RELATIONS
    }
    teff, logg, feh = (a for a in np.meshgrid(TEFF_NODES, LOGG_NODES, FEH_NODES, indexing="ij"))
    g = -bolometric_correction(teff)
    rp = g - colours["g_rp"]
    x = colours["bp_rp"]
    bp = rp + x
    return np.stack(
        [
            g, bp, rp, bp - colours["bp_j"], bp - colours["bp_h"], bp - colours["bp_ks"],
            bp + u_minus_bp(x, teff, logg, feh), bp + v_minus_bp(x, teff, logg, feh), bp + nuv_minus_bp(x, teff, logg, feh),
        ], axis=-1,
    )  # fmt: skip


def _cell(value, nodes):
    """Lower node and weight of the upper one; values outside the nodes count as the nearest."""
    step = (value - nodes[0]) / (nodes[1] - nodes[0])
    step = np.clip(step, 0, len(nodes) - 1)
    low = np.minimum(step.astype(np.int64), len(nodes) - 2)
    return low, step - low


def _interpolate(table, teff, logg, feh):
    (i, x), (j, y), (k, z) = _cell(teff, TEFF_NODES), _cell(logg, LOGG_NODES), _cell(feh, FEH_NODES)
    flat = table.reshape(-1, table.shape[-1])
    stride_i, stride_j = table.shape[1] * table.shape[2], table.shape[2]
    node = i * stride_i + j * stride_j + k
    total = np.zeros((len(teff), table.shape[-1]))
    for di in (0, 1):
        for dj in (0, 1):
            for dk in (0, 1):
                weight = (x if di else 1 - x) * (y if dj else 1 - y) * (z if dk else 1 - z)
                total += weight[:, None] * flat[node + (di * stride_i + dj * stride_j + dk)]
    return total


def absolute_g(luminosity: np.ndarray, teff: np.ndarray) -> np.ndarray:
    """M_G (mag) alone, without the table; agrees with `absolute_magnitudes` to its interpolation error (below 1 mmag)."""
    return MBOL_SUN - 2.5 * np.log10(luminosity) - bolometric_correction(np.clip(teff, TEFF_NODES[0], TEFF_NODES[-1]))


def absolute_magnitudes(luminosity: np.ndarray, teff: np.ndarray, logg: np.ndarray, feh: np.ndarray) -> np.ndarray:
    """Absolute magnitudes (n, 11) in the order of BANDS, of single stars without scatter.

    Parameters
    ----------
    luminosity, teff, logg, feh : ndarray, shape (n,)
        Solar units, K (3500-9000), cgs, dex. Values outside the table take its edge for the colours.
    """
    part = _interpolate(magnitude_table(), teff, logg, feh) + (MBOL_SUN - 2.5 * np.log10(luminosity))[:, None]
    warm = np.clip(teff, TEFF_NODES[0], TEFF_NODES[-1])
    w1 = part[:, 5] - ks_minus_w1(warm, logg)
    w2 = w1 + w2_minus_w1(warm, logg, feh)
    return np.column_stack([part[:, :6], w1, w2, part[:, 6:]])


def add_fluxes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Magnitudes of two unresolved stars."""
    return first - 2.5 * np.log10(1 + 10.0 ** (-0.4 * (second - first)))
