"""Predictions against the catalogues of Huang et al. 2023 (H23) and Andrae et al. 2023 (A23): Section 3.4, Figures 9 and 10."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np

from ...errors import InputError
from .cells import columns_of, iter_matches
from .compare import Comparison, write_comparison
from .panels import PARAMETERS, masked, numbers

log = logging.getLogger(__name__)

NAMES = {"h23": "H23", "a23": "A23"}
HOT = 7000.0                            # K; the training set of A23 ends here (Section 3.4)
PILE_UP = (6500.0, 7000.0)              # K; where A23 then puts hotter stars


def reference_columns(path, name: str) -> dict[str, str]:
    """Which column of a catalogue gives which parameter.

    Tries `<parameter>`, `<parameter>_<name>`, and for [Fe/H] also [M/H] (A23 gives [M/H], compared as it is).

    Returns
    -------
    dict
        column -> parameter

    Raises
    ------
    InputError
        When the catalogue has none of the parameters.
    """
    there = columns_of(path)
    found = {}
    for parameter in PARAMETERS:
        tried = [parameter, f"{parameter}_{name}"] + (["mh", f"mh_{name}"] if parameter == "feh" else [])
        column = next((c for c in tried if c in there), None)
        if column is not None:
            found[column] = parameter
    if not found:
        raise InputError(path, "has none of the columns teff, logg, feh, mh", f"It has: {', '.join(there)}")
    return found


def run_external(
    prediction_paths: Iterable, external_paths: Iterable, cfg: Mapping, name: str, simulated: bool, out_json, out_density, out_hist,
    seed: int = 42,
) -> dict:
    """Compare the predictions with another catalogue, cell by cell (Gaussian fits of this work minus the catalogue).

    Stars with the mask of Section 4 are left out, as the final catalogue does not give their values.

    Parameters
    ----------
    prediction_paths, external_paths : iterable of path
        `predictions/set<k>/cell-*.parquet` (set of `validation.data_set`) and `catalogs/<name>/cell-*.parquet` of the same cells.
    name : str
        `h23` or `a23` (any other catalogue with the columns of `reference_columns` works too).
    out_json, out_density, out_hist : path
        As `compare.write_comparison`. The JSON also has `n_common` (all common stars), `n_masked`, `n_out_of_domain`, and
        `hot`: of the stars that we put above 7000 K, how many the catalogue puts at 6500-7000 K.
    """
    external_paths = list(external_paths)
    if not external_paths:
        raise InputError(f"validation of {name}", "no file of the catalogue was given", "Run its catalogue stage first")
    columns = reference_columns(external_paths[0], name)
    comparison = Comparison(cfg, columns.values())
    counts = {"n_common": 0, "n_masked": 0, "n_out_of_domain": 0}
    hot = {"limit": HOT, "range": list(PILE_UP), "n": 0, "in_range": 0, "above": 0}
    wanted = ["star_class", "cool_mask", "out_of_domain", *PARAMETERS]
    renamed = {column: f"{parameter}_ref" for column, parameter in columns.items()}
    for frame in iter_matches(prediction_paths, external_paths, wanted, renamed):
        counts["n_common"] += len(frame)
        counts["n_masked"] += int(masked(frame).sum())
        frame = frame[~masked(frame)].reset_index(drop=True)
        counts["n_out_of_domain"] += int(frame["out_of_domain"].sum()) if "out_of_domain" in frame else 0
        reference = {p: numbers(frame, f"{p}_ref") for p in columns.values()}
        ours = {p: numbers(frame, p) for p in columns.values()}
        comparison.add(frame, reference, ours)
        if "teff" in ours:
            ours_hot = np.isfinite(reference["teff"]) & (ours["teff"] > HOT)
            hot["n"] += int(ours_hot.sum())
            hot["in_range"] += int((ours_hot & (reference["teff"] >= PILE_UP[0]) & (reference["teff"] <= PILE_UP[1])).sum())
            hot["above"] += int((ours_hot & (reference["teff"] > HOT)).sum())
    hot["share_in_range"] = hot["in_range"] / hot["n"] if hot["n"] else None
    log.info("%s: %d stars in common", name, counts["n_common"])
    extra = {"catalogue": name, **counts, **({"hot": hot} if "teff" in columns.values() else {})}
    return write_comparison(comparison, NAMES.get(name, name), "this work", simulated, out_json, out_density, out_hist, seed, extra)
