"""The configuration of a variant: the paper's choices with a few of them changed (`rave.variants`)."""

import copy
import difflib
from collections.abc import Mapping

from ..errors import InputError

#: Switches that only variants set, with the value they have otherwise.
SWITCHES = {"label_noise": False, "distance": "parallax"}
DISTANCES = ("parallax", "starhorse")
#: What may differ between variants; the rest is shared by all of them (the packed spectra, the stars, the observed sample).
CHANGEABLE = ("training", "split", "network", "fit", "inputs", *SWITCHES)


def merged(cfg: Mapping, variant: str) -> dict:
    """The configuration `rave` as a variant has it: mappings are merged, lists and values replaced.

    Parameters
    ----------
    cfg : mapping
        config/rave.yaml, `rave`.
    variant : str
        A key of `variants`; `main` is the paper's.

    Returns
    -------
    dict
        A copy, with `label_noise`, `distance` and `training.extra_poor_parallaxes` filled in where nothing sets them.

    Raises
    ------
    InputError
        When the variant or one of its keys is not known, or changes something that variants share.
    """
    where = "configuration key `rave.variants`"
    if variant not in cfg["variants"]:
        raise InputError(where, f"has no variant {variant!r}", f"Known: {', '.join(cfg['variants'])}")
    changes = cfg["variants"][variant] or {}
    out = {**SWITCHES, **copy.deepcopy(dict(cfg))}
    out["training"].setdefault("extra_poor_parallaxes", 0)
    for key in changes:
        if key not in CHANGEABLE:
            found = f"cannot be changed by a variant ({variant})" if key in out else f"is not known (variant {variant})"
            raise InputError(f"configuration key `rave.variants.{variant}.{key}`", found, _nearest(key, CHANGEABLE))
    _merge(out, changes, f"rave.variants.{variant}")
    if out["distance"] not in DISTANCES:
        found = f"is {out['distance']!r}"
        raise InputError(f"configuration key `rave.variants.{variant}.distance`", found, f"Use {' or '.join(DISTANCES)}")
    return out


def _merge(target: dict, changes: Mapping, where: str) -> None:
    for key, value in changes.items():
        if key not in target:
            raise InputError(f"configuration key `{where}.{key}`", "is not known", _nearest(key, target))
        if isinstance(target[key], Mapping) != isinstance(value, Mapping):
            kind = "a mapping" if isinstance(target[key], Mapping) else "no mapping"
            raise InputError(f"configuration key `{where}.{key}`", f"is {value!r}, but {kind} is expected", "See config/rave.yaml")
        if isinstance(value, Mapping):
            _merge(target[key], value, f"{where}.{key}")
        else:
            target[key] = copy.deepcopy(value)


def _nearest(key: str, known) -> str:
    near = difflib.get_close_matches(str(key), [str(k) for k in known], n=1, cutoff=0.4)
    return f"Did you mean `{near[0]}`?" if near else f"Known keys here: {', '.join(map(str, known))}"
