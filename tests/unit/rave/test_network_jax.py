"""The JAX engine: the arithmetic against float64, numba and Keras; many networks at once against each one alone."""

import hashlib
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from paths import ROOT
from scipy.stats import ks_2samp
from threadpoolctl import threadpool_limits
from unit.rave.made_up_networks import SETTINGS, SMALL, Deeper, Wider, forward, loss64, made_up, numba_gradient, small

from starlabels import network_jax, network_jax_device, network_keras, network_numba
from starlabels.errors import InputError
from starlabels.network import Architecture, initial_weights
from starlabels.network_fit import Sample, fit
from starlabels.rave import engines

pytest.importorskip("jax")
TOGETHER = {**SETTINGS, "learning_rate": 0.02, "epochs": 14, "patience": 1}          # the test loss goes up and down: networks end early


def starts_of(a, networks, seed=1):
    return np.stack([initial_weights(a, seed, k) for k in networks])


def together(a, networks, train, test, settings, seed=1, **more):
    return network_jax.train_many(a, starts_of(a, networks, seed), train, test, settings, seed, networks, **more)


def alone(maker, a, networks, train, test, settings, seed=1):
    with threadpool_limits(1, user_api="blas"):
        return [fit(maker(a, initial_weights(a, seed, k), train, settings), train, test, a, settings, seed, k) for k in networks]


def jax_gradient(weights, sample, a, key, shares=None):
    kernels = network_jax_device.kernels()
    n = len(sample.labels)
    shares = np.full(n, 1 / n, np.float32) if shares is None else shares
    call = kernels.jax.jit(partial(kernels.gradient, a=a))
    loss, found = call(weights, sample.flux, sample.inputs, sample.labels, shares, np.uint32(key))
    return float(loss), np.asarray(found)


def keras_gradient(weights, sample, a, factors):
    """Loss and gradient by Keras' model and Keras' loss, in the order of the weight vector."""
    network_keras.choose_backend("tensorflow")
    import keras
    import tensorflow

    model, given = network_keras.build(a, factors=True), network_keras._arguments(sample.flux, sample.inputs, a)
    network_keras.set_weights(model, weights, a)
    with tensorflow.GradientTape() as tape:
        out = model([*given, factors] if a.features else given)
        loss = tensorflow.reduce_mean(keras.losses.get(network_keras._loss(a))(tensorflow.constant(sample.labels), out))
    return float(loss), np.concatenate([g.numpy().ravel() for g in tape.gradient(loss, model.trainable_weights)])


# --- the arithmetic ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.97])
def test_dropout_factors_are_those_of_the_other_engines_to_the_bit(rate):
    kernels = network_jax_device.kernels()
    for a in (Architecture(dropout=rate), small("both", dropout=rate), small("no_convolution", dropout=rate)):
        for key in (0, 5, 2**31 + 17, 2**32 - 1):
            assert np.array_equal(np.asarray(kernels.dropout_factors(np.uint32(key), 16, a)), network_numba.dropout_factors(key, 16, a))


@pytest.mark.parametrize("kind", ["both", "spectra", "photometry", "no_convolution", "nll", "kernel_20"])
def test_gradient_is_that_of_the_loss(kind):
    """Central differences in float64 along random directions and single weights, dropout on; and the numba kernels' gradient."""
    a = small("both", kernel=20) if kind == "kernel_20" else small(kind)          # kernels longer than a block, too
    sample, rng = made_up(12, a), np.random.default_rng(1)
    weights = initial_weights(a, 1, 1) + rng.normal(0, 0.05, a.parameters).astype(np.float32)
    factors = network_numba.dropout_factors(99, 12, a)
    loss, found = jax_gradient(weights, sample, a, 99)
    assert abs(loss - loss64(weights, sample, a, factors)) < 2e-6 * abs(loss)
    steps = list(np.eye(a.parameters)[rng.permutation(a.parameters)[:60]]) + list(rng.normal(size=(20, a.parameters)))
    exact = [(loss64(weights + 1e-7 * s, sample, a, factors) - loss64(weights - 1e-7 * s, sample, a, factors)) / 2e-7 for s in steps]
    scale = np.abs(exact).max()
    assert scale > 0 and np.abs(np.array(steps) @ found - exact).max() < 3e-6 * scale
    assert np.abs(found - numba_gradient(weights, sample, a, factors)[1]).max() < 2e-6 * np.abs(found).max()


def test_gradient_of_the_published_size_is_exact_to_rounding():
    """Along the gradient itself, where every weight counts: the error is below 7e-7 of it."""
    a = Architecture()
    sample, weights = made_up(16, a), initial_weights(a, 3, 0)
    factors = network_numba.dropout_factors(1, 16, a)
    _, found = jax_gradient(weights, sample, a, 1)
    unit = found.astype(np.float64) / np.linalg.norm(found.astype(np.float64))
    exact = (loss64(weights + 1e-6 * unit, sample, a, factors) - loss64(weights - 1e-6 * unit, sample, a, factors)) / 2e-6
    assert abs(float(unit @ found) / exact - 1) < 7e-7


@pytest.mark.parametrize("kind", ["both", "spectra", "photometry", "nll"])
def test_numba_jax_and_keras_have_the_same_gradient(kind):
    a = small(kind)
    sample, weights = made_up(16, a), initial_weights(a, 2, 1)
    factors = network_numba.dropout_factors(7, 16, a)
    loss, expected = keras_gradient(weights, sample, a, factors)
    scale = np.abs(expected).max()
    for own, found in (jax_gradient(weights, sample, a, 7), numba_gradient(weights, sample, a, factors)):
        assert abs(own - loss) < 2e-6 * abs(loss) and np.abs(found - expected).max() < 1e-5 * scale


def test_rows_that_fill_a_batch_up_do_not_count():
    a = small("both")
    sample, weights = made_up(16, a), initial_weights(a, 2, 1)
    shares = np.where(np.arange(16) < 11, 1 / 11, 0).astype(np.float32)
    loss, found = jax_gradient(weights, sample, a, 7, shares)
    other, expected = jax_gradient(weights, Sample(*(x[:11] for x in (sample.flux, sample.inputs, sample.labels))), a, 7)
    assert abs(loss - other) < 1e-6 * loss and np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


# --- training ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["both", "spectra", "photometry", "nll", "no_convolution"])
def test_fifty_steps_agree_with_numba_and_keras(kind):
    """Same starting weights, orders and dropout; the last batch of an epoch is a short one. Weights load both ways."""
    a, networks, settings = small(kind), [0, 3], {**SETTINGS, "epochs": 2}
    train, test = made_up(25 * 16 - 5, a), made_up(30, a, 1)
    ours, theirs = together(a, networks, train, test, settings), alone(network_numba.NumbaEngine, a, networks, train, test, settings)
    if kind == "both":
        network_keras.choose_backend("tensorflow")
        ours, theirs = ours + ours[:1], theirs + alone(network_keras.KerasEngine, a, networks[:1], train, test, settings)
    for one, other in zip(ours, theirs, strict=True):
        moved = np.abs(other.weights - initial_weights(a, 1, 0)).max()
        assert np.abs(one.weights - other.weights).max() < 2e-4 < 0.1 * moved
        for name in ("train_loss", "test_loss", "test_r2"):
            assert np.allclose(one.history[name], other.history[name], rtol=1e-4, atol=1e-5), name
    nets = np.stack([f.weights for f in (ours[0], theirs[1])])          # trained here, trained there
    exact = np.stack([forward(w, test.flux, test.inputs, a)[:, : a.labels] for w in nets])
    for predict in (network_jax.predict, network_numba.predict, *([network_keras.predict] if kind == "both" else [])):
        mean, spread = predict(test.flux, test.inputs, nets, a)
        assert np.abs(mean - exact.mean(axis=0)).max() < 1e-5 and np.abs(spread - exact.std(axis=0)).max() < 1e-5


def test_networks_trained_together_end_as_each_alone(monkeypatch):
    """The same epochs, losses and weights as alone; networks that have ended are let go, at the latest when half have.

    Without the kinks of the leaky ReLU, at which rounding can send two runs apart after any number of steps.
    """
    a, networks = small("both", slope=1.0), list(range(8))
    train, test = made_up(150, a), made_up(40, a, 1)
    expected, kept, told = alone(network_numba.NumbaEngine, a, networks, train, test, TOGETHER), [], []
    keep = network_jax._Lanes.keep
    monkeypatch.setattr(network_jax._Lanes, "keep", lambda self, lanes: (kept.append(len(lanes)), keep(self, lanes)))
    found = together(a, networks, train, test, TOGETHER, progress=lambda course: told.append((course.network, course.epoch)))
    epochs = [f.epochs for f in found]
    assert epochs == [f.epochs for f in expected] and len(set(epochs)) > 3
    for one, other in zip(found, expected, strict=True):
        losses = np.array(other.history["test_loss"])
        margins = np.abs(losses[1:] - np.minimum.accumulate(losses)[:-1])
        rounding = np.maximum.accumulate(np.abs(losses - one.history["test_loss"]))[1:]
        assert (margins > 5 * rounding).all()          # which does not decide when a network ends
        assert np.allclose(one.history["test_loss"], losses, rtol=1e-4) and np.abs(one.weights - other.weights).max() < 1e-4
        assert one.failed == other.failed
    assert kept[0] in (3, 4) and kept == sorted(kept, reverse=True)
    assert sorted(told) == [(k, epoch) for k, n in enumerate(epochs) for epoch in range(1, n + 1)]


def test_a_network_that_diverges_disturbs_no_other():
    a, networks = small("both"), [0, 1, 2]
    train, test = made_up(100, a), made_up(40, a, 1)
    settings, starts = {**SETTINGS, "epochs": 4}, starts_of(a, networks)
    healthy = network_jax.train_many(a, starts, train, test, settings, 1, networks)
    starts[1] *= np.float32(1e25)
    found = network_jax.train_many(a, starts, train, test, settings, 1, networks)
    assert found[1].failed == "the loss is not finite in epoch 1" and found[1].epochs == 1
    for k in (0, 2):
        assert np.array_equal(found[k].weights, healthy[k].weights) and found[k].history == healthy[k].history
    assert [f.epochs for f in healthy] == [4, 4, 4] and not np.isfinite(found[1].history["test_loss"][-1])
    lost = together(a, networks, train, test, {**settings, "learning_rate": 1e-9})
    assert all("no better than that of the mean labels" in f.failed for f in lost)


CODE = """
import hashlib, os, sys
sys.path[:0] = ["workflow/scripts", "tests"]
if sys.argv[1] == "one":
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
import numpy as np
from unit.rave.test_network_jax import SETTINGS, made_up, small, together
a = small("both", pixels=200)
found = together(a, [0, 1, 2], made_up(100, a), made_up(40, a, 1), {**SETTINGS, "epochs": 4})
print(hashlib.sha256(b"".join(f.weights.tobytes() for f in found)).hexdigest())
"""


def test_the_same_bytes_again_and_with_another_number_of_processors():
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor only")
    run = partial(subprocess.Popen, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    calls = [run([sys.executable, "-c", CODE, word]) for word in ("one", "all")]
    found = {call.communicate()[0].strip() for call in calls}
    assert len(found) == 1 and len(found.pop()) == 2 * hashlib.sha256().digest_size


# --- the distribution of final losses ---------------------------------------------------------------------------------


def same_distribution(x, y) -> bool:
    """Means within three combined standard errors, and no difference for Kolmogorov and Smirnov at 5 %; decimal logarithms."""
    x, y = np.log10(x), np.log10(y)
    error = np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
    return abs(x.mean() - y.mean()) < 3 * error and ks_2samp(x, y).pvalue > 0.05


def last(fitted):
    return np.array([f.history["test_loss"][-1] for f in fitted])


def test_final_losses_of_jax_and_numba_are_distributed_alike():
    """Of 16 seeds after 480 steps; half the learning rate is told apart."""
    a, networks, settings = small("both"), list(range(16)), {**SETTINGS, "epochs": 30}
    train, test = made_up(256, a), made_up(60, a, 1)
    expected = last(alone(network_numba.NumbaEngine, a, networks, train, test, settings, 42))
    assert same_distribution(expected, last(together(a, networks, train, test, settings, 42)))
    assert not same_distribution(expected, last(together(a, networks, train, test, {**settings, "learning_rate": 0.0005}, 42)))


@pytest.mark.slow
def test_final_losses_of_keras_and_numba_are_distributed_alike():
    """Of 10 seeds after 256 steps; half the learning rate is told apart."""
    a, networks, settings = small("both"), list(range(10)), {**SETTINGS, "epochs": 16}
    train, test = made_up(256, a), made_up(60, a, 1)
    network_keras.choose_backend("tensorflow")
    expected = last(alone(network_keras.KerasEngine, a, networks, train, test, settings, 42))
    assert same_distribution(expected, last(alone(network_numba.NumbaEngine, a, networks, train, test, settings, 42)))
    slower = {**settings, "learning_rate": 0.0005}
    assert not same_distribution(expected, last(alone(network_numba.NumbaEngine, a, networks, train, test, slower, 42)))


# --- prediction and choice of the engine ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["both", "spectra", "photometry", "nll"])
def test_predictions_agree_with_numba_in_any_block(kind, monkeypatch):
    a = small(kind)
    sample, nets = made_up(75, a), starts_of(a, range(5))
    expected = network_numba.predict(sample.flux, sample.inputs, nets, a)
    for rows in (256, 32):
        monkeypatch.setitem(network_jax._ROWS, "cpu", rows)
        found = network_jax.predict(sample.flux, sample.inputs, nets, a)
        assert all(x.dtype == np.float64 and x.shape == (75, 3) for x in found)
        assert all(np.abs(x - y).max() < 1e-6 for x, y in zip(found, expected, strict=True))
    mean, spread = network_jax.predict(sample.flux, sample.inputs, nets[:1], a)
    assert not spread.any() and np.abs(mean - forward(nets[0], sample.flux, sample.inputs, a)[:, :3]).max() < 1e-6


def test_the_spread_of_nearly_equal_networks_is_not_lost_in_rounding():
    """Sums are float64: predictions of 1000 with a scatter of 0.01 keep two digits of it, and float32 sums would not."""
    a = small("photometry")
    nets = np.repeat(initial_weights(a, 1, 0)[None], 40, axis=0)
    nets[:, -a.labels :] = 1000 + np.random.default_rng(2).normal(0, 0.01, (40, a.labels))
    sample = made_up(9, a)
    mean, spread = network_jax.predict(sample.flux, sample.inputs, nets, a)
    outputs = np.stack([forward(w, sample.flux, sample.inputs, a, np.float32) for w in nets]).astype(np.float64)
    assert np.abs(spread / outputs.std(axis=0) - 1).max() < 0.01 and np.abs(mean - outputs.mean(axis=0)).max() < 1e-4


def configured(engine, **changes):
    return {"fit": {**SETTINGS, "engine": engine, "backend": "tensorflow", **changes}}


def test_left_to_itself_the_engine_is_jax_on_a_gpu_only(monkeypatch):
    a, odd = Architecture(), Architecture(kernel=7)
    monkeypatch.setattr(network_jax, "sees_gpu", lambda: False)
    assert [engines.engine_of(configured("auto"), x) for x in (a, odd)] == ["numba", "keras"]
    assert [engines.engine_of(configured("jax"), x) for x in (a, odd)] == ["jax", "jax"]
    monkeypatch.setattr(network_jax, "sees_gpu", lambda: True)
    assert [engines.engine_of(configured("auto"), x) for x in (a, odd)] == ["jax", "jax"]
    assert [engines.engine_of(configured(name), a) for name in ("numba", "keras")] == ["numba", "keras"]
    with pytest.raises(InputError, match="rave.fit.engine: is 'torch'.*auto, numba, keras, jax"):
        engines.engine_of(configured("torch"), a)


@pytest.mark.parametrize(("kind", "name"), [(Deeper, "further"), (Wider, "joined")])
def test_a_layer_that_is_not_known_is_refused(kind, name, monkeypatch):
    a = kind(**SMALL)
    train, test = made_up(40, a), made_up(20, a, 1)
    with pytest.raises(InputError, match=f"rave.fit.engine: is jax, which does not know the layer {name}"):
        together(a, [0, 1], train, test, TOGETHER)
    with pytest.raises(InputError, match=f"does not know the layer {name}"):
        network_jax.predict(test.flux, test.inputs, starts_of(a, [0, 1]), a)
    monkeypatch.setattr(network_jax, "sees_gpu", lambda: True)
    assert engines.engine_of(configured("auto"), a) == "keras" and engines.engine_of(configured("auto"), Architecture(**SMALL)) == "jax"


@pytest.mark.parametrize(("engine", "kind", "gpu", "expected"), [
    ("numba", "both", True, "numba"), ("jax", "both", False, "numba"), ("jax", "both", True, "jax"), ("jax", "odd", False, "jax"),
    ("keras", "both", True, "keras"), ("auto", "both", False, "numba"), ("auto", "both", True, "jax"),
])  # fmt: skip
def test_who_predicts(engine, kind, gpu, expected, monkeypatch):
    a = small("both", kernel=7) if kind == "odd" else small(kind)
    monkeypatch.setattr(network_jax, "sees_gpu", lambda: gpu)
    for name, module in (("numba", network_numba), ("jax", network_jax), ("keras", network_keras)):
        monkeypatch.setattr(module, "predict", lambda *given, name=name: name)
    assert engines.predict_networks(None, None, None, a, configured(engine), 1) == expected


def test_without_jax_the_error_says_what_to_do():
    code = (
        "import sys; sys.path[:0] = ['workflow/scripts']; sys.modules['jax'] = None\n"
        "from starlabels import network_jax; from starlabels.errors import InputError\n"
        "try: network_jax.device()\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "rave.fit.engine: is jax, which cannot be used" in done.stdout and "envs/gpu.yaml" in done.stdout
