"""What the cross-match benchmark shares: two made-up catalogues of one sky, half of whose rows match."""

from pathlib import Path

import numpy as np
import pandas as pd

LEFT, GAIA = "left_id", "gaia_dr3_source_id"
DENSITY = 5000          # stars a square degree
RADIUS = 1.0            # arcsec
HEIGHT = 20.0           # of the field, deg

_POSITION = {
    "ra": {"native": "ra", "unit": "deg", "description": "Right ascension"},
    "dec": {"native": "dec", "unit": "deg", "description": "Declination"},
}
_MOTION = {name: {"native": name, "unit": "mas / yr", "description": "Proper motion"} for name in ("pmra", "pmdec")}
#: the entries that config/datasets.yaml would have for the two
SPECS = {
    "left": {"format": "parquet", "cell_by": "position", "unique": LEFT, "sort": [LEFT], "columns": {
        LEFT: {"native": LEFT, "type": "int64", "description": "Number of the row"}, **_POSITION}},
    "gaia": {"format": "parquet", "cell_by": GAIA, "margin": True, "unique": GAIA, "sort": [GAIA], "columns": {
        GAIA: {"native": GAIA, "type": "int64", "description": "Gaia source id"}, **_POSITION, **_MOTION}},
}  # fmt: skip


def catalogues(rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """Two catalogues of `rows` sources in a field at the equator that grows with them.

    Every second source of the left one is a source of the other, off by 0.1 arcsec in each coordinate (rms); the rows of both
    are shuffled. Ids of the other are Gaia's: the place on the sky in the upper bits.
    """
    from starlabels.cells import cell_of

    rng = np.random.default_rng(seed)
    width = rows / DENSITY / HEIGHT
    places = []
    for _ in range(2):
        top = np.sin(np.radians(HEIGHT / 2))
        places.append([100 + rng.uniform(0, width, rows), np.degrees(np.arcsin(rng.uniform(-top, top, rows)))])
    left, gaia = places
    half, star = rng.permutation(rows)[: rows // 2], rng.permutation(rows)[: rows // 2]
    error = rng.normal(0, 0.1 / 3600, (2, len(half)))
    left[1][half] = gaia[1][star] + error[1]
    left[0][half] = gaia[0][star] + error[0] / np.cos(np.radians(gaia[1][star]))
    ids = (cell_of(*gaia, 4096) << 35) | np.arange(rows)
    pm = rng.normal(0, 5, (2, rows))
    return {
        "left": pd.DataFrame({LEFT: np.arange(rows), "ra": left[0], "dec": left[1]}),
        "gaia": pd.DataFrame({GAIA: ids, "ra": gaia[0], "dec": gaia[1], "pmra": pm[0], "pmdec": pm[1]}),
    }


def write(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write both as Parquet and as FITS."""
    from astropy.table import Table

    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
        Table.from_pandas(frame).write(folder / f"{name}.fits", overwrite=True)
