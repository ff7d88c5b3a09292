"""The simulated archives: native files of one shard of the sky, the dust maps, the table of globular clusters, and the truth."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..io import write_table
from . import observe
from .clusters import cluster
from .dustmap import true_ebv, write_dust
from .layout import Shard, field_positions, member_indices, shard
from .native import apogee, comparison, gaia, galex, infrared, lamost, literature, sages
from .stars import draw_cluster_stars, draw_field_stars

log = logging.getLogger(__name__)

#: Columns that the truth adds to those of the true star, with what they mean.
TRUTH_META = {
    "gaia_dr3_source_id": {"description": "Id of the star in the simulated Gaia DR3"},
    "field": {"description": "Field or cluster that the star was drawn for"},
    "is_companion": {"description": "Drawn as the close neighbour of another star"},
    "neighbour_source_id": {"description": "Gaia id of the close neighbour, -1: none"},
    "separation": {"unit": "arcsec", "description": "Distance of the close neighbour"},
    "ebv_map": {"unit": "mag", "description": "E(B-V) of the dust map"},
    "sage_id": {"description": "Name in SAGES; empty: not listed"},
    "sage_id_2": {"description": "Name of a second SAGES entry; empty: none"},
    "tmass_id": {"description": "2MASS designation; empty: not listed"},
    "allwise_id": {"description": "AllWISE designation; empty: not listed"},
    "allwise_blend": {"description": "The AllWISE source is two stars"},
    "galex_objid": {"description": "GALEX object id (primary entry); -1: not listed"},
    "galex_blend": {"description": "The GALEX source is two stars"},
}


def true_stars(piece: Shard, config: Mapping) -> pd.DataFrame:
    """The stars of a shard with their close neighbours: columns of the truth and those of `observe.with_neighbours`."""
    seed = config["seed"]
    index, ra, dec = field_positions(piece, seed)
    frames = [draw_field_stars(index, ra, dec, true_ebv(ra, dec, index, config), config).assign(is_member=False)]
    members = member_indices(piece)
    if len(members):
        frames.insert(0, draw_cluster_stars(members, cluster(piece.cluster), config).assign(is_member=True))
    stars = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    stars["field"] = piece.field
    full = observe.with_neighbours(stars, config, draw_field_stars)
    return full.assign(field=piece.field, is_member=full["is_member"].eq(True))


def native_rows(stars: pd.DataFrame, config: Mapping) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """What every catalogue lists of these stars, and the truth with the name of each star in each catalogue."""
    tables: dict[str, pd.DataFrame] = {"gaia": gaia.rows(stars, config)}
    truth = _truth(stars)
    tables["sages"], star = sages.rows(stars, config)
    name = tables["sages"]["SAGE_ID"].to_numpy()
    first = ~pd.Series(star).duplicated().to_numpy()
    _enter(truth, "sage_id", star[first], name[first])
    _enter(truth, "sage_id_2", star[~first], name[~first])

    tables["twomass"], star = infrared.twomass(stars, config)
    table = tables["twomass"]
    _enter(truth, "tmass_id", star, table["designation"].to_numpy())
    year = observe.year_of_mjd(table["jdate"].to_numpy() - 2400000.5)
    position = (table["designation"].to_numpy(), table["ra"].to_numpy(), table["decl"].to_numpy(), year)
    tables["tmass_best_neighbour"] = infrared.best_neighbours(stars, config, "twomass", *position, star)

    table, star, second = infrared.allwise(stars, config)
    tables["allwise"] = table
    _enter(truth, "allwise_id", star, table["designation"].to_numpy(), second, "allwise_blend")
    year = observe.year_of_mjd(table["w1mjdmean"].to_numpy())
    position = (table["designation"].to_numpy(), table["ra"].to_numpy(), table["dec"].to_numpy(), year)
    tables["allwise_best_neighbour"] = infrared.best_neighbours(stars, config, "allwise", *position, star, second)

    tables["galex"], star, second = galex.rows(stars, config)
    primary = tables["galex"]["grank"].to_numpy() >= 0
    _enter(truth, "galex_objid", star[primary], tables["galex"]["objid"].to_numpy()[primary], second[primary], "galex_blend")

    tables["lamost"], tables["apogee"] = lamost.rows(stars, config), apogee.rows(stars, config)
    tables["rave5"], tables["pastel"] = literature.rave5(stars, config), literature.pastel(stars, config)
    tables |= literature.vmp(stars, config)
    tables["h23"], tables["a23"] = comparison.h23(stars, config), comparison.a23(stars, config)
    return tables, truth


def _truth(stars: pd.DataFrame) -> pd.DataFrame:
    frame = stars.rename(columns={"source_id": "gaia_dr3_source_id"})
    partner = frame["partner"].to_numpy()
    ids = frame["gaia_dr3_source_id"].to_numpy()
    frame["neighbour_source_id"] = np.where(partner >= 0, ids[np.maximum(partner, 0)], -1) if len(frame) else np.empty(0, np.int64)
    frame = frame.drop(columns="partner")
    for name in ("sage_id", "sage_id_2", "tmass_id", "allwise_id"):
        frame[name] = ""
    frame["galex_objid"] = np.int64(-1)
    return frame.assign(allwise_blend=False, galex_blend=False)


def _enter(truth: pd.DataFrame, column: str, star: np.ndarray, name: np.ndarray, second: np.ndarray | None = None, blend: str = "") -> None:
    """Write the names of sources beside their stars, and beside the stars that are blended into them."""
    values = truth[column].to_numpy(dtype=object if truth[column].dtype != np.int64 else np.int64, copy=True)
    values[star] = name
    if second is not None:
        both = second >= 0
        values[second[both]] = name[both]
        mixed = np.zeros(len(truth), bool)
        mixed[star[both]] = mixed[second[both]] = True
        truth[blend] = mixed
    truth[column] = pd.array(values, dtype="str") if values.dtype == object else values


WRITERS = {
    "sages": sages.write, "gaia": gaia.write, "twomass": infrared.write_twomass, "allwise": infrared.write_allwise, "galex": galex.write,
    "tmass_best_neighbour": infrared.write_best_neighbours, "allwise_best_neighbour": infrared.write_best_neighbours,
    "lamost": lamost.write, "apogee": apogee.write, "rave5": literature.write_csv, "pastel": literature.write_pastel,
    **{name: literature.write_csv for name in literature.VMP_LISTS}, "h23": comparison.write_h23, "a23": comparison.write_a23,
}  # fmt: skip


def run_simulate(shard_name: str, config: Mapping, outputs: Mapping[str, str | Path]) -> None:
    """Write the native files of one shard and its truth.

    Parameters
    ----------
    shard_name : str
        A name of `layout.shards(config)`.
    config : mapping
        The merged configuration.
    outputs : mapping
        Dataset -> path; the key "truth" for the truth. Datasets that are not named are not written.

    Raises
    ------
    InputError
        When the configuration has no such shard, or a file cannot be written.
    """
    piece = shard(config, shard_name)
    tables, truth = native_rows(true_stars(piece, config), config)
    for dataset, path in outputs.items():
        if dataset == "truth":
            write_table(path, truth, columns=TRUTH_META, meta={"simulated": True, "shard": shard_name, "seed": config["seed"]})
        else:
            WRITERS[dataset](path, tables[dataset])
    log.info("%s: %d stars; %s", shard_name, len(truth), ", ".join(f"{name} {len(table)}" for name, table in tables.items()))


def run_simulate_sky_files(config: Mapping, outputs: Mapping[str, str | Path]) -> None:
    """Write what the sky has once: the pair of dust maps and the table of globular clusters.

    Parameters
    ----------
    outputs : mapping
        Keys "dust_ngp", "dust_sgp" and "harris".
    """
    write_dust(config, outputs["dust_ngp"], outputs["dust_sgp"])
    comparison.write_harris(outputs["harris"], comparison.globulars(config))
