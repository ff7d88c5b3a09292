"""What Guiglion et al. (2020) print (published.yaml), what the configuration holds of it, and how nested values are taken apart."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from ..errors import InputError
from ..network import of_configuration

PUBLISHED = Path(__file__).with_name("published.yaml")
PAIRS = {"bias": 0, "sigma": 1, "mean": 0, "dispersion": 1}      # parts of a value given as a list of two


def published(path=PUBLISHED) -> list[dict]:
    """The paper's claims.

    Raises
    ------
    InputError
        When the file is damaged or names a claim twice.
    """
    try:
        entries = yaml.safe_load(Path(path).read_text())["claims"]
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(path, f"is not a list of claims ({error})", "Restore the file") from error
    names = [e["id"] for e in entries]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"{path}, claim {twice[0]}", "is there twice", "Keep one")
    return entries


def configured(cfg: Mapping) -> dict[str, dict]:
    """Claims that are choices, from the configuration of the run."""
    training, network, fit = cfg["training"], cfg["network"], cfg["fit"]
    listed = {k: ", ".join(map(str, v)) for k, v in (("bad", training["bad_classes"]), ("seen", cfg["observed"]["bad_classes"]),
                                                     ("filters", network["filters"]))}
    values = {
        "rave.grid": {k: cfg["spectra"][k] for k in ("start", "step", "pixels")},
        "rave.apogee_cuts": {k: training[k] for k in ("snr_apogee_min", "aspcapflag")},
        "rave.rave_cuts": {k: training[k] for k in ("snr_min", "parallax_error_max")} | {"bad_classes": listed["bad"]},
        "rave.observed_cuts": {"snr_min": cfg["observed"]["snr_min"], "bad_classes": listed["seen"]},
        "rave.network": {k: network[k] for k in ("kernel", "dropout", "dense", "photometric", "joined")}
        | {"filters": listed["filters"], "parameters": of_configuration(cfg).parameters},
        "rave.split": cfg["split"]["test_fraction"],
        "rave.ensemble": {"n_networks": cfg["ensemble"]["n_networks"]["photometry"], "kept_fraction": cfg["ensemble"]["keep_quantile"],
                          "patience": fit["patience"]},
        "rave.components": {**cfg["validation"]["components"], "logg_giant": cfg["validation"]["logg_giant"]},
    }
    return {name: {"value": value} for name, value in values.items()}


def leaves(value, part: str = "") -> Iterator[tuple[str, object]]:
    """(dotted name, value) of everything in a nested mapping; a list is a value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{part}.{key}" if part else str(key))
    else:
        yield part, value


def look_up(value, part: str):
    """What a found value holds under a dotted name; a list of two stands for {bias, sigma} or {mean, dispersion}."""
    for key in part.split(".") if part else ():
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key in PAIRS and len(value) == 2:
            value = value[PAIRS[key]]
        else:
            return None
    return None if isinstance(value, Mapping) else value
