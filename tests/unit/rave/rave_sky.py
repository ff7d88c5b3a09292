"""Configuration of a simulated RAVE survey for the tests."""

import copy

import yaml
from paths import ROOT

RAVE = {
    "n_spectra": 20_000, "n_apogee": 7200, "shard_spectra": 3000, "field_radius": 2.85, "n_k2": 462, "supergiant": True,
    "fields": [{"name": "south1", "ra": 30.0, "dec": -35.0}, {"name": "south2", "ra": 165.0, "dec": -25.0},
               {"name": "south3", "ra": 215.0, "dec": -20.0}, {"name": "south4", "ra": 330.0, "dec": -45.0}],
    "clusters": ["47 Tuc", "Pleiades", "Blanco 1", "IC 4651", "omega Cen"],
    "offsets": dict.fromkeys(("apogee16", "bdasp", "irfm", "k2", "high_resolution", "madera", "gauguin"), True),
}  # fmt: skip


def rave_config(**changes) -> dict:
    """The configuration of the default run with `sky.rave` of the tests; keyword arguments replace keys of it."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | yaml.safe_load((ROOT / "config/sages.yaml").read_text())
    config["sky"]["rave"] = copy.deepcopy(RAVE) | changes
    return config


def small_config(**changes) -> dict:
    """A survey of 1 500 spectra."""
    return rave_config(**({"n_spectra": 1500, "n_apogee": 500, "n_k2": 40} | changes))
