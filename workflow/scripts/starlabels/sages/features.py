"""Features of the matched stars of one cell: reddening, corrected magnitudes, absolute magnitude, class, prediction cuts."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from ..dust import query_sfd
from ..errors import InputError
from ..flow import merge
from ..io import TableWriter, iter_table, read_meta, read_table, row_count, write_json
from ..photometry import absolute_magnitude, column, deredden
from .classes import classify
from .selection import prediction_mask

log = logging.getLogger(__name__)

ID = "gaia_dr3_source_id"
ROWS = 200_000  # stars worked on at once


def pieces(path: str | os.PathLike, rows: int = ROWS) -> Iterator[pd.DataFrame]:
    """A table in pieces; an empty table as one empty piece, so that its columns are known."""
    yield from iter_table(path, rows=rows) if row_count(path) else iter([read_table(path)])


def absolute_bands(cfg: Mapping) -> list[str]:
    """Bands whose absolute magnitude is needed: by the features, and by the class rule cmd."""
    bands = [cfg["features"]["abs_magnitude"]]
    if cfg["classes"]["rule"] == "cmd":
        bands.append(cfg["classes"]["abs_magnitude"])
    return list(dict.fromkeys(b for b in bands if b is not None))


def survey_order(cfg: Mapping) -> list[str]:
    """Label surveys as configured: training first, then test, each in the order written."""
    return list(dict.fromkeys([*cfg["samples"]["train"], *cfg["samples"]["test"]]))


def best_logg(labels: pd.DataFrame, surveys: Iterable[str]) -> pd.Series:
    """One log g a star, from the first survey of the list that gives one; indexed by Gaia id."""
    rank = {name: k for k, name in enumerate(surveys)}
    known = labels.loc[np.isfinite(column(labels, "logg")), [ID, "survey", "logg"]]
    known = known.assign(rank=[rank.get(s, len(rank)) for s in known["survey"]]).sort_values([ID, "rank", "survey"], kind="stable")
    return known.drop_duplicates(ID).set_index(ID)["logg"]


def make_features(stars: pd.DataFrame, cfg: Mapping, dust_folder: str | os.PathLike | None, logg: pd.Series | None) -> pd.DataFrame:
    """Add `ebv_sfd`, `<band>_0`, `abs_<band>_0` and `star_class` to matched stars (Sections 2.1 and 2.5).

    Parameters
    ----------
    stars : DataFrame
        Matched stars; `ra`, `dec` in deg where E(B-V) comes from the map.
    dust_folder : path or None
        Folder of the SFD maps; needed when `photometry.ebv` is sfd.
    logg : Series or None
        Spectroscopic log g by Gaia id, for the class rule logg.

    Raises
    ------
    InputError
        When a needed column, the maps or the labels are absent.
    """
    source = cfg["photometry"]["ebv"]
    if source == "sfd":
        if dust_folder is None:
            raise InputError("sages.photometry.ebv", "is sfd, but no folder of dust maps was given", "Set `dust.map`, or use ebv: column")
        stars = stars.drop(columns="ebv_sfd", errors="ignore")
        stars = stars.assign(ebv_sfd=query_sfd(column(stars, "ra"), column(stars, "dec"), dust_folder))
    elif source != "column":
        raise InputError("sages.photometry.ebv", f"is {source!r}", "Use sfd or column")
    frame = deredden(stars, cfg)
    for band in absolute_bands(cfg):
        frame[f"abs_{band}_0"] = absolute_magnitude(column(frame, f"{band}_0"), column(frame, "parallax"))
    by = frame
    if cfg["classes"]["rule"] == "logg":
        if logg is None:
            raise InputError("sages.classes.rule", "is logg, but no table of labels was given", "Use rule: cmd, or give labels")
        by = pd.DataFrame({"logg": frame[ID].map(logg).to_numpy(dtype=np.float64)})
    return frame.assign(star_class=pd.array(classify(by, cfg), dtype="str"))


def _described(cfg: Mapping, columns: Mapping) -> dict:
    """Metadata of the stars' columns with those of the columns made here."""
    out = dict(columns)
    source = "SFD98 map" if cfg["photometry"]["ebv"] == "sfd" else "input table"
    out["ebv_sfd"] = {"unit": "mag", "description": "E(B-V), raw SFD98 scale", "source": source}
    for band, spec in cfg["bands"].items():
        text = f"{band} corrected for extinction, R = {spec['reddening']}"
        out[f"{band}_0"] = {"unit": "mag", "description": text, "source": "Table 1"}
    for band in absolute_bands(cfg):
        text = f"absolute magnitude in {band}, corrected for extinction"
        out[f"abs_{band}_0"] = {"unit": "mag", "description": text, "source": "parallax"}
    out["star_class"] = {"unit": "", "description": "class of Figure 1", "source": f"rule {cfg['classes']['rule']}"}
    for entry in cfg["data_sets"]:
        text = f"passes every prediction cut of data set {entry['id']} and is a dwarf or a giant"
        out[f"predict_set{entry['id']}"] = {"unit": "", "description": text, "source": "Table 2"}
    return out


def run_features(
    stars_path: str | os.PathLike,
    cfg: Mapping,
    dust_folder: str | os.PathLike | None,
    output: str | os.PathLike,
    selection: str | os.PathLike,
    labels_path: str | os.PathLike | None = None,
) -> None:
    """Make the features table of one cell and the flow of each data set's prediction sample.

    Parameters
    ----------
    stars_path : path
        Matched stars of the cell.
    dust_folder : path or None
        Folder of the SFD maps (`photometry.ebv: sfd`).
    output : path
        Parquet: the stars' columns, `ebv_sfd`, `<band>_0`, `abs_<band>_0`, `star_class`, `predict_set<k>`.
    selection : path
        JSON: {"set<k>": flow list}.
    labels_path : path, optional
        Labels of the cell; read only by the class rule logg.
    """
    logg = None
    if cfg["classes"]["rule"] == "logg" and labels_path is not None:
        logg = best_logg(read_table(labels_path, [ID, "survey", "logg"]), survey_order(cfg))
    sets = [entry["id"] for entry in cfg["data_sets"]]
    flows: dict[int, list] = {k: [] for k in sets}
    made = _described(cfg, read_meta(stars_path)["columns"])
    with TableWriter(output, made) as writer:
        for stars in pieces(stars_path):
            frame = make_features(stars, cfg, dust_folder, logg)
            for k in sets:
                mask, flow = prediction_mask(frame, cfg, k)
                frame[f"predict_set{k}"] = mask
                flows[k].append(flow)
            writer.write(frame)
    merged = {f"set{k}": merge(flows[k]) for k in sets}
    write_json(selection, merged)
    log.info("%s: %d stars; predicted: %s", output, writer.rows, {name: flow[-1]["kept"] for name, flow in merged.items()})
