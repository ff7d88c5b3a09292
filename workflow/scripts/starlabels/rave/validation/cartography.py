"""Abundance patterns of giants across the Galactic discs, in bins of radius and height (Section 8.2, Figure 25; B-25)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from .components import iter_giants
from .hexagons import Hexagons
from .smooth import edges, smooth_density

log = logging.getLogger(__name__)

X_RANGE, Y_RANGE = (-2.5, 0.8), (-0.3, 0.6)              # [Fe/H] and the abundance ratio
CELL = (0.1, 0.0225)                                     # dx, dy: regular hexagons in the panels of Figure 25
CONTOUR_EDGES = edges(*X_RANGE, 0.05), edges(*Y_RANGE, 0.015)
# Where the alpha-rich stars begin: the paper gives no line. Ours runs along the emptiest place between the two sequences of the
# APOGEE labels, which lies lower in [alpha/M] and [Si/Fe] than in [Mg/Fe]; a constant is counted beside it.
LINES = {
    "alpha_m": {"at_solar": 0.10, "slope": -0.06}, "mg_fe": {"at_solar": 0.13, "slope": -0.10}, "si_fe": {"at_solar": 0.10, "slope": -0.05},
}
CONSTANT = 0.15
LEAST = 10                  # stars of a bin whose share is quoted
KINDS = {"r_lo": "float64", "r_hi": "float64", "z_lo": "float64", "z_hi": "float64", "kind": "str", "x": "float64", "y": "float64",
         "x_lo": "float64", "x_hi": "float64", "y_lo": "float64", "y_hi": "float64", "count": "int64", "smooth": "float64"}
PAPER_N = 185569


def line_of(ratio: str) -> dict:
    """The dividing line of an abundance ratio; that of [alpha/M] for one without its own."""
    return LINES.get(ratio, LINES["alpha_m"])


def alpha_rich(feh: np.ndarray, values: np.ndarray, ratio: str = "alpha_m") -> np.ndarray:
    """Mask (n,): stars above the dividing line, which is level beyond solar metallicity."""
    line = line_of(ratio)
    return np.asarray(values) > line["at_solar"] + line["slope"] * np.minimum(feh, 0.0)


def _share(rich: np.ndarray) -> dict:
    """Share of the alpha-rich stars with its binomial error; None for fewer than ten stars."""
    n = len(rich)
    if n < LEAST:
        return {"n": n, "share": None, "error": None}
    share = float(np.mean(rich))
    return {"n": n, "share": share, "error": float(np.sqrt(share * (1 - share) / n))}


def bin_tables(frame: pd.DataFrame, ratio: str, settings: Mapping) -> tuple[pd.DataFrame, list[dict]]:
    """Hexagons and smoothed densities of every bin of the map, and its numbers."""
    r, z = frame["r"].to_numpy(np.float64), np.abs(frame["z_gal"].to_numpy(np.float64))
    x, y = frame["feh_cnn"].to_numpy(np.float64), frame[f"{ratio}_cnn"].to_numpy(np.float64)
    tables, bins = [], []
    for z_lo, z_hi in zip(settings["z"][:-1], settings["z"][1:], strict=True):
        for r_lo, r_hi in zip(settings["r"][:-1], settings["r"][1:], strict=True):
            own = (r >= r_lo) & (r < r_hi) & (z >= z_lo) & (z < z_hi)
            hexagons = Hexagons(X_RANGE, Y_RANGE, *CELL)
            hexagons.add(x[own], y[own])
            dense, levels = smooth_density(x[own], y[own], *CONTOUR_EDGES)
            place = {"r_lo": r_lo, "r_hi": r_hi, "z_lo": z_lo, "z_hi": z_hi}
            tables += [hexagons.table().assign(kind="hexagon", **place), dense.assign(kind="contour", **place)]
            found = _share(alpha_rich(x[own], y[own], ratio))
            constant = _share(y[own] > CONSTANT)["share"]
            bins.append({**place, **found, "share_constant": constant, "outside": hexagons.outside, "levels": levels})
    return pd.concat(tables, ignore_index=True).reindex(columns=list(KINDS)).fillna({"count": 0}).astype(KINDS), bins


def by_height(frame: pd.DataFrame, ratio: str, settings: Mapping) -> list[dict]:
    """Share of the alpha-rich stars in each layer, and below and above the lowest inner edge (0.5 kpc)."""
    z, rich = np.abs(frame["z_gal"].to_numpy(np.float64)), alpha_rich(frame["feh_cnn"], frame[f"{ratio}_cnn"], ratio)
    heights = list(zip(settings["z"][:-1], settings["z"][1:], strict=True))
    return [{"z_lo": lo, "z_hi": hi, **_share(rich[(z >= lo) & (z < hi)])} for lo, hi in heights]


def order(frame: pd.DataFrame, ratio: str, settings: Mapping, layers: list[dict]) -> dict:
    """The statement of Section 8.2 about the first inner edge of the heights.

    It `holds` when alpha-poor stars dominate below the edge and "alpha-rich stars are mostly located" above it: more than half
    of them, with a share that rises from layer to layer, so that it is not the sample alone that lies high. Whether they
    outnumber the poor ones there, which the text does not say, stands beside it.
    """
    border = settings["z"][1]
    z, rich = np.abs(frame["z_gal"].to_numpy(np.float64)), alpha_rich(frame["feh_cnn"], frame[f"{ratio}_cnn"], ratio)
    low, high = _share(rich[z < border]), _share(rich[(z >= border) & (z < settings["z"][-1])])
    shares = [layer["share"] for layer in layers if layer["share"] is not None]
    measured = low["share"] is not None and high["share"] is not None
    poor_below = low["share"] < 0.5 if measured else None
    rich_above = high["share"] > 0.5 if measured else None
    inside = z < settings["z"][-1]
    above, whole = (float(np.mean(z[m] >= border)) if m.sum() >= LEAST else None for m in (rich & inside, inside))
    rise = bool(np.all(np.diff(shares) > 0)) if len(shares) > 1 else None
    measured &= above is not None and rise is not None
    return {
        "holds": bool(poor_below and above > 0.5 and rise) if measured else None,
        "poor_dominate_below": poor_below, "rich_mostly_above": above > 0.5 if above is not None else None,
        "rich_rise_with_height": rise, "rich_dominate_above": rich_above, "border": border,
        "share_rich_below": low, "share_rich_above": high, "of_rich_above_border": above, "of_all_above_border": whole,
    }


def read_map(stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, ratios: Iterable[str]) -> pd.DataFrame:
    """Giants of Figure 25 with `r` (the radius of the configuration, kpc), z_gal, [Fe/H] and the ratios."""
    v = cfg["validation"]
    columns = [f"{p}_cnn" for p in dict.fromkeys(["feh", *ratios])]
    radius = v["map"]["radius"]
    giants = iter_giants(stars_paths, prediction_paths, cfg, v["snr_abundances"], [radius, "z_gal"], columns)
    return pd.concat(giants, ignore_index=True).rename(columns={radius: "r"})


def map_of(frame: pd.DataFrame, ratio: str, cfg: Mapping) -> tuple[pd.DataFrame, dict]:
    """Table and numbers of the map of one abundance ratio."""
    settings = cfg["validation"]["map"]
    table, bins = bin_tables(frame, ratio, settings)
    layers = by_height(frame, ratio, settings)
    known = np.isfinite(frame[["r", "z_gal"]].to_numpy(np.float64)).all(axis=1)
    content = {
        "ratio": ratio, "n": {"all": len(frame), "map": sum(b["n"] for b in bins), "no_orbit": int((~known).sum())}, "bins": bins,
        "layers": layers, "order": order(frame, ratio, settings, layers),
        "line": {**line_of(ratio), "constant": CONSTANT}, "map": dict(settings),
    }
    return table, content


def run_cartography(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """[alpha/M] against [Fe/H] of giants in bins of Galactocentric radius and height.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet`, `rave/predictions/main/photometry/{slice}.parquet`.
    out_table : path
        r_lo, r_hi, z_lo, z_hi (kpc), kind: `hexagon` (x, y: centre; count) or `contour` (x_lo, x_hi, y_lo, y_hi, count, smooth).
    out_json : path
        {ratio, n {all, map, no_orbit}, bins [{r_lo, r_hi, z_lo, z_hi, n, share, error, share_constant, outside, levels}],
        layers, order, line, map, cell, claims, simulated}. A share is that of the alpha-rich stars.
    """
    frame = read_map(stars_paths, prediction_paths, cfg, ["alpha_m"])
    table, content = map_of(frame, "alpha_m", cfg)
    found = content["order"]
    content |= {
        "cell": list(CELL),
        "claims": {
            "rave.cartography": {"value": found["holds"], **{k: v for k, v in found.items() if k != "holds"}, "paper": True,
                                 "n": content["n"]["map"],
                                 "what": "alpha-poor stars dominate below the border, most alpha-rich ones lie above"},
            "rave.n.fig25": {"value": len(frame), "in_map": content["n"]["map"], "paper": PAPER_N, "what": "giants of the map"},
        },
        "simulated": bool(simulated),
    }
    if not content["n"]["map"]:
        log.warning("no giant lies within the map of rave.validation.map")
    write_table(out_table, table, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content
