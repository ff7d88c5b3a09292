"""The observed sample in the Kiel diagram, sliced in signal-to-noise ratio (Section 4.2.1, Figure 10)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import write_json, write_table
from ..rows import iter_observed, normal, parallax_good
from .planes import factor_for, kiel_plane

STARS = ["gaia_dr2_source_id", "snr_rave", "class_normal", "parallax_error_ratio"]
LABELS = ["teff_cnn", "logg_cnn", "mh_cnn"]
COOL, BETWEEN = 4300.0, (3.0, 4.2)      # K; log g between the cool giants and the cool dwarfs (Section 4.2.1)


def run_kiel(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_json
) -> dict:
    """Count stars and average [M/H] in the cells of a Kiel diagram for each slice in S/N.

    Stars are of classes "n" and "o" with a parallax error below the limit, and within the first and the last edge of
    `validation.snr_slices`; a slice holds its upper edge (S/N > 20 begins the first).

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        See `rows.iter_observed`.
    out_table : path
        snr_lo, snr_hi, kind (`mh`: the narrowest cells, `density`: cells as wide as the number of stars asks for), x_lo, x_hi
        (Teff, K), y_lo, y_hi (log g), count, mean_mh.
    out_json : path
        {`simulated`, `n`, `slices` [{snr_lo, snr_hi, n, outside, cool {n, giants, dwarfs, between}}], `supergiant`
        {source_id, spectra [{rave_obs_id, snr, teff, logg, mh}]}}. `cool` counts the stars below 4300 K on either side
        of, and between, log g 3.0 and 4.2.

    Raises
    ------
    InputError
        When no star passes.
    """
    settings = cfg["validation"]
    edges = np.asarray(settings["snr_slices"], np.float64)
    planes = [kiel_plane(["mh"]) for _ in edges[1:]]
    counts, cool = np.zeros(len(planes), np.int64), np.zeros((len(planes), 3), np.int64)
    supergiant, total, above = [], 0, 0
    for frame in iter_observed(stars_paths, prediction_paths, STARS, LABELS):
        found = frame[frame["gaia_dr2_source_id"].to_numpy() == int(settings["supergiant"])]
        supergiant.append(found[["rave_obs_id", "snr_rave", *LABELS]])
        keep = normal(frame) & parallax_good(frame, cfg) & np.isfinite(frame[LABELS].to_numpy(np.float64)).all(axis=1)
        frame = frame[keep]
        snr = frame["snr_rave"].to_numpy(np.float64)
        total += int((snr > settings["snr_min"]).sum())
        above += int((snr > edges[-1]).sum())
        number = np.searchsorted(edges, snr, side="left") - 1       # a slice holds its upper edge
        for k, plane in enumerate(planes):
            part = frame[number == k]
            teff, logg = part["teff_cnn"].to_numpy(np.float64), part["logg_cnn"].to_numpy(np.float64)
            plane.add(teff, logg, mh=part["mh_cnn"].to_numpy(np.float64))
            counts[k] += len(part)
            side = np.digitize(logg[teff < COOL], BETWEEN)
            cool[k] += np.bincount(side, minlength=3)
    if not counts.sum():
        raise InputError("rave.validation.snr_slices", "no observed star of class n or o with a good parallax lies within the slices",
                         "Check the S/N of the spectra and the parallaxes")
    slices = [{
        "snr_lo": edges[k], "snr_hi": edges[k + 1], "n": counts[k], "outside": plane.outside,
        "cool": {"n": cool[k].sum(), "giants": cool[k][0], "between": cool[k][1], "dwarfs": cool[k][2]},
    } for k, plane in enumerate(planes)]
    parts = []
    for k, plane in enumerate(planes):
        for kind, drawn in (("mh", plane), ("density", plane.coarser(factor_for(int(counts[k]))))):
            parts.append(drawn.table(snr_lo=edges[k], snr_hi=edges[k + 1], kind=kind))
    write_table(out_table, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    spectra = pd.concat(supergiant).rename(columns={"snr_rave": "snr"} | {c: c.removesuffix("_cnn") for c in LABELS})
    content = {
        "simulated": bool(simulated), "n": total, "above_slices": above, "slices": slices,
        "claims": {"rave.n.fig10": {"value": total, "paper": 371967, "what": "spectra of Figure 10"}},
        "supergiant": {"source_id": int(settings["supergiant"]), "spectra": spectra.sort_values("rave_obs_id").to_dict("records")},
    }
    write_json(out_json, content)
    return content
