"""Abundances and rotation of the kinematic components of the Milky Way (Section 8.1, Figure 24; B-26 to B-28)."""

import logging
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ..rows import iter_observed, normal, parallax_good
from .gradients import gradient, sign_of_rotation
from .smooth import edges, smooth_density

log = logging.getLogger(__name__)

STARS = ["snr_rave", "class_normal", "parallax_error_ratio", "ecc", "z_max", "v_phi"]
CNN = ["logg_cnn", "mh_cnn", "feh_cnn", "alpha_m_cnn", "mh_cnn_err", "alpha_m_cnn_err"]
COMPONENTS = ("thin_disc", "dissipative", "accreted")
PLANES = {                                  # panel: (y, edges of [M/H], edges of y)
    "alpha": ("alpha_m_cnn", edges(-3.0, 1.0, 0.04), edges(-0.3, 0.7, 0.01)),
    "v_phi": ("v_phi", edges(-3.0, 1.0, 0.04), edges(-400.0, 400.0, 10.0)),
}
KINDS = {"panel": "str", "component": "str", "x_lo": "float64", "x_hi": "float64", "y_lo": "float64", "y_hi": "float64", "count": "int64",
         "smooth": "float64"}
SINGLE = 50                                 # a component of fewer spectra is written spectrum by spectrum, for contours say nothing then
ERROR_BINS = (-np.inf, -1.5, -1.0, -0.5, 0.0, np.inf)
PAPER = {"rave.gradient.thin": -20, "rave.gradient.thick": 54,
         "rave.n.fig24": {"thin_disc": 75642, "dissipative": 15433, "accreted": 1400},
         "rave.components": {"ecc": 0.25, "z_max": 0.8, "v_phi": 40, "logg_giant": 3.5}}


def component_masks(frame: pd.DataFrame, cfg: Mapping) -> dict[str, np.ndarray]:
    """Masks (n,) of the components; a star is in one at most, and in none where the criteria contradict (B-27).

    `v_phi` must be positive in the sense of the rotation. The thin disc, too, rotates faster than the accreted stars.
    """
    cuts = cfg["validation"]["components"]
    ecc, z_max, v_phi = (frame[c].to_numpy(np.float64) for c in ("ecc", "z_max", "v_phi"))
    known = np.isfinite(ecc) & np.isfinite(z_max) & np.isfinite(v_phi)
    fast = known & (v_phi > cuts["v_phi"])
    return {
        "thin_disc": fast & (ecc < cuts["ecc"]) & (z_max < cuts["z_max"]),
        "dissipative": fast & (ecc > cuts["ecc"]) & (z_max > cuts["z_max"]),
        "accreted": known & (v_phi < cuts["v_phi"]),
    }


def iter_giants(stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, snr_min: float, columns, labels) -> Iterator[pd.DataFrame]:
    """Yield observed giants (log g of the CNN) of classes n and o with good parallaxes beyond an S/N."""
    columns = list(dict.fromkeys(["snr_rave", "class_normal", "parallax_error_ratio", *columns]))
    for frame in iter_observed(stars_paths, prediction_paths, columns, list(dict.fromkeys(["logg_cnn", *labels]))):
        giant = (frame["logg_cnn"] < cfg["validation"]["logg_giant"]).to_numpy(bool)
        keep = giant & (frame["snr_rave"] > snr_min).to_numpy(bool) & parallax_good(frame, cfg) & normal(frame)
        yield frame[keep]


def read_giants(stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping) -> tuple[pd.DataFrame, int]:
    """Giants of Figure 24 with `component` ("" for none), V_phi in the sense of the rotation, and the sign that was applied."""
    frame = pd.concat(iter_giants(stars_paths, prediction_paths, cfg, cfg["validation"]["snr_components"], STARS, CNN), ignore_index=True)
    sign = sign_of_rotation(frame["v_phi"])
    if sign < 0:
        log.warning("V_phi is negative for most stars: its sign is turned, so that rotation is positive")
    frame["v_phi"] *= sign
    frame["component"] = ""
    for name, mask in component_masks(frame, cfg).items():
        frame.loc[mask, "component"] = name
    return frame, sign


def run_components(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """Kinematic components: abundance patterns, rotation against metallicity.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet`, `rave/predictions/main/photometry/{slice}.parquet`.
    out_table : path
        panel (alpha: [alpha/M] against [M/H]; v_phi: V_phi in km/s against [M/H]), component, x_lo, x_hi, y_lo, y_hi,
        count, smooth. Of a component of fewer than `SINGLE` spectra a row is one spectrum, a cell of no width.
    out_json : path
        {n {component, none, no_orbit, all}, sign, levels {panel: {component: {share: level}}}, gradients {component: {mh,
        feh: line}}, statements, errors {component: [{mh_lo, mh_hi, n, mh, alpha_m}]}, cuts, claims, simulated}.
    """
    frame, sign = read_giants(stars_paths, prediction_paths, cfg)
    bootstrap = int(cfg["validation"]["bootstrap"])
    tables, levels = [], {panel: {} for panel in PLANES}
    lines, n = {}, {}
    for k, name in enumerate(COMPONENTS):
        part = frame[(frame["component"] == name).to_numpy(bool)]
        n[name] = len(part)
        for panel, (column, x_edges, y_edges) in PLANES.items():
            cells, levels[panel][name] = smooth_density(part["mh_cnn"], part[column], x_edges, y_edges)
            if len(part) < SINGLE:
                cells = single(part["mh_cnn"].to_numpy(np.float64), part[column].to_numpy(np.float64))
            tables.append(cells.assign(panel=panel, component=name))
        lines[name] = {x: gradient(part[f"{x}_cnn"], part["v_phi"], bootstrap, seed + k) for x in ("mh", "feh")}
    known = np.isfinite(frame[["ecc", "z_max", "v_phi"]].to_numpy(np.float64)).all(axis=1)
    n |= {"none": int((known & (frame["component"] == "").to_numpy(bool)).sum()), "no_orbit": int((~known).sum()), "all": len(frame)}
    write_table(out_table, pd.concat(tables, ignore_index=True)[list(KINDS)].astype(KINDS), meta={"simulated": bool(simulated)})
    cuts = {**cfg["validation"]["components"], "logg_giant": cfg["validation"]["logg_giant"]}
    content = {
        "n": n, "sign": sign, "levels": levels, "gradients": lines, "statements": statements(frame),
        "errors": {name: errors_by_metallicity(frame[(frame["component"] == name).to_numpy(bool)]) for name in COMPONENTS},
        "cuts": cuts, "claims": claims(n, lines, cuts), "simulated": bool(simulated),
    }
    write_json(out_json, content)
    return content


def single(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """A cell of no width for each spectrum with both values: x_lo, x_hi, y_lo, y_hi, count, smooth (zero)."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    return pd.DataFrame({"x_lo": x, "x_hi": x, "y_lo": y, "y_hi": y, "count": 1, "smooth": 0.0})


def _share(mask: np.ndarray) -> float | None:
    return float(np.mean(mask)) if len(mask) else None


def statements(frame: pd.DataFrame) -> dict:
    """Shares of the stars where Section 8.1 says that a component lies."""
    mh = {name: frame.loc[(frame["component"] == name).to_numpy(bool), "mh_cnn"].to_numpy(np.float64) for name in COMPONENTS}
    return {
        "thin_disc_above_minus_1": _share(mh["thin_disc"] > -1), "accreted_between_minus_2_and_minus_05": _share(
            (mh["accreted"] > -2) & (mh["accreted"] < -0.5)), "dissipative_metal_rich": _share(mh["dissipative"] > 0),
        "dissipative_range": [float(v) for v in np.percentile(mh["dissipative"], (1, 99))] if len(mh["dissipative"]) else [None, None],
    }


def errors_by_metallicity(frame: pd.DataFrame) -> list[dict]:
    """Mean errors of [M/H] and [alpha/M] in bins of [M/H]; the paper finds them to grow towards the metal-poor end."""
    x, out = frame["mh_cnn"].to_numpy(np.float64), []
    for lo, hi in zip(ERROR_BINS[:-1], ERROR_BINS[1:], strict=True):
        part = frame[(x >= lo) & (x < hi)]
        if len(part):
            out.append({"mh_lo": lo, "mh_hi": hi, "n": len(part), "mh": float(part["mh_cnn_err"].mean()),
                        "alpha_m": float(part["alpha_m_cnn_err"].mean())})
    return out


def claims(n: Mapping, lines: Mapping, cuts: Mapping) -> dict:
    """Gradients, counts and definitions of Section 8.1."""
    out = {}
    for claim, name in (("rave.gradient.thin", "thin_disc"), ("rave.gradient.thick", "dissipative")):
        line, other = lines[name]["mh"], lines[name]["feh"]
        out[claim] = {"value": line["slope"], "error": line["slope_error"], "interval": line["slope_interval"], "n": line["n"],
                      "with_feh": other["slope"], "with_feh_error": other["slope_error"], "unit": "km/s/dex", "paper": PAPER[claim],
                      "what": f"V_phi against [M/H], {name.replace('_', ' ')}"}
    out["rave.n.fig24"] = {"value": {c: n[c] for c in COMPONENTS}, "paper": PAPER["rave.n.fig24"], "what": "giants of the components"}
    out["rave.components"] = {"value": dict(cuts), "paper": PAPER["rave.components"], "what": "limits that the run used"}
    return out
