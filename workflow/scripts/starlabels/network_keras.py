"""The network in Keras: the definition that the numba kernels are held against, and the engine for every other architecture.

Keras takes its back end (tensorflow, jax, torch) from the environment when it is imported, so `choose_backend` comes first.
Only Keras' own functions are used, so any back end will do. Spectra, dropout factors and starting weights are handed in, so that no random
number is drawn here, and a run is the same as with the numba engine but for rounding.
"""

import os
import sys
from collections.abc import Mapping

import numpy as np

from .errors import InputError
from .network import Architecture, pack, unpack
from .network_numba import dropout_factors

BACKENDS = ("tensorflow", "jax", "torch")
_ROWS = 2048         # stars predicted at once


def choose_backend(backend: str) -> None:
    """Set Keras' back end and make it repeatable: fixed ops, one thread. To be called before Keras is imported.

    Raises
    ------
    InputError
        For an unknown back end, or when Keras already runs on another one.
    """
    if backend not in BACKENDS:
        raise InputError("rave.fit.backend", f"is {backend!r}", f"Known back ends: {', '.join(BACKENDS)}")
    if "keras" in sys.modules:
        running = sys.modules["keras"].config.backend()
        if running != backend:
            raise InputError("rave.fit.backend", f"is {backend!r}, but Keras already runs on {running}", "Start a new process")
        return
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in ("TF_DETERMINISTIC_OPS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")


def _keras():
    """Keras, with its back end's missing package named.

    Raises
    ------
    InputError
        When the back end is not installed.
    """
    try:
        import keras
    except ImportError as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise InputError("rave.fit.backend", f"is {backend}, which cannot be imported ({error})", "Install it or take another") from error
    return keras


def build(architecture: Architecture, factors: bool = False):
    """The Keras model, with Keras' own starting weights (Glorot uniform, zero biases).

    Parameters
    ----------
    architecture : Architecture
    factors : bool
        Take the dropout factors (n, features) as the last input and multiply by them, in place of a dropout layer.

    Returns
    -------
    keras.Model
        Inputs: spectrum (pixels, 1), photometry (inputs,), factors, those that there are; output (outputs,).
    """
    keras = _keras()
    layers, a = keras.layers, architecture
    inputs, branches = [], []

    def active(x, layer):
        return layers.LeakyReLU(negative_slope=a.slope, name=f"{layer.name}_active")(layer(x))

    def dense(units, name):
        return layers.Dense(units, name=name, kernel_initializer="glorot_uniform", bias_initializer="zeros")

    if a.pixels:
        inputs.append(keras.Input((a.pixels, 1), name="spectrum"))
        x = inputs[0]
        for k, filters in enumerate(a.filters, 1):
            x = active(x, layers.Conv1D(filters, a.kernel, name=f"convolution_{k}", kernel_initializer="glorot_uniform"))
        if not factors:
            x = layers.Dropout(a.dropout, name="dropout")(x)
        x = layers.Flatten(name="features")(x)
        if factors:
            given = keras.Input((a.features,), name="factors")
            x = layers.Multiply(name="dropout")([x, given])
        branches.append(active(x, dense(a.dense, "dense")))
    if a.inputs:
        inputs.append(keras.Input((a.inputs,), name="photometry"))
        branches.append(active(inputs[-1], dense(a.photometric, "photometric")))
    x = layers.Concatenate(name="both")(branches) if len(branches) == 2 else branches[0]
    x = active(x, dense(a.joined, "joined"))
    if a.pixels and factors:
        inputs.append(given)
    return keras.Model(inputs, dense(a.outputs, "labels")(x))


def get_weights(model, architecture: Architecture) -> np.ndarray:
    """Weights of a model as one vector in the order of `network.py`."""
    return pack({layer.name: model.get_layer(layer.name).get_weights() for layer in architecture.layers}, architecture)


def set_weights(model, weights: np.ndarray, architecture: Architecture) -> None:
    """Put a weight vector into a model."""
    for name, arrays in unpack(np.asarray(weights, np.float32), architecture).items():
        model.get_layer(name).set_weights(arrays)


def _loss(architecture: Architecture):
    """Mean squared error, or the Gaussian negative log-likelihood of values and log variances."""
    if architecture.loss == "mse":
        return "mean_squared_error"
    ops, n = _keras().ops, architecture.labels

    def likelihood(truth, outputs):
        spread = outputs[:, n:]
        return ops.mean(0.5 * (ops.exp(-spread) * ops.square(outputs[:, :n] - truth) + spread), axis=-1)

    return likelihood


def _arguments(flux: np.ndarray, inputs: np.ndarray, architecture: Architecture) -> list[np.ndarray]:
    """Arrays as the model takes them."""
    return ([flux[:, :, None]] if architecture.pixels else []) + ([inputs] if architecture.inputs else [])


class KerasEngine:
    """Training of one network; the interface that `network_fit.py` describes. Parameters as of `NumbaEngine`."""

    name = "keras"

    def __init__(self, architecture: Architecture, weights: np.ndarray, sample, settings: Mapping):
        keras = _keras()
        self.architecture, self.batch = architecture, int(settings["batch"])
        self._sample, self._dropped = sample, bool(architecture.features)
        self.model = build(architecture, factors=True)
        set_weights(self.model, weights, architecture)
        backend = keras.config.backend()
        self.model.compile(
            keras.optimizers.Adam(float(settings["learning_rate"]), beta_1=0.9, beta_2=0.999, epsilon=float(settings["epsilon"])),
            _loss(architecture),
            jit_compile=False if backend == "tensorflow" else "auto",       # XLA is several times slower there for so small a network
            steps_per_execution=1 if backend == "torch" else 50,
        )

    def epoch(self, order: np.ndarray, keys: np.ndarray) -> float:
        """Train once over the spectra in the order given; keys of the dropout, one a batch. Returns the mean loss."""
        s = self._sample
        arguments = _arguments(s.flux[order], s.inputs[order], self.architecture)
        if self._dropped:
            sizes = np.diff(np.append(np.arange(0, len(order), self.batch), len(order)))
            factors = [dropout_factors(key, size, self.architecture) for key, size in zip(keys, sizes, strict=True)]
            arguments.append(np.concatenate(factors))
        history = self.model.fit(arguments, s.labels[order], batch_size=self.batch, epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    def outputs(self, sample) -> np.ndarray:
        """Outputs (n, outputs) for a sample, no dropout."""
        arguments = _arguments(sample.flux, sample.inputs, self.architecture)
        if self._dropped:
            arguments.append(np.ones((len(sample.labels), self.architecture.features), np.float32))
        return np.asarray(self.model.predict(arguments, batch_size=_ROWS, verbose=0))

    @property
    def weights(self) -> np.ndarray:
        """The weights as one vector in the order of `network.py`."""
        return get_weights(self.model, self.architecture)


def predict(flux: np.ndarray, inputs: np.ndarray, networks: np.ndarray, architecture: Architecture):
    """Mean and population standard deviation over networks; as `network_numba.predict`, for any architecture.

    Returns
    -------
    mean, spread : ndarray (n, labels) of float64
    """
    model, n = build(architecture), architecture.labels
    mean, squares = np.zeros((len(flux), n)), np.zeros((len(flux), n))
    for m, weights in enumerate(networks, 1):
        set_weights(model, weights, architecture)
        for start in range(0, len(flux), _ROWS):
            rows = slice(start, start + _ROWS)
            part = _arguments(flux[rows], inputs[rows], architecture)
            out = np.asarray(model.predict_on_batch(part), np.float64)[:, :n]
            shift = out - mean[rows]
            mean[rows] += shift / m
            squares[rows] += shift * (out - mean[rows])
    return mean, np.sqrt(squares / len(networks))
