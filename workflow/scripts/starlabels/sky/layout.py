"""Where the stars of the simulated sky lie: fields, clusters and their pieces ("shards"), fixed by the configuration.

A star has one index for ever: number of its field times 2^40, plus its place in the field. Everything about the star
is drawn from streams keyed by that index, so neither `sky.shard_stars` nor the order of the work changes a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..cells import cells_in_disc
from ..errors import InputError
from .clusters import cluster
from .random import uniforms

#: Share of the drawn stars that end as a SAGES source (the others are too faint in u and v, or lost): measured.
SAGES_SHARE = 0.9406
#: Smallest radius (deg) of the field of stars around a cluster, so that membership is a real question.
CLUSTER_FIELD_RADIUS = 0.4
FIELD_STEP = 2**40  # star indices reserved for one field
COMPANION = 2**39  # added to a star's index for its close neighbour
CLUSTER_SLOT = 32  # fields have the numbers 0..31; cluster k has 32 + 2k (surrounding field) and 33 + 2k (members)
MAX_STARS = 2**28  # stars a field can hold: what Gaia-like ids leave room for


@dataclass(frozen=True)
class Shard:
    """A run of stars of one field that is generated at once.

    Attributes
    ----------
    name : str
        `<field>-<number>`, such as `north1-000`.
    field : str
        Name of the field; of a cluster: its name in lower case without blanks.
    number : int
        Number of the field (star indices start at `number * 2**40`).
    first, count : int
        Stars `first` to `first + count - 1` of the field (of a cluster: members first, then the stars around it).
    ra, dec, radius : float
        Disc of the field, deg.
    cluster : str or None
        Name of the cluster.
    members : int
        Members of the cluster (0 for a field).
    """

    name: str
    field: str
    number: int
    first: int
    count: int
    ra: float
    dec: float
    radius: float
    cluster: str | None = None
    members: int = 0

    @property
    def member_range(self) -> tuple[int, int]:
        """Places (begin, end) of the cluster members in this shard."""
        return min(self.first, self.members), min(self.first + self.count, self.members)

    @property
    def field_range(self) -> tuple[int, int]:
        """Places (begin, end) of the field stars in this shard, counted without the members."""
        return max(self.first - self.members, 0), max(self.first + self.count - self.members, 0)


def _cap_radius(area: float) -> float:
    """Radius (deg) of a disc on the sphere of `area` square degrees."""
    return float(np.degrees(np.arccos(1.0 - area * np.radians(1.0) ** 2 / (2.0 * np.pi))))


def _cap_area(radius: float) -> float:
    return float(2.0 * np.pi * (1.0 - np.cos(np.radians(radius))) / np.radians(1.0) ** 2)


def discs_of(config: Mapping) -> list[dict]:
    """Every field and cluster of the configuration: field, number, ra, dec, radius, cluster, members, stars."""
    sky = config["sky"]
    fields, clusters = sky["fields"], sky["clusters"]
    density = sky["density"] / SAGES_SHARE
    if not fields:
        raise InputError("configuration key `sky.fields`", "is empty", "Give at least one field")
    if len(fields) > CLUSTER_SLOT or len(clusters) > (64 - CLUSTER_SLOT) // 2:
        raise InputError("configuration keys `sky.fields`, `sky.clusters`", "are too long", "At most 32 fields and 16 clusters")
    names = [f["name"] for f in fields]
    if len(set(names)) < len(names):
        raise InputError("configuration key `sky.fields`", "names a field twice", "Give each field its own name")
    found = []
    for number, entry in enumerate(fields):
        sages = sky["n_sages"] // len(fields) + (number < sky["n_sages"] % len(fields))
        stars = round(sages / SAGES_SHARE)
        area = stars / density
        if stars > MAX_STARS or area > 2.0 * np.pi / np.radians(1.0) ** 2:
            raise InputError(
                "configuration key `sky.n_sages`", f"needs a field of {area:.0f} square degrees", "Raise sky.density or add fields"
            )
        disc = {"field": entry["name"], "number": number, "ra": float(entry["ra"]), "dec": float(entry["dec"])}
        found.append({**disc, "radius": _cap_radius(area), "cluster": None, "members": 0, "stars": stars})
    for k, name in enumerate(clusters):
        known = cluster(name)
        radius = max(known["radius"], CLUSTER_FIELD_RADIUS)
        disc = {"field": name.lower().replace(" ", ""), "number": CLUSTER_SLOT + 2 * k, "ra": known["ra"], "dec": known["dec"]}
        stars = round(density * _cap_area(radius))
        found.append({**disc, "radius": radius, "cluster": name, "members": known["members"], "stars": stars})
    return found


def shards(config: Mapping) -> list[Shard]:
    """Every shard of the simulated sky, in a fixed order.

    Parameters
    ----------
    config : mapping
        The merged configuration (`sky`).

    Raises
    ------
    InputError
        When a cluster is unknown, a name is used twice, or the fields cannot hold the stars.
    """
    size = config["sky"]["shard_stars"]
    found = []
    for disc in discs_of(config):
        total = disc["stars"] + disc["members"]
        rest = {key: disc[key] for key in ("field", "number", "ra", "dec", "radius", "cluster", "members")}
        for piece, first in enumerate(range(0, total, size)):
            found.append(Shard(name=f"{disc['field']}-{piece:03d}", first=first, count=min(size, total - first), **rest))
    return found


def shard(config: Mapping, name: str) -> Shard:
    """The shard of a name.

    Raises
    ------
    InputError
        When the configuration has no such shard.
    """
    for candidate in shards(config):
        if candidate.name == name:
            return candidate
    raise InputError(f"shard `{name}`", "does not belong to this configuration", "Run with the configuration that names it")


def cells(config: Mapping) -> list[int]:
    """HEALPix cells that the simulated fields and clusters touch, with the margin of `cells.margin_arcsec`, in rising order."""
    nside = config["cells"]["nside"]
    margin = config["cells"]["margin_arcsec"] / 3600.0
    touched: set[int] = set()
    for disc in discs_of(config):
        touched.update(cells_in_disc(disc["ra"], disc["dec"], disc["radius"] + margin, nside))
    return sorted(touched)


def field_positions(piece: Shard, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices and positions of a shard's field stars: uniform on the disc of the field.

    Returns
    -------
    index : ndarray of int64
    ra, dec : ndarray
        deg, ICRS, epoch 2016.0.
    """
    begin, end = piece.field_range
    index = piece.number * FIELD_STEP + np.arange(begin, end, dtype=np.int64)
    u = uniforms(seed, "layout/position", index, 2)
    height = 1.0 - u[:, 0] * (1.0 - np.cos(np.radians(piece.radius)))
    ra, dec = offset(piece.ra, piece.dec, np.degrees(np.arccos(height)), 360.0 * u[:, 1])
    return index, ra, dec


def member_indices(piece: Shard) -> np.ndarray:
    """Indices of a shard's cluster members."""
    begin, end = piece.member_range
    return (piece.number + 1) * FIELD_STEP + np.arange(begin, end, dtype=np.int64)


def offset(ra, dec, distance, angle) -> tuple[np.ndarray, np.ndarray]:
    """Positions at `distance` (deg) from `ra`, `dec` in the direction `angle` (deg, north through east)."""
    dec, distance, angle = (np.radians(np.asarray(x, float)) for x in (dec, distance, angle))
    sin_dec = np.sin(dec) * np.cos(distance) + np.cos(dec) * np.sin(distance) * np.cos(angle)
    sin_dec = np.clip(sin_dec, -1.0, 1.0)
    x = np.cos(distance) - np.sin(dec) * sin_dec
    y = np.sin(angle) * np.sin(distance) * np.cos(dec)
    return (np.asarray(ra, float) + np.degrees(np.arctan2(y, x))) % 360.0, np.degrees(np.arcsin(sin_dec))


def running_number(index: np.ndarray) -> np.ndarray:
    """A number below 2^35 that belongs to one star alone: companion bit, field (6 bits), place in the field (28 bits)."""
    index = np.asarray(index, dtype=np.int64)
    place = index % FIELD_STEP
    companion = place // COMPANION
    return (companion << 34) | ((index // FIELD_STEP) << 28) | (place % COMPANION)
