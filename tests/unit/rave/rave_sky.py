"""Configuration of a simulated RAVE survey for the tests."""

import yaml
from paths import ROOT


def rave_config(**changes) -> dict:
    """The configuration of the default run ; keyword arguments replace keys of `sky.rave`."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | yaml.safe_load((ROOT / "config/sages.yaml").read_text())
    config["sky"]["rave"] |= changes
    return config


def small_config(**changes) -> dict:
    """A survey of 1 500 spectra."""
    return rave_config(**({"n_spectra": 1500, "n_apogee": 500, "n_k2": 40} | changes))
