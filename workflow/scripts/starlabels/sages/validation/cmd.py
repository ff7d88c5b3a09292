"""Counts in the colour-magnitude diagram: all stars by class (Figure 1), training and test samples (Figures 2 and 3)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from ...io import iter_table, read_table, write_json, write_table
from ...metrics import Density2D, Histogram1D
from ..selection import Selection, photometric_cuts
from .panels import numbers
from .test_set import surveys_of

CLASSES = ("dwarf", "giant", "hot_subdwarf", "white_dwarf", "unclassified")
COLOUR_EDGES = np.round(np.arange(-1.0, 4.0001, 0.02), 9)
MAGNITUDE_EDGES = np.round(np.arange(-6.0, 18.0001, 0.1), 9)
FEH_BIN = 0.1
FEH_RANGE = (-9.0, 1.5)                 # the nine papers reach -7.8
VMP_LIMITS = (-2.0, -3.0)


def plane() -> Density2D:
    """An empty colour-magnitude diagram."""
    return Density2D(COLOUR_EDGES, MAGNITUDE_EDGES)


def colour_magnitude(frame: pd.DataFrame, cfg: Mapping) -> tuple[np.ndarray, np.ndarray] | None:
    """Colour and absolute magnitude of the class borders; the apparent magnitude where no absolute one exists."""
    first, second = cfg["classes"]["colour"]
    band = cfg["classes"]["abs_magnitude"]
    name = next((c for c in (f"abs_{band}_0", f"{band}_0", f"{second}_0") if c in frame.columns), None)
    if name is None or f"{first}_0" not in frame.columns:
        return None
    return numbers(frame, f"{first}_0") - numbers(frame, f"{second}_0"), numbers(frame, name)


def cmd_table(counted: Density2D, **labels) -> pd.DataFrame:
    """Long table: the labels, then colour_lo, colour_hi, mag_lo, mag_hi, count."""
    names = {"x_lo": "colour_lo", "x_hi": "colour_hi", "y_lo": "mag_lo", "y_hi": "mag_hi"}
    table = counted.table().rename(columns=names).assign(**labels)
    kinds = dict.fromkeys(labels, "str") | dict.fromkeys(names.values(), "float64") | {"count": "int64"}
    return table[list(kinds)].astype(kinds)


def run_cmd(feature_paths: Iterable, cfg: Mapping, simulated: bool, out_parquet, out_json, data_set: int | None = None) -> dict:
    """Count stars by class in the colour-magnitude diagram (Figure 1).

    The stars pass every prediction cut of the data set (flags, magnitudes, parallax, E(B-V), errors) but the cut on class.

    Parameters
    ----------
    feature_paths : iterable of path
        `features/cell-*.parquet`.
    data_set : int, optional
        Whose cuts; the first of the configuration by default.
    out_parquet : path
        star_class, colour_lo, colour_hi, mag_lo, mag_hi, count.
    out_json : path
        {`counts`: {class: n}, `n`, `likely_giants` (pass the other cuts, but the parallax error exceeds the parallax; Section 2.1,
        A-11), `outside_plot`, `data_set`, `colour`, `abs_magnitude`, `simulated`}.
    """
    data_set = cfg["data_sets"][0]["id"] if data_set is None else data_set
    without = {**cfg, "cuts": {**cfg["cuts"], "parallax_over_err_min": None}}
    counted = {c: plane() for c in CLASSES}
    counts, likely = dict.fromkeys(CLASSES, 0), 0
    for path in tqdm(sorted(feature_paths, key=str), desc="colour-magnitude diagram", unit="cell", mininterval=5, disable=None):
        for piece in iter_table(path):
            any_class = piece.assign(star_class="dwarf")
            kept = photometric_cuts(Selection(len(piece), "stars"), any_class, cfg, data_set, "predict").mask
            if cfg["cuts"]["parallax_over_err_min"] is not None:
                others = photometric_cuts(Selection(len(piece), "stars"), any_class, without, data_set, "predict").mask
                likely += int((others & (numbers(piece, "parallax_err") > numbers(piece, "parallax"))).sum())
            point = colour_magnitude(piece, cfg)
            for star_class in CLASSES:
                mask = kept & (piece["star_class"] == star_class).to_numpy(bool)
                counts[star_class] += int(mask.sum())
                if point is not None:
                    counted[star_class].add(point[0][mask], point[1][mask])
    parts = [cmd_table(counted[c], star_class=c) for c in CLASSES]
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    content = {
        "counts": counts, "n": sum(counts.values()), "likely_giants": likely, "outside_plot": sum(c.outside for c in counted.values()),
        "data_set": data_set, "colour": list(cfg["classes"]["colour"]), "abs_magnitude": cfg["classes"]["abs_magnitude"],
        "simulated": bool(simulated),
    }
    write_json(out_json, content)
    return content


def run_sample(sample_path, cfg: Mapping, data_set: int, simulated: bool, out_cmd, out_feh, out_json) -> dict:
    """Colour-magnitude diagram and [Fe/H] histograms of the training and test sample (Figures 2 and 3).

    Each star counts once in the diagram; in the histograms each survey's rows count where their [Fe/H] may be used.

    Parameters
    ----------
    sample_path : path
        `samples/set<k>.parquet`.
    out_cmd : path
        role, kind (`cmd`), colour_lo, colour_hi, mag_lo, mag_hi, count.
    out_feh : path
        role, survey, lo, hi, count; [Fe/H] with the offset of Section 2.3.
    out_json : path
        {`data_set`, `counts` {role: {survey: {class: rows}}}, `stars` {role: {class: stars}}, `feh_range` {role: {survey: [min, max]}},
        `feh_shares` {role: {survey: {n, "-2": share, "-3": share}}} of the values as published, `simulated`}.
    """
    frame = read_table(sample_path)
    feh, published = numbers(frame, "feh"), numbers(frame, "feh_published" if "feh_published" in frame.columns else "feh")
    point, cmds, histograms = colour_magnitude(frame, cfg), [], []
    content: dict = {"data_set": data_set, "counts": {}, "stars": {}, "feh_range": {}, "feh_shares": {}, "simulated": bool(simulated)}
    for role in ("train", "test"):
        mine = (frame["role"] == role).to_numpy(bool)
        once = mine & ~frame.duplicated(["role", "gaia_dr3_source_id"]).to_numpy() if "gaia_dr3_source_id" in frame.columns else mine
        counted = plane()
        if point is not None:
            counted.add(point[0][once], point[1][once])
        cmds.append(cmd_table(counted, role=role, kind="cmd"))
        content["stars"][role] = _classes(frame[once])
        for key in ("counts", "feh_range", "feh_shares"):
            content[key][role] = {}
        for survey in surveys_of(frame[mine], cfg):
            rows = mine & (frame["survey"] == survey).to_numpy(bool)
            content["counts"][role][survey] = _classes(frame[rows])
            use = rows & np.isfinite(feh) & (frame["use_feh"].to_numpy(bool) if "use_feh" in frame.columns else True)
            if not use.any():
                continue
            gathered = Histogram1D(FEH_BIN, *FEH_RANGE)
            gathered.add(feh[use])
            histograms.append(_feh_table(gathered, role, survey))
            content["feh_range"][role][survey] = [float(feh[use].min()), float(feh[use].max())]
            values = published[use]
            content["feh_shares"][role][survey] = {"n": len(values), **{f"{t:g}": float((values <= t).mean()) for t in VMP_LIMITS}}
    write_table(out_cmd, pd.concat(cmds, ignore_index=True), meta={"simulated": bool(simulated)})
    write_table(out_feh, pd.concat(histograms or [_feh_table(Histogram1D(FEH_BIN, *FEH_RANGE), "train", "")], ignore_index=True),
                meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _classes(frame: pd.DataFrame) -> dict:
    return {c: int((frame["star_class"] == c).sum()) for c in ("dwarf", "giant")} | {"all": len(frame)}


def _feh_table(gathered: Histogram1D, role: str, survey: str) -> pd.DataFrame:
    filled = np.flatnonzero(gathered.counts)
    found = gathered.table().iloc[slice(filled[0], filled[-1] + 1) if len(filled) else slice(0, 0)]
    return pd.DataFrame({
        "role": pd.array([role] * len(found), dtype="str"), "survey": pd.array([survey] * len(found), dtype="str"),
        "lo": found["x_lo"].round(9).to_numpy(), "hi": found["x_hi"].round(9).to_numpy(), "count": found["count"].to_numpy(),
    })


def run_vmp_lists(list_paths: Mapping[str, Iterable], simulated: bool, out_json) -> dict:
    """Sizes and metallicities of the very-metal-poor lists before any match (Section 2.2: 15 628 stars, 93.1 %, 9.8 %).

    Parameters
    ----------
    list_paths : mapping
        List -> `catalogs/<list>/cell-*.parquet`; margin copies are not counted.
    out_json : path
        {`n`, `n_with_feh`, `shares` {"-2", "-3"}, `range` [min, max], `lists` {list: n}, `simulated`}; values as published.
    """
    values, sizes = [], {}
    for name, paths in list_paths.items():
        sizes[name] = 0
        for path in sorted(paths, key=str):
            frame = read_table(path)
            frame = frame[~frame["in_margin"].to_numpy(bool)] if "in_margin" in frame.columns else frame
            sizes[name] += len(frame)
            values.append(numbers(frame, "feh_vmp"))
    feh = np.concatenate(values) if values else np.empty(0)
    feh = feh[np.isfinite(feh)]
    content = {
        "n": sum(sizes.values()), "n_with_feh": len(feh),
        "shares": {f"{t:g}": float((feh <= t).mean()) if len(feh) else None for t in VMP_LIMITS},
        "range": [float(feh.min()), float(feh.max())] if len(feh) else None, "lists": sizes, "simulated": bool(simulated),
    }
    write_json(out_json, content)
    return content
