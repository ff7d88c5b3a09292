"""Places and orbits in the Galaxy: cylindrical coordinates, and the orbit's limits in a logarithmic potential.

Sun, circular velocity and sense of rotation are those of `sky.kinematics`: 8.2 kpc from the centre in the plane, 236 km/s, and
v_phi is positive along rotation. In the plane the potential is V0^2 ln R; the vertical motion is separate.
"""

from functools import lru_cache

import numpy as np
from astropy.coordinates import ICRS, Galactic, SkyCoord

from ..kinematics import KM_S_PER_KPC_MAS, R_SUN, V_SUN

V_CIRCULAR = 236.0  # km/s
NU = 75.0  # km/s/kpc, frequency of small vertical oscillations
BISECTIONS = 50


@lru_cache(maxsize=1)
def _to_galactic() -> np.ndarray:
    unit = np.eye(3)
    axes = SkyCoord(x=unit[0], y=unit[1], z=unit[2], representation_type="cartesian", frame=ICRS)
    return axes.transform_to(Galactic()).cartesian.xyz.value


def _rotated(vectors):
    matrix = _to_galactic()
    return [matrix[i, 0] * vectors[0] + matrix[i, 1] * vectors[1] + matrix[i, 2] * vectors[2] for i in range(3)]


def _axes(ra, dec):
    """Unit vectors along the line of sight, to the east and to the north."""
    sa, ca, sd, cd = np.sin(np.radians(ra)), np.cos(np.radians(ra)), np.sin(np.radians(dec)), np.cos(np.radians(dec))
    return [cd * ca, cd * sa, sd], [-sa, ca, np.zeros_like(sa)], [-sd * ca, -sd * sa, cd]


def place(ra: np.ndarray, dec: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Galactocentric radius R and height z (kpc) of stars at ra, dec (deg, ICRS) and distance (pc)."""
    gx, gy, gz = _rotated(_axes(np.asarray(ra, float), np.asarray(dec, float))[0])
    kpc = np.asarray(distance) / 1000
    return np.hypot(gx * kpc - R_SUN, gy * kpc), gz * kpc


def phase_space(ra, dec, distance, pmra, pmdec, rv) -> dict[str, np.ndarray]:
    """Cylindrical coordinates and velocities from what is observed: the inverse of `kinematics.observe`.

    Parameters
    ----------
    ra, dec : ndarray
        deg, ICRS.
    distance : ndarray
        pc.
    pmra, pmdec : ndarray
        mas/yr, pmra with cos dec.
    rv : ndarray
        km/s.

    Returns
    -------
    dict
        r_gal, z_gal (kpc); v_r (outwards), v_phi (along rotation), v_z (km/s).
    """
    sight, east, north = _axes(np.asarray(ra, float), np.asarray(dec, float))
    kpc = np.asarray(distance) / 1000
    tangential = [KM_S_PER_KPC_MAS * kpc * np.asarray(pm) for pm in (pmra, pmdec)]
    velocity = _rotated([rv * sight[i] + tangential[0] * east[i] + tangential[1] * north[i] for i in range(3)])
    vx, vy, vz = (velocity[i] + V_SUN[i] for i in range(3))
    gx, gy, gz = _rotated(sight)
    x, y = gx * kpc - R_SUN, gy * kpc
    radius = np.hypot(x, y)
    return {"r_gal": radius, "z_gal": gz * kpc, "v_r": (vx * x + vy * y) / radius, "v_phi": (vx * y - vy * x) / radius, "v_z": vz}


def limits(r_gal: np.ndarray, z_gal: np.ndarray, v_r: np.ndarray, v_phi: np.ndarray, v_z: np.ndarray) -> dict[str, np.ndarray]:
    """Peri- and apocentre, their mean, eccentricity and largest height of orbits.

    The two radii are the roots of E = L^2 / 2 R^2 + V0^2 ln R, found by bisection in R over the guiding radius: the left one lies
    below 1, the right one above. z_max = sqrt(z^2 + (v_z/nu)^2 (1 + 0.9 |v_z|/nu)): the force grows slower than the height.

    Returns
    -------
    dict
        r_peri, r_apo, r_mean (kpc), ecc, z_max (kpc).
    """
    guiding = np.maximum(np.abs(r_gal * v_phi) / V_CIRCULAR, 1e-4)  # an orbit without angular momentum has no guiding radius
    now = r_gal / guiding
    energy = 0.5 * (v_r / V_CIRCULAR) ** 2 + 0.5 / now**2 + np.log(now)
    inner, outer = _root(energy, 1 / np.sqrt(2 * energy + 20), 1.0), _root(energy, np.exp(np.maximum(energy, 0.5)), 1.0)
    height = np.sqrt(z_gal**2 + (v_z / NU) ** 2 * (1 + 0.9 * np.abs(v_z) / NU))
    return {
        "r_peri": inner * guiding, "r_apo": outer * guiding, "r_mean": 0.5 * (inner + outer) * guiding,
        "ecc": (outer - inner) / (outer + inner), "z_max": height,
    }  # fmt: skip


def _root(energy, forbidden, allowed):
    """Where 0.5/x^2 + ln x = energy between a point outside the orbit and one on it."""
    low, high = np.broadcast_to(forbidden, energy.shape).copy(), np.broadcast_to(allowed, energy.shape).copy()
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        outside = 0.5 / middle**2 + np.log(middle) > energy
        low, high = np.where(outside, middle, low), np.where(outside, high, middle)
    return 0.5 * (low + high)
