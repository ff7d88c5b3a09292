"""Space velocities of the components, and what they look like from the Sun.

Velocities are drawn in cylindrical Galactic coordinates with the means and dispersions of the simulated sky's design. Sun: 8.2 kpc
from the centre in the plane, circular velocity 236 km/s, own motion (11.1, 12.24, 7.25) km/s (Schoenrich, Binney & Dehnen 2010).
"""

from functools import lru_cache

import numpy as np
from astropy.coordinates import ICRS, Galactic, SkyCoord

from . import random as rnd
from .populations import ACCRETED, THICK, THIN

R_SUN = 8.2  # kpc
V_SUN = (11.1, 236.0 + 12.24, 7.25)  # km/s towards the centre, along rotation, towards the north pole
KM_S_PER_KPC_MAS = 4.740470464  # km/s of 1 mas/yr at 1 kpc

# Forced motions (see `force_fast`): share of the stars and the range of the total motion, mas/yr
FAST = ((0.002, 410.0, 1500.0), (0.02, 105.0, 400.0))


@lru_cache(maxsize=1)
def _to_galactic() -> np.ndarray:
    axes = SkyCoord(x=np.eye(3)[0], y=np.eye(3)[1], z=np.eye(3)[2], representation_type="cartesian", frame=ICRS)
    return axes.transform_to(Galactic()).cartesian.xyz.value


def _rotate(matrix, vectors):
    # written out: a matrix product of the linear-algebra library may sum in another order for another number of stars
    return [matrix[i, 0] * vectors[0] + matrix[i, 1] * vectors[1] + matrix[i, 2] * vectors[2] for i in range(3)]


def draw_velocities(seed: int, index: np.ndarray, component: np.ndarray, feh: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Velocities (v_R outwards, v_phi along rotation, v_z) in km/s, shape (n, 3); ages in Gyr."""
    z = rnd.normals(seed, "true/velocity", index, 3)
    thin, thick, accreted = component == THIN, component == THICK, component == ACCRETED
    s_r = np.select([thin, thick], [20 + 2.6 * age, 62.0], 150.0)
    s_z = np.select([thin, thick], [9 + 1.9 * age, 40.0], 85.0)
    mean = np.select(
        [thin, thick, accreted],
        [236 - s_r**2 / 80 - 42 * (feh + 0.1), 188 + 54 * (feh + 0.5), 10.0],
        np.clip(70 + 50 * (feh + 1.2), 20, 120),
    )
    ratio = np.where(thin | thick, 0.64, 0.60)
    return np.column_stack([s_r * z[:, 0], mean + ratio * s_r * z[:, 1], s_z * z[:, 2]])


def observe(ra: np.ndarray, dec: np.ndarray, distance: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Proper motion (pmra with cos dec, pmdec; mas/yr) and radial velocity (km/s) as seen from the Sun.

    Parameters
    ----------
    ra, dec : ndarray
        deg, ICRS.
    distance : ndarray
        pc.
    velocity : ndarray, shape (n, 3)
        v_R, v_phi, v_z in km/s.
    """
    matrix = _to_galactic()
    sa, ca, sd, cd = np.sin(np.radians(ra)), np.cos(np.radians(ra)), np.sin(np.radians(dec)), np.cos(np.radians(dec))
    sight = [cd * ca, cd * sa, sd]
    kpc = distance / 1000
    gx, gy, _ = _rotate(matrix, sight)
    x, y = gx * kpc - R_SUN, gy * kpc
    radius = np.sqrt(x * x + y * y)
    cos, sin = x / radius, y / radius
    # the Sun lies at (-R0, 0) and moves towards +y, so the rotation is clockwise
    moving = [
        velocity[:, 0] * cos + velocity[:, 1] * sin - V_SUN[0],
        velocity[:, 0] * sin - velocity[:, 1] * cos - V_SUN[1],
        velocity[:, 2] - V_SUN[2],
    ]
    vx, vy, vz = _rotate(matrix.T, moving)
    rv = vx * sight[0] + vy * sight[1] + vz * sight[2]
    east = -vx * sa + vy * ca
    north = -vx * sd * ca - vy * sd * sa + vz * cd
    return east / (KM_S_PER_KPC_MAS * kpc), north / (KM_S_PER_KPC_MAS * kpc), rv


def force_fast(seed: int, index: np.ndarray, pmra: np.ndarray, pmdec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale up the motion of 2 % of the stars to 105-400 mas/yr and more, of 0.2 % (part of them) to 410-1500 mas/yr.

    Such stars are rare, but a cross-match without proper motions loses just them, so the sky holds enough to show it. Their
    direction is kept, so is the motion of a star that is faster already; distance and radial velocity do not know of it.
    """
    draw = rnd.uniforms(seed, "true/fast", index, 2)
    total = np.hypot(pmra, pmdec)
    target = np.zeros_like(total)
    lower = 0.0
    for share, low, high in FAST:
        chosen = (draw[:, 0] >= lower) & (draw[:, 0] < share)
        target = np.where(chosen, low * (high / low) ** draw[:, 1], target)
        lower = share
    factor = np.maximum(target / np.maximum(total, 1e-9), 1.0)
    return pmra * factor, pmdec * factor
