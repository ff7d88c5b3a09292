"""Training and test samples of a data set (Sections 2.2, 2.3, 2.5): labelled stars that pass Table 2's training cuts.

Training: LAMOST with three labels, and metal-poor PASTEL and RAVE stars for the [Fe/H] models. Test: APOGEE, and the nine
very-metal-poor papers with 0.427 added to [Fe/H]. Another survey divides its own stars at random instead.
"""

import logging
import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from ..errors import InputError
from ..flow import Flow, merge
from ..io import TableWriter, read_meta, read_table, write_json
from ..metrics import robust_sigma
from ..sky.random import uniforms
from .features import ID, ROWS, pieces
from .selection import LABELS, training_mask

log = logging.getLogger(__name__)

LABEL_COLUMNS = [c for label in LABELS for c in (label, f"{label}_err")]
EXTRA = ["snr", "reference"]  # of the labels table, kept where they exist
NARROW = [ID, "star_class", "survey", *LABEL_COLUMNS, *EXTRA]  # what decides over a row
ADDED = ["role", "survey", *LABEL_COLUMNS, "feh_published", *EXTRA, *(f"use_{label}" for label in LABELS), "in_train"]


def survey_entries(cfg: Mapping) -> dict[str, tuple[str, Mapping]]:
    """{survey: (role, entry)} in the configured order; with a random split only the surveys of `train`, role "" at first.

    Raises
    ------
    InputError
        When a survey stands under both `train` and `test`, or `split` is unknown.
    """
    samples = cfg["samples"]
    if samples["split"] == "random":
        return {name: ("", entry) for name, entry in samples["train"].items()}
    if samples["split"] != "survey":
        raise InputError("sages.samples.split", f"is {samples['split']!r}", "Use survey or random")
    twice = [name for name in samples["train"] if name in samples["test"]]
    if twice:
        raise InputError("sages.samples", f"has {twice[0]} under train and under test", "Use split: random, or drop one of them")
    groups = (("train", samples["train"]), ("test", samples["test"]))
    return {name: (role, entry) for role, group in groups for name, entry in group.items()}


def _stars_of(features_path: str | os.PathLike, ids: np.ndarray) -> pd.DataFrame:
    """Rows of a features table whose star is in a list, read piece by piece."""
    return pd.concat([piece[piece[ID].isin(ids)] for piece in pieces(features_path)], ignore_index=True)


def _read_labels(path: str | os.PathLike) -> pd.DataFrame:
    labels = read_table(path)
    absent = [c for c in (ID, "survey", *LABEL_COLUMNS) if c not in labels.columns]
    if absent:
        raise InputError(f"{path}, column {absent[0]}", "is absent", f"The file has: {', '.join(labels.columns)}")
    twice = labels.duplicated([ID, "survey"])
    if twice.any():
        row = labels[twice].iloc[0]
        raise InputError(f"{path}, star {row[ID]}", f"has several rows of {row['survey']}", "Reduce repeats to one row a star and survey")
    return labels[[ID, "survey", *LABEL_COLUMNS, *(c for c in EXTRA if c in labels.columns)]]


def labelled_rows(
    features_path: str | os.PathLike, labels_path: str | os.PathLike, cfg: Mapping, data_set: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Flow]]:
    """Rows (star, survey) of one cell that pass the training cuts.

    Returns
    -------
    kept : DataFrame
        Features columns with `survey`, labels, `snr`, `reference`.
    labels : DataFrame
        `gaia_dr3_source_id`, `survey`, `feh` of every label whose star is in the features, cuts or not.
    flows : dict
        Flow of each configured survey.

    Raises
    ------
    InputError
        When a column is absent, or a star has two rows of one survey.
    """
    labels = _read_labels(labels_path)
    stars = _stars_of(features_path, labels[ID].unique())
    # a star table that carries labels itself (photometry.matched) must not shadow the reduced ones
    stars = stars.drop(columns=[c for c in [*labels.columns, *ADDED] if c != ID and c in stars.columns])
    joined = stars.merge(labels, on=ID, how="inner", validate="one_to_many")
    kept, flows = [], {}
    for survey, (_, entry) in survey_entries(cfg).items():
        part = joined[joined["survey"] == survey]
        mask, flows[survey] = training_mask(part, cfg, data_set, entry, f"{survey} stars with photometry")
        kept.append(part[mask])
    return pd.concat(kept, ignore_index=True), joined[[ID, "survey", "feh"]], flows


def _smallest(frame: pd.DataFrame, n: int, seed: int, purpose: str) -> np.ndarray:
    """Mask of `n` rows drawn at random; a star's luck hangs on the seed and its id, not on which others are there."""
    luck = uniforms(seed, purpose, frame[ID].to_numpy())[:, 0]
    mask = np.zeros(len(frame), dtype=bool)
    mask[np.lexsort((np.arange(len(frame)), frame[ID].to_numpy(), luck))[:n]] = True
    return mask


def split_roles(rows: pd.DataFrame, cfg: Mapping, seed: int) -> np.ndarray:
    """Role of each row: that of its survey, or (split: random) drawn star by star, every row of a star alike."""
    if cfg["samples"]["split"] == "survey":
        roles = {name: role for name, (role, _) in survey_entries(cfg).items()}
        return np.array([roles[s] for s in rows["survey"]], dtype=object)
    stars = rows[[ID]].drop_duplicates()
    test = _smallest(stars, round(cfg["samples"]["test_fraction"] * len(stars)), seed, "sages/split")
    return np.where(rows[ID].isin(stars.loc[test, ID]), "test", "train").astype(object)


def usable_labels(rows: pd.DataFrame, cfg: Mapping) -> pd.DataFrame:
    """`use_teff`, `use_logg`, `use_feh` of rows in survey order: the label is delivered and, in training, not yet taken.

    A training star gives each label once: the survey that stands first in the configuration wins (LAMOST, then PASTEL,
    then RAVE; A-15). Test rows keep all that their survey delivers.
    """
    entries = survey_entries(cfg)
    train = (rows["role"] == "train").to_numpy()
    out = {}
    for label in LABELS:
        use = np.array([label in entries[s][1]["labels"] for s in rows["survey"]], dtype=bool)
        first = np.zeros(len(rows), dtype=bool)
        first[use & train] = ~rows.loc[use & train, ID].duplicated().to_numpy()
        out[f"use_{label}"] = use & (first | ~train)
    return pd.DataFrame(out, index=rows.index)


def assemble(rows: pd.DataFrame, cfg: Mapping, seed: int, flows: Mapping[str, Flow | list]) -> tuple[pd.DataFrame, dict[str, list]]:
    """Turn the rows that passed the cuts into the samples: roles, offsets, precedence, cap.

    Parameters
    ----------
    rows : DataFrame
        As `labelled_rows` gives them, all cells together, numbered; of their columns at least `NARROW` that exist.
    flows : mapping
        Flow list of each survey so far.

    Returns
    -------
    samples : DataFrame
        Sorted by role (training first), survey in configured order, Gaia id; the index says which row of `rows` each is.
    flows : dict
        With the entries of precedence and cap added.
    """
    entries, flows = survey_entries(cfg), {name: list(flow) for name, flow in flows.items()}
    order = {name: k for k, name in enumerate(entries)}
    rows = rows.assign(role=pd.array(split_roles(rows, cfg, seed), dtype="str"))
    by = pd.DataFrame({"role": rows["role"] == "test", "survey": rows["survey"].map(order).astype(np.int64), ID: rows[ID]})
    rows = rows.loc[by.sort_values(["role", "survey", ID], kind="stable").index]

    def narrow(text: str, mask: np.ndarray) -> pd.DataFrame:
        for name, flow in flows.items():
            kept = int((mask & (rows["survey"] == name).to_numpy()).sum())
            flow.append({"cut": text, "kept": kept, "dropped": flow[-1]["kept"] - kept})
        return rows[mask]

    use = usable_labels(rows, cfg)
    rows = rows.assign(**{name: use[name] for name in use})
    rows = narrow("no earlier survey gives the star's labels", use.any(axis=1).to_numpy())
    cap = cfg["samples"]["max_train"]
    if cap is not None:
        train = (rows["role"] == "train").to_numpy()
        drawn = ~train
        drawn[train] = _smallest(rows[train], cap, seed, "sages/max_train")
        rows = narrow(f"drawn at random, at most {cap} training rows", drawn)
    offset = rows["survey"].map({name: float(entry.get("feh_offset") or 0.0) for name, (_, entry) in entries.items()})
    rows = rows.assign(feh_published=rows["feh"], feh=rows["feh"] + offset.astype(np.float64))
    rows = rows.assign(in_train=rows[ID].isin(rows.loc[rows["role"] == "train", ID]))
    added = [c for c in ADDED if c in rows.columns]
    return rows[[c for c in rows.columns if c not in added] + added], flows


def refuse_empty(samples: pd.DataFrame, cfg: Mapping, data_set: int, flows: Mapping[str, Sequence[Mapping]]) -> None:
    """Raise InputError when no training or no test row is left, naming the cut that emptied each survey."""
    entries = survey_entries(cfg)
    for role in ("train", "test"):
        if (samples["role"] == role).any():
            continue
        reasons = []
        for name, (its_role, _) in entries.items():
            if its_role not in ("", role):
                continue
            k = next((k for k, entry in enumerate(flows[name]) if not entry["kept"]), None)
            if k == 0:
                reasons.append(f"{name}: none of its stars is among the stars with photometry")
            elif k is not None:
                reasons.append(f"{name}: `{flows[name][k]['cut']}` dropped the last {flows[name][k]['dropped']} rows")
            else:
                reasons.append(f"{name}: sages.samples.test_fraction leaves none of {flows[name][-1]['kept']} rows")
        why = "; ".join(reasons) or f"sages.samples.{role} names no survey"
        remedy = "Loosen that cut under `sages:`, or give more labels"
        raise InputError(f"the {role} sample of data set {data_set}", f"is empty ({why})", remedy)


def offset_check(labels: pd.DataFrame, survey: str = "vmp", reference: str = "lamost", offset: float = 0.427) -> dict:
    """Median [Fe/H] of a survey minus a reference on their common stars, against the offset that is added (A-18).

    The offset brings the survey to the reference's scale, so the median should be close to minus the offset; another sign
    than that is warned of. The labels are taken as published, without cuts.

    Parameters
    ----------
    labels : DataFrame
        `gaia_dr3_source_id`, `survey`, `feh`; one row a star and survey.

    Returns
    -------
    dict
        `survey`, `reference`, `offset`, `n` common stars, `median`, `median_err` (1.2533 robust sigma / sqrt n),
        `sign_agrees` (None without common stars or with an offset of zero), `warning` (text or None).
    """
    both = [labels.loc[labels["survey"] == name].set_index(ID)["feh"] for name in (survey, reference)]
    difference = (both[0] - both[1]).dropna().to_numpy(dtype=np.float64)  # aligned on the star; NaN where one is missing
    n = len(difference)
    median = float(np.median(difference)) if n else np.nan
    out = {"survey": survey, "reference": reference, "offset": offset, "n": n, "median": median}
    out["median_err"] = float(1.2533 * robust_sigma(difference) / np.sqrt(n)) if n > 1 else np.nan
    out["sign_agrees"] = bool(median * offset < 0) if n and offset else None
    out["warning"] = None
    if out["sign_agrees"] is False:
        found = f"{survey} minus {reference} is {median:+.3f} dex on {n} common stars"
        out["warning"] = f"{found}, so adding {offset:+.3f} widens the difference"
        log.warning(out["warning"])
    return out


def run_samples(
    feature_paths: Sequence[str | os.PathLike],
    label_paths: Sequence[str | os.PathLike],
    cfg: Mapping,
    data_set: int,
    seed: int,
    output: str | os.PathLike,
    selection: str | os.PathLike,
) -> None:
    """Write the training and test sample of a data set and its flow tables.

    Parameters
    ----------
    feature_paths, label_paths : sequences of paths
        One of each for every cell, in the same order.
    seed : int
        For the random split and the cap; the draw does not depend on the cells.
    output : path
        Parquet, one row a (star, survey): the features' columns, `role`, `survey`, labels and errors (`feh` with the offset,
        `feh_published` without), `use_<label>`, `in_train`.
    selection : path
        JSON: `data_set`, `split`, `seed`, `flows` {survey: flow list}, `counts` {role: {survey: {class: n}}},
        `vmp_offset_check` (of the first test survey with an offset, against the first training survey; null without one).

    Raises
    ------
    InputError
        When the training or the test sample is empty, or an input is not as it should be.
    """
    entries = survey_entries(cfg)
    shifted = [name for name, (_, entry) in entries.items() if entry.get("feh_offset")]
    reference = next(iter(entries), None)
    narrow, wide, common, flows = [], [], [], {name: [] for name in entries}
    cells = zip(feature_paths, label_paths, strict=True)
    for features_path, labels_path in tqdm(cells, total=len(feature_paths), desc="samples", mininterval=5, unit="cell"):
        kept, labels, cell_flows = labelled_rows(features_path, labels_path, cfg, data_set)
        narrow.append(kept[[c for c in NARROW if c in kept.columns]])
        wide.append(pa.Table.from_pandas(kept[[c for c in kept.columns if c not in ADDED]], preserve_index=False))
        common.append(labels[labels[ID].isin(labels.loc[labels["survey"].isin(shifted), ID])])
        for name, flow in cell_flows.items():
            flows[name].append(flow)
    samples, merged = assemble(pd.concat(narrow, ignore_index=True), cfg, seed, {name: merge(flow) for name, flow in flows.items()})
    refuse_empty(samples, cfg, data_set, merged)
    for name, flow in merged.items():
        if not flow[-1]["kept"]:
            log.warning("data set %s: no star of %s is left", data_set, name)
    stars, own = pa.concat_tables(wide, promote_options="default"), samples[[c for c in ADDED if c in samples.columns]]
    with TableWriter(output, _described(read_meta(feature_paths[0])["columns"])) as writer:
        for first in range(0, len(own), ROWS):  # all columns of a piece of the rows at a time
            piece = own.iloc[first : first + ROWS]
            writer.write(stars.take(piece.index.to_numpy()).to_pandas().assign(**piece.reset_index(drop=True)))
    check = offset_check(pd.concat(common), shifted[0], reference, entries[shifted[0]][1]["feh_offset"]) if shifted else None
    counts = samples.groupby(["role", "survey", "star_class"]).size()
    nested: dict = {}
    for (role, survey, kind), n in counts.items():
        nested.setdefault(role, {}).setdefault(survey, {})[kind] = int(n)
    write_json(selection, {
        "data_set": data_set, "split": cfg["samples"]["split"], "seed": seed, "flows": merged, "counts": nested, "vmp_offset_check": check,
    })


def _described(columns: Mapping) -> dict:
    """Metadata of the features' columns with those of the columns made here."""
    texts = {
        "role": "training or test sample", "survey": "survey of the label", "feh_published": "[Fe/H] before the survey's offset",
        "in_train": "the star is in the training sample with any survey",
        **{f"use_{label}": f"{label} of this row may be used" for label in LABELS},
    }
    units = {"teff": "K", "logg": "log(cm/s2)", "feh": "dex", "feh_published": "dex"}
    texts |= {c: f"label {c}" for c in LABEL_COLUMNS}
    return {**columns, **{name: {"unit": units.get(name.removesuffix("_err"), ""), "description": text} for name, text in texts.items()}}
