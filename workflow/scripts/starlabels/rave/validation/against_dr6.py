"""A label against another pipeline of RAVE DR6: labels, trained and predicted values (Sections 6.2 and 6.3, Figures 15 and 16)."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from .agreement import Panel
from .both_networks import observed_both, training_both

log = logging.getLogger(__name__)

DRAWN = ("labels", "trained", "predicted")
ALONE = ("trained_spectra", "predicted_spectra")


@dataclass(frozen=True)
class Reference:
    """What is compared: `parameter` of ours with `column` of the stars, split at `limit` of ours into `parts` (above, below)."""

    name: str
    parameter: str
    column: str
    limit: float
    parts: tuple[str, str]
    sign: str


def compare(
    reference: Reference, stars: Iterable, photometry: Iterable, spectra: Iterable, training, trained_photometry, trained_spectra,
    cfg: Mapping,
) -> dict[str, Panel]:
    """The five panels: labels, trained, predicted, and the two of the spectra-alone network.

    The training part counts in the first two, the observed sample with S/N > `validation.snr_min` in the third. The split is on
    the label where labels are compared, else on the value with photometry, for the spectra-alone network too: the same stars
    stand on both sides.

    Raises
    ------
    InputError
        When a file or column is absent.
    """
    ours, theirs = reference.parameter, reference.column
    found = {name: Panel(ours, reference.parts) for name in (*DRAWN, *ALONE)}
    rows = training_both(training, trained_photometry, trained_spectra)
    rows = rows[rows["role"] == "train"]
    columns = {"labels": ours, "trained": f"{ours}_cnn", "trained_spectra": f"{ours}_spectra"}
    value = {name: rows[column].to_numpy(np.float64) for name, column in columns.items()}
    for name, above in (("labels", "labels"), ("trained", "trained"), ("trained_spectra", "trained")):
        found[name].add(rows[theirs], value[name], value[above] > reference.limit)
    for frame in observed_both(stars, photometry, spectra, ["snr_rave", theirs], [f"{ours}_cnn"]):
        frame = frame[frame["snr_rave"] > cfg["validation"]["snr_min"]]
        above = frame[f"{ours}_cnn"].to_numpy(np.float64) > reference.limit
        found["predicted"].add(frame[theirs], frame[f"{ours}_cnn"], above)
        found["predicted_spectra"].add(frame[theirs], frame[f"{ours}_spectra"], above)
    return found


def write_reference(
    reference: Reference, found: Mapping[str, Panel], claims, cfg: Mapping, simulated: bool, out_json, out_density, out_hist, seed: int
) -> dict:
    """Write statistics, densities and histograms; `claims` is called with {panel: statistics} for the paper's statements.

    JSON: `panels` {panel: {all, <part>, <part>: statistics, outside_plot}}, `parameter`, `reference`, `split` {limit, above,
    below}, `snr_min`, `claims`, `sign`, `simulated`. The tables hold the panels that the figure draws.
    """
    panels = {name: panel.statistics(cfg, seed) for name, panel in found.items()}
    log.info("%s: %d training and %d observed spectra", reference.name, panels["labels"]["all"]["n"], panels["predicted"]["all"]["n"])
    above, below = reference.parts
    content = {
        "parameter": reference.parameter, "reference": reference.name, "panels": panels,
        "split": {"limit": reference.limit, "above": above, "below": below}, "snr_min": cfg["validation"]["snr_min"],
        "claims": claims(panels), "sign": reference.sign, "simulated": bool(simulated),
    }
    meta = {"simulated": bool(simulated), "reference": reference.name}
    write_table(out_density, pd.concat([found[name].density(name) for name in DRAWN], ignore_index=True), meta=meta)
    write_table(out_hist, pd.concat([found[name].histogram(name) for name in DRAWN], ignore_index=True), meta=meta)
    write_json(out_json, content)
    return content
