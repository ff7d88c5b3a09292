"""Where the spectra of the simulated RAVE survey lie: southern fields, calibration clusters, the K2 field, and their shards.

The configuration gives the number of spectra, not of stars: a star is observed once, or 2 to 6 times. How often is a function of the
seed and the star's index alone, so the number of stars follows here, before any star is drawn; the last star of a field loses
the visits that would exceed the field's share. Neither `shard_spectra` nor the order of the work changes a star.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ..clusters import cluster
from ..layout import FIELD_STEP
from ..random import uniforms

#: share of stars with 2 to 6 visits, and how those visits are distributed
REPEAT_SHARE = 0.12
REPEAT_VISITS = (0.79, 0.13, 0.04, 0.025, 0.015)
MOST_VISITS = 6

MOST_FIELDS = 30
FIRST_NUMBER = 64  # of the fields; the photometric half's stars have smaller ones, so the two skies share no random number
K2_NUMBER = FIRST_NUMBER + MOST_FIELDS
SUPERGIANT_NUMBER = K2_NUMBER + 1
CLUSTER_NUMBER = K2_NUMBER + 2  # of the first cluster's members; 127 is the last number that ids have room for
SUPERGIANT_VISITS = 6
SUPERGIANT_PLACE = (242.498, -48.569)  # deg, where its Gaia id lies
#: clusters whose members are in APOGEE (Section 6.6 finds stars of these two in the training sample)
APOGEE_CLUSTERS = ("47 Tuc", "Pleiades")
#: K2 campaign 1: where the first red giants of RAVE with oscillations were found (Valentini et al. 2017)
K2_FIELD = {"ra": 173.9, "dec": 1.4, "radius": 6.5}


@dataclass(frozen=True)
class Shard:
    """Spectra that are simulated at once and packed into one file.

    Attributes
    ----------
    name : str
        `<field>-<number>`, such as `south1-000`, `k2-000`, `clusters-000`.
    kind : str
        `field`, `k2` or `clusters` (members of all clusters, and the supergiant).
    field : str
        Name of the field.
    number : int
        Star indices of the field start at `number * 2**40`; -1 for the clusters.
    first, count : int
        Stars `first` to `first + count - 1` of the field.
    spectra : int
        Spectra of these stars.
    last_visits : int
        Visits of the last star (-1: as drawn): the end of a field may cut them.
    ra, dec, radius : float
        Disc of the field, deg; NaN for the clusters.
    """

    name: str
    kind: str
    field: str
    number: int
    first: int
    count: int
    spectra: int
    last_visits: int = -1
    ra: float = float("nan")
    dec: float = float("nan")
    radius: float = float("nan")

    @property
    def index(self) -> np.ndarray:
        """Star indices, int64 (count,); empty for the clusters."""
        return max(self.number, 0) * FIELD_STEP + np.arange(self.first, self.first + self.count, dtype=np.int64)


def drawn_visits(seed: int, index: np.ndarray) -> np.ndarray:
    """Number of visits (1 to 6) of each star of a field, int64 (n,)."""
    u = uniforms(seed, "rave/visits", index)[:, 0]
    edges = np.cumsum(REPEAT_VISITS) / sum(REPEAT_VISITS)
    more = 2 + np.minimum(np.searchsorted(edges, u / REPEAT_SHARE, side="right"), len(edges) - 1)
    return np.where(u < REPEAT_SHARE, more, 1).astype(np.int64)


def visits_of(piece: Shard, seed: int) -> np.ndarray:
    """Number of visits of each star of a shard of a field, int64 (count,); its sum is `piece.spectra`. K2 stars have one."""
    if piece.kind == "k2":
        return np.ones(piece.count, np.int64)
    visits = drawn_visits(seed, piece.index)
    if piece.last_visits >= 0 and len(visits):
        visits[-1] = piece.last_visits
    return visits


def cluster_numbers(config: Mapping) -> dict[str, int]:
    """Cluster -> number of its star indices, in the order of `sky.rave.clusters`."""
    return {name: CLUSTER_NUMBER + k for k, name in enumerate(config["sky"]["rave"]["clusters"])}


def _spectra_of_clusters(config: Mapping) -> int:
    rave = config["sky"]["rave"]
    return sum(cluster(name)["members"] for name in rave["clusters"]) + (SUPERGIANT_VISITS if rave["supergiant"] else 0)


def field_spectra(config: Mapping) -> list[int]:
    """Spectra of each field: what clusters, K2 field and supergiant leave of `n_spectra`, in equal shares.

    Raises
    ------
    InputError
        When the fields are none, too many, or named twice; when nothing is left for them; when `n_apogee` exceeds them.
    """
    rave = config["sky"]["rave"]
    fields = rave["fields"]
    names = [f["name"] for f in fields] + ["clusters", "k2"]
    if not fields or len(fields) > MOST_FIELDS:
        raise InputError("configuration key `sky.rave.fields`", f"has {len(fields)} fields", f"Give 1 to {MOST_FIELDS}")
    if len(set(names)) < len(names):
        raise InputError("configuration key `sky.rave.fields`", "names a field twice, or one `clusters` or `k2`", "Give other names")
    if len(rave["clusters"]) > 128 - CLUSTER_NUMBER:
        raise InputError("configuration key `sky.rave.clusters`", "is too long", f"At most {128 - CLUSTER_NUMBER} clusters")
    left = rave["n_spectra"] - _spectra_of_clusters(config) - rave["n_k2"]
    if left < len(fields) * MOST_VISITS:
        found = f"is {rave['n_spectra']}: {rave['n_spectra'] - left} of them belong to clusters, supergiant and K2 field"
        raise InputError("configuration key `sky.rave.n_spectra`", found, "Raise it, or lower n_k2 and the clusters")
    if rave["n_apogee"] > left:
        found = f"is {rave['n_apogee']}, but only {left} spectra lie in the fields"
        raise InputError("configuration key `sky.rave.n_apogee`", found, "Lower it, or raise n_spectra")
    return [left // len(fields) + (k < left % len(fields)) for k in range(len(fields))]


def apogee_share(config: Mapping) -> float:
    """Share of the stars of the fields and of the K2 field that APOGEE observed too; members of some clusters come first."""
    rave = config["sky"]["rave"]
    members = sum(cluster(name)["members"] for name in rave["clusters"] if name in APOGEE_CLUSTERS)
    return max(rave["n_apogee"] - members, 0) / (sum(field_spectra(config)) + rave["n_k2"])


def _cut(total: int, seed: int, number: int, size: int) -> list[tuple[int, int, int, int]]:
    """Pieces (first star, stars, spectra, visits of the last star) of a field of `total` spectra, at most `size` each."""
    index = number * FIELD_STEP + np.arange(total, dtype=np.int64)
    ends = np.cumsum(drawn_visits(seed, index))
    stars = int(np.searchsorted(ends, total, side="left")) + 1
    ends = ends[:stars]
    ends[-1] = total
    pieces, first, done = [], 0, 0
    while first < stars:
        stop = max(int(np.searchsorted(ends, done + size, side="right")), first + 1)
        last = int(ends[-1] - (ends[-2] if stars > 1 else 0)) if stop == stars else -1
        pieces.append((first, stop - first, int(ends[stop - 1] - done), last))
        first, done = stop, int(ends[stop - 1])
    return pieces


def shards(config: Mapping) -> list[Shard]:
    """Every shard of the simulated survey, in a fixed order.

    Parameters
    ----------
    config : mapping
        The merged configuration (`seed`, `sky.rave`).

    Raises
    ------
    InputError
        When a cluster is unknown, or the numbers and fields do not fit together.
    """
    rave, seed = config["sky"]["rave"], config["seed"]
    size = max(int(rave["shard_spectra"]), MOST_VISITS)
    found = []
    for number, (entry, total) in enumerate(zip(rave["fields"], field_spectra(config), strict=True), start=FIRST_NUMBER):
        disc = {"ra": float(entry["ra"]), "dec": float(entry["dec"]), "radius": float(rave["field_radius"])}
        for piece, (first, count, spectra, last) in enumerate(_cut(total, seed, number, size)):
            found.append(Shard(f"{entry['name']}-{piece:03d}", "field", entry["name"], number, first, count, spectra, last, **disc))
    if _spectra_of_clusters(config):
        found.append(Shard("clusters-000", "clusters", "clusters", -1, 0, 0, _spectra_of_clusters(config)))
    for piece, first in enumerate(range(0, rave["n_k2"], size)):
        count = min(size, rave["n_k2"] - first)
        found.append(Shard(f"k2-{piece:03d}", "k2", "k2", K2_NUMBER, first, count, count, **K2_FIELD))
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
