"""Figure 3 of Guiglion et al. 2020: the network, drawn from the model that is trained (Section 3.1)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from ...errors import InputError
from ...io import read_json
from .. import graph, style
from ..panels import Numbers

# kind of layer: (colour, words of the key); the order of the key
KIND = {
    "InputLayer": ("#CFE0F5", "input"), "Conv1D": ("#FFE699", "convolution"), "LeakyReLU": ("#EEEEEE", "activation"),
    "Dropout": ("#F4B6C2", "dropout"), "Flatten": ("#DDDDDD", "reshape"), "Reshape": ("#DDDDDD", "reshape"),
    "Dense": ("#BFE3B4", "dense"), "Concatenate": ("#C7B3E5", "concatenate"),
}
OTHER = ("#FFFFFF", "other")
BOX_MM, GAP_MM = (78.0, 8.4), 4.2
FOOT_MM, HEAD_MM = 13.0, 8.0


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A box a layer with its name, shape and number of parameters, arrows as the model connects them; input `layers`."""
    content = read_json(inputs["layers"])
    layers = {layer["name"]: layer for layer in content["layers"]}
    edges = [(source, name) for name, layer in layers.items() for source in layer["inputs"]]
    unknown = [source for source, _ in edges if source not in layers]
    if not layers or unknown:
        found = f"names the unknown layer {unknown[0]}" if unknown else "lists no layer"
        raise InputError(f"{inputs['layers']}, key layers", found, "Delete it and run again")
    centres, height = _places(list(layers), edges)
    numbers = Numbers()
    figure = style.new_figure(style.PAGE, height, simulated, layout=None)
    ax = style.axes_mm(figure, 0, 0, style.PAGE, height)
    ax.set(xlim=(0, style.PAGE), ylim=(0, height))
    ax.axis("off")
    for source, name in edges:
        _arrow(ax, centres[source], centres[name])
        numbers.add("network", "edge", f"{source} -> {name}", x=[centres[source][0], centres[name][0]],
                    y=[centres[source][1], centres[name][1]])
    for name, layer in layers.items():
        _box(ax, centres[name], layer, layers)
        shape = f"{_shape(layer['output_shape'])}"
        numbers.add("network", "node", name, x=centres[name][0], y=centres[name][1], value=layer["parameters"], text=shape)
    ax.text(style.PAGE / 2, height - (HEAD_MM - 3.5), f"{style.count(content['parameters'])} parameters in {len(layers)} layers",
            ha="center", va="top", fontsize=8)
    numbers.add("network", "value", "parameters", value=content["parameters"])
    present = dict.fromkeys(KIND.get(layer["kind"], OTHER) for layer in layers.values())
    handles = [Patch(facecolor=c, edgecolor=style.GREY, linewidth=0.5, label=words) for c, words in present]
    ax.legend(handles=handles, loc="lower center", ncols=len(handles), bbox_to_anchor=(0.5, 0.0), columnspacing=1.2)
    return figure, numbers.frame()


def _places(names: list[str], edges: list[tuple[str, str]]) -> tuple[dict[str, tuple[float, float]], float]:
    """Centre of each box and height of the page, mm: a layer of the graph a row, branches side by side."""
    depth = graph.layers(names, edges)
    positions, _ = graph.arrange(names, edges)
    rows = [sorted((n for n in names if depth[n] == level), key=lambda n: positions[n][0]) for level in range(max(depth.values()) + 1)]
    step = BOX_MM[1] + GAP_MM
    height = HEAD_MM + len(rows) * step - GAP_MM + FOOT_MM
    branches = max(len(row) for row in rows)
    side = {n: _branch(n, names, edges, rows) for n in names}
    centres = {}
    for level, row in enumerate(rows):
        y = height - HEAD_MM - 0.5 * BOX_MM[1] - level * step
        for name in row:
            place = 0.5 if side[name] is None else (side[name] + 0.5) / branches
            centres[name] = (style.PAGE * (0.04 + 0.92 * place), y)
    return centres, height


def _branch(name: str, names: list[str], edges: list[tuple[str, str]], rows: list[list[str]]) -> int | None:
    """Number of the input whose branch a layer belongs to; None where branches have met."""
    sources = [n for n in names if not any(b == n for _, b in edges)]
    above, todo = set(), [name]
    while todo:
        node = todo.pop()
        if node not in above:
            above.add(node)
            todo += [a for a, b in edges if b == node]
    own = [i for i, source in enumerate(sources) if source in above]
    return own[0] if len(own) == 1 and len(sources) > 1 else None


def _shape(shape: list[int]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(str(n) for n in shape)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From the lower edge of a box straight down, then to the next box."""
    above, below = start[1] - 0.5 * BOX_MM[1], end[1] + 0.5 * BOX_MM[1]
    bend = below + 0.62 * GAP_MM
    if start[0] != end[0]:
        ax.plot([start[0], start[0], end[0]], [above, bend, bend], color=style.GREY, linewidth=0.8, solid_joinstyle="round")
        above = bend
    ax.annotate("", (end[0], below), (end[0], above), zorder=2,
                arrowprops={"arrowstyle": "-|>", "color": style.GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7})


def _box(ax: Axes, centre: tuple[float, float], layer: dict, layers: dict) -> None:
    width, height = BOX_MM
    colour = KIND.get(layer["kind"], OTHER)[0]
    corner = (centre[0] - 0.5 * width, centre[1] - 0.5 * height)
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=1.2", facecolor=colour,
                                edgecolor=style.GREY, linewidth=0.6, zorder=3))
    kind = layer["kind"] + (f" ({layer['settings']})" if layer["settings"] else "")
    before = [_shape(layers[name]["output_shape"]) for name in layer["inputs"]]
    shape = (" + ".join(before) + " \N{RIGHTWARDS ARROW} " if before else "") + _shape(layer["output_shape"])
    parameters = f"   {style.count(layer['parameters'])} parameters" if layer["parameters"] else ""
    ax.text(centre[0], centre[1] + 1.75, rf"{layer['name']}: {kind}", ha="center", va="center", fontsize=7, zorder=4)
    ax.text(centre[0], centre[1] - 1.85, shape + parameters, ha="center", va="center", fontsize=7, zorder=4, color="#333333")
