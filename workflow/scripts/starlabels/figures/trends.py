"""A page of statistics in bins: a column a parameter, a row a statistic; colours for test set and data set, shapes for classes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import panels, style
from .panels import Numbers

# a family of colours for each data set, by its position; test sets are shades of it
FAMILIES = (
    ("#0072B2", "#56B4E9", "#332288", "#009E73"), ("#CC3311", "#E69F00", "#882255", "#AA4499"),
    ("#117733", "#999933", "#44AA99", "#88CC55"), ("#6F4C9B", "#CC79A7", "#B589D6", "#4B2E83"),
    ("#000000", "#8C8C8C", "#5A4632", "#B89B72"),
)
LINE_MM = 3.2             # height of a line of text


class Page:
    """Axes of a page and the colours of its series.

    Parameters
    ----------
    table : DataFrame
        data_set, test_set, star_class, parameter, mid, lo, hi, n and the statistics.
    rows : sequence
        Names of the rows (statistics, or what the bins are of).
    """

    def __init__(self, table: pd.DataFrame, rows: Sequence[str], simulated: bool, height: float = 110, sharex: bool | str = "col"):
        self.table, self.rows, self.numbers = table, list(rows), Numbers()
        self.parameters = [p for p in style.PARAMETER if (table["parameter"] == p).any()]
        self.sets = sorted(int(d) for d in table["data_set"].unique())
        series = list(dict.fromkeys(zip(table["data_set"].tolist(), table["test_set"].tolist(), strict=True)))
        tests = list(dict.fromkeys(table["test_set"].tolist()))
        self.colours = {(d, t): self._family(d)[tests.index(t) % 4] if t != "truth" else self._truth(d) for d, t in series}
        self.figure: Figure = style.new_figure(style.PAGE if len(self.parameters) > 1 else style.COLUMN, height, simulated)
        self.axes = self.figure.subplots(len(self.rows), len(self.parameters), squeeze=False, sharex=sharex)

    def _family(self, data_set) -> tuple[str, ...]:
        """Colours of a data set; from the sixth on they begin again."""
        return FAMILIES[self.sets.index(int(data_set)) % len(FAMILIES)]

    def _truth(self, data_set) -> str:
        """Colour of the truth, which is no test set."""
        return style.TRUTH_COLOUR[self.sets.index(int(data_set)) % len(style.TRUTH_COLOUR)]

    def _face(self, data_set, test_set) -> dict:
        """Markers are full; open where the truth is that of the first of several data sets, whose grey is near the next one's black."""
        several = sum(t == "truth" for _, t in self.colours) > 1
        is_open = test_set == "truth" and several and int(data_set) == self.sets[0]
        return {"markerfacecolor": "white", "markeredgewidth": 0.6} if is_open else {"markeredgewidth": 0}

    def set_colour(self, data_set) -> str:
        """Colour of the line that stands for a whole data set."""
        return self._family(data_set)[0]

    def points(self, row: str, parameter: str, part: pd.DataFrame, y: str, x: str = "mid") -> Axes:
        """Draw one statistic of one parameter, a line of points a test set, data set and class."""
        ax = self.axes[self.rows.index(row), self.parameters.index(parameter)]
        for (data_set, test_set, star_class), own in part.groupby(["data_set", "test_set", "star_class"], sort=True):
            own = own.dropna(subset=[y]).sort_values(x)
            marker, name = style.CLASS_MARKER.get(star_class, "o"), f"set {data_set} {test_set} {star_class}"
            xs, ys = own[x].to_numpy(float), own[y].to_numpy(float)
            low, high = own["lo"].to_numpy(float), own["hi"].to_numpy(float)
            gaps = np.flatnonzero(low[1:] - high[:-1] > 1e-6 * (high - low)[:-1]) + 1       # a bin between is missing: no line across
            ax.plot(np.insert(xs, gaps, np.nan), np.insert(ys, gaps, np.nan), color=self.colours[data_set, test_set], marker=marker,
                    linewidth=0.5, **self._face(data_set, test_set))
            columns = {"x": own[x], "x_lo": own["lo"], "x_hi": own["hi"], "y": own[y], "value": own["n"]}
            self.numbers.add(f"{parameter}/{row}", "point", name, **columns)
        return ax

    def level(self, row: str, parameter: str, value: float | None, name: str, **kwargs) -> None:
        """A horizontal line across a panel."""
        if value is not None:
            self.axes[self.rows.index(row), self.parameters.index(parameter)].axhline(value, zorder=0, **kwargs)
            self.numbers.add(f"{parameter}/{row}", "line", name, y=value)

    def count(self, row: str, parameter: str, totals: Mapping) -> None:
        """Print the number of stars of each data set above the points, a line a data set."""
        ax = self.axes[self.rows.index(row), self.parameters.index(parameter)]
        height = self.figure.get_size_inches()[1] / style.MM / len(self.rows) - 20     # about, of a panel
        share = (1.5 + LINE_MM * len(totals)) / height
        panels.headroom(ax, share / (1 - share))
        parts = [style.count(n) + (f" (set {d})" if len(totals) > 1 else "") for d, n in totals.items()]
        panels.corner_text(ax, "N = " + "\n".join(parts), "upper left")
        self.numbers.add(f"{parameter}/{row}", "value", [f"n set {d}" for d in totals], value=list(totals.values()))

    def legend(self, name: Callable[[str], str], extra: Sequence[Line2D] = ()) -> None:
        """One key below all panels."""
        handles = []
        for (data_set, test_set), colour in self.colours.items():
            face = self._face(data_set, test_set)
            look = {"marker": "o", "linewidth": 0.8, **face} if "markerfacecolor" in face else {"linewidth": 2.5}
            handles.append(Line2D([], [], color=colour, label=f"{name(test_set)}, data set {data_set}", **look))
        handles += [Line2D([], [], color=style.GREY, marker=m, linestyle="", label=style.CLASS_NAME[k])
                    for k, m in style.CLASS_MARKER.items() if (self.table["star_class"] == k).any()]
        handles += list(extra)
        self.figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))


def statistic_label(statistic: str, parameter: str) -> str:
    """Axis label of the width or the mean of the residuals of a parameter."""
    symbol, unit = style.PARAMETER[parameter]
    return rf"$\{'sigma' if statistic == 'sigma' else 'mu'}$({symbol}) ({unit})"
