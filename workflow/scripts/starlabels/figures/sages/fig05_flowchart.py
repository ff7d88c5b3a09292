"""Figure 5 of Gu et al. 2025: the flow chart, here of this workflow and from its own rule graph (Section 2.5)."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path as Curve

from .. import graph, style
from ..panels import Numbers

# stage, colour of its boxes, pattern of its rules' names; the first match wins
STAGES = [
    ("figures and tables", "#DDDDDD", r"figure|table|report|rule_?graph|flow_?chart|scorecard"),
    ("validation", "#F4B6C2", r"valid|test|truth|cluster|external|extinction|coverage|fraction|bins|cmd|diagnos|histogram|compar|scan"),
    ("catalogues of this work", "#C7B3E5", r"product|final"),
    ("prediction", "#F6C89F", r"predict"),
    ("training", "#FFE699", r"train|forest|model"),
    ("features and samples", "#BFE3B4", r"feature|sample|class"),
    ("cross-match", "#A8DDD4", r"match|star|label|pair"),
    ("catalogues", "#AFCBEF", r"catalog|ingest"),
    ("native files", "#CFE0F5", r"sim|sky|acquire|fetch|dust|map|native|download"),
]
TARGETS = {"all", "sages", "rave", "figures", "tables", "catalogs", "studies", "quick", "default"}
ASIDE = {"captions", "rulegraph"}     # rules that serve the figures' text and this chart itself
WORDS = {
    "catalog": "catalogues", "stars": "stars:\ncross-match", "features": "features\nand classes", "samples": "training and\ntest samples",
    "catalog_product": "catalogues\nof this work", "scan": "scan: hyper-\nparameters", "compare": "compare:\nmethods",
}
BOX_MM = (27.0, 8.0)           # largest width and height of a box
GAP_MM, EDGE_MM = 8.0, 4.0     # between layers; margin of the page
LETTER_MM = 1.65               # width of a letter at 7 pt, with some room
CROWDED = 6                    # more boxes than these stand in two rows


def stage_of(rule: str) -> tuple[str, str]:
    """Stage and colour of a rule, by its name."""
    return next(((name, colour) for name, colour, pattern in STAGES if re.search(pattern, rule)), ("other", "#FFFFFF"))


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """The rules in layers, each below what it needs, coloured by stage; input `rulegraph` (Graphviz text)."""
    nodes, edges = graph.read_dot(inputs["rulegraph"])
    users = {a for a, _ in edges}
    nodes, edges = graph.without(nodes, edges, {n for n in nodes if n in ASIDE or n in TARGETS and n not in users})
    edges = graph.reduced(edges)
    positions, routes = graph.arrange(nodes, edges, CROWDED)
    rows = Rows(positions)
    figure = style.new_figure(style.PAGE, rows.height + 20, simulated, layout=None)
    height = figure.get_size_inches()[1] / style.MM
    ax = style.axes_mm(figure, 0, 0, style.PAGE, height)
    ax.set(xlim=(0, style.PAGE), ylim=(0, height))
    ax.axis("off")
    numbers = Numbers()
    for (first, last), route in routes.items():
        points = rows.route(first, last, route, height - 6)
        _arrow(ax, points)
        numbers.add("flow chart", "edge", f"{first} -> {last}", x=[p[0] for p in points], y=[p[1] for p in points])
    for node in nodes:
        centre = rows.centre(node, height - 6)
        stage, colour = stage_of(node)
        _box(ax, centre, rows.box(node), words(node, cfg), colour)
        numbers.add("flow chart", "node", stage, x=centre[0], y=centre[1], text=node)
    present = {stage_of(n)[0] for n in nodes}
    handles = [Patch(facecolor=c, edgecolor=style.GREY, linewidth=0.5, label=n) for n, c, _ in STAGES[::-1] if n in present]
    ax.legend(handles=handles, loc="lower center", ncols=min(len(handles), 5), bbox_to_anchor=(0.5, 0.0), columnspacing=1.2)
    return figure, numbers.frame()


class Rows:
    """Where boxes stand on the page, in mm: a layer with many boxes uses two rows in turn, so that they stay wide enough to read."""

    def __init__(self, positions: dict[str, tuple[float, int]]):
        self.positions = positions
        deepest = max(level for _, level in positions.values())
        self.ranks = [sorted((x, n) for n, (x, k) in positions.items() if k == level) for level in range(deepest + 1)]
        self.two = [len(rank) > CROWDED for rank in self.ranks]
        tall = [BOX_MM[1] * (2.5 if two else 1) for two in self.two]
        self.tops = np.cumsum([0, *[t + GAP_MM for t in tall[:-1]]])
        self.tall, self.height = tall, float(self.tops[-1] + tall[-1])
        self.lower = {n: self.two[k] and i % 2 == 1 for k, rank in enumerate(self.ranks) for i, (_, n) in enumerate(rank)}
        self.widths = [self._box_width(rank, 2 if two else 1) for rank, two in zip(self.ranks, self.two, strict=True)]

    def _box_width(self, rank: list[tuple[float, str]], step: int) -> float:
        """Width of the boxes of a layer: neighbours of the same row (every `step`-th node) must not touch."""
        x = [self.x(value) for value, _ in rank]
        return min([BOX_MM[0], *[0.94 * (b - a) for a, b in zip(x[:-step], x[step:], strict=True)]])

    def box(self, node: str) -> tuple[float, float]:
        """Width and height of a box."""
        return self.widths[self.positions[node][1]], BOX_MM[1]

    @staticmethod
    def x(value: float) -> float:
        """From the unit interval to the page; half a box is kept free at both sides."""
        side = EDGE_MM + 0.4 * BOX_MM[0]
        return side + value * (style.PAGE - 2 * side)

    def centre(self, node: str, top: float) -> tuple[float, float]:
        """Centre of a box."""
        value, level = self.positions[node]
        shift = (1.5 if self.lower[node] else 0.0) * BOX_MM[1]
        return self.x(value), top - self.tops[level] - shift - 0.5 * BOX_MM[1]

    def route(self, first: str, last: str, bends: list[tuple[float, int]], top: float) -> list[tuple[float, float]]:
        """Way of an edge from box to box; past boxes of its own layers it runs straight down."""
        x0, y0 = self.centre(first, top)
        x1, y1 = self.centre(last, top)
        (level0, level1), half = (self.positions[first][1], self.positions[last][1]), 0.5 * BOX_MM[1]
        points = [(x0, y0 - half)]
        if self.two[level0] and not self.lower[first]:
            points.append((x0, top - self.tops[level0] - self.tall[level0]))
        for value, level in bends[1:-1]:
            points += [(self.x(value), top - self.tops[level]), (self.x(value), top - self.tops[level] - self.tall[level])]
        if self.lower[last]:
            points.append((x1, top - self.tops[level1]))
        return [*points, (x1, y1 + half + 1.0)]


def words(rule: str, cfg: dict) -> str:
    """What stands in a box: the rule's name, some with what they do; for training also how many models it makes."""
    text = WORDS.get(rule, rule.replace("_", " "))
    if rule == "train":
        sets = len(cfg["data_sets"])
        text = f"train: {len(cfg['models'])} models\n$\\times$ {sets} data set{'s' if sets > 1 else ''}"
    return text


def _box(ax: Axes, centre: tuple[float, float], size: tuple[float, float], text: str, colour: str) -> None:
    width, height = size
    corner = (centre[0] - width / 2, centre[1] - height / 2)
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=1.2", facecolor=colour, edgecolor=style.GREY,
                                linewidth=0.7, zorder=3))
    if "\n" not in text and len(text) * LETTER_MM > width and " " in text:
        parts = text.split(" ")
        cut = int(np.argmin([abs(len(" ".join(parts[:i])) - len(text) / 2) for i in range(1, len(parts))])) + 1
        text = " ".join(parts[:cut]) + "\n" + " ".join(parts[cut:])
    ax.text(*centre, text, ha="center", va="center", fontsize=7, zorder=4, linespacing=1.1)


def _arrow(ax: Axes, points: list[tuple[float, float]]) -> None:
    """A smooth line through the bend points, leaving and arriving upright, with a head at its end."""
    vertices, codes = [points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in zip(points[:-1], points[1:], strict=True):
        middle = 0.5 * (y0 + y1)
        vertices += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    ax.add_patch(PathPatch(Curve(vertices, codes), facecolor="none", edgecolor=style.GREY, linewidth=0.8, zorder=1))
    x, y = points[-1]
    ax.fill([x - 0.7, x + 0.7, x], [y + 0.6, y + 0.6, y - 1.0], color=style.GREY, linewidth=0, zorder=2)
