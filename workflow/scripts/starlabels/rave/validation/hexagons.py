"""Counts of points in hexagonal cells, gathered piece by piece."""

import numpy as np
import pandas as pd


class Hexagons:
    """A honeycomb over a plane: columns of cells `dx` apart, every other row shifted by half a cell, rows `dy` / 2 apart.

    Parameters
    ----------
    x_range, y_range : (float, float)
        Cells have their centres within; points outside are counted in `outside`.
    dx, dy : float
        Width of a cell along x, and of two rows along y.
    """

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float], dx: float, dy: float):
        self.x0, self.y0, self.dx, self.dy = float(x_range[0]), float(y_range[0]), float(dx), float(dy)
        columns, rows = round((x_range[1] - x_range[0]) / dx), round((y_range[1] - y_range[0]) / dy)
        # centres at whole steps, and between them
        self.counts = [np.zeros((columns + 1, rows + 1), np.int64), np.zeros((columns, rows), np.int64)]
        self.outside = 0

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Count the points of a piece in the cell whose centre is nearest, in units of dx and sqrt(3) dy."""
        u = (np.asarray(x, np.float64).ravel() - self.x0) / self.dx
        v = (np.asarray(y, np.float64).ravel() - self.y0) / self.dy
        known = np.isfinite(u) & np.isfinite(v)
        lost = int(len(u) - known.sum())
        u, v = np.clip(u[known], -1e6, 1e6), np.clip(v[known], -1e6, 1e6)
        whole = np.rint(u), np.rint(v)
        between = np.floor(u), np.floor(v)
        first = (u - whole[0]) ** 2 + 3.0 * (v - whole[1]) ** 2 < (u - between[0] - 0.5) ** 2 + 3.0 * (v - between[1] - 0.5) ** 2
        for counts, (i, j), own in zip(self.counts, (whole, between), (first, ~first), strict=True):
            i, j = i[own].astype(np.int64), j[own].astype(np.int64)
            inside = (i >= 0) & (i < counts.shape[0]) & (j >= 0) & (j < counts.shape[1])
            counts += np.bincount(i[inside] * counts.shape[1] + j[inside], minlength=counts.size).reshape(counts.shape)
            lost += int(len(inside) - inside.sum())
        self.outside += lost

    def table(self) -> pd.DataFrame:
        """x, y (centre) and count of the cells that hold something."""
        parts = []
        for counts, shift in zip(self.counts, (0.0, 0.5), strict=True):
            i, j = np.nonzero(counts)
            x, y = self.x0 + (i + shift) * self.dx, self.y0 + (j + shift) * self.dy
            parts.append(pd.DataFrame({"x": x.round(9), "y": y.round(9), "count": counts[i, j]}))
        return pd.concat(parts, ignore_index=True)
