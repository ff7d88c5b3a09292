"""Figure 14 of Guiglion et al. 2020: log g against K2 asteroseismology (Section 6.1)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import pairs
from .labels import axis_label

PANELS = {"labels": ("APOGEE label", "train"), "trained": ("Trained", "train"), "predicted": ("Predicted", "observed")}
LEFT, WIDTH, GAP, TOP, LOWER, BOTTOM = 11.5, 46.0, 12.0, 46.0, 17.0, 9.0     # mm


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Label, trained and predicted log g, the residual below; inputs `summary` and `points`."""
    summary, table, numbers = read_json(inputs["summary"]), read_table(inputs["points"]), Numbers()
    table = table[table["panel"].isin(list(PANELS))]
    height = BOTTOM + LOWER + 2 + TOP + 6 + (4 if simulated else 0)
    figure = style.new_figure(style.PAGE, height, simulated, layout=None)
    limits = pairs.values_range(table["logg_k2"], table["logg"])
    limits = pairs.with_room(limits, table["logg_k2"], table["logg"], WIDTH, TOP, 3)
    residual = table["logg"] - table["logg_k2"]
    reach = max(1.15 * float(residual.abs().max()), 0.1) if len(table) else 1.0
    for i, (name, (origin, role)) in enumerate(PANELS.items()):
        left = LEFT + i * (WIDTH + GAP)
        upper = style.axes_mm(figure, left, BOTTOM + LOWER + 2, WIDTH, TOP)
        lower = style.axes_mm(figure, left, BOTTOM, WIDTH, LOWER, sharex=upper)
        part = table[table["panel"] == name]
        x, y = part["logg_k2"].to_numpy(float), part["logg"].to_numpy(float)
        over = len(part) > pairs.CROWD
        pairs.one_to_one(upper, limits, numbers, f"{name}/one_to_one", over)
        pairs.zero_line(lower, numbers, f"{name}/residual", over)
        if len(part):
            pairs.points(upper, x, y, numbers, f"{name}/one_to_one", color=style.ROLE[role])
            pairs.points(lower, x, y - x, numbers, f"{name}/residual", color=style.ROLE[role])
            panels.corner_text(upper, pairs.statistics_text(summary["panels"][name], "logg"), bbox=None)
            pairs.note(numbers, f"{name}/one_to_one", summary["panels"][name])
        else:
            panels.corner_text(upper, "N = 0\nno star in common", bbox=None)
            numbers.add(f"{name}/one_to_one", "value", "n", value=0.0)
        upper.set_title(f"{origin}, {'training' if role == 'train' else 'observed'} sample", pad=3)
        upper.set_ylabel(axis_label("logg", origin), labelpad=1.5)
        upper.tick_params(labelbottom=False)
        lower.set(xlim=limits, ylim=(-reach, reach))
        lower.yaxis.set_major_locator(MaxNLocator(3, steps=(1, 2, 5, 10), symmetric=True, prune=None))
        lower.set_xlabel(axis_label("logg", "K2"), labelpad=1.5)
        lower.set_ylabel(axis_label("logg", delta=True), labelpad=1.5)
    return figure, numbers.frame()
