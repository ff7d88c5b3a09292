"""Made-up native tables of a catalogue cut by position and of one cut by Gaia ids, for tests."""

import numpy as np
import pandas as pd

NSIDE = 2
CELLS = list(range(12 * NSIDE**2))
SPEC = {
    "description": "made up", "reference": "nobody", "format": "csv", "cell_by": "position", "sort": ["name"],
    "epoch": {"columns": ["mjd"], "scale": "mjd", "default": 2010.0},
    "columns": {
        "name": {"native": "NAME", "type": "str", "description": "name"},
        "ra": {"native": "RA", "unit": "deg", "description": "ra"},
        "dec": {"native": "DEC", "unit": "deg", "description": "dec"},
        "mag": {"native": "MAG", "unit": "mag", "type": "float32", "sentinel": -999.99, "add": -2.5, "description": "mag"},
        "mag_err": {"native": "ERR", "unit": "mag", "type": "float32", "description": "error"},
        "quality": {"native": "Q", "type": "str", "description": "quality"},
        "flag": {"native": "FLAG", "type": "int32", "missing": -1, "description": "flag"},
        "mask": {"native": "MASK", "type": "int64", "missing": -1, "keep": False, "description": "bits"},
        "mjd": {"native": "MJD", "unit": "d", "sentinel": {"max": -900}, "keep": False, "description": "date"},
    },
    "derive": {"snr": {"recipe": "signal_to_noise", "err": "mag_err", "description": "S/N"}},
    "blank": [{
        "text": "upper limit", "columns": ["mag"],
        "any": [{"column": "quality", "character": 1, "in": ["U"]}, {"column": "mag_err", "missing": True}],
    }],
    "drop": [{"text": "bad bit", "where": {"column": "mask", "bits": [2, 23]}}],
    "require": [{"text": "flag 0 or 1", "where": {"column": "flag", "in": [0, 1]}}],
}  # fmt: skip


def sky(n=400, seed=1):
    """Positions all over the sky with a few awkward rows, in native columns."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "NAME": [f"s{i:04d}" for i in rng.permutation(n)], "RA": rng.random(n) * 360, "DEC": np.degrees(np.arcsin(2 * rng.random(n) - 1)),
        "MAG": 12 + rng.random(n), "ERR": 0.1, "Q": "AA", "FLAG": 0, "MASK": 0, "MJD": 57388.5,
    }).astype({"FLAG": object})  # fmt: skip
    frame.loc[0, "MAG"], frame.loc[1, "Q"], frame.loc[2, "ERR"] = -999.99, "AU", np.nan
    frame.loc[3, "MASK"], frame.loc[4, "MASK"], frame.loc[5, "FLAG"], frame.loc[6, "FLAG"] = 1 << 23, 1 << 22, 7, None
    frame.loc[7, "MJD"], frame.loc[8, "RA"] = -999.99, np.nan
    return frame


BY_ID = {
    **{k: v for k, v in SPEC.items() if k not in ("blank", "drop", "require", "derive", "epoch")},
    "cell_by": "gaia_dr3_source_id", "unique": "gaia_dr3_source_id", "sort": ["gaia_dr3_source_id"],
    "columns": {
        "gaia_dr3_source_id": {"native": "ID", "type": "int64", "sentinel": [-9999, 0], "description": "id"},
        "mag": {"native": "MAG", "description": "mag"},
    },
    "drop": [{"text": "no id", "where": {"column": "gaia_dr3_source_id", "missing": True}}],
}  # fmt: skip


def ids(n=100, seed=3):
    """Gaia-like ids: any cell, a running number that is a multiple of 128."""
    rng = np.random.default_rng(seed)
    return (rng.choice(12 * 4096**2, n, replace=False).astype(np.int64) << 35) + 128 * rng.integers(1, 2**25, n)


def changed(spec, column, **entry):
    return {**spec, "columns": {**spec["columns"], column: {**spec["columns"].get(column, {}), **entry}}}
