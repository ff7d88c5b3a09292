"""Figure 18 of Guiglion et al. 2020: each label against high-resolution studies (Section 6.4)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import pairs
from .labels import axis_label

# label: (column of the literature, how the literature calls it); [M/H] and [alpha/M] stand against the iron-based ratios
AGAINST = {
    "teff": ("teff_hr", None), "logg": ("logg_hr", None), "mh": ("feh_hr", "[Fe/H]"), "feh": ("feh_hr", None),
    "alpha_m": ("alpha_fe_hr", r"[$\alpha$/Fe]"), "mg_fe": ("mg_fe_hr", None), "si_fe": ("si_fe_hr", None), "al_fe": ("al_fe_hr", None),
    "ni_fe": ("ni_fe_hr", None),
}
LEFT, WIDTH, GAP, HIGH, ROW, BOTTOM = 13.5, 43.5, 15.5, 43.5, 54.5, 10.0     # mm


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a label that the run has, literature against CNN; inputs `summary` and `points`."""
    summary, table, numbers = read_json(inputs["summary"]), read_table(inputs["points"]), Numbers()
    names = [p for p in AGAINST if p in summary["panels"]]
    rows = -(-len(names) // 3)
    figure = style.new_figure(style.PAGE, BOTTOM + ROW * (rows - 1) + HIGH + 3 + (4 if simulated else 0), simulated, layout=None)
    for i, label in enumerate(names):
        row, column = divmod(i, 3)
        ax = style.axes_mm(figure, LEFT + column * (WIDTH + GAP), BOTTOM + (rows - 1 - row) * ROW, WIDTH, HIGH)
        theirs, called = AGAINST[label]
        pair = table[[theirs, f"{label}_cnn"]].dropna()
        x, y, found = pair[theirs].to_numpy(float), pair[f"{label}_cnn"].to_numpy(float), summary["panels"][label]
        limits = pairs.with_room(pairs.values_range(x, y), x, y, WIDTH, HIGH, 3)
        strict = _strict(found, summary["snr_high"]) if label == "feh" else ""
        if strict:
            limits = pairs.with_room(limits, x, y, WIDTH, HIGH, 2, "lower right")
        pairs.one_to_one(ax, limits, numbers, label, len(x) > pairs.CROWD)
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(nbins=6)
        if len(x):
            pairs.points(ax, x, y, numbers, label, color=style.BLACK)
            panels.corner_text(ax, pairs.statistics_text(found["all"], label), bbox=None)
            pairs.note(numbers, label, found["all"])
        else:
            pairs.empty(ax, "N = 0\n\nno star in common")
            numbers.add(label, "value", "n", value=0.0)
        if strict:
            panels.corner_text(ax, strict, "lower right", bbox=None)
            pairs.note(numbers, label, found["high_snr"], "high_snr")
        unit = axis_label(label).rpartition(" ")[2]
        ax.set_xlabel(f"literature {called} {unit}" if called else axis_label(label, "literature"), labelpad=1.5)
        ax.set_ylabel(axis_label(label, "CNN"), labelpad=1.5)
    return figure, numbers.frame()


def _strict(found: dict, limit: float) -> str:
    high = found["high_snr"]
    if high["sigma"] is None:
        return ""
    return f"S/N > {limit:g}: N = {style.count(high['n'])}\n$\\sigma$ = {pairs.printed(high['sigma'], 'feh')} dex"
