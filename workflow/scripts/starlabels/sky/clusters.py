"""Star clusters: mean values that their members share.

Positions (deg), proper motions (mas/yr), distances (pc), ages (Gyr), [Fe/H] and E(B-V) are literature values from memory, rounded;
a simulated sky needs only that they are of the right kind. `g_min` and `g_max` are the brightest and the faintest member drawn,
`giant_share` is the share of giants among them before rejection (1 where the turn-off is too faint to be seen). NGC 6934 is so far
that only members brighter than G = 15 or so reach the S/N of 20 in u that Section 3.5 asks for; fainter ones are not drawn.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InputError

_FIELDS = (
    "name", "ra", "dec", "distance", "feh", "feh_spread", "alpha_fe", "age", "ebv", "pmra", "pmdec", "rv", "members", "radius",
    "g_min", "g_max", "giant_share",
)  # fmt: skip
_ROWS = (
    ("NGC 2420", 114.60, 21.58, 2500.0, -0.10, 0.0, 0.03, 1.7, 0.04, -1.21, -2.06, 74.0, 200, 0.25, 11.0, 18.0, 0.12),
    ("NGC 2682", 132.85, 11.81, 860.0, 0.03, 0.0, 0.0, 4.0, 0.04, -10.97, -2.94, 33.9, 400, 0.50, 10.0, 18.0, 0.12),
    ("NGC 6934", 308.55, 7.40, 15_600.0, -1.47, 0.0, 0.28, 12.0, 0.10, -2.66, -4.67, -406.0, 150, 0.15, 12.0, 15.4, 1.0),
    ("NGC 7089", 323.36, -0.82, 11_500.0, -1.65, 0.0, 0.28, 12.5, 0.06, 3.51, -2.16, -3.8, 200, 0.15, 12.0, 17.3, 1.0),
    ("47 Tuc", 6.02, -72.08, 4500.0, -0.72, 0.0, 0.25, 12.0, 0.04, 5.25, -2.53, -17.5, 12, 0.40, 8.6, 13.2, 1.0),
    ("Pleiades", 56.60, 24.11, 136.0, 0.03, 0.0, 0.0, 0.12, 0.045, 20.0, -45.5, 5.7, 12, 1.30, 8.6, 13.2, 0.0),
    ("Blanco 1", 0.85, -29.96, 237.0, 0.04, 0.0, 0.0, 0.12, 0.01, 18.7, 2.6, 5.9, 1, 0.70, 8.6, 13.2, 0.0),
    ("IC 4651", 261.21, -49.92, 930.0, 0.11, 0.0, 0.0, 1.7, 0.12, -2.41, -5.05, -30.3, 8, 0.20, 8.6, 13.2, 0.5),
    ("omega Cen", 201.70, -47.48, 5240.0, -1.53, 0.25, 0.28, 12.0, 0.12, -3.2, -6.75, 232.7, 12, 0.60, 8.6, 13.2, 1.0),
)
#: name -> its row as a read-only mapping (keys as in `_FIELDS`)
CLUSTERS: Mapping[str, Mapping] = MappingProxyType({row[0]: MappingProxyType(dict(zip(_FIELDS, row, strict=True))) for row in _ROWS})


def cluster(name: str) -> Mapping:
    """The values of one cluster.

    Raises
    ------
    InputError
        When the simulated sky knows no cluster of that name.
    """
    if name not in CLUSTERS:
        raise InputError("sky.clusters", f"has no cluster {name!r}", f"Known: {', '.join(CLUSTERS)}")
    return CLUSTERS[name]
