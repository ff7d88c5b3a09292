"""The network: its size, its weights, the authors' models, the numba kernels against float64 and against Keras."""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import yaml
from paths import ROOT, SHARED
from unit.rave.made_up_networks import KINDS, SETTINGS, SMALL, Deeper, Wider, forward, loss64, made_up, numba_gradient, small

from starlabels import network_jax, network_keras, network_numba, network_public
from starlabels.errors import InputError
from starlabels.network import Architecture, initial_weights, of_configuration, pack, stream, unpack
from starlabels.network_fit import fit, scores
from starlabels.rave import engines

PUBLIC = sorted((SHARED / "guiglion2020/models").glob("*.h5"))


def test_the_published_network_has_58549_weights():
    cfg = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    a = of_configuration(cfg)
    assert a == Architecture() and a.parameters == 58549 and a.lengths == (912, 903, 894, 885)
    assert [layer.size for layer in a.layers] == [88, 324, 82, 56672, 270, 960, 153]
    assert [layer.shape for layer in of_configuration(cfg, "spectra").layers[-2:]] == [(32, 16), (16, 9)]
    assert [layer.shape for layer in of_configuration(cfg, "photometry_only").layers] == [(9, 27), (27, 16), (16, 9)]
    assert of_configuration({**cfg, "network": {**cfg["network"], "loss": "nll"}}).layers[-1].shape == (16, 18)
    assert Architecture.from_json(a.to_json()) == a


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"kernel": 400}, "rave.network.kernel"), ({"loss": "huber"}, "rave.network.loss"), ({"dropout": 1.0}, "rave.network.dropout"),
     ({"pixels": 0, "inputs": 0}, "neither spectra nor photometry")],
)
def test_settings_that_make_no_network_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        Architecture(**changes)


def test_foreign_weights_and_descriptions_are_refused():
    with pytest.raises(InputError, match="another architecture"):
        unpack(np.zeros(5, np.float32), Architecture())
    with pytest.raises(InputError, match="layer joined"):
        pack({"photometric": (np.zeros((4, 7)), np.zeros(7)), "joined": (np.zeros((7, 5)), np.zeros(5))}, small("photometry"))
    with pytest.raises(InputError, match="is absent"):
        pack({}, small("photometry"))
    with pytest.raises(InputError, match="not valid JSON"):
        Architecture.from_json("{")
    with pytest.raises(InputError, match="lacks or adds 'depth'"):
        Architecture.from_json(Architecture().to_json()[:-1] + ', "depth": 3}')
    with pytest.raises(InputError, match="rave.fit.engine"):
        network_numba.plan_of(Architecture(kernel=7))


@pytest.mark.parametrize(("kind", "name"), [(Deeper, "further"), (Wider, "joined")])
def test_layers_that_the_kernels_do_not_know_are_left_to_keras(kind, name, monkeypatch):
    a, settings = kind(**SMALL), {"fit": {"engine": "auto", "backend": "tensorflow"}}
    with pytest.raises(InputError, match=f"rave.fit.engine: numba's kernels do not know the layer {name}"):
        network_numba.plan_of(a)
    assert not network_numba.supports(a) and network_numba.supports(Architecture(**SMALL))
    for there in (False, True):
        monkeypatch.setattr(network_jax, "sees_gpu", lambda there=there: there)
        monkeypatch.setattr(network_jax, "supports", lambda a: False)          # asked of JAX itself in test_network_jax.py
        assert engines.engine_of(settings, a) == "keras"
    with pytest.raises(InputError, match=f"the layer {name}"):
        engines.engine_of({"fit": {"engine": "numba"}}, a)


def test_no_training_uses_more_than_one_thread_of_linear_algebra():
    """Also where the compiled code brings a library of its own: its sums would hang on the number of threads."""
    code = (
        "import sys; sys.path[:0] = ['tests', 'workflow/scripts']\n"
        "from types import SimpleNamespace\nfrom threadpoolctl import threadpool_info\n"
        "from unit.rave.made_up_networks import SETTINGS, made_up, small\nfrom starlabels.rave import engines\n"
        "a = small('both'); data = SimpleNamespace(train=made_up(40, a), test=made_up(20, a, 1)); fit = engines.fit\n"
        "def watched(*given):\n"
        "    found = fit(*given)\n"
        "    print(sorted(x['num_threads'] for x in threadpool_info() if x['user_api'] == 'blas'))\n"
        "    return found\n"
        "engines.fit = watched\n"
        "engines.train_networks(data, a, {**SETTINGS, 'epochs': 2}, 'numba', [0], 1, 1, 'x')\n"
    )
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env, capture_output=True, text=True)
    assert set(ast.literal_eval(done.stdout)) == {1}


def test_starting_weights_are_glorot_uniform_and_hang_on_seed_and_number_only():
    a = Architecture()
    weights = initial_weights(a, 42, 7)
    for kernel, bias in unpack(weights, a).values():
        limit = np.sqrt(6 / (np.prod(kernel.shape[:-2]) * sum(kernel.shape[-2:])))
        assert not bias.any() and np.abs(kernel).max() <= limit and np.abs(kernel).max() > 0.9 * limit
        assert abs(kernel.std() / (limit / np.sqrt(3)) - 1) < 0.2
    assert np.array_equal(weights, initial_weights(a, 42, 7))
    assert not np.array_equal(weights, initial_weights(a, 42, 8)) and not np.array_equal(weights, initial_weights(a, 43, 7))
    assert stream(1, 2, "order", 3).integers(9**9) != stream(1, 2, "dropout", 3).integers(9**9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_the_loss(kind):
    """Central differences in float64 along random directions and single weights, dropout on."""
    a = small(kind)
    sample, rng = made_up(12, a), np.random.default_rng(1)
    weights = initial_weights(a, 1, 1) + rng.normal(0, 0.05, a.parameters).astype(np.float32)
    factors = network_numba.dropout_factors(99, 12, a)
    loss, found = numba_gradient(weights, sample, a, factors)
    assert abs(loss - loss64(weights, sample, a, factors)) < 2e-6 * abs(loss)
    steps = list(np.eye(a.parameters)[rng.permutation(a.parameters)[:60]]) + list(rng.normal(size=(20, a.parameters)))
    exact = [(loss64(weights + 1e-7 * s, sample, a, factors) - loss64(weights - 1e-7 * s, sample, a, factors)) / 2e-7 for s in steps]
    scale = np.abs(exact).max()
    assert scale > 0 and np.abs(np.array(steps) @ found - exact).max() < 3e-6 * scale


def test_gradient_of_the_published_size_is_exact_to_rounding():
    """Along the gradient itself, where every weight counts: the error is below 7e-7 of it."""
    a = Architecture()
    sample, weights = made_up(16, a), initial_weights(a, 3, 0)
    factors = network_numba.dropout_factors(1, 16, a)
    _, found = numba_gradient(weights, sample, a, factors)
    unit = found.astype(np.float64) / np.linalg.norm(found.astype(np.float64))
    exact = (loss64(weights + 1e-6 * unit, sample, a, factors) - loss64(weights - 1e-6 * unit, sample, a, factors)) / 2e-6
    assert abs(float(unit @ found) / exact - 1) < 7e-7


def test_dropout_keeps_the_right_share_and_depends_on_key_and_place_only():
    a = Architecture(dropout=0.2)
    factors = network_numba.dropout_factors(5, 16, a)
    assert set(np.unique(factors)) == {np.float32(0), np.float32(1.25)} and abs((factors == 0).mean() - 0.2) < 0.01
    assert np.array_equal(factors[:3], network_numba.dropout_factors(5, 3, a))
    other = network_numba.dropout_factors(6, 16, a)
    assert abs(np.corrcoef(factors.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(factors[:, :-1].ravel(), factors[:, 1:].ravel())[0, 1]) < 0.02
    assert (network_numba.dropout_factors(5, 4, Architecture(dropout=0.0)) == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_keras_predicts_the_same_from_the_same_weights(kind):
    a = small(kind)
    network_keras.choose_backend("tensorflow")
    sample, weights = made_up(40, a), initial_weights(a, 2, 2)
    model = network_keras.build(a)
    assert model.count_params() == a.parameters
    network_keras.set_weights(model, weights, a)
    assert np.array_equal(network_keras.get_weights(model, a), weights)
    assert np.array_equal(np.concatenate([w.ravel() for w in model.get_weights()]), weights)     # our order is Keras' own
    nets = np.stack([weights, initial_weights(a, 2, 3), initial_weights(a, 2, 4)])
    ours = network_numba.predict(sample.flux, sample.inputs, nets, a)
    theirs = network_keras.predict(sample.flux, sample.inputs, nets, a)
    exact = np.stack([forward(w, sample.flux, sample.inputs, a)[:, : a.labels] for w in nets])
    for found in (ours, theirs):
        assert np.abs(found[0] - exact.mean(axis=0)).max() < 1e-5 and np.abs(found[1] - exact.std(axis=0)).max() < 1e-5


@pytest.mark.parametrize(("kind", "dropout"), [("both", 0.0), ("both", 0.2), ("nll", 0.2), ("spectra", 0.2), ("photometry", 0.2)])
def test_fifty_steps_of_both_engines_agree(kind, dropout):
    a = small(kind, dropout=dropout)
    network_keras.choose_backend("tensorflow")
    train, test = made_up(25 * 16 - 5, a), made_up(30, a, 1)
    weights = initial_weights(a, 1, 0)
    engines = [maker(a, weights, train, SETTINGS) for maker in (network_numba.NumbaEngine, network_keras.KerasEngine)]
    for epoch in (1, 2):
        order = stream(1, 0, "order", epoch).permutation(len(train.labels))
        keys = stream(1, 0, "dropout", epoch).integers(0, 2**32, 25, np.uint32)
        losses = [engine.epoch(order, keys) for engine in engines]
        assert abs(losses[0] - losses[1]) < 1e-5
    assert np.abs(engines[0].weights - engines[1].weights).max() < 2e-4 < 0.1 * np.abs(engines[0].weights - weights).max()
    assert np.abs(engines[0].outputs(test) - engines[1].outputs(test)).max() < 2e-4


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_keras_engine_runs_on_jax():
    code = (
        "import sys, numpy as np; sys.path[:0] = ['workflow/scripts']\n"
        "from starlabels import network_keras as k; from starlabels.network import Architecture, initial_weights\n"
        "from starlabels.network_fit import Sample\n"
        "k.choose_backend('jax'); a = Architecture(pixels=61, kernel=5); r = np.random.default_rng(0)\n"
        "s = Sample(*(r.uniform(0, 1, (40, n)).astype('f4') for n in (61, 9, 9)))\n"
        "e = k.KerasEngine(a, initial_weights(a, 1, 1), s, {'batch': 16, 'learning_rate': 0.001, 'epsilon': 1e-7})\n"
        "losses = [e.epoch(np.arange(40), np.arange(3, dtype=np.uint32)) for _ in range(10)]\n"
        "assert losses[-1] < losses[0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_another_back_end_in_a_running_process_is_refused():
    network_keras.choose_backend("tensorflow")
    import keras  # noqa: F401

    with pytest.raises(InputError, match="already runs on tensorflow"):
        network_keras.choose_backend("jax")
    with pytest.raises(InputError, match="rave.fit.backend"):
        network_keras.choose_backend("theano")


def test_training_learns_and_repeats_to_the_bit():
    a = small("both")
    train, test = made_up(300, a), made_up(60, a, 1)

    def run(network):
        return fit(network_numba.NumbaEngine(a, initial_weights(a, 4, network), train, SETTINGS), train, test, a, SETTINGS, 4, network)

    first, again, other = run(0), run(0), run(1)
    assert not first.failed and first.epochs == 20 and first.history["test_loss"][-1] < 0.5 * first.history["test_loss"][0]
    assert np.array_equal(first.weights, again.weights) and first.history == again.history
    assert not np.array_equal(first.weights, other.weights)
    assert 0 <= first.history["test_accuracy"][-1] <= 1


class Scripted:
    """An engine that plays given outputs, one a epoch."""

    name, weights = "scripted", np.zeros(3, np.float32)

    def __init__(self, errors, labels, loss=0.1):
        self.errors, self.labels, self.loss, self.calls = list(errors), labels, loss, 0

    def epoch(self, order, keys):
        self.calls += 1
        return self.loss

    def outputs(self, sample):
        return self.labels + np.float32(self.errors[self.calls - 1])


def test_early_stop_waits_for_the_patience_and_needs_no_minimum_change():
    a = small("photometry")
    sample = made_up(50, a)
    errors = [0.3, 0.2, 0.2, 0.21, 0.19999, 0.25, 0.25, 0.25, 0.1]
    engine = Scripted(errors, sample.labels)
    done = fit(engine, sample, sample, a, {"batch": 16, "epochs": 9, "patience": 3}, 0, 0)
    assert done.epochs == 8 and not done.failed                       # lowest in epoch 5, then three worse ones


def test_divergence_is_a_failure_with_its_reason():
    a = small("photometry")
    sample = made_up(50, a)
    settings = {"batch": 16, "epochs": 9, "patience": 3}
    bad = fit(Scripted([0.1, np.nan, 0.1], sample.labels), sample, sample, a, settings, 0, 0)
    assert bad.failed == "the loss is not finite in epoch 2" and bad.epochs == 2
    assert "no better than that of the mean labels" in fit(Scripted([9.0] * 9, sample.labels), sample, sample, a, settings, 0, 0).failed
    wild = {**SETTINGS, "learning_rate": 1e30}
    lost = fit(network_numba.NumbaEngine(a, initial_weights(a, 4, 0), sample, wild), sample, sample, a, wild, 4, 0)
    assert lost.failed


def test_scores_by_hand():
    a = small("both", labels=2)
    labels = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.4]], np.float32)
    out = labels + np.array([[0.1, 0.0], [0.0, 0.2], [-0.3, 0.0]], np.float32)
    loss, error, r2, same = scores(out, labels, a)
    assert loss == error == pytest.approx((0.01 + 0.04 + 0.09) / 6) and same == pytest.approx(2 / 3)
    assert r2 == pytest.approx(np.mean([1 - 0.1 / 3 / labels[:, 0].var(), 1 - 0.04 / 3 / labels[:, 1].var()]), rel=1e-5)
    assert scores(np.concatenate([out, np.zeros_like(out)], axis=1), labels, small("nll", labels=2))[0] == pytest.approx(0.5 * error)


def test_predictions_do_not_depend_on_threads_or_neighbours():
    a = Architecture()
    sample = made_up(601, a)
    nets = np.stack([initial_weights(a, 6, k) for k in range(3)])
    mean, spread = network_numba.predict(sample.flux, sample.inputs, nets, a, threads=1)
    for rows, threads in ((slice(None), 3), (slice(255, 258), 2), (slice(600, 601), 1), (slice(1, 480), 2)):
        part = network_numba.predict(sample.flux[rows], sample.inputs[rows], nets, a, threads)
        assert np.array_equal(part[0], mean[rows]) and np.array_equal(part[1], spread[rows])
    alone = network_numba.predict(sample.flux, sample.inputs, nets[:1], a)
    assert not alone[1].any() and np.array_equal(alone[0], network_numba.predict(sample.flux, sample.inputs, nets[[0, 0]], a)[0])


@pytest.mark.skipif(not PUBLIC, reason="the authors' models are not there (shared/data/guiglion2020)")
def test_the_authors_models_are_our_architecture():
    for path in PUBLIC:
        a, weights = network_public.load(path)
        assert a == Architecture()
        sample = made_up(20, a, 3)
        exact = forward(weights, sample.flux, sample.inputs, a)
        ours, _ = network_numba.predict(sample.flux, sample.inputs, weights[None], a)
        assert np.abs(ours - exact).max() < 1e-5
    network_keras.choose_backend("tensorflow")
    theirs, _ = network_keras.predict(sample.flux, sample.inputs, weights[None], a)
    assert np.abs(theirs - exact).max() < 1e-5


def test_files_that_are_no_model_are_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        network_public.load(tmp_path / "none.h5")
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a readable Keras model"):
        network_public.load(tmp_path / "bad.h5")
