"""The network of Guiglion et al. 2020 (Section 3.1, Figure 3): its layers, its starting weights, its weights as one vector.

A normalised spectrum passes convolutions without padding (stride 1), dropout and a dense layer; absolute magnitudes and
extinction pass a dense layer of their own; both are joined, and two more dense layers lead to the labels. Every layer but the
last is followed by a leaky ReLU. Either branch can be left out. The weights of a network are one float32 vector: kernel and
bias of each layer in the order of `Architecture.layers`, each flattened as Keras keeps it. Nothing here needs Keras.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import prod

import numpy as np

from .errors import InputError

LOSSES = ("mse", "nll")
NETWORKS = ("photometry", "spectra", "photometry_only")   # both branches | the spectrum alone | the photometric branch alone


@dataclass(frozen=True)
class Layer:
    """Name and kernel shape of a layer with weights; the bias is as long as the kernel's last axis."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of weights, bias included."""
        return prod(self.shape) + self.shape[-1]


@dataclass(frozen=True)
class Architecture:
    """What determines a network but for its weights.

    Attributes
    ----------
    pixels : int
        Pixels of a spectrum; 0: no spectral branch.
    inputs : int
        Photometric inputs; 0: no photometric branch.
    labels : int
        Labels predicted; a network with the loss "nll" has twice as many outputs (values, then log variances).
    filters : tuple of int
        Filters of the convolutions; empty: none, the dense layer sees the spectrum itself.
    kernel : int
        Pixels of a convolution kernel.
    dropout : float
        Fraction of the last convolution's output that is dropped in training.
    dense, photometric, joined : int
        Neurons of the dense layers: after the convolutions, of the photometric branch, after joining the two.
    slope : float
        Of the leaky ReLU at negative values.
    loss : str
        "mse" or "nll" (Gaussian negative log-likelihood, up to its constant).
    """

    pixels: int = 912
    inputs: int = 9
    labels: int = 9
    filters: tuple[int, ...] = (8, 4, 2)
    kernel: int = 10
    dropout: float = 0.2
    dense: int = 32
    photometric: int = 27
    joined: int = 16
    slope: float = 0.3
    loss: str = "mse"

    def __post_init__(self):
        object.__setattr__(self, "filters", tuple(int(f) for f in self.filters))
        if self.loss not in LOSSES:
            raise InputError("rave.network.loss", f"is {self.loss!r}", f"Known losses: {', '.join(LOSSES)}")
        if not 0 <= self.dropout < 1:
            raise InputError("rave.network.dropout", f"is {self.dropout}", "It is a fraction, at least 0 and below 1")
        if not self.pixels and not self.inputs:
            raise InputError("network", "has neither spectra nor photometry as input", "Give rave.spectra.pixels or rave.inputs")
        if self.pixels and self.filters and self.lengths[-1] < 1:
            found = f"is {self.kernel}: {len(self.filters)} convolutions leave nothing of {self.pixels} pixels"
            raise InputError("rave.network.kernel", found, "Take a smaller kernel or fewer filters")

    @property
    def lengths(self) -> tuple[int, ...]:
        """Pixels before the first convolution and after each one."""
        return tuple(self.pixels - k * (self.kernel - 1) for k in range(len(self.filters) + 1))

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels before the first convolution and after each one."""
        return (1, *self.filters)

    @property
    def features(self) -> int:
        """Values that the spectral branch hands to its dense layer; 0 without that branch."""
        return self.lengths[-1] * self.channels[-1] if self.pixels else 0

    @property
    def outputs(self) -> int:
        """Neurons of the last layer."""
        return self.labels * (2 if self.loss == "nll" else 1)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers with weights, in the order of the weight vector."""
        found, width = [], 0
        if self.pixels:
            pairs = zip(self.channels[:-1], self.channels[1:], strict=True)
            found += [Layer(f"convolution_{k}", (self.kernel, a, b)) for k, (a, b) in enumerate(pairs, 1)]
            found.append(Layer("dense", (self.features, self.dense)))
            width += self.dense
        if self.inputs:
            found.append(Layer("photometric", (self.inputs, self.photometric)))
            width += self.photometric
        return (*found, Layer("joined", (width, self.joined)), Layer("labels", (self.joined, self.outputs)))

    @property
    def parameters(self) -> int:
        """Number of weights; 58 549 for the published network."""
        return sum(layer.size for layer in self.layers)

    def to_json(self) -> str:
        """The architecture as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            When the text is not an architecture.
        """
        try:
            entry = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError("architecture of the network", f"is not valid JSON ({error})", "Delete the model and train again") from error
        odd = set(entry) ^ {f.name for f in fields(cls)} if isinstance(entry, dict) else {"architecture"}
        if odd:
            raise InputError("architecture of the network", f"lacks or adds {sorted(odd)[0]!r}", "Delete the model and train again")
        return cls(**entry)


def of_configuration(cfg: Mapping, network: str = "photometry") -> Architecture:
    """The architecture that a configuration asks for.

    Parameters
    ----------
    cfg : mapping
        The `rave` part of the configuration; a variant's changes are already in it.
    network : str
        One of NETWORKS.

    Raises
    ------
    InputError
        For an unknown network, or settings that make no network.
    """
    if network not in NETWORKS:
        raise InputError("network", f"is {network!r}", f"Known networks: {', '.join(NETWORKS)}")
    return Architecture(
        pixels=0 if network == "photometry_only" else int(cfg["spectra"]["pixels"]),
        inputs=0 if network == "spectra" else len(cfg["inputs"]),
        labels=len(cfg["labels"]),
        **cfg["network"],
    )


def unknown_layers(architecture: Architecture, known: Mapping[str, int]) -> list[str]:
    """Names of the layers that an engine does not compute.

    Parameters
    ----------
    architecture : Architecture
    known : mapping
        Axes of the kernel (3: convolution, 2: dense) by the layer's name; "convolution" stands for one for each of the filters.
    """
    axes = {name: n for name, n in known.items() if name != "convolution"}
    if "convolution" in known:
        axes |= {f"convolution_{k}": known["convolution"] for k in range(1, len(architecture.filters) + 1)}
    return [layer.name for layer in architecture.layers if axes.get(layer.name) != len(layer.shape)]


def unpack(weights: np.ndarray, architecture: Architecture) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each layer, as views of the weight vector.

    Raises
    ------
    InputError
        When the vector has another length than the architecture's.
    """
    if weights.shape != (architecture.parameters,):
        found = f"have the shape {weights.shape} instead of ({architecture.parameters},)"
        raise InputError("weights of the network", found, "They belong to another architecture: train again")
    found, start = {}, 0
    for layer in architecture.layers:
        end = start + layer.size
        width = layer.shape[-1]
        found[layer.name] = weights[start : end - width].reshape(layer.shape), weights[end - width : end]
        start = end
    return found


def pack(layers: Mapping[str, tuple[np.ndarray, np.ndarray]], architecture: Architecture) -> np.ndarray:
    """The weight vector of named (kernel, bias) pairs.

    Raises
    ------
    InputError
        When a layer is absent or has another shape.
    """
    weights = np.empty(architecture.parameters, np.float32)
    views = unpack(weights, architecture)
    for layer in architecture.layers:
        if layer.name not in layers:
            raise InputError(f"layer {layer.name}", "is absent", f"Layers of the network: {', '.join(views)}")
        for view, array in zip(views[layer.name], layers[layer.name], strict=True):
            if np.shape(array) != view.shape:
                raise InputError(f"layer {layer.name}", f"has weights of the shape {np.shape(array)} instead of {view.shape}")
            view[...] = array
    return weights


# --- random numbers of a network: they hang on the seed and on its number, on nothing else ---------------------------

_PURPOSES = {"weights": 0, "order": 1, "dropout": 2}


def stream(seed: int, network: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """Random numbers of one network for one purpose ("weights", "order" of the spectra, "dropout") in one epoch."""
    return np.random.default_rng([int(seed), int(network), _PURPOSES[purpose], int(epoch)])


def initial_weights(architecture: Architecture, seed: int, network: int) -> np.ndarray:
    """Starting weights: kernels uniform in +- sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010), biases zero.

    Returns
    -------
    ndarray (parameters,) of float32
    """
    rng, weights = stream(seed, network, "weights"), np.zeros(architecture.parameters, np.float32)
    for kernel, _ in unpack(weights, architecture).values():
        field = prod(kernel.shape[:-2])
        limit = np.sqrt(6.0 / (field * (kernel.shape[-2] + kernel.shape[-1])))
        kernel[...] = rng.uniform(-limit, limit, kernel.shape)
    return weights
