"""Counts and means of stars in the cells of a plane, gathered slice by slice; the table has a row a cell, whatever the sample."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

EDGES = ("x_lo", "x_hi", "y_lo", "y_hi")
TEFF_EDGES = np.round(np.arange(3000.0, 8500.1, 25.0), 6)
LOGG_EDGES = np.round(np.arange(-1.0, 6.0001, 0.025), 6)


class Plane:
    """Count and means of values in each cell.

    Parameters
    ----------
    x_edges, y_edges : sequence of float
        Rising edges at equal distances; cells are half-open, the last one closed.
    values : iterable of str
        Quantities whose mean is wanted.
    """

    def __init__(self, x_edges, y_edges, values: Iterable[str] = ()):
        self.x_edges, self.y_edges = np.asarray(x_edges, np.float64), np.asarray(y_edges, np.float64)
        shape = (len(self.x_edges) - 1, len(self.y_edges) - 1)
        self.counts = np.zeros(shape, np.int64)
        self.sums = {v: np.zeros(shape) for v in values}
        self.outside = 0

    def add(self, x: np.ndarray, y: np.ndarray, **values: np.ndarray) -> None:
        """Take in a piece; stars outside the plane, or without x or y, are counted in `outside`; every value must be finite."""
        i, j = cell_number(x, self.x_edges), cell_number(y, self.y_edges)
        inside = (i >= 0) & (j >= 0)
        self.outside += int(len(inside) - inside.sum())
        flat, size, shape = i[inside] * self.counts.shape[1] + j[inside], self.counts.size, self.counts.shape
        self.counts += np.bincount(flat, minlength=size).reshape(shape)
        for name, total in self.sums.items():
            total += np.bincount(flat, np.asarray(values[name], np.float64)[inside], minlength=size).reshape(shape)

    def coarser(self, factor: int) -> "Plane":
        """The same stars in cells of `factor` times the width along both axes; the cells at the upper ends may be narrower."""
        if factor == 1:
            return self
        starts = [np.arange(0, n, factor) for n in self.counts.shape]
        edges = [np.append(e[:-1][s], e[-1]) for e, s in zip((self.x_edges, self.y_edges), starts, strict=True)]
        out = Plane(*edges, self.sums)
        out.outside = self.outside

        def merged(array):
            return np.add.reduceat(np.add.reduceat(array, starts[0], axis=0), starts[1], axis=1)

        out.counts, out.sums = merged(self.counts), {name: merged(total) for name, total in self.sums.items()}
        return out

    def table(self, **labels) -> pd.DataFrame:
        """Cells that hold a star: the labels, `x_lo`, `x_hi`, `y_lo`, `y_hi`, `count`, and `mean_<value>` of each value."""
        i, j = np.nonzero(self.counts)
        count = self.counts[i, j]
        table = pd.DataFrame({
            **{k: pd.array([v] * len(i), dtype="str") if isinstance(v, str) else np.full(len(i), v) for k, v in labels.items()},
            "x_lo": self.x_edges[i], "x_hi": self.x_edges[i + 1], "y_lo": self.y_edges[j], "y_hi": self.y_edges[j + 1], "count": count,
        })
        for name, total in self.sums.items():
            table[f"mean_{name}"] = total[i, j] / count
        return table


def cell_number(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number of the bin of each value, -1 outside; half-open bins, the last one closed."""
    x, edges = np.asarray(x, np.float64).ravel(), np.asarray(edges, np.float64)
    number = np.searchsorted(edges, x, side="right") - 1
    number[x == edges[-1]] = len(edges) - 2
    number[(number > len(edges) - 2) | ~np.isfinite(x)] = -1
    return number


def kiel_plane(values: Iterable[str] = ()) -> Plane:
    """An empty Kiel diagram: x the effective temperature (K), y log g."""
    return Plane(TEFF_EDGES, LOGG_EDGES, values)


def factor_for(n: int, steps: Mapping[int, int] | None = None) -> int:
    """How much coarser the cells of n stars should be, so that few stars still make a density and not a scatter of single cells."""
    for least, factor in sorted((steps or {60_000: 1, 8_000: 2, 0: 4}).items(), reverse=True):
        if n >= least:
            return factor
    return 1
