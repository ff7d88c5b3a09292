"""[Fe/H] of star clusters from their proper-motion members (Section 3.5, Figure 11)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...flow import Flow
from ...io import read_table, write_json, write_table
from .cells import ID, pick
from .membership import literature_feh, membership, separation
from .panels import masked, numbers
from .residuals import Residuals

log = logging.getLogger(__name__)

HISTOGRAM_BIN = 0.02  # dex, narrowest bin; with few members the bins are wider (Scott's rule)
WIDEST_BIN = 0.1  # dex; a tail of badly measured members must not widen the bins beyond the peak
BOOTSTRAP = 200
COLUMNS = ["cluster", ID, "ra", "dec", "pmra", "pmdec", "colour", "magnitude", "feh", "feh_err", "probability", "in_field", "passes_pm_err",
           "passes_snr", "masked", "member"]


def collect(prediction_paths: Iterable, cfg: Mapping) -> dict[str, pd.DataFrame]:
    """Predicted stars in the field of each configured cluster."""
    colour, band = cfg["classes"]["colour"], cfg["classes"]["abs_magnitude"]
    wanted = [
        ID, "ra", "dec", "pmra", "pmdec", "pmra_err", "pmdec_err", "feh", "feh_err", "cool_mask", "star_class", f"{band}_0",
        *(f"{c}_0" for c in colour), *(f"{b}_err" for b in cfg["clusters"]["snr_bands"]),
    ]
    wanted = list(dict.fromkeys(wanted))
    found: dict[str, list] = {c["name"]: [] for c in cfg["clusters"]["list"]}
    for path in tqdm(sorted(prediction_paths, key=str), desc="cluster fields", unit="cell", mininterval=5, disable=None):
        place = read_table(path, ["ra", "dec"])
        ra, dec = numbers(place, "ra"), numbers(place, "dec")
        fields = {c["name"]: separation(ra, dec, c["ra"], c["dec"]) <= c["radius"] for c in cfg["clusters"]["list"]}
        if any(mask.any() for mask in fields.values()):
            frame = read_table(path, pick(path, wanted))
            for name, mask in fields.items():
                found[name].append(frame[mask])
    empty = pd.DataFrame({c: np.empty(0) for c in wanted})
    return {name: pd.concat(parts, ignore_index=True) if parts else empty for name, parts in found.items()}


def choose_members(frame: pd.DataFrame, cluster: Mapping, cfg: Mapping) -> tuple[pd.DataFrame, dict, Flow]:
    """Mark the members of one cluster among the stars of its field.

    Returns
    -------
    stars : DataFrame
        Columns of clusters.parquet.
    mixture : dict
        As `membership.membership`.
    flow : Flow
        Field, proper-motion errors, probability, S/N in u and v, [Fe/H] known and not masked.
    """
    settings, colour, band = cfg["clusters"], cfg["classes"]["colour"], cfg["classes"]["abs_magnitude"]
    limit = settings["pm_err_max"]
    sure = (numbers(frame, "pmra_err") < limit) & (numbers(frame, "pmdec_err") < limit)
    probability = np.zeros(len(frame))
    start = (cluster["pmra"], cluster["pmdec"])
    probability[sure], mixture = membership(numbers(frame, "pmra")[sure], numbers(frame, "pmdec")[sure], start)
    likely = sure & (probability > settings["probability_min"])
    # S/N > 20 is an error below 1.0857 / 20 mag (1.0857 = 2.5 / ln 10)
    bright = np.ones(len(frame), bool)
    for snr_band in settings["snr_bands"]:
        bright &= numbers(frame, f"{snr_band}_err") < 2.5 / np.log(10) / settings["snr_min"]
    hidden = masked(frame) | ~np.isfinite(numbers(frame, "feh"))
    flow = Flow(len(frame), f"predicted stars within {cluster['radius']:g} deg")
    flow.cut(f"proper-motion errors < {limit:g} mas/yr", int(sure.sum()))
    flow.cut(f"membership probability > {settings['probability_min']:g}", int(likely.sum()))
    flow.cut(f"S/N > {settings['snr_min']:g} in {' and '.join(settings['snr_bands'])}", int((likely & bright).sum()))
    flow.cut("[Fe/H] known, not masked", int((likely & bright & ~hidden).sum()))
    stars = pd.DataFrame({
        "cluster": pd.array([cluster["name"]] * len(frame), dtype="str"), ID: frame[ID].to_numpy(np.int64),
        **{c: numbers(frame, c) for c in ("ra", "dec", "pmra", "pmdec")},
        "colour": numbers(frame, f"{colour[0]}_0") - numbers(frame, f"{colour[1]}_0"), "magnitude": numbers(frame, f"{band}_0"),
        "feh": numbers(frame, "feh"), "feh_err": numbers(frame, "feh_err") if "feh_err" in frame else np.full(len(frame), np.nan),
        "probability": probability, "in_field": np.ones(len(frame), bool), "passes_pm_err": sure, "passes_snr": bright,
        "masked": masked(frame), "member": likely & bright & ~hidden,
    })
    return stars[COLUMNS], mixture, flow


def metallicity(feh: np.ndarray, cfg: Mapping, seed: int) -> dict:
    """Gaussian fit to the members' [Fe/H]; median and robust sigma where a fit is not possible (`fit` says which)."""
    gathered = Residuals("feh", cfg, HISTOGRAM_BIN, WIDEST_BIN)
    gathered.add(feh)
    found = gathered.statistics(bootstrap=BOOTSTRAP, seed=seed, fallback=True)
    found["histogram"] = gathered.table(found["bin_width"]).to_dict("records")
    return found


def run_clusters(
    prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_parquet, out_json, harris_path=None, seed: int = 42,
    sky_feh: Mapping[str, float] | None = None,
) -> dict:
    """Members and metallicities of the configured clusters.

    Parameters
    ----------
    prediction_paths : iterable of path
        `predictions/set<k>/cell-*.parquet` of the set `validation.data_set`.
    harris_path : path, optional
        Canonical Harris catalogue; needed when a cluster says `feh: harris`.
    sky_feh : mapping, optional
        Cluster -> [Fe/H] that the simulated sky gives it; only for simulated stars.
    out_parquet : path
        cluster, gaia_dr3_source_id, ra, dec, pmra, pmdec, colour, magnitude (apparent, corrected), feh, feh_err, probability, in_field,
        passes_pm_err, passes_snr, masked, member; every predicted star of the fields.
    out_json : path
        {cluster: {n_field, n_after_pm_err, n_probable, n_after_snr, n_members, n, mean, sigma, amplitude, mean_error, sigma_error, median,
        robust_sigma, bin_width, fit (histogram | robust | none), histogram [{lo, hi, count}], literature, reference, kind, difference,
        mixture, flow, simulated, simulated_feh}}; the last is None on an observed sky. A cluster without stars has n = 0 and no fit.
    """
    prediction_paths = list(prediction_paths)
    harris = None if harris_path is None else read_table(harris_path)
    fields = collect(prediction_paths, cfg)
    parts, content = [], {}
    for cluster in cfg["clusters"]["list"]:
        name = cluster["name"]
        stars, mixture, flow = choose_members(fields[name], cluster, cfg)
        parts.append(stars)
        found = metallicity(stars["feh"].to_numpy()[stars["member"].to_numpy()], cfg, seed)
        known, steps = literature_feh(cluster, harris), flow.to_list()
        kept = [entry["kept"] for entry in steps]
        content[name] = {
            "n_field": kept[0], "n_after_pm_err": kept[1], "n_probable": kept[2], "n_after_snr": kept[3], "n_members": kept[4], **found,
            "literature": known, "reference": cluster["reference"], "kind": cluster["kind"],
            "difference": None if known is None or found["mean"] is None else found["mean"] - known,
            "mixture": mixture, "flow": steps, "simulated": bool(simulated), "simulated_feh": (sky_feh or {}).get(name),
        }
        if not mixture["found"]:
            log.warning("%s: no members, %s", name, mixture["why"])
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    write_table(out_parquet, table, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
