"""The network in JAX: all networks of a job trained in one computation, on a GPU where there is one.

Each network has the starting weights, the order of the spectra and the dropout that it has alone with the numba engine, and stops at
its own epoch; only rounding differs. Rounding may differ too with the number of networks that are computed together.
JAX is imported when it is first needed; the arithmetic stands in network_jax_kernels.py.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from .errors import InputError
from .network import Architecture, unknown_layers
from .network_fit import Course, Fitted, Sample

_ROWS = {"cpu": 256, "gpu": 4096}          # stars predicted at once
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg")          # of Linux; of its subsystem on Windows
_FLAGS = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")          # sums do not hang on which algorithm won a race


@cache
def _kernels():
    """The JAX functions, with JAX made repeatable and modest in memory before it is imported.

    Raises
    ------
    InputError
        When JAX is not installed, or cannot use the device that it is told to use.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")          # jobs may share a GPU
    given = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = " ".join([given, *(flag for flag in _FLAGS if flag.split("=")[0] not in given)]).strip()
    threads = os.environ.get("NPROC")
    os.environ["NPROC"] = "1"          # threads of the processor, read once: sums must not hang on their number
    try:
        from . import network_jax_kernels

        network_jax_kernels.jax.devices()
    except (ImportError, RuntimeError) as error:
        found = f"is jax, which cannot be used ({error})"
        raise InputError("rave.fit.engine", found, "Install it (envs/gpu.yaml), or take auto") from error
    finally:
        del os.environ["NPROC"]
        if threads is not None:
            os.environ["NPROC"] = threads
    return network_jax_kernels


def sees_gpu() -> bool:
    """Whether JAX would compute on a GPU; it is imported only where there is a driver and the environment does not hide the GPU."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or os.environ.get("JAX_PLATFORMS") == "cpu"
    if hidden or not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    try:
        return _kernels().jax.default_backend() == "gpu"
    except InputError:
        return False


def supports(architecture: Architecture) -> bool:
    """Whether JAX computes every layer of a network; imports JAX."""
    return not unknown_layers(architecture, _kernels().LAYERS)


def device() -> str:
    """Name of the device that JAX computes on."""
    return _kernels().jax.devices()[0].device_kind


class _Lanes:
    """Networks that are computed together: weights and moments (m, p) on the device, and the sample."""

    def __init__(self, architecture: Architecture, starts: np.ndarray, train: Sample, test: Sample, settings: Mapping):
        self._kernels = _kernels()
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
        When JAX cannot be used, or does not know a layer.
    """
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
    kernels = _kernels()
    jax = kernels.jax
    rows = _ROWS["gpu" if jax.default_backend() == "gpu" else "cpu"]
    mean, squares = np.empty((len(flux), architecture.labels)), np.empty((len(flux), architecture.labels))
    with jax.enable_x64(True):
        weights = jax.device_put(np.ascontiguousarray(networks, np.float32))
        for start in range(0, len(flux), rows):
            part = slice(start, start + rows)
            found = kernels.moments(weights, *(_blocks(x[part], rows)[0] for x in (flux, inputs)), architecture)
            mean[part], squares[part] = (np.asarray(x)[: len(mean[part])] for x in found)
    return mean, np.sqrt(squares / len(networks))
