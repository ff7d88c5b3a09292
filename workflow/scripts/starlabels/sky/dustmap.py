"""A smooth map of interstellar reddening for the simulated sky, in the format of Schlegel, Finkbeiner & Davis (1998).

The map is a low high-latitude level that varies by a quarter over some ten degrees, plus one cloud in every field. The
clouds differ in depth, so that about two thirds of the stars stay below E(B-V) = 0.05 (the training cut of Table 2)
while one field reaches 0.5. Near a cluster the map takes the cluster's own value.

The map *is* its pixels: `map_value` interpolates between pixel values exactly as `dustmaps.sfd.SFDQuery` does between
those of the files, so a star's catalogue value is what the workflow will read for it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

from ..io import atomic
from .clusters import cluster
from .layout import discs_of, offset
from .random import normals, uniforms

SCALE = 512  # pixels from the pole to the equator; SFD98 have 2048
SIZE = 2 * SCALE
POLES = {"ngp": 1, "sgp": -1}
BASE = 0.0175  # median level at the pole, mag
DEPTHS = (0.045, 0.09, 0.22, 0.56)  # peak of the cloud in a field, mag; the last field is the deepest
CLOUD_DISTANCE, CLOUD_SIGMA = 0.60, 0.36  # of the cloud: distance from the field's centre and width, in field radii
CLUSTER_REACH = 0.9  # deg; within it the map has the cluster's value


def _vectors(lon, lat) -> np.ndarray:
    """Unit vectors (3, ...) of Galactic positions in deg."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _galactic(ra, dec) -> tuple[np.ndarray, np.ndarray]:
    place = SkyCoord(np.asarray(ra, float) * u.deg, np.asarray(dec, float) * u.deg, frame="icrs").galactic
    return place.l.deg, place.b.deg


def _cloud_depths(count: int) -> np.ndarray:
    """Peak E(B-V) of the clouds of `count` fields: the default values, or a row of the same range; one field gets the deepest."""
    if count == len(DEPTHS):
        return np.array(DEPTHS)
    return np.geomspace(DEPTHS[0], DEPTHS[-1], count) if count > 1 else np.array(DEPTHS[-1:])


def _model(vectors: np.ndarray, config: Mapping) -> np.ndarray:
    """E(B-V) in mag at unit vectors (3, n), Galactic frame."""
    seed = config["seed"]
    waves = normals(seed, "dust/waves", np.arange(12), 3) * 6.0
    phases = 2 * np.pi * uniforms(seed, "dust/phases", np.arange(12), 1)[:, 0]
    texture = sum(np.cos(_dot(wave, vectors) + phase) for wave, phase in zip(waves, phases, strict=True))
    level = BASE * np.exp(0.25 * texture / np.sqrt(6.0)) / np.maximum(np.abs(vectors[2]), 0.15)
    discs = [d for d in discs_of(config) if d["cluster"] is None]
    angles = 360.0 * uniforms(seed, "dust/clouds", np.arange(len(discs)), 1)[:, 0]
    for disc, depth, angle in zip(discs, _cloud_depths(len(discs)), angles, strict=True):
        width = max(CLOUD_SIGMA * disc["radius"], 0.2)
        centre = _vectors(*_galactic(*offset(disc["ra"], disc["dec"], CLOUD_DISTANCE * disc["radius"], angle)))
        level = level + depth * np.exp(-_half_chord(vectors, centre) / np.radians(width) ** 2)
    for name in config["sky"]["clusters"]:
        known = cluster(name)
        centre = _vectors(*_galactic(known["ra"], known["dec"]))
        weight = np.exp(-((2.0 * _half_chord(vectors, centre) / np.radians(CLUSTER_REACH) ** 2) ** 4))
        level = weight * known["ebv"] + (1.0 - weight) * level
    return level


def _dot(a: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Scalar products, element by element: a matrix product's last bits may depend on the number of stars."""
    return a[0] * vectors[0] + a[1] * vectors[1] + a[2] * vectors[2]


def _half_chord(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Half the squared chord to a centre: half the squared angle (rad) for small angles."""
    return 1.0 - _dot(centre, vectors)


def _pixel_vectors(x: np.ndarray, y: np.ndarray, pole: int) -> np.ndarray:
    """Unit vectors of pixel centres (zero-based); SFD98's equal-area projection, appendix C, continued beyond the equator."""
    dx = (x - (SCALE - 0.5)) / SCALE
    dy = (y - (SCALE - 0.5)) / SCALE
    square = np.minimum(dx**2 + dy**2, 2.0)
    sin_b = 1.0 - square
    return np.stack([dx * np.sqrt(2.0 - square), -pole * dy * np.sqrt(2.0 - square), pole * sin_b])


def _pixels(x: np.ndarray, y: np.ndarray, pole: int, config: Mapping) -> np.ndarray:
    """float32 values of pixels, as they stand in the files."""
    vectors = _pixel_vectors(np.asarray(x, float), np.asarray(y, float), pole)
    return _model(vectors.reshape(3, -1), config).astype(np.float32).reshape(np.shape(x))


def map_value(lon: np.ndarray, lat: np.ndarray, config: Mapping) -> np.ndarray:
    """E(B-V) of the map, mag, at Galactic positions in deg: linear interpolation between the four pixels around.

    Parameters
    ----------
    lon, lat : ndarray, shape (n,)
    config : mapping
        The merged configuration (`seed`, `sky`).

    Returns
    -------
    ndarray, shape (n,)
    """
    lon, lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    out = np.empty(len(lon))
    for pole in POLES.values():
        use = (lat >= 0) == (pole > 0)
        if not use.any():
            continue
        radius = SCALE * np.sqrt(1.0 - pole * np.sin(np.radians(lat[use])))
        x = np.clip(radius * np.cos(np.radians(lon[use])) + SCALE - 0.5, 0, SIZE - 1)
        y = np.clip(-pole * radius * np.sin(np.radians(lon[use])) + SCALE - 0.5, 0, SIZE - 1)
        x0, y0 = np.minimum(x.astype(int), SIZE - 2), np.minimum(y.astype(int), SIZE - 2)
        # several stars share a pixel: each pixel is computed once
        corners = np.concatenate([(y0 + j) * SIZE + x0 + i for j in (0, 1) for i in (0, 1)])
        pixels, back = np.unique(corners, return_inverse=True)
        values = _pixels(pixels % SIZE, pixels // SIZE, pole, config).astype(float)[back].reshape(4, -1)
        fx, fy = x - x0, y - y0
        out[use] = (values[0] * (1 - fx) + values[1] * fx) * (1 - fy) + (values[2] * (1 - fx) + values[3] * fx) * fy
    return out


def map_at(ra: np.ndarray, dec: np.ndarray, config: Mapping) -> np.ndarray:
    """E(B-V) of the map, mag, at ICRS positions in deg."""
    return map_value(*_galactic(np.atleast_1d(ra), np.atleast_1d(dec)), config)


def true_ebv(ra: np.ndarray, dec: np.ndarray, index: np.ndarray, config: Mapping) -> np.ndarray:
    """True E(B-V) of stars, mag: the map's value divided by 1 + `sky.ebv_error` N, so that map = truth (1 + error N) (section 4.3).

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        deg, ICRS.
    index : ndarray of int64, shape (n,)
        Star indices, the key of each star's N.
    """
    error = config["sky"]["ebv_error"] * normals(config["seed"], "dust/error", index, 1)[:, 0]
    # the factor stays positive however large the error is set
    return np.maximum(map_at(ra, dec, config) / np.maximum(1.0 + error, 0.2), 0.0)


def write_dust(config: Mapping, north: str | Path, south: str | Path) -> None:
    """Write the map as the pair of FITS images that SFD readers know (`SFD_dust_4096_ngp.fits`, `..._sgp.fits`).

    The names keep SFD98's 4096; the images have 1024 pixels a side and say so in their headers. About 1 s and 100 MB.
    """
    for pole, path in zip(POLES.values(), (north, south), strict=True):
        image = np.empty((SIZE, SIZE), np.float32)
        for begin in range(0, SIZE, 128):
            y, x = np.mgrid[begin : begin + 128, 0:SIZE]
            image[begin : begin + 128] = _pixels(x, y, pole, config)
        hdu = fits.PrimaryHDU(image)
        for card in _cards(pole):
            hdu.header.append(card)
        hdu.header["COMMENT"] = "Simulated reddening, not a measurement."
        with atomic(path) as part:
            hdu.writeto(part, overwrite=True)


def _cards(pole: int) -> list[tuple]:
    """Header cards as in the files of SFD98, for this size."""
    step = float(np.degrees(np.sqrt(2.0)) / SCALE)
    return [
        ("OBJECT", "E(B-V)"),
        ("BUNIT", "mag"),
        ("CRPIX1", SCALE + 0.5, "1-indexed X pixel number of pole"),
        ("CRVAL1", 90.0),
        ("CTYPE1", "GLON-ZEA", "X=sqrt(1-NSGP*sin(b))*cos(l)*SCALE"),
        ("CRPIX2", SCALE + 0.5, "1-indexed Y pixel number of pole"),
        ("CRVAL2", 90.0 * pole),
        ("CTYPE2", "GLAT-ZEA", "Y=-NSGP*sqrt(1-NSGP*sin(b))*sin(l)*SCALE"),
        ("CD1_1", -pole * step),
        ("CD1_2", 0.0),
        ("CD2_1", 0.0),
        ("CD2_2", pole * step),
        ("LONPOLE", 180.0 if pole > 0 else 0.0),
        ("LAM_NSGP", pole, "NSGP=+1 for north polar, =-1 for south polar"),
        ("LAM_SCAL", SCALE, "SCALE=number of pixels from b=0 to b=90 deg"),
    ]
