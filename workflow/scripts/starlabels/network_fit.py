"""How a network is trained (Guiglion et al. 2020, Section 3.3), whatever engine computes it.

Each epoch passes through the training spectra in a new order. The run ends when the test loss has not fallen below its lowest
value for `patience` epochs; the weights of the last epoch are kept, as published. The test sample so takes part in the
training: it is no independent test.

A `Course` says what happens to one network: `fit` follows one to its end, an engine of many networks follows all of them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .network import Architecture, stream

HISTORY = ("train_loss", "test_loss", "test_r2", "test_accuracy")


@dataclass(frozen=True)
class Sample:
    """Scaled float32 arrays in C order: flux (n, pixels), inputs (n, inputs), labels (n, labels); no columns for a branch left out."""

    flux: np.ndarray
    inputs: np.ndarray
    labels: np.ndarray


class Engine(Protocol):
    """What computes one network: `NumbaEngine`, `KerasEngine`. (`network_jax.train_many` computes many at once.)"""

    name: str

    def epoch(self, order: np.ndarray, keys: np.ndarray) -> float:
        """Train once over the rows `order`; `keys` (uint32) set the dropout of each batch. Returns the mean loss."""

    def outputs(self, sample: Sample) -> np.ndarray:
        """Outputs (n, outputs) of the network as it stands."""

    @property
    def weights(self) -> np.ndarray:
        """Weights (parameters,) of float32 in the order of `network.py`."""


@dataclass
class Fitted:
    """A trained network.

    Attributes
    ----------
    weights : ndarray (parameters,) of float32
        Of the last epoch.
    history : dict of list
        A value an epoch for each name of HISTORY.
    failed : str
        Why the network is of no use; empty when it is.
    """

    weights: np.ndarray
    history: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in HISTORY})
    failed: str = ""

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.history["test_loss"])


def scores(outputs: np.ndarray, labels: np.ndarray, architecture: Architecture) -> tuple[float, float, float, float]:
    """Loss, mean squared error, R^2 and accuracy of outputs against scaled labels.

    R^2 is the mean over the labels of 1 - (squared error / variance), labels that do not vary left out. The accuracy is the
    share of stars whose largest scaled label is the same in prediction and truth, which is what Keras reports under that name for several
    outputs; the paper does not say what its Figure 5 shows (B-15).
    """
    truth, n = np.asarray(labels, np.float64), architecture.labels
    found = np.asarray(outputs[:, :n], np.float64)
    squares = (found - truth) ** 2
    error = squares.mean()
    loss = error
    if architecture.loss == "nll":
        spread = np.asarray(outputs[:, n:], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = 0.5 * (np.exp(-spread) * squares + spread).mean()
    variance = truth.var(axis=0)
    varies = variance > 0
    r2 = np.mean(1 - squares.mean(axis=0)[varies] / variance[varies]) if varies.any() else np.nan
    same = np.mean(found.argmax(axis=1) == truth.argmax(axis=1))
    return float(loss), float(error), float(r2), float(same)


class Course:
    """One network in training: what its next epoch takes, what came of the last one, and whether it goes on.

    Parameters
    ----------
    train, test : Sample
    architecture : Architecture
    settings : mapping
        `epochs` (at most), `patience`, `batch` (`rave.fit` of the configuration).
    seed, network : int
        Order and dropout hang on these two only.

    Attributes
    ----------
    network, epoch : int
        Its number; epochs done.
    runs : bool
        Whether another epoch follows.
    history : dict of list
        A value an epoch for each name of HISTORY.
    """

    def __init__(self, train: Sample, test: Sample, architecture: Architecture, settings: Mapping, seed: int, network: int):
        self.network, self.epoch, self.runs = network, 0, int(settings["epochs"]) > 0
        self.history = {name: [] for name in HISTORY}
        self._labels, self._architecture, self._seed, self._n = test.labels, architecture, seed, len(train.labels)
        self._epochs, self._patience, self._batch = (int(settings[name]) for name in ("epochs", "patience", "batch"))
        self._useless = float(np.mean((test.labels.astype(np.float64) - train.labels.mean(axis=0, dtype=np.float64)) ** 2))
        self._best, self._waited, self._error, self._failed = np.inf, 0, np.inf, ""

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Order of the spectra (n,) and dropout keys of the batches (uint32) in the next epoch."""
        order = stream(self._seed, self.network, "order", self.epoch + 1).permutation(self._n)
        keys = stream(self._seed, self.network, "dropout", self.epoch + 1).integers(0, 2**32, -(-self._n // self._batch), np.uint32)
        return order, keys

    def record(self, loss: float, outputs: np.ndarray) -> None:
        """Take the mean training loss of the epoch that was drawn, and the outputs for the test sample after it."""
        self.epoch += 1
        test_loss, self._error, r2, accuracy = scores(outputs, self._labels, self._architecture)
        for name, value in zip(HISTORY, (loss, test_loss, r2, accuracy), strict=True):
            self.history[name].append(value)
        if not (np.isfinite(loss) and np.isfinite(test_loss)):
            self._failed = f"the loss is not finite in epoch {self.epoch}"
        self._waited = 0 if test_loss < self._best else self._waited + 1
        self._best = min(self._best, test_loss)
        self.runs = not self._failed and self._waited < self._patience and self.epoch < self._epochs

    def end(self, weights: np.ndarray) -> Fitted:
        """The network with its last weights.

        Returns
        -------
        Fitted
            Failed when a loss is not finite, or when the network ends no better than a prediction of the training sample's
            mean labels for every test star.
        """
        failed = self._failed
        if not failed and not self._error < self._useless:
            failed = f"the last test error {self._error:.3g} is no better than that of the mean labels, {self._useless:.3g}"
        return Fitted(weights, self.history, failed)


def fit(
    engine: Engine, train: Sample, test: Sample, architecture: Architecture, settings: Mapping, seed: int, network: int,
    progress: Callable[[Course], None] | None = None,
) -> Fitted:
    """Train one network from beginning to end.

    Parameters
    ----------
    engine : Engine
        With the starting weights and the training sample.
    progress : callable, optional
        Told the course after each epoch.
    train, test, architecture, settings, seed, network
        As of `Course`; the result is that of `Course.end`.
    """
    course = Course(train, test, architecture, settings, seed, network)
    while course.runs:
        loss = engine.epoch(*course.draw())
        course.record(loss, engine.outputs(test))
        if progress:
            progress(course)
    return course.end(engine.weights)
