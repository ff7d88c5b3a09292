"""What the network benchmarks share: made-up spectra, and Keras as the published run used it."""

import numpy as np

SETTINGS = {"batch": 16, "learning_rate": 0.001, "epsilon": 1.0e-7}      # rave.fit; epochs and patience are the benchmarks'
KERAS = {"KERAS_BACKEND": "tensorflow"}
JAX = {"KERAS_BACKEND": "jax"}


def sample(rows: int, seed: int):
    """Normalised spectra (rows, 912) with some hundred lines, nine scaled inputs, nine scaled labels that both depend on."""
    from starlabels.network import Architecture
    from starlabels.network_fit import Sample

    a, laws, rng = Architecture(), np.random.default_rng(0), np.random.default_rng(seed)
    labels = np.clip(rng.normal(0.5, 0.17, (rows, a.labels)), 0, 1)
    pixel = np.arange(a.pixels)
    lines = np.exp(-0.5 * ((pixel - laws.uniform(0, a.pixels, 120)[:, None]) / 3.0) ** 2)          # (lines, pixels)
    depth = np.abs(laws.normal(0, 0.05, (a.labels, 120)))
    flux = 1 - (labels @ depth) @ lines + rng.normal(0, 0.02, (rows, a.pixels))
    inputs = np.clip(labels @ laws.normal(0, 0.3, (a.labels, a.inputs)) + rng.normal(0.5, 0.03, (rows, a.inputs)), 0, 1)
    return Sample(*(np.ascontiguousarray(x, np.float32) for x in (flux, inputs, labels)))


def published(architecture):
    """The Keras model with its own dropout, compiled as the published run did: Adam, mean squared error, Keras' defaults."""
    import keras

    from starlabels import network_keras

    model = network_keras.build(architecture)
    adam = keras.optimizers.Adam(SETTINGS["learning_rate"], epsilon=SETTINGS["epsilon"])
    model.compile(adam, "mean_squared_error", metrics=["accuracy"])
    return model
