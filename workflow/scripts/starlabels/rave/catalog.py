"""The catalogue of Guiglion et al. 2020: the thirty columns of Table 1 as FITS and Parquet, streamed slice by slice."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from tqdm import tqdm

from ..errors import InputError
from ..fits_stream import FitsColumn, FitsTableWriter
from ..io import TableWriter, iter_table, read_meta, row_count
from .rows import ID, iter_observed, pair_slices

log = logging.getLogger(__name__)

GAIA, SNR = "gaia_dr2_source_id", "snr_rave"
# label: (name in the catalogue, unit in FITS, what it is). FITS has no unit for logarithms: dex stands in the description.
LABELS = {
    "teff": ("teff", "K", "effective temperature"),
    "logg": ("logg", "", "surface gravity, log10(g / (cm s-2))"),
    "mh": ("mh", "", "overall metallicity [M/H], dex"),
    "feh": ("feh", "", "[Fe/H], dex"),
    "alpha_m": ("alpham", "", "[alpha/M], dex"),
    "si_fe": ("sife", "", "[Si/Fe], dex"),
    "mg_fe": ("mgfe", "", "[Mg/Fe], dex"),
    "al_fe": ("alfe", "", "[Al/Fe], dex"),
    "ni_fe": ("nife", "", "[Ni/Fe], dex"),
}
GAIA_DIGITS = 19        # bytes that any Gaia source id fits in


def columns_of(width: int) -> list[tuple[str, FitsColumn]]:
    """(column of the joined rows, column of the catalogue) in the order of Table 1; `width`: bytes of the observation ids."""
    found = [
        (ID, FitsColumn("rave_obs_id", f"S{max(width, 1)}", "", "RAVE observation")),
        (GAIA, FitsColumn("sourceid", f"S{GAIA_DIGITS}", "", "Gaia DR2 source id")),
    ]
    for label, (name, unit, text) in LABELS.items():
        found += [
            (f"{label}_cnn", FitsColumn(name, "f4", unit, text[:1].upper() + text[1:])),
            (f"{label}_cnn_err", FitsColumn(f"e{name}", "f4", unit, f"Error of {text}")),
            (f"{label}_cnn_flag", FitsColumn(f"flag_{name}", "i2", "", f"Boundary flag of {name}; 1: outside the training range")),
        ]
    return [*found, (SNR, FitsColumn("snr", "f4", "", "Signal-to-noise ratio of the RAVE spectrum, per pixel"))]


def catalogue_rows(frame: pd.DataFrame, columns: Sequence[tuple[str, FitsColumn]]) -> dict[str, np.ndarray]:
    """Values of the catalogue for joined rows; a star without Gaia id has an empty text."""
    rows = {}
    for source, column in columns:
        if source == GAIA:
            ids = frame[source].to_numpy(np.int64)
            values = np.where(ids >= 0, ids.astype(str), "").astype(str)
        else:
            values = frame[source].to_numpy(dtype=str if column.is_text else column.kind)
        rows[column.name] = values
    return rows


def _survey_of(pairs: Iterable[tuple]) -> tuple[int, int, dict]:
    """First pass: rows, bytes of the longest id, and what the predictions' metadata says (the same in every slice)."""
    rows, width, common = 0, 1, None
    for _, path in pairs:
        meta = read_meta(path)
        own = {k: meta.get(k) for k in ("variant", "network", "n_networks", "simulated")}
        if common is not None and own != common:
            raise InputError(path, f"was predicted with other networks ({own}) than the slices before it ({common})", "Predict all again")
        common, rows = own, rows + row_count(path)
        for piece in iter_table(path, [ID]):
            width = max(width, int(piece[ID].str.len().max()) if len(piece) else 1)
    return rows, width, common


def run_catalog(stars: Iterable, predictions: Iterable, cfg: Mapping, out_fits, out_parquet, simulated: bool) -> dict:
    """Write the catalogue.

    Parameters
    ----------
    stars, predictions : iterable of path
        `rave/stars/{slice}.parquet` and `rave/predictions/main/photometry/{slice}.parquet`, in any order; rows are in the order
        of the slices' names.
    cfg : mapping
        The `rave` part of the configuration.
    out_fits, out_parquet : path
        Written whole or not at all.
    simulated : bool
        The headers say so.

    Returns
    -------
    dict
        rows, flagged (rows with any boundary flag).

    Raises
    ------
    InputError
        When slices do not pair, a label of Table 1 is not predicted, or a spectrum lacks its star.
    """
    absent = [label for label in LABELS if label not in cfg["labels"]]
    if absent:
        raise InputError("rave.labels", f"lacks {absent[0]}", "The catalogue has the nine labels of Table 1")
    pairs = pair_slices(list(stars), list(predictions))
    rows, width, common = _survey_of(pairs)
    columns = columns_of(width)
    sky = "simulated sky" if simulated else "observed"
    cards = [
        ("SKY", sky, "origin of the spectra"),
        ("SIMUL", bool(simulated), "T: spectra, photometry, labels are simulated"),
        ("NNETWORK", int(common["n_networks"] or 0), "networks averaged; errors: their dispersion"),
    ]
    if simulated:
        cards.append(("COMMENT", "SIMULATED SKY: no row of this table is a real star.", ""))
    describe = {c.name: {"unit": _unit(c), "description": c.description, "source": source} for source, c in columns}
    meta = {"sky": sky, "simulated": bool(simulated), "rows": rows, **{k: common[k] for k in ("variant", "network", "n_networks")}}
    labels = [source for source, _ in columns if source not in (ID, GAIA, SNR)]
    written, flagged = 0, 0
    joined = iter_observed(*zip(*pairs, strict=True), [GAIA, SNR], labels)
    table, parquet = FitsTableWriter(out_fits, [c for _, c in columns], rows, cards), TableWriter(out_parquet, describe, meta)
    with table, parquet:
        for piece in tqdm(joined, total=len(pairs), desc="catalogue", unit="slice", mininterval=5, disable=None):
            values = catalogue_rows(piece, columns)
            table.write(values)
            texts = {c.name: pd.array(values[c.name], dtype="str") for _, c in columns if c.is_text}
            parquet.write(pd.DataFrame({**values, **texts}))
            written += len(piece)
            flagged += int(piece[[f"{label}_cnn_flag" for label in LABELS]].any(axis=1).sum())
        if written != rows:
            found = f"have {rows} predictions, of which {written} belong to an observed star"
            raise InputError("rave/predictions", found, "Delete them and predict again")
    log.info("catalogue: %d spectra, %d with a boundary flag", rows, flagged)
    return {"rows": rows, "flagged": flagged}


def _unit(column: FitsColumn) -> str:
    """Unit in the Parquet metadata, which may say dex where FITS may not."""
    if column.name == "snr":
        return "/pix"
    return column.unit or ("dex" if column.kind == "f4" else "")
