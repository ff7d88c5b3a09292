"""How good the cross-match is, against the truth of the simulated sky: separations, completeness, wrong pairs.

Each catalogue is matched by position twice, with Gaia moved to the date of each row and without, so that what motions
cost can be seen; the pairs that the run kept (best-neighbour tables included) are judged as well. A row's true star is
the one whose name the truth gives; the truth has no names of RAVE, PASTEL and the metal-poor lists, whose rows belong to
the nearest primary star at J2000 in the truth's own positions and motions (they list no close neighbours).
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord
from tqdm import tqdm

from ..astrometry import GAIA_EPOCH, Positions, propagate
from ..cells import cell_of_gaia_id
from ..crossmatch import match
from ..errors import InputError
from ..io import read_meta, read_table, read_tables, write_json, write_table
from .counterparts import EXTERNALS, ID, primary_id, row_epoch
from .labels import J2000
from .stars import read_gaia

log = logging.getLogger(__name__)

#: Bins of the true proper motion, mas/yr; faster stars count in the last one.
PM_EDGES = (0.0, 20.0, 50.0, 100.0, 200.0, 400.0, 1000.0, 5000.0)
SEP_STEP = 0.05                # arcsec
TRUTH_RADIUS = 3.0             # arcsec: a literature row further than this from every true star has none
NAMES = {"sages": ("sage_id", "sage_id_2"), "twomass": ("tmass_id",), "allwise": ("allwise_id",), "galex": ("galex_objid",)}
TRUTH_COLUMNS = [ID, "ra", "dec", "pmra", "pmdec", "is_companion", *(n for names in NAMES.values() for n in names)]
#: Completeness that the match must reach: survey, slowest motion (mas/yr), share.
TARGETS = (("sages", 400.0, 0.995), ("twomass", 100.0, 0.995), ("rave5", 100.0, 0.995), ("pastel", 100.0, 0.995), ("vmp", 100.0, 0.995))
HOW = {True: "moved", False: "not_moved"}


def survey_of(dataset: str) -> str:
    """The survey of a dataset: lists `vmp_...` are one survey."""
    return "vmp" if dataset.startswith("vmp_") else dataset


def true_source(dataset: str, rows: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    """Gaia id of the true star of each row, -1 where the truth knows none; of a blend the brighter star."""
    primary = truth[~truth["is_companion"].to_numpy(bool)]
    out = np.full(len(rows), -1, np.int64)
    if survey_of(dataset) in NAMES:
        key = primary_id("sages") if dataset == "sages" else EXTERNALS[dataset].id
        for name in NAMES[dataset]:
            known = pd.concat([primary[[name, ID]], truth.loc[truth["is_companion"], [name, ID]]]).drop_duplicates(name)
            known = known[(known[name] != "") if name != "galex_objid" else (known[name] >= 0)]
            at = pd.Index(known[name].to_numpy()).get_indexer(rows[key].to_numpy())
            out = np.where(at >= 0, known[ID].to_numpy()[at] if len(known) else -1, out)
        return out
    if len(rows) and len(primary):
        ra, dec = propagate(*(primary[c].to_numpy(float) for c in ("ra", "dec", "pmra", "pmdec")), J2000 - GAIA_EPOCH)
        listed = SkyCoord(rows["ra"].to_numpy() * u.deg, rows["dec"].to_numpy() * u.deg)
        index, apart, _ = listed.match_to_catalog_sky(SkyCoord(ra * u.deg, dec * u.deg))
        near = apart.arcsec < TRUTH_RADIUS
        out[near] = primary[ID].to_numpy()[index[near]]
    return out


def judge(
    rows: pd.DataFrame, dataset: str, gaia: pd.DataFrame, sky: Positions, truth: pd.DataFrame, cfg: Mapping, move: bool
) -> pd.DataFrame:
    """Match a catalogue by position and compare each row with its true star.

    Returns
    -------
    DataFrame
        Of the rows whose true star (or, without one, matched star) belongs to this cell: true, found (Gaia ids, -1: none), sep
        (arcsec of the pair), pm (of the true star, mas/yr; NaN: no true star), has_motion (Gaia measured it).
    """
    survey, settings = survey_of(dataset), cfg["crossmatch"]
    left = Positions(rows["ra"].to_numpy(float), rows["dec"].to_numpy(float), row_epoch(rows, J2000))
    unique = dataset in EXTERNALS
    got = match(left, sky, settings["radius_arcsec"][survey], settings["ambiguous_arcsec"], move, unique)
    ids = gaia[ID].to_numpy(np.int64)
    frame = pd.DataFrame({"true": true_source(dataset, rows, truth), "found": np.int64(-1), "sep": np.nan}, index=range(len(rows)))
    found, sep = frame["found"].to_numpy().copy(), frame["sep"].to_numpy().copy()
    found[got.left], sep[got.left] = ids[got.gaia], got.sep_arcsec
    frame = frame.assign(found=found, sep=sep)
    deciding = np.where(frame["true"] >= 0, frame["true"], found)
    place = pd.Index(ids).get_indexer(deciding)
    mine = (place >= 0) & ~gaia["in_margin"].to_numpy(bool)[place]
    frame["has_motion"] = np.isfinite(gaia["pmra"].to_numpy(float))[place]
    return add_motion(frame[mine], truth)


def add_motion(frame: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add `pm`, the true proper motion of the true star."""
    at = pd.Index(truth[ID].to_numpy()).get_indexer(frame["true"].to_numpy())
    pm = np.hypot(truth["pmra"].to_numpy(float), truth["pmdec"].to_numpy(float))
    return frame.assign(pm=np.where(at >= 0, pm[at] if len(pm) else np.nan, np.nan))


def tally(frame: pd.DataFrame, survey: str, how: str) -> pd.DataFrame:
    """Counts by bins of true proper motion, for stars with and without a motion in Gaia: n_true, n_found, n_pairs, n_wrong."""
    known = frame["true"].to_numpy() >= 0
    found = frame["found"].to_numpy()
    right = known & (found == frame["true"].to_numpy())
    bins = np.clip(np.digitize(np.nan_to_num(frame["pm"].to_numpy()), PM_EDGES) - 1, 0, len(PM_EDGES) - 2)
    parts = []
    for motion in (True, False):
        chosen = frame["has_motion"].to_numpy(bool) == motion
        for k in range(len(PM_EDGES) - 1):
            here = chosen & (bins == k)
            parts.append({
                "survey": survey, "how": how, "gaia_motion": motion, "pm_lo": PM_EDGES[k], "pm_hi": PM_EDGES[k + 1],
                "n_true": int((here & known).sum()), "n_found": int((here & right).sum()),
                "n_pairs": int((here & (found >= 0)).sum()), "n_wrong": int((here & (found >= 0) & ~right).sum()),
            })
    return pd.DataFrame(parts)


def judge_pairs(pairs: pd.DataFrame, truth: pd.DataFrame, gaia: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The pairs that the run kept in one cell, as frames like those of `judge`, one a dataset.

    True pairs are those of the stars that the run has: what a star lost in SAGES loses elsewhere is not counted again.
    """
    own = gaia.loc[~gaia["in_margin"].to_numpy(bool), [ID, "pmra"]]
    truth = truth[truth[ID].isin(own[ID])]
    stars = pairs.loc[pairs["dataset"] == "sages", ID].unique()
    out = {}
    for dataset, names in NAMES.items():
        kept = pairs[pairs["dataset"] == dataset]
        wanted = []
        for name in names:
            named = truth[[ID, "is_companion", name]].rename(columns={name: "native_id"})
            named = named[(named["native_id"] != "") if name != "galex_objid" else (named["native_id"] >= 0)]
            wanted.append(named.sort_values("is_companion", kind="stable").drop_duplicates("native_id"))
        wanted = pd.concat(wanted).assign(native_id=lambda f: f["native_id"].astype("str"))
        if dataset != "sages":
            wanted = wanted[wanted[ID].isin(stars)]
        # nullable integers: an id that went through float would lose its last digits
        wanted = wanted[["native_id"]].assign(true=wanted[ID].astype("Int64"))
        kept = kept[["native_id"]].assign(found=kept[ID].astype("Int64"), sep=kept["sep_arcsec"])
        both = wanted.merge(kept, how="outer", on="native_id")
        frame = pd.DataFrame({c: both[c].fillna(-1).to_numpy(np.int64) for c in ("true", "found")}).assign(sep=both["sep"].to_numpy(float))
        moving = own.loc[np.isfinite(own["pmra"].to_numpy(float)), ID]
        deciding = np.where(frame["true"] >= 0, frame["true"], frame["found"])
        out[dataset] = add_motion(frame.assign(has_motion=np.isin(deciding, moving.to_numpy())), truth)
    return out


class TruthByCell:
    """Truth rows of one cell and its neighbours, from shard files; only the shards that touch the cell are in memory."""

    def __init__(self, paths: Sequence, nside: int):
        self.paths = list(paths)
        self.cells = [np.unique(cell_of_gaia_id(read_table(p, [ID])[ID].to_numpy(), nside)) for p in self.paths]

    def near(self, ids: np.ndarray, cells: np.ndarray) -> pd.DataFrame:
        """Truth of the given Gaia ids, which lie in the given cells."""
        chosen = [p for p, has in zip(self.paths, self.cells, strict=True) if np.isin(has, cells).any()]
        frame = read_tables(chosen or self.paths[:1], TRUTH_COLUMNS)
        return frame[frame[ID].isin(ids)].reset_index(drop=True)


def run_crossmatch_truth(
    cells: Sequence[int], catalogs: Mapping[str, Sequence], pairs: Sequence, truth: Sequence, cfg: Mapping, nside: int,
    output_json, output_table,
) -> dict:
    """Judge the cross-match of the simulated sky.

    Parameters
    ----------
    cells : sequence of int
    catalogs : mapping of dataset to paths
        Catalogue files, one a cell in the order of `cells`: gaia, and any of sages, twomass, allwise, galex, rave5, pastel, vmp_...
    pairs : sequence of path
        `pairs-<cell>.parquet` of the run, in the order of `cells`.
    truth : sequence of path
        Truth of the simulated sky, all shards.
    cfg : mapping
        config/sages.yaml, `sages`.
    nside : int
    output_json, output_table : path
        Summary: completeness and wrong share of each survey (moved, not_moved, as_run), the targets, histograms of separation. Table:
        survey, how, gaia_motion, pm_lo, pm_hi (mas/yr), n_true, n_found, n_pairs, n_wrong, completeness, wrong_share.

    Raises
    ------
    InputError
        When Gaia is not among the catalogues, or the numbers of files and cells differ.
    """
    if "gaia" not in catalogs:
        raise InputError("crossmatch_truth, catalogs", "lack gaia", "Give the catalogue files of Gaia")
    for name, paths in [*catalogs.items(), ("pairs", pairs)]:
        if len(paths) != len(cells):
            raise InputError(f"crossmatch_truth, {name}", f"has {len(paths)} files for {len(cells)} cells", "Give one file a cell")
    source, counts, histograms = TruthByCell(truth, nside), [], {}
    for k, cell in enumerate(tqdm(cells, desc="cross-match against truth", unit="cell", mininterval=5, disable=None)):
        gaia, sky = read_gaia(catalogs["gaia"][k], cell, nside)
        if not len(gaia):
            continue
        here = source.near(gaia[ID].to_numpy(), np.unique(cell_of_gaia_id(gaia[ID].to_numpy(), nside)))
        judged = [(d, "as_run", f) for d, f in judge_pairs(read_table(pairs[k]), here, gaia).items() if d in catalogs]
        for dataset in catalogs:
            if survey_of(dataset) in cfg["crossmatch"]["radius_arcsec"]:
                rows = _positions(catalogs[dataset][k], dataset)
                judged += [(dataset, HOW[move], judge(rows, dataset, gaia, sky, here, cfg, move)) for move in (True, False)]
        for dataset, how, frame in judged:
            survey = survey_of(dataset)
            counts.append(tally(frame, survey, how))
            _count(histograms, survey, how, frame, cfg["crossmatch"]["radius_arcsec"][survey])
    by = ["survey", "how", "gaia_motion", "pm_lo", "pm_hi"]
    if not counts:
        counts = [tally(pd.DataFrame({c: np.empty(0) for c in ("true", "found", "sep", "pm", "has_motion")}), "sages", "as_run")]
    table = with_shares(pd.concat(counts).groupby(by, sort=False, as_index=False).sum())
    summary = {
        "surveys": summarise(table), "targets": reached(table), "pm_edges": list(PM_EDGES), "separation": histograms,
        "radius_arcsec": dict(cfg["crossmatch"]["radius_arcsec"]), "simulated": True,
    }
    write_table(output_table, table, meta={"simulated": True})
    write_json(output_json, summary)
    return summary


def _positions(path, dataset: str) -> pd.DataFrame:
    key = [primary_id(dataset)] if dataset == "sages" else [EXTERNALS[dataset].id] if dataset in EXTERNALS else []
    return read_table(path, [*key, "ra", "dec", *(["ref_epoch"] if "ref_epoch" in read_meta(path)["columns"] else [])])


def _count(histograms: dict, survey: str, how: str, frame: pd.DataFrame, radius: float) -> None:
    """Add the separations of kept pairs to the histogram of a survey; larger ones (tables of best neighbours) to its last bin."""
    edges = np.arange(round(radius / SEP_STEP) + 1) * SEP_STEP
    entry = histograms.setdefault(survey, {"edges": edges.tolist(), "counts": {}})
    sep = frame["sep"].to_numpy()[frame["found"].to_numpy() >= 0]
    new = np.histogram(np.clip(sep, 0, edges[-1]), edges)[0]
    entry["counts"][how] = (np.asarray(entry["counts"].get(how, 0)) + new).tolist()


def with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Add completeness = n_found / n_true and wrong_share = n_wrong / n_pairs (NaN where nothing is there)."""
    n_true, n_pairs = (table[c].to_numpy(float) for c in ("n_true", "n_pairs"))
    return table.assign(
        completeness=np.divide(table["n_found"], n_true, out=np.full(len(table), np.nan), where=n_true > 0),
        wrong_share=np.divide(table["n_wrong"], n_pairs, out=np.full(len(table), np.nan), where=n_pairs > 0),
    )


def summarise(table: pd.DataFrame) -> list[dict]:
    """Totals of each survey and way of matching."""
    total = table.groupby(["survey", "how"], sort=False, as_index=False)[["n_true", "n_found", "n_pairs", "n_wrong"]].sum()
    return with_shares(total).to_dict("records")


def reached(table: pd.DataFrame) -> list[dict]:
    """Completeness above each target's motion, with and without moving Gaia (stars whose motion Gaia has; the others beside it)."""
    out = []
    for survey, pm, share in TARGETS:
        entry = {"survey": survey, "pm_min": pm, "target": share}
        for how in HOW.values():
            for motion, suffix in ((True, ""), (False, "_no_gaia_motion")):
                rows = (table["survey"] == survey) & (table["how"] == how) & (table["pm_lo"] >= pm) & (table["gaia_motion"] == motion)
                n, found = int(table.loc[rows, "n_true"].sum()), int(table.loc[rows, "n_found"].sum())
                entry |= {f"n{suffix}": n, f"{how}{suffix}": found / n if n else None}
        out.append(entry | {"reached": entry["moved"] is not None and entry["moved"] >= share})
    return out
