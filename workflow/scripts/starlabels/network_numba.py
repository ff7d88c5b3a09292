"""The network on the processor: the numba engine of training, and predictions of many networks in one pass.

The kernels keep the weights in an order of their own (network_kernels.py), in which the innermost loops read neighbours; the
translation to the order of Keras is one permutation.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import network_kernels as kernels
from .errors import InputError
from .network import Architecture, unknown_layers, unpack

_ROWS = 256          # stars that pass through all networks together: their spectra stay in the processor's cache
#: Layers that `gradient` and `_outputs_of` of the kernels compute, as `network.unknown_layers` takes them.
LAYERS = {"convolution": 3, "dense": 2, "photometric": 2, "joined": 2, "labels": 2}


def supports(architecture: Architecture) -> bool:
    """Whether the kernels can compute a network: layers of `LAYERS`, even numbers of filters, kernels of a multiple of five pixels."""
    return not _unsuited(architecture)


def _unsuited(architecture: Architecture) -> str:
    """What the kernels cannot compute; empty: nothing."""
    unknown = unknown_layers(architecture, LAYERS)
    if unknown:
        return f"do not know the layer {', '.join(unknown)}"
    even = all(f % 2 == 0 for f in architecture.filters)
    if architecture.pixels and architecture.filters and not (even and architecture.kernel % 5 == 0):
        return f"do not suit a kernel of {architecture.kernel} pixels and {architecture.filters} filters"
    return ""


def positions(architecture: Architecture) -> np.ndarray:
    """Where each weight of the kernels' order stands in the vector of `network.py`: own = keras[positions].

    Returns
    -------
    ndarray (parameters,) of int64
    """
    numbers = np.arange(architecture.parameters)
    found = []
    for name, (kernel, bias) in unpack(numbers, architecture).items():
        if name == "dense":          # its inputs: pixel by pixel in Keras, channel by channel here
            kernel = kernel.reshape(architecture.lengths[-1], architecture.channels[-1], -1).transpose(2, 1, 0)
        else:
            kernel = kernel.T        # (pixels, channels, filters) -> (filters, channels, pixels); dense: (neurons, inputs)
        found += [kernel.ravel(), bias]
    return np.concatenate(found)


def plan_of(architecture: Architecture) -> kernels.Plan:
    """The architecture as the kernels take it.

    Raises
    ------
    InputError
        When they cannot compute it.
    """
    found = _unsuited(architecture)
    if found:
        raise InputError("rave.fit.engine", f"numba's kernels {found}", "Take the engine keras, or auto")
    a, start, starts = architecture, 0, {}
    for layer in a.layers:
        starts[layer.name] = start
        start += layer.size
    rows = []
    for k in range(1, len(a.filters) + 1) if a.pixels else ():
        at, shape = starts[f"convolution_{k}"], (a.kernel, a.channels[k - 1], a.channels[k])
        rows.append((at, at + shape[0] * shape[1] * shape[2], shape[1], shape[2], a.lengths[k]))
    return kernels.Plan(
        taps=(0,) * max(a.kernel, 1),
        convolutions=np.array(rows, np.int64).reshape(len(rows), 5),
        pixels=a.pixels, channels=a.channels[-1], features=a.features, dense=a.dense if a.pixels else 0, inputs=a.inputs,
        photometric=a.photometric if a.inputs else 0, joined=a.joined, outputs=a.outputs, labels=a.labels,
        dense_at=starts.get("dense", 0), photometric_at=starts.get("photometric", 0), joined_at=starts["joined"],
        labels_at=starts["labels"], slope=np.float32(a.slope), dropout=np.float32(a.dropout),
    )


def dropout_factors(key: int, rows: int, architecture: Architecture) -> np.ndarray:
    """The factors 0 or 1 / (1 - rate) of one batch, in Keras' order (spectra, pixels x channels); the kernels use the same."""
    factors = np.ones((rows, architecture.features), np.float32)
    channels = architecture.channels[-1]
    if architecture.dropout > 0 and architecture.features:
        kernels.dropout_factors(factors, np.uint32(key), channels, np.float32(architecture.dropout))
    return np.ascontiguousarray(factors.reshape(rows, channels, -1).transpose(0, 2, 1)).reshape(rows, -1)


class NumbaEngine:
    """Training of one network; the interface that `network_fit.py` describes.

    Parameters
    ----------
    architecture : Architecture
    weights : ndarray (parameters,) of float32
        Starting weights.
    sample : network_fit.Sample
        The training sample.
    settings : mapping
        `batch`, `learning_rate`, `epsilon` (`rave.fit` of the configuration).
    """

    name = "numba"

    def __init__(self, architecture: Architecture, weights: np.ndarray, sample, settings):
        self._plan, self._positions = plan_of(architecture), positions(architecture)
        self._weights = np.ascontiguousarray(weights, np.float32)[self._positions]
        self._mean, self._square, self._steps = np.zeros_like(self._weights), np.zeros_like(self._weights), 0
        self._arrays = sample.flux, sample.inputs, sample.labels
        self._settings = int(settings["batch"]), float(settings["learning_rate"]), float(settings["epsilon"])

    def epoch(self, order: np.ndarray, keys: np.ndarray) -> float:
        """Train once over the spectra in the order given; keys of the dropout, one a batch. Returns the mean loss."""
        state = self._weights, self._mean, self._square, self._steps
        loss = kernels.train_epoch(*state, *self._arrays, order, keys, *self._settings, self._plan)
        self._steps += len(keys)
        return loss

    def outputs(self, sample) -> np.ndarray:
        """Outputs (n, outputs) for a sample, no dropout."""
        found = np.empty((len(sample.labels), self._plan.outputs), np.float32)
        kernels.outputs(sample.flux, sample.inputs, self._weights, self._plan, found)
        return found

    @property
    def weights(self) -> np.ndarray:
        """The weights as one vector in the order of `network.py`."""
        found = np.empty_like(self._weights)
        found[self._positions] = self._weights
        return found


def predict(flux: np.ndarray, inputs: np.ndarray, networks: np.ndarray, architecture: Architecture, threads: int = 1):
    """Mean and population standard deviation over networks.

    Parameters
    ----------
    flux, inputs : ndarray (n, pixels), (n, inputs) of float32
        C order; scaled as in training. A branch that the network has not has no columns.
    networks : ndarray (m, parameters) of float32
        Weights in the order of `network.py`.
    threads : int
        Stars are shared among them; no result depends on it.

    Returns
    -------
    mean, spread : ndarray (n, labels) of float64
    """
    plan = plan_of(architecture)
    own = np.ascontiguousarray(networks[:, positions(architecture)], dtype=np.float32)
    mean, squares = np.empty((len(flux), architecture.labels)), np.empty((len(flux), architecture.labels))

    def block(start: int) -> None:
        rows = slice(start, start + _ROWS)
        kernels.moments(flux[rows], inputs[rows], own, plan, mean[rows], squares[rows])

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        list(pool.map(block, range(0, len(flux), _ROWS)))
    return mean, np.sqrt(squares / len(own))
