"""The final catalogue: Table 3 of Gu et al. 2025 as FITS and Parquet, streamed cell by cell."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tqdm import tqdm

from ..errors import InputError
from ..fits_stream import FitsColumn, FitsTableWriter
from ..io import TableWriter, iter_table, read_meta, row_count

log = logging.getLogger(__name__)

ID = "gaia_dr3_source_id"
MISSING = -9999.0                   # Table 3: "Unreliable data are marked with -9999"
PARAMETERS = {"teff": "Teff", "logg": "logg", "feh": "[Fe/H]"}
MASKED = ("teff", "logg", "feh", "teff_err", "logg_err", "feh_err")


def _bands(names: Mapping[str, str], survey: str) -> list[tuple]:
    """Rows of the table for a group of bands: first the magnitudes, then their errors, as Table 3 orders them."""
    magnitudes = [(b, n, "f4", "mag", f"Magnitude, {survey} {n} band") for b, n in names.items()]
    errors = [(f"{b}_err", f"{n}_err", "f4", "mag", f"Uncertainty of the {survey} {n} magnitude") for b, n in names.items()]
    return magnitudes + errors


# (column of the predictions, name in the catalogue, kind, unit, description); Table 3 in its order. FITS knows no unit
# for logarithms, so log g and [Fe/H] carry theirs in the description.
TABLE3 = [
    ("ra", "RA", "f8", "deg", "Right ascension from SAGES DR1 (J2000)"),
    ("dec", "DEC", "f8", "deg", "Declination from SAGES DR1 (J2000)"),
    ("teff", "Teff", "f4", "K", "Effective temperature (-9999: unreliable)"),
    ("logg", "logg", "f4", "", "Log10 surface gravity in cm/s2 (-9999: unreliable)"),
    ("feh", "[Fe/H]", "f4", "", "Photometric metallicity in dex (-9999: unreliable)"),
    ("ebv_sfd", "ebv_sfd", "f4", "mag", "E(B-V) from the map of SFD98, not rescaled"),
    *_bands({"sages_u": "u", "sages_v": "v"}, "SAGES DR1"),
    *_bands({"gaia_g": "G", "gaia_bp": "Bp", "gaia_rp": "Rp"}, "Gaia EDR3"),
    *_bands({"tmass_j": "J", "tmass_h": "H", "tmass_ks": "K"}, "2MASS"),
    *_bands({"wise_w1": "W1", "wise_w2": "W2"}, "AllWISE"),
    *_bands({"galex_nuv": "NUV"}, "GALEX"),
    ("parallax", "parallax", "f8", "mas", "Parallax from Gaia EDR3"),
    ("parallax_err", "err_parallax", "f4", "mas", "Uncertainty of the parallax"),
    ("pm", "pm", "f4", "mas/yr", "Total proper motion from Gaia EDR3"),
    ("pmra", "pmra", "f8", "mas/yr", "Proper motion in RA (with cos Dec), Gaia EDR3"),
    ("pmdec", "pmdec", "f8", "mas/yr", "Proper motion in Dec from Gaia EDR3"),
    ("pmra_err", "err_pmra", "f4", "mas/yr", "Uncertainty of pmra"),
    ("pmdec_err", "err_pmdec", "f4", "mas/yr", "Uncertainty of pmdec"),
    ("type", "type", "i2", "", "1: dwarf, 0: giant"),
]
# What Table 3 does not have comes after it.
OURS = [
    ("gaia_dr3_source_id", "gaia_dr3_source_id", "i8", "", "Added: Gaia EDR3/DR3 source id"),
    ("sage_id", "sage_id", "S", "", "Added: SAGES DR1 source id"),
    ("star_id", "star_id", "S", "", "Added: id of the star in the input table"),
    ("teff_err", "Teff_err", "f4", "K", "Added: one-sigma error of Teff"),
    ("logg_err", "logg_err", "f4", "", "Added: one-sigma error of logg in dex"),
    ("feh_err", "[Fe/H]_err", "f4", "", "Added: one-sigma error of [Fe/H] in dex"),
    ("out_of_domain", "out_of_domain", "bool", "", "Added: far from every training star"),
    ("cool_mask", "cool_mask", "bool", "", "Added: redder than the limit of cool stars, -9999 set"),
]


def _other_bands(cfg: Mapping) -> list[tuple]:
    """Bands of the configuration that Table 3 does not know (a survey other than SAGES), under their own names."""
    known = {row[0] for row in TABLE3}
    rows = []
    for band in cfg["bands"]:
        if band not in known:
            rows.append((band, band, "f4", "mag", f"Added: magnitude {band}"))
            rows.append((f"{band}_err", f"{band}_err", "f4", "mag", f"Added: uncertainty of {band}"))
    return rows


def catalogue_columns(
    available: Iterable[str], cfg: Mapping, widths: Mapping[str, int] | None = None, texts: Mapping[str, str] | None = None
) -> list[tuple[str, FitsColumn]]:
    """Columns of the final catalogue that can be made from the columns at hand, in Table 3's order and then ours.

    Parameters
    ----------
    available : iterable of str
        Columns of the predictions.
    cfg : mapping
        The `sages` part of the configuration.
    widths : mapping, optional
        Bytes of the text columns.
    texts : mapping, optional
        Descriptions that replace Table 3's, for stars that are not SAGES's; the running number of a table without ids is then
        named `star_number`.

    Returns
    -------
    list of (column of the predictions, FitsColumn)
    """
    names = set(available)
    if "star_class" in names:
        names.add("type")
    chosen, texts = [], texts or {}
    for source, name, kind, unit, text in TABLE3 + OURS + _other_bands(cfg):
        if source in names:
            kind = f"S{max((widths or {}).get(source, 1), 1)}" if kind == "S" else kind
            name = "star_number" if source == ID and is_running(texts.get(ID, "")) else name
            chosen.append((source, FitsColumn(name, kind, unit, texts.get(source, text)[:68])))     # 68: what a FITS card holds
    return chosen


def is_running(text: str) -> bool:
    """Whether the description of an id column says that it is no archive's id (a table without ids; canonical.py)."""
    return text.startswith("Running number")


def _texts(path, cfg: Mapping) -> dict[str, str]:
    """Descriptions of the input's own columns where the stars come from a table that somebody matched before."""
    columns = read_meta(path)["columns"]
    if not (cfg["photometry"]["matched"] or is_running(columns.get(ID, {}).get("description", ""))):
        return {}
    own = {*PARAMETERS, *MASKED, "out_of_domain", "cool_mask"}
    return {name: entry["description"] for name, entry in columns.items() if entry.get("description") and name not in own}


def catalogue_rows(frame: pd.DataFrame, columns: list[tuple[str, FitsColumn]]) -> dict[str, np.ndarray]:
    """Values of the catalogue for some rows of the predictions: masked stars and missing values become -9999.

    Stars redder than the limit of Section 4 (`cool_mask`) get -9999 in the three parameters and in their errors. A star
    of data set 1 needs no infrared or ultraviolet photometry; what it does not have is -9999 too.
    """
    mask = frame["cool_mask"].to_numpy(bool) if "cool_mask" in frame else np.zeros(len(frame), bool)
    rows = {}
    for source, column in columns:
        if source == "type":
            values = (frame["star_class"] == "dwarf").to_numpy(np.int16)
        elif column.is_text:
            values = frame[source].astype("str").fillna("").to_numpy(dtype=object).astype(str)
        elif column.kind in ("f4", "f8"):
            values = frame[source].to_numpy(dtype=column.kind, copy=True)
            values[~np.isfinite(values)] = MISSING
            if source in MASKED:
                values[mask] = MISSING
        else:
            values = frame[source].to_numpy(dtype=bool if column.kind == "bool" else column.kind)
        rows[column.name] = values
    return rows


def _survey_of(paths: list) -> tuple[list[str], int, dict[str, int], dict[str, int]]:
    """First pass: column names, rows (from the footers), width of the text columns, counts for the header."""
    names, rows, widths, counts = None, 0, {}, {"dwarf": 0, "giant": 0, "masked": 0, "out_of_domain": 0}
    for path in paths:
        rows += row_count(path)
        schema = pq.read_schema(path).names
        if names is not None and set(schema) != set(names):
            odd = sorted(set(schema) ^ set(names))[0]
            remedy = "Delete the predictions and run again"
            raise InputError(f"{path}, column {odd}", "is not the same in every piece of the predictions", remedy)
        names = names or schema
        wanted = [c for c in ("sage_id", "star_id", "star_class", "cool_mask", "out_of_domain") if c in names]
        for piece in iter_table(path, wanted):
            for column in [c for c in ("sage_id", "star_id") if c in wanted]:
                lengths = piece[column].astype("str").fillna("").str.len()
                widths[column] = max(widths.get(column, 1), int(lengths.max()) if len(piece) else 1)
            if "star_class" in piece:
                for star_class in ("dwarf", "giant"):
                    counts[star_class] += int((piece["star_class"] == star_class).sum())
            counts["masked"] += int(piece["cool_mask"].sum()) if "cool_mask" in piece else 0
            counts["out_of_domain"] += int(piece["out_of_domain"].sum()) if "out_of_domain" in piece else 0
    return names, rows, widths, counts


def run_catalog_product(prediction_paths: Iterable, cfg: Mapping, data_set: int, out_fits, out_parquet, simulated: bool) -> dict:
    """Write the final catalogue of a data set as FITS and Parquet (Section 4, Table 3).

    Parameters
    ----------
    prediction_paths : iterable of path
        `predictions/set<k>/cell-*.parquet`; rows keep this order.
    cfg : mapping
        The `sages` part of the configuration.
    data_set : int
        1 or 2, written to the headers.
    out_fits, out_parquet : path
        Written whole or not at all.
    simulated : bool
        Whether the stars are a simulated sky; the headers say so.

    Returns
    -------
    dict
        rows, dwarf, giant, masked, out_of_domain, columns.

    Raises
    ------
    InputError
        When a file is missing, pieces differ in their columns, or the target cannot be written.
    """
    paths = list(prediction_paths)
    if not paths:
        raise InputError("final catalogue", "no prediction file was given", "Run the predictions first")
    names, rows, widths, counts = _survey_of(paths)
    columns = catalogue_columns(names, cfg, widths, _texts(paths[0], cfg))
    sky = "simulated sky" if simulated else "observed"
    cards = [
        ("DATASET", data_set, "data set (Gu et al. 2025, Section 2.1)"),
        ("SKY", sky, "origin of the stars"),
        ("SIMUL", bool(simulated), "T: positions, photometry, labels are simulated"),
        ("MISSING", MISSING, "value of missing and unreliable data"),
        ("NDWARF", counts["dwarf"], "dwarfs (type 1)"),
        ("NGIANT", counts["giant"], "giants (type 0)"),
        ("NMASKED", counts["masked"], "stars whose three parameters are -9999"),
    ]
    if simulated:
        cards.append(("COMMENT", "SIMULATED SKY: no row of this table is a real star.", ""))
    describe = {c.name: {"unit": c.unit, "description": c.description, "source": s} for s, c in columns}
    meta = {"data_set": data_set, "sky": sky, "simulated": bool(simulated), "missing": MISSING, "rows": rows, **counts}
    wanted = [s for s, _ in columns if s != "type"] + (["star_class"] if "star_class" in names else [])
    with FitsTableWriter(out_fits, [c for _, c in columns], rows, cards) as table, TableWriter(out_parquet, describe, meta) as parquet:
        for path in tqdm(paths, desc=f"catalogue {data_set}", unit="cell", mininterval=5, disable=None):
            for piece in iter_table(path, wanted):
                values = catalogue_rows(piece, columns)
                table.write(values)
                parquet.write(_frame(values, columns))
        if parquet.rows == 0:
            parquet.write(_frame(catalogue_rows(_empty(wanted), columns), columns))
    log.info("final catalogue of data set %d: %d stars, %s", data_set, rows, counts)
    return {"rows": rows, **counts, "columns": [c.name for _, c in columns]}


def _frame(values: Mapping[str, np.ndarray], columns: list[tuple[str, FitsColumn]]) -> pd.DataFrame:
    return pd.DataFrame({c.name: pd.array(values[c.name], dtype="str") if c.is_text else values[c.name] for _, c in columns})


def _empty(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({n: np.empty(0) for n in names})
