"""2MASS point sources (bulk text), AllWISE (Parquet) and Gaia's best-neighbour tables of both (CSV)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...io import atomic
from .. import observe
from . import formats

#: The 60 columns of the 2MASS bulk files (psc_aaa ...), in their order; those that are not simulated are `\\N`.
TWOMASS_COLUMNS = [
    "ra", "decl", "err_maj", "err_min", "err_ang", "designation", "j_m", "j_cmsig", "j_msigcom", "j_snr", "h_m", "h_cmsig",
    "h_msigcom", "h_snr", "k_m", "k_cmsig", "k_msigcom", "k_snr", "ph_qual", "rd_flg", "bl_flg", "cc_flg", "ndet", "prox", "pxpa",
    "pxcntr", "gal_contam", "mp_flg", "pts_key", "hemis", "date", "scan", "glon", "glat", "x_scan", "jdate", "j_psfchi", "h_psfchi",
    "k_psfchi", "j_m_stdap", "j_msig_stdap", "h_m_stdap", "h_msig_stdap", "k_m_stdap", "k_msig_stdap", "dist_edge_ns",
    "dist_edge_ew", "dist_edge_flg", "dup_src", "use_src", "a", "dist_opt", "phi_opt", "b_m_opt", "vr_m_opt", "nopt_mchs",
    "ext_key", "scan_key", "coadd_key", "coadd",
]  # fmt: skip
ALLWISE_COLUMNS = [
    "designation", "ra", "dec", "sigra", "sigdec", "w1mpro", "w1sigmpro", "w1snr", "w2mpro", "w2sigmpro", "w2snr",
    "cc_flags", "ext_flg", "var_flg", "ph_qual", "w1mjdmean", "w2mjdmean",
]  # fmt: skip
TWOMASS_JD = (2450630.0, 2451980.0)  # 1997.5 to 2001.2
ALLWISE_MJD = (55270.0, 55525.0)  # 2010.2 to 2010.9
LIMIT_SHARE = 0.04  # AllWISE rows whose W2 (half of them: W1) is an upper limit
UNLISTED_SHARE = 0.01  # pairs that Gaia's tables lack
NULL = "\\N"


def twomass(stars: pd.DataFrame, config: Mapping) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of the point-source catalogue in the native columns that are simulated, and each row's star in `stars`.

    A star is listed when J or H or Ks is above its limit; a band below it is an upper limit: quality U, no errors.
    """
    index = stars["star_index"].to_numpy()
    jd = TWOMASS_JD[0] + (TWOMASS_JD[1] - TWOMASS_JD[0]) * observe.draw(config, "twomass/date", index)
    ra, dec = observe.catalogue_position(config, "twomass", stars, observe.year_of_mjd(jd - 2400000.5))
    frame = pd.DataFrame({"ra": ra.round(6), "decl": dec.round(6)})
    quality = np.full(len(stars), "", dtype=object)
    listed = np.zeros(len(stars), bool)
    for tag, band in (("j", "tmass_j"), ("h", "tmass_h"), ("k", "tmass_ks")):
        mag, error, seen = observe.measure(config, "twomass", index, band, stars[band].to_numpy())
        listed |= seen
        frame[f"{tag}_m"] = np.where(seen, mag, observe.faint_limit(band) + 0.1 * np.sin(index % 97)).round(3)
        frame[f"{tag}_msigcom"] = np.where(seen, error, np.nan).round(3)
        frame[f"{tag}_cmsig"] = np.where(seen, np.sqrt(np.maximum(error**2 - 0.015**2, 1e-4)), np.nan).round(3)
        frame[f"{tag}_snr"] = np.where(seen, 1.0857 / error, np.nan).round(1)
        quality = quality + np.select([~seen, error < 0.109, error < 0.155, error < 0.217], ["U", "A", "B", "C"], "D").astype(object)
    frame["ph_qual"] = quality
    limits = pd.Series(quality)
    frame["rd_flg"] = limits.str.replace("[ABCD]", "2", regex=True).str.replace("U", "0").to_numpy()
    frame["bl_flg"] = limits.str.replace("[ABCD]", "1", regex=True).str.replace("U", "0").to_numpy()
    frame["cc_flg"] = np.where(observe.draw(config, "twomass/contaminated", index) < 0.02, "c00", "000")
    frame["err_maj"], frame["err_min"], frame["err_ang"] = 0.08, 0.08, 0
    frame["gal_contam"], frame["mp_flg"], frame["dup_src"], frame["use_src"] = 0, 0, 0, 1
    frame["hemis"] = np.where(dec > 12, "n", "s")
    days = np.floor(jd + 0.5 - 2440587.5).astype("datetime64[D]")
    frame["date"] = days.astype(str)
    frame["jdate"] = jd.round(4)
    keep = np.flatnonzero(listed)
    frame = frame.iloc[keep].reset_index(drop=True)
    frame["designation"] = formats.sexagesimal(frame["ra"], frame["decl"], "", 2, 1, point=False)
    return frame, keep


def write_twomass(path: str | Path, frame: pd.DataFrame) -> None:
    """Write pipe-separated text without a header, 60 columns, `\\N` for nulls."""
    full = {c: frame[c].to_numpy() if c in frame else np.full(len(frame), NULL, dtype=object) for c in TWOMASS_COLUMNS}
    formats.write_text(path, pd.DataFrame(full), separator="|", null=NULL, header=False)


def allwise(stars: pd.DataFrame, config: Mapping) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """AllWISE rows, and for each its star and the star blended into it (-1: none). Pairs closer than 3 arcsec are one source."""
    index = stars["star_index"].to_numpy()
    mjd = ALLWISE_MJD[0] + (ALLWISE_MJD[1] - ALLWISE_MJD[0]) * observe.draw(config, "allwise/date", index)
    sources = observe.blend(stars, ("wise_w1", "wise_w2"), observe.year_of_mjd(mjd))
    own = sources["star_index"].to_numpy()
    ra, dec = observe.scatter(config, "allwise", own, sources["ra"], sources["dec"])
    chance = observe.draw(config, "allwise/chance", own, 2)
    limit = chance[:, 0] < LIMIT_SHARE
    frame = pd.DataFrame({"ra": ra.round(7), "dec": dec.round(7), "sigra": 0.1, "sigdec": 0.1})
    quality = np.full(len(sources), "", dtype=object)
    seen = {}
    for tag, band in (("w1", "wise_w1"), ("w2", "wise_w2")):
        mag, error, ok = observe.measure(config, "allwise", own, band, sources[band].to_numpy())
        upper = limit & (chance[:, 0] < LIMIT_SHARE / 2) if tag == "w1" else limit
        seen[tag] = ok
        error = np.where(ok & ~upper, error, np.nan)
        frame[f"{tag}mpro"] = np.where(ok, mag, observe.faint_limit(band)).round(3)
        frame[f"{tag}sigmpro"] = error.round(3)
        frame[f"{tag}snr"] = np.where(np.isfinite(error), 1.0857 / error, 1.0).round(1)
        quality = quality + np.select([~np.isfinite(error), error < 0.1086], ["U", "A"], "B").astype(object)
        frame[f"{tag}mjdmean"] = mjd[sources["row"].to_numpy()].round(5)
    frame["cc_flags"] = np.where(chance[:, 1] < 0.02, "H000", "0000")
    frame["ext_flg"] = np.where((chance[:, 1] > 0.98) | (sources["second"].to_numpy() >= 0), 1, 0).astype(np.int32)
    frame["var_flg"] = "00nn"
    frame["ph_qual"] = quality + "UU"
    keep = np.flatnonzero(seen["w1"])
    frame = frame.iloc[keep].reset_index(drop=True)
    frame["designation"] = formats.sexagesimal(frame["ra"], frame["dec"], "J", 2, 1)
    return frame[ALLWISE_COLUMNS], sources["row"].to_numpy()[keep], sources["second"].to_numpy()[keep]


def write_allwise(path: str | Path, frame: pd.DataFrame) -> None:
    """Write Parquet."""
    kinds = {c: pa.string() for c in ("designation", "cc_flags", "var_flg", "ph_qual")} | {"ext_flg": pa.int32()}
    schema = pa.schema([(c, kinds.get(c, pa.float64())) for c in frame.columns])
    with atomic(path) as part:
        pq.write_table(
            pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None), part, compression="zstd"
        )


def best_neighbours(
    stars: pd.DataFrame, config: Mapping, survey: str, ids: np.ndarray, ra: np.ndarray, dec: np.ndarray, year: np.ndarray,
    star: np.ndarray, second: np.ndarray | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Gaia's table of best neighbours: every Gaia source whose counterpart it is, with the distance at the survey's epoch.

    Parameters
    ----------
    ids, ra, dec, year : ndarray, shape (m,)
        The survey's sources.
    star, second : ndarray of int, shape (m,)
        Rows in `stars` of each source's star, and of the star blended into it (-1: none): both then name the same source.
    """
    source = np.arange(len(ids))
    pairs = np.column_stack([star, source])
    mates = np.zeros(len(ids), int)
    if second is not None:
        both = second >= 0
        pairs = np.vstack([pairs, np.column_stack([second[both], source[both]])])
        mates[both] = 1
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    rows, source = pairs[:, 0], pairs[:, 1]
    keep = observe.draw(config, f"{survey}/unlisted", stars["star_index"].to_numpy()[rows]) >= UNLISTED_SHARE
    rows, source = rows[keep], source[keep]
    gaia_ra, gaia_dec = observe.at_epoch(stars.iloc[rows], year[source])
    d_ra = ((gaia_ra - ra[source] + 180) % 360 - 180) * np.cos(np.radians(gaia_dec))
    near = stars["separation"].to_numpy()[rows] < 3.0
    return pd.DataFrame({
        "source_id": stars["source_id"].to_numpy()[rows],
        "original_ext_source_id": ids[source],
        "angular_distance": np.round(3600 * np.hypot(d_ra, gaia_dec - dec[source]), 6),
        "xm_flag": np.full(len(rows), 8),
        "number_of_neighbours": np.where(near & (mates[source] == 0), 2, 1),
        "number_of_mates": mates[source],
    })  # fmt: skip


def write_best_neighbours(path: str | Path, frame: pd.DataFrame) -> None:
    """Write CSV."""
    formats.write_text(path, frame)
