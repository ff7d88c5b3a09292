"""How bright, large and hot a star of given mass, age and composition is: closed formulae, no track files.

ZAMS of Tout et al. 1996 (MNRAS 281, 257, eqs 1-2); times, end of the main sequence, base and luminosity law of the giant
branch of Hurley et al. 2000 (MNRAS 315, 543, eqs 4, 8-10, 31-39); giant temperature from a linear relation of the form of
Bovy et al. 2014 (ApJ 790, 127) with constants tuned to real giants. Masses, luminosities and radii are solar, times Myr.
`zeta` = log10(Z / 0.02), for which the fits hold between -2.3 and +0.28.
"""

from functools import lru_cache

import numpy as np

ZETA_MIN, ZETA_MAX = -2.3, 0.28
TEFF_SUN = 5772.0
LOGG_SUN = 4.438

# Polynomials in zeta, rising powers. Letters: Tout et al. 1996; a1-a32: Hurley et al. 2000, appendix.
_POLYNOMIALS = {
    "a": (0.39704170, -0.32913574, 0.34776688, 0.37470851, 0.09011915),
    "b": (8.52762600, -24.41225973, 56.43597107, 37.06152575, 5.45624060),
    "c": (0.00025546, -0.00123461, -0.00023246, 0.00045519, 0.00016176),
    "d": (5.43288900, -8.62157806, 13.44202049, 14.51584135, 3.39793084),
    "e": (5.56357900, -10.32345224, 19.44322980, 18.97361347, 4.16903097),
    "f": (0.78866060, -2.90870942, 6.54713531, 4.05606657, 0.53287322),
    "g": (0.00586685, -0.01704237, 0.03872348, 0.02570041, 0.00383376),
    "h": (1.71535900, 0.62246212, -0.92557761, -1.16996966, -0.30631491),
    "i": (6.59778800, -0.42450044, -12.13339427, -10.73509484, -2.51487077),
    "k": (10.08855000, -7.11727086, -31.67119479, -24.24848322, -5.33608972),
    "l": (1.01249500, 0.32699690, -0.00923418, -0.03876858, -0.00412750),
    "m": (0.07490166, 0.02410413, 0.07233664, 0.03040467, 0.00197741),
    "n": (0.01077422,),
    "o": (3.08223400, 0.94472050, -2.15200882, -2.49219496, -0.63848738),
    "p": (17.84778000, -7.45345690, -48.96066856, -40.05386135, -9.09331816),
    "q": (0.00022582, -0.00186899, 0.00388783, 0.00142402, -0.00007671),
    "a1": (1593.890, 2053.038, 1231.226, 232.7785),
    "a2": (2706.708, 1483.131, 577.2723, 74.11230),
    "a3": (146.6143, -104.8442, -67.95374, -13.91127),
    "a4": (0.04141960, 0.04564888, 0.02958542, 0.005571483),
    "a11": (1.031538, -0.2434480, 7.732821, 6.460705, 1.374484),
    "a12": (1.043715, -1.577474, -5.168234, -5.596506, -1.299394),
    "a13": (785.9573, -8.542048, -26.42511, -9.585707),
    "a14": (3858.911, 2459.681, -76.30093, -348.6057, -48.61703),
    "a15": (288.8720, 295.2979, 185.0341, 37.97254),
    "a16": (7.196580, 0.5613746, 0.3805871, 0.08398728),
    "a18": (0.2187715, -2.154437, -3.768678, -1.975518, -0.3021475),
    "a19": (1.466440, 1.839725, 6.442199, 4.023635, 0.6957529),
    "a20": (26.52091, 81.78458, 115.6058, 76.33811, 19.50698),
    "a21": (1.472103, -2.947609, -3.312828, -0.9945065),
    "a22": (3.071048, -5.679941, -9.745523, -3.594543),
    "a23": (2.617890, 1.019135, -0.03292551, -0.07445123),
    "a24": (0.01075567, 0.01773287, 0.009610479, 0.001732469),
    "a25": (1.476246, 1.899331, 1.195010, 0.3035051),
    "a26": (5.502535, -0.06601663, 0.09968707, 0.03599801),
    "a27": (95.11033, 68.19618, -10.45625, -14.74939),
    "a28": (31.13458, 10.12033, -4.650511, -2.463185),
    "a29": (1.413057, 0.4578814, -0.06850581, -0.05588658),
    "a30": (39.10862, 51.96646, 22.64970, 2.873680),
    "a31": (4.597479, -0.2855179, 0.2709724),
    "a32": (6.682518, 0.2827718, -0.07294429),
}


def zeta_of(feh: np.ndarray, alpha_fe: np.ndarray) -> np.ndarray:
    """log10(Z/0.02) of the tracks: [M/H] of Salaris et al. 1993, clipped to the range of the fits."""
    return np.clip(feh + np.log10(0.638 * 10.0 ** np.asarray(alpha_fe) + 0.362), ZETA_MIN, ZETA_MAX)


def _c(name: str, zeta: np.ndarray) -> np.ndarray:
    value = np.zeros_like(zeta)
    for coefficient in reversed(_POLYNOMIALS[name]):
        value = value * zeta + coefficient
    return value


def zams(mass: np.ndarray, zeta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and radius on the zero-age main sequence (Tout et al. 1996, eqs 1 and 2)."""
    root = np.sqrt(mass)
    m2, m3 = mass**2, mass**3
    m5, m7, m8 = m2 * m3, m2 * m2 * m3, m2 * m3 * m3
    m11, m19 = m8 * m3, m8 * m8 * m3
    luminosity = (_c("a", zeta) * m5 * root + _c("b", zeta) * m11) / (
        _c("c", zeta) + m3 + _c("d", zeta) * m5 + _c("e", zeta) * m7 + _c("f", zeta) * m8 + _c("g", zeta) * m8 * mass * root
    )
    radius = (
        _c("h", zeta) * m2 * root + _c("i", zeta) * m3 * m3 * root + _c("k", zeta) * m11 + _c("l", zeta) * m19 + _c("m", zeta) * m19 * root
    ) / (_c("n", zeta) + _c("o", zeta) * m2 + _c("p", zeta) * m8 * root + m11 * m7 * root + _c("q", zeta) * m19 * root)
    return luminosity, radius


def t_bgb(mass: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Age at the base of the giant branch, Myr (Hurley et al. 2000, eq 4)."""
    m2, m4 = mass**2, mass**4
    m7 = m4 * m2 * mass
    return (_c("a1", zeta) + _c("a2", zeta) * m4 + _c("a3", zeta) * m4 * mass * np.sqrt(mass) + m7) / (
        _c("a4", zeta) * m2 + 0.3426349 * m7
    )


def t_ms(mass: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Age at the end of the main sequence, Myr (Hurley et al. 2000, eqs 5-6, without the hook)."""
    return np.clip(0.95 - (10 / 3) * (0.02 * 10.0**zeta - 0.01), 0.95, 0.99) * t_bgb(mass, zeta)


def tms(mass: np.ndarray, zeta: np.ndarray, radius_zams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and radius at the end of the main sequence (Hurley et al. 2000, eqs 8 and 9)."""
    m3 = mass**3
    m5 = m3 * mass**2
    a14, a16 = _c("a14", zeta), _c("a16", zeta)
    m16 = mass**a16
    luminosity = (_c("a11", zeta) * a14 * m3 + _c("a12", zeta) * a14 * m3 * mass + _c("a13", zeta) * m16 * mass**1.8) / (
        a14 + _c("a15", zeta) * m5 + m16
    )
    log_z = zeta + np.log10(0.02)
    inner = np.maximum(0.097, np.minimum(0.1461, 0.1461 + 0.1237 * (log_z + 2)))
    a17 = 10.0 ** np.maximum(0.097 - 0.1072 * (log_z + 3), inner)
    radius = _radius_tms_low(np.minimum(mass, a17), zeta)
    heavy = mass > a17
    if heavy.any():
        z, m, edge, low = zeta[heavy], mass[heavy], a17[heavy], radius[heavy]
        weight = np.clip((m - edge) / 0.1, 0, 1)
        radius[heavy] = low * (1 - weight) + weight * _radius_tms_high(np.maximum(m, edge + 0.1), z)
    return luminosity, np.maximum(1.5 * radius_zams, radius)


def _radius_tms_low(mass, zeta):
    a20 = _c("a20", zeta)
    return (_c("a18", zeta) * a20 + _c("a19", zeta) * a20 * mass ** _c("a21", zeta)) / (a20 + mass ** _c("a22", zeta))


def _radius_tms_high(mass, zeta):
    power = mass ** _c("a26", zeta)
    return (-0.08672073 * mass**3 + _c("a23", zeta) * power + _c("a24", zeta) * power * mass * np.sqrt(mass)) / (
        _c("a25", zeta) + mass**5
    )


def l_bgb(mass: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Luminosity at the base of the giant branch (Hurley et al. 2000, eq 10)."""
    a32 = _c("a32", zeta)
    return (_c("a27", zeta) * mass ** _c("a31", zeta) + _c("a28", zeta) * mass**9.301992) / (
        _c("a29", zeta) ** a32 + _c("a30", zeta) * mass**4.637345 + mass**a32
    )


def effective_temperature(luminosity: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Teff (K) of a sphere of solar luminosity and radius units."""
    return TEFF_SUN * (luminosity / radius**2) ** 0.25


def surface_gravity(mass: np.ndarray, luminosity: np.ndarray, teff: np.ndarray) -> np.ndarray:
    """log g (cgs)."""
    return LOGG_SUN + np.log10(mass) - np.log10(luminosity) + 4 * np.log10(teff / TEFF_SUN)


def giant_temperature(mass: np.ndarray, luminosity: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Teff (K) on the giant branch.

    Solves T = 4630 - 430 zeta + s (log g - 2.6) + 130 (min(M, 2.2) - 1.1), s = 555 below log g 2.6 and 380 above,
    together with log g of mass and luminosity. The right side is concave and rising in T with a slope below 0.25, so
    five Newton steps leave no error.
    """
    base = 4630 - 430 * zeta + 130 * (np.minimum(mass, 2.2) - 1.1)
    constant = LOGG_SUN + np.log10(mass) - np.log10(luminosity) - 2.6
    teff = base.copy()
    for _ in range(5):
        above = constant + 4 * np.log10(teff / TEFF_SUN)
        slope = np.where(above < 0, 555.0, 380.0)
        teff = teff - (teff - base - slope * above) / (1 - slope * 4 / (np.log(10) * teff))
    return teff


def main_sequence(mass: np.ndarray, age: np.ndarray, zeta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and Teff of stars up to the base of the giant branch; `age` (Myr) beyond it counts as that base.

    log L and log R grow from the ZAMS with a linear and a quadratic (cubic) term of t/t_MS (simplified from Hurley et al. 2000,
    eqs 12-13), then linearly in time to the base of the giant branch.
    """
    l_zams, r_zams = zams(mass, zeta)
    l_end, r_end = tms(mass, zeta, r_zams)
    end, base = t_ms(mass, zeta), t_bgb(mass, zeta)
    tau = np.minimum(age / end, 1.0)
    grow_l = np.log10(np.maximum(l_end / l_zams, 1.02))
    grow_r = np.log10(np.maximum(r_end / r_zams, 1.02))
    first_l, first_r = np.minimum(0.30, grow_l), np.minimum(0.12, grow_r)
    log_l = np.log10(l_zams) + first_l * tau + (grow_l - first_l) * tau**2
    log_r = np.log10(r_zams) + first_r * tau + (grow_r - first_r) * tau**3
    after = age > end
    if after.any():
        m, z = mass[after], zeta[after]
        share = np.minimum((age[after] - end[after]) / (base[after] - end[after]), 1.0)
        l_base = l_bgb(m, z)
        r_base = np.sqrt(l_base) * (TEFF_SUN / giant_temperature(m, l_base, z)) ** 2
        log_l[after] += share * (np.log10(l_base) - log_l[after])
        log_r[after] += share * (np.log10(r_base) - log_r[after])
    luminosity = 10.0**log_l
    return luminosity, effective_temperature(luminosity, 10.0**log_r)


def l_tip(mass: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Luminosity at the tip of the giant branch, low masses (Hurley et al. 2000, eq 49)."""
    return (2751.631 + 355.7098 * zeta) * mass ** (-0.03820831 + 0.05872664 * zeta)


WEIGHTED_TIP = 1600.0  # solar luminosities: brighter giants are too cool for the colour relations


def red_giant(
    mass: np.ndarray, zeta: np.ndarray, phase: np.ndarray, luminosity_min: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and Teff of first-ascent giants (Hurley et al. 2000, eqs 31-39, low mass).

    Parameters
    ----------
    phase : ndarray
        0-1, uniform in time from the base of the branch (or from `luminosity_min`, when that is later) to its tip.
    """
    slow = np.maximum(3e4, 500 + 1.75e4 * mass**0.6)  # B
    fast = 10.0 ** (5.37 + 0.135 * zeta)  # D
    rate = 10.0 ** np.maximum(-4.8, np.minimum(-5.7 + 0.8 * mass, -4.1 + 0.14 * mass))  # A_H
    l_x = fast * (slow / fast) ** 2
    tip = l_tip(mass, zeta)
    start = np.clip(luminosity_min, l_bgb(mass, zeta), 0.98 * tip)
    # times are counted back from the moment when the first law would diverge; at l_x the second law takes over
    left_x = (fast / l_x) ** (5 / 6) / (5 * rate * fast)
    second_x = (slow / l_x) ** (2 / 3) / (2 * rate * slow)

    def left(lum):
        below = (fast / lum) ** (5 / 6) / (5 * rate * fast)
        return np.where(lum <= l_x, below, left_x - second_x + (slow / lum) ** (2 / 3) / (2 * rate * slow))

    now = left(start) + phase * (left(tip) - left(start))
    below = fast * (5 * rate * fast * np.maximum(now, left_x)) ** -1.2
    above = slow * (2 * rate * slow * np.minimum(now - left_x + second_x, second_x)) ** -1.5
    luminosity = np.where(now >= left_x, below, above)
    return luminosity, giant_temperature(mass, luminosity, zeta)


def red_giant_weighted(mass: np.ndarray, zeta: np.ndarray, draw: np.ndarray, power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and Teff of first-ascent giants whose number goes as time on the branch times L^power.

    A survey limited in magnitude sees luminous giants in a larger volume. The time spent at a luminosity goes as L^(-11/6)
    (from L ~ (t_inf - t)^(-6/5), Hurley et al. 2000, eq. 35), so that the weighted number is a power law with a closed integral.

    Parameters
    ----------
    draw : ndarray
        Uniform in 0-1.
    power : ndarray
        Exponent of the luminosity, above 5/6.
    """
    exponent = power - 5 / 6
    base, tip = l_bgb(mass, zeta), np.minimum(l_tip(mass, zeta), WEIGHTED_TIP)
    luminosity = (base**exponent + draw * (tip**exponent - base**exponent)) ** (1 / exponent)
    return luminosity, giant_temperature(mass, luminosity, zeta)


def clump(mass: np.ndarray, zeta: np.ndarray, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity and Teff of stars that burn helium in the core; `phase` 0-1 uniform in time."""
    log_l = 1.69 - 0.10 * np.clip(zeta, -1.5, 0.3) + 0.10 * np.log10(mass) + 0.16 * phase**2
    luminosity = 10.0**log_l
    shrink = 0.024 + 0.04 * np.clip(-zeta - 0.6, 0, 1.5)  # of log R
    return luminosity, giant_temperature(mass, luminosity, zeta) * 10.0 ** (shrink / 2)


@lru_cache(maxsize=1)
def _turn_off_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    log_age = np.linspace(np.log10(50.0), np.log10(14_000.0), 80)
    zeta = np.linspace(ZETA_MIN, ZETA_MAX, 53)
    mass = np.geomspace(0.4, 10.0, 4000)
    table = np.empty((80, 53))
    for j, z in enumerate(zeta):
        time = np.log10(t_bgb(mass, np.full_like(mass, z)))
        table[:, j] = np.interp(log_age, time[::-1], mass[::-1])
    return log_age, zeta, table


def turn_off_mass(age_gyr: np.ndarray, zeta: np.ndarray) -> np.ndarray:
    """Mass of the stars that reach the base of the giant branch at an age (0.05-14 Gyr): bilinear in an 80 x 53 table."""
    log_age, zetas, table = _turn_off_table()
    x = np.clip((np.log10(age_gyr) + 3 - log_age[0]) / (log_age[1] - log_age[0]), 0, len(log_age) - 1)
    y = np.clip((zeta - zetas[0]) / (zetas[1] - zetas[0]), 0, len(zetas) - 1)
    i, j = np.minimum(x.astype(np.int64), len(log_age) - 2), np.minimum(y.astype(np.int64), len(zetas) - 2)
    x, y = x - i, y - j
    return (1 - x) * ((1 - y) * table[i, j] + y * table[i, j + 1]) + x * ((1 - y) * table[i + 1, j] + y * table[i + 1, j + 1])
