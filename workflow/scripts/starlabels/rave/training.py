"""Training and test sample of a variant: selected spectra with labels, inputs, roles and scaling (Sections 2 and 3)."""

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..errors import InputError
from ..flow import merge
from ..io import read_meta, read_table, write_json, write_table
from ..sky.random import normals, uniforms
from ..spectra import grid_of
from ..spectra_pack import take_spectra, write_packed
from .catalogs import GAIA, ID
from .scaling import BANDS, absolute_magnitudes, scaling_of
from .selection import columns_needed, refuse_empty, select
from .split import roles, twins
from .variants import merged

log = logging.getLogger(__name__)

KEPT = (ID, "raveid", GAIA, "role", "snr_rave", "rave_class_1", "parallax", "parallax_err", "parallax_error_ratio", *BANDS, "av_starhorse",
        *(f"abs_{band}" for band in BANDS))
COMPARED = ("logg_bdasp", "teff_irfm", "logg_k2")


def run_training(
    variant: str,
    stars: Sequence[str | os.PathLike],
    spectra: Sequence[str | os.PathLike],
    cfg: Mapping,
    seed: int,
    outputs: Mapping[str, str | os.PathLike],
    include: str | os.PathLike | None = None,
) -> None:
    """Write the training and test sample of a variant.

    Parameters
    ----------
    stars, spectra : sequences of path
        Stars and packed spectra of every slice, in any order.
    cfg : mapping
        config/rave.yaml, `rave`; the variant's changes are merged in here.
    seed : int
        Of the run; for label noise and the draw of stars with poor parallaxes. The split has its own (`split.seed`).
    outputs : mapping
        `training` (Parquet, rows by id or in the order of the list: id, role, photometry, labels and errors, `twin_in_train`),
        `spectra` (HDF5, the same order), `scaling`, `selection` (JSON).
    include : path, optional
        Canonical table of the dataset `training.include`: the ids to take instead of the cuts (B-5).

    Raises
    ------
    InputError
        When the sample or a part of it is empty, a spectrum is given twice, or a label or input is constant.
    """
    cfg = merged(cfg, variant)
    listed = _listed(include, cfg)
    rows, poor, flows, common = [], [], [], []
    for path in stars:
        frame = read_table(path, columns_needed(cfg))
        flow, selected, extra = select(frame, cfg, listed)
        flows.append(flow)
        rows.append(frame[selected])
        poor.append(frame[extra])
        common.append(frame.loc[np.isfinite(frame["snr_apogee"]), [GAIA, "parallax_error_ratio"]])
    flow = merge(flows)
    refuse_empty(flow, variant)
    rows, added = _with_poor(pd.concat(rows), pd.concat(poor), cfg, seed)
    rows = rows.sort_values(ID, kind="stable", ignore_index=True)
    if listed is not None:
        # the published split shuffles the rows of the published list: its order is kept
        rows = rows.iloc[np.argsort(pd.Index(listed).get_indexer(rows[ID]), kind="stable")].reset_index(drop=True)
    twice = rows.loc[rows[ID].duplicated(), ID]
    if len(twice):
        raise InputError(f"the stars, column {ID}", f"hold {twice.iloc[0]} in two slices", "Give every spectrum in one folder only")
    packed = take_spectra(spectra, rows[ID].to_numpy(), grid_of(cfg["spectra"]))
    training = assemble(rows, rows[GAIA].to_numpy(), cfg, seed)
    both = pd.concat(common)
    sharp = both["parallax_error_ratio"] < cfg["training"]["parallax_error_max"]
    record = {
        "variant": variant, "flow": flow, "extra_poor_parallaxes": added,
        "common": {"spectra": len(both), "stars": both[GAIA].nunique(), "parallax_error_below_limit": float(sharp.mean())},
    }
    if listed is not None:
        record["include"] = {"dataset": cfg["training"]["include"], "listed": len(listed), "found": int(np.isin(listed, rows[ID]).sum())}
    # scaled before anything is written: a constant column must leave no file behind
    write_sample(training, cfg, record, outputs, _described(stars[0], cfg), packed.simulated)
    write_packed(outputs["spectra"], packed.ids, packed.flux, packed.n_bad, packed.n_edge, packed.grid, packed.simulated)
    for entry in flow:
        log.info("%s: %s: %d spectra", variant, entry["cut"], entry["kept"])


def _listed(include: str | os.PathLike | None, cfg: Mapping) -> np.ndarray | None:
    name = cfg["training"]["include"]
    if (name is None) != (include is None):
        raise InputError("configuration key `rave.training.include`", f"is {name!r}, but the table given is {include}", "Give both or none")
    return None if include is None else read_table(include, [ID])[ID].drop_duplicates().to_numpy()


def _numbers(ids: pd.Series) -> np.ndarray:
    """A 64-bit number of each id, so that its random numbers hang on nothing but the seed and the id."""
    digests = [hashlib.blake2b(str(name).encode(), digest_size=8).digest() for name in ids]
    return np.frombuffer(b"".join(digests), dtype="<i8")


def _with_poor(rows: pd.DataFrame, poor: pd.DataFrame, cfg: Mapping, seed: int) -> tuple[pd.DataFrame, dict]:
    """Add some of the spectra that only their parallax error kept out (Section 4.2.3)."""
    wanted = int(cfg["training"]["extra_poor_parallaxes"])
    counts = {"wanted": wanted, "available": len(poor), "added": min(wanted, len(poor))}
    if not counts["added"]:
        return rows, counts
    luck = uniforms(seed, "rave/poor_parallaxes", _numbers(poor[ID]))[:, 0]
    drawn = np.lexsort((poor[ID].to_numpy(str), luck))[:wanted]
    return pd.concat([rows, poor.iloc[drawn]]), counts


def assemble(rows: pd.DataFrame, stars: np.ndarray, cfg: Mapping, seed: int) -> pd.DataFrame:
    """The training table of the selected rows, in their order: roles, twins, labels, absolute magnitudes.

    With `label_noise` the labels of the training part are shifted by normal errors of their stated size (Section 5, B-29); the
    test part keeps its labels, so that the test stays the same.

    Parameters
    ----------
    rows : DataFrame (n rows)
        Magnitudes, parallax, StarHorse, `<label>_apogee` and `_err`.
    stars : ndarray (n,)
        What identifies the star of each row.
    """
    role = roles(stars, cfg["split"])
    new = absolute_magnitudes(rows, cfg)
    for label in cfg["labels"]:
        new[label], new[f"{label}_err"] = (rows[f"{label}_apogee{s}"].to_numpy(np.float64) for s in ("", "_err"))
    if cfg["label_noise"]:
        noise = normals(seed, "rave/label_noise", _numbers(rows[ID]), len(cfg["labels"]))
        for k, label in enumerate(cfg["labels"]):
            new[label] = new[label] + np.where(role == "train", noise[:, k] * new[f"{label}_err"], 0.0)
    new |= {"role": pd.array(role, dtype="str"), "twin_in_train": twins(stars, role)}
    labels = [c for label in cfg["labels"] for c in (label, f"{label}_err")]
    return rows.reset_index(drop=True).assign(**new)[[*KEPT, *labels, "twin_in_train", *COMPARED]]


def write_sample(
    training: pd.DataFrame, cfg: Mapping, record: Mapping, outputs: Mapping[str, str | os.PathLike], meta: Mapping, simulated: bool
) -> None:
    """Write table, scaling and selection (`record` with the sizes and the split behind it)."""
    scaling = scaling_of(training, cfg)
    train = (training["role"] == "train").to_numpy(bool)
    sizes = {"n": len(training), "n_train": int(train.sum()), "n_test": int((~train).sum()), "twins": int(training["twin_in_train"].sum())}
    write_table(outputs["training"], training, meta)
    write_json(outputs["scaling"], scaling)
    write_json(outputs["selection"], {**record, **sizes, "split": dict(cfg["split"]), "simulated": bool(simulated)})


def _described(stars: str | os.PathLike, cfg: Mapping) -> dict:
    """Metadata of the training table's columns, from those of the stars."""
    known = read_meta(stars)["columns"]
    out = {name: known[name] for name in (*KEPT, *COMPARED) if name in known}
    for label in cfg["labels"]:
        for suffix in ("", "_err"):
            out[f"{label}{suffix}"] = known.get(f"{label}_apogee{suffix}", {})
    out["role"] = {"unit": "", "description": "Training or test sample (Section 3.3)"}
    out["twin_in_train"] = {"unit": "", "description": "Test spectrum whose star has another spectrum in the training sample"}
    return out
