"""The network in JAX: all networks of a job trained in one computation, on a GPU where there is one.

Each network has the starting weights, the order of the spectra and the dropout that it has alone with the numba engine, and stops at
its own epoch; only rounding differs. Rounding may differ too with the number of networks that are computed together.
JAX is imported when it is first needed; the arithmetic stands in network_jax_kernels.py, the device in network_jax_device.py.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .network import Architecture, unknown_layers
from .network_fit import Course, Fitted, Sample
from .network_jax_device import device, enough_memory, kernels, networks_at_once, no_gpu, rows_at_once, sees_gpu

__all__ = ["device", "no_gpu", "predict", "sees_gpu", "supports", "train_many"]

_ROWS = {"cpu": 256, "gpu": 4096}          # stars predicted at once; fewer where a GPU has little memory


def supports(architecture: Architecture) -> bool:
    """Whether JAX computes every layer of a network; imports JAX."""
    return not unknown_layers(architecture, kernels().LAYERS)


class _Lanes:
    """Networks that are computed together: weights and moments (m, p) on the device, and the sample."""

    def __init__(self, architecture: Architecture, starts: np.ndarray, train: Sample, test: Sample, settings: Mapping):
        self._kernels = kernels()
        put = self._kernels.jax.device_put
        self._architecture, self._batch, self._steps = architecture, int(settings["batch"]), 0
        self._rate, self._epsilon = float(settings["learning_rate"]), np.float32(settings["epsilon"])
        weights = put(np.ascontiguousarray(starts, np.float32))
        self._state = weights, *(put(np.zeros(weights.shape, np.float32)) for _ in range(2))
        self._train = tuple(put(x) for x in (train.flux, train.inputs, train.labels))
        self._test, self._n_test = tuple(put(_blocks(x, self._batch)) for x in (test.flux, test.inputs)), len(test.labels)

    def epoch(self, orders: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Train once, each network over its row of `orders` (m, n) and with its row of `keys`. Returns the mean losses (m,)."""
        n, batches = orders.shape[1], keys.shape[1]
        counts = np.minimum(self._batch, n - self._batch * np.arange(batches))
        shares = (np.arange(self._batch) < counts[:, None]) / counts[:, None]
        # the last batch is filled up with its own first spectrum, which then has no share in it
        filled = np.pad(orders, ((0, 0), (0, batches * self._batch - n)), constant_values=-1)
        filled = np.where(filled < 0, orders[:, -counts[-1], None], filled).reshape(len(orders), batches, self._batch)
        t = self._steps + 1.0 + np.arange(batches)
        rates = self._rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        given = filled.transpose(1, 0, 2).astype(np.int32), keys.T, shares.astype(np.float32), rates.astype(np.float32)
        self._state, losses = self._kernels.train_epoch(self._state, self._train, *given, self._epsilon, self._architecture)
        self._steps += batches
        return np.asarray(losses, np.float64).T @ counts / n

    def outputs(self) -> np.ndarray:
        """Outputs (m, n, outputs) for the test sample, no dropout."""
        found = np.asarray(self._kernels.outputs(self._state[0], *self._test, self._architecture))
        return found.transpose(1, 0, 2, 3).reshape(found.shape[1], -1, found.shape[3])[:, : self._n_test]

    def weights(self, lane: int) -> np.ndarray:
        """Weights (parameters,) of one network."""
        return np.array(self._state[0][lane])

    def keep(self, lanes: Sequence[int]) -> None:
        """Go on with these networks only."""
        self._state = tuple(x[np.asarray(lanes)] for x in self._state)


def _blocks(x: np.ndarray, rows: int) -> np.ndarray:
    """Rows in blocks (blocks, rows, columns), the last one filled up with zeros."""
    return np.pad(x, ((0, -len(x) % rows), (0, 0))).reshape(-(-len(x) // rows), rows, x.shape[1])


def train_many(
    architecture: Architecture, starts: np.ndarray, train: Sample, test: Sample, settings: Mapping, seed: int, networks: Sequence[int],
    progress: Callable[[Course], None] | None = None,
) -> list[Fitted]:
    """Train networks together; each ends when `network_fit.fit` would end it, and the others go on.

    On a GPU that has no memory for all of them at once, they are trained in groups, one after the other.

    Parameters
    ----------
    architecture : Architecture
        Any of the layers of `network_jax_kernels.LAYERS`.
    starts : ndarray (m, parameters) of float32
        Starting weights.
    train, test : Sample
    settings : mapping
        `batch`, `learning_rate`, `epsilon`, `epochs`, `patience` (`rave.fit` of the configuration).
    seed : int
    networks : sequence of int
        The m numbers of the networks; order and dropout hang on number and seed.
    progress : callable, optional
        Told the course of each running network after each epoch.

    Returns
    -------
    list of Fitted
        In the order of `networks`.

    Raises
    ------
    InputError
        When JAX cannot be used, does not know a layer, or the GPU's memory is used up.
    """
    size = networks_at_once(architecture, int(settings["batch"]), len(networks))
    found: list[Fitted] = []
    for first in range(0, len(networks), size or 1):
        group = slice(first, first + size)
        with enough_memory(f"{len(networks[group])} networks"):
            found += _train_group(architecture, starts[group], train, test, settings, seed, networks[group], progress)
    return found


def _train_group(architecture, starts, train, test, settings, seed, networks, progress) -> list[Fitted]:
    """Train the networks of one group, all in one computation; arguments as of `train_many`."""
    courses = [Course(train, test, architecture, settings, seed, network) for network in networks]
    ended = {lane: course.end(np.array(starts[lane])) for lane, course in enumerate(courses) if not course.runs}
    lanes, inside = _Lanes(architecture, starts, train, test, settings), list(range(len(courses)))
    while len(ended) < len(courses):
        if 2 * sum(courses[k].runs for k in inside) <= len(inside):          # an ended network is computed on until half have ended
            lanes.keep([lane for lane, k in enumerate(inside) if courses[k].runs])
            inside = [k for k in inside if courses[k].runs]
        orders, keys = zip(*(courses[k].draw() for k in inside), strict=True)
        losses, outputs = lanes.epoch(np.stack(orders), np.stack(keys)), lanes.outputs()
        for lane, k in enumerate(inside):
            if not courses[k].runs:
                continue
            courses[k].record(float(losses[lane]), outputs[lane])
            if progress:
                progress(courses[k])
            if not courses[k].runs:
                ended[k] = courses[k].end(lanes.weights(lane))
    return [ended[k] for k in range(len(courses))]


def predict(flux: np.ndarray, inputs: np.ndarray, networks: np.ndarray, architecture: Architecture):
    """Mean and population standard deviation over networks; as `network_numba.predict` but for rounding, for any architecture.

    Returns
    -------
    mean, spread : ndarray (n, labels) of float64
    """
    found = kernels()
    jax, least = found.jax, _ROWS["cpu"]
    rows = rows_at_once(architecture, _ROWS["gpu"] if jax.default_backend() == "gpu" else least, least)
    mean, squares = np.empty((len(flux), architecture.labels)), np.empty((len(flux), architecture.labels))
    with enough_memory(f"{rows} stars"), jax.enable_x64(True):
        weights = jax.device_put(np.ascontiguousarray(networks, np.float32))
        for start in range(0, len(flux), rows):
            part = slice(start, start + rows)
            moments = found.moments(weights, *(_blocks(x[part], rows)[0] for x in (flux, inputs)), architecture)
            mean[part], squares[part] = (np.asarray(x)[: len(mean[part])] for x in moments)
    return mean, np.sqrt(squares / len(networks))
