"""The authors' published networks: Keras 2.4 HDF5 files, read as plain numbers (no code of the file is run).

A file holds the model's description as JSON text and its weights as arrays. Layer names differ from file to file, so a layer is
told by its kind, its place and its shape.
"""

import json
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .network import Architecture, pack

_SLOPE_TOLERANCE = 1e-6


def load(path: str | Path) -> tuple[Architecture, np.ndarray]:
    """Architecture and weights of a published model.

    Returns
    -------
    Architecture, ndarray (parameters,) of float32
        The weights in the order of `network.py`.

    Raises
    ------
    InputError
        When the file is missing or damaged, or holds layers that are not those of Section 3.1.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "does not exist", "Correct the path")
    try:
        with h5py.File(path, "r") as file:
            layers = json.loads(file.attrs["model_config"])["config"]["layers"]
            arrays = _arrays(file["model_weights"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(path, f"is not a readable Keras model ({error})", "Fetch it again") from error
    architecture = _architecture(layers, path)
    convolutions = [name for name in _names(layers, "Conv1D")]
    dense = {np.shape(arrays[name][0]): name for name in _names(layers, "Dense")}
    named = dict(zip((f"convolution_{k}" for k in range(1, len(convolutions) + 1)), convolutions, strict=True))
    for layer in architecture.layers[len(convolutions):]:
        if layer.shape not in dense:
            found = f"has no dense layer of the shape {layer.shape}; it has {sorted(dense)}"
            raise InputError(path, found, "It is not the published network")
        named[layer.name] = dense[layer.shape]
    return architecture, pack({name: arrays[own] for name, own in named.items()}, architecture)


def _arrays(group: h5py.Group) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each layer that has weights."""
    found = {}
    for name in group.attrs["layer_names"]:
        names = [n.decode() for n in group[name.decode()].attrs["weight_names"]]
        if names:
            found[name.decode()] = tuple(group[name.decode()][n][...] for n in names)
    return found


def _names(layers: list[dict], kind: str) -> list[str]:
    return [layer["config"]["name"] for layer in layers if layer["class_name"] == kind]


def _architecture(layers: list[dict], path: Path) -> Architecture:
    """The architecture that the description states; what ours fixes must be so there."""

    def settings(kind: str) -> list[dict]:
        return [layer["config"] for layer in layers if layer["class_name"] == kind]

    def same(what: str, values, expected=None):
        values = list(values)
        if not values or any(v != values[0] for v in values) or (expected is not None and values[0] != expected):
            raise InputError(f"{path}, {what}", f"is {values}", f"Expected: {'one value' if expected is None else expected}")
        return values[0]

    convolutions, dense = settings("Conv1D"), settings("Dense")
    same("padding", (c["padding"] for c in convolutions), "valid")
    same("stride", (tuple(c["strides"]) for c in convolutions), (1,))
    same("activation of the layers", (c["activation"] for c in [*convolutions, *dense]), "linear")
    slopes = [c["alpha"] for c in settings("LeakyReLU")]
    expected = len(convolutions) + len(dense) - 1
    if len(slopes) != expected or np.ptp(slopes) > _SLOPE_TOLERANCE:
        raise InputError(f"{path}, leaky ReLU", f"has the slopes {slopes}", f"Expected: the same one after {expected} layers")
    inputs = [c["batch_input_shape"][1:] for c in settings("InputLayer")]
    if len(inputs) != 2 or len(dense) != 4:
        raise InputError(path, f"has {len(inputs)} inputs and {len(dense)} dense layers", "Expected: 2 and 4")
    units = [c["units"] for c in dense]
    return Architecture(
        pixels=inputs[0][0], inputs=inputs[1][0], labels=units[3], filters=tuple(c["filters"] for c in convolutions),
        kernel=same("kernel", (c["kernel_size"][0] for c in convolutions)), dropout=settings("Dropout")[0]["rate"],
        dense=units[0], photometric=units[1], joined=units[2], slope=round(float(slopes[0]), 6),
    )
