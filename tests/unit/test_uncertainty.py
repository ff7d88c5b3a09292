"""Errors of single predictions hold against the truth, and the domain is where the training stars are."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from starlabels import forest
from starlabels.domain import Domain, domain_columns, fit_domain
from starlabels.errors import InputError
from starlabels.uncertainty import FLOOR, Calibration, calibrate

TREES = 300
FLAT = np.full(40_000, 0.05)  # the same photometric noise for all: it cannot matter


def made_up(n: int = 40_000, seed: int = 0, label_err: float = 0.1, bias: float = 0.0, tail: bool = False):
    """Out-of-bag residuals whose true error is 0.3 spread + 0.02, labels with known errors, few trees out of the bag."""
    rng = np.random.default_rng(seed)
    spread = rng.gamma(4.0, 0.05, n)
    true = 0.3 * spread + 0.02
    err = label_err * rng.uniform(0.5, 1.5, n)
    count = rng.integers(60, 160, n)
    few = spread * np.sqrt(1 / count - 1 / TREES)
    noise = rng.standard_t(4, n) if tail else rng.normal(size=n)
    residual = bias + true * noise + err * rng.normal(size=n) + few * rng.normal(size=n)
    return residual, spread, err, count, true


def test_label_errors_bias_and_missing_trees_are_taken_off():
    residual, spread, err, count, true = made_up(bias=0.5)
    found = calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 8)
    assert np.allclose(found.sigma, 0.3 * found.spread + 0.02, rtol=0.15)
    assert np.allclose(found.bias, 0.5, atol=0.01)
    assert found.count.sum() == len(residual) and not found.floored.any()
    # without the label errors the answer would be far off
    naive = calibrate(residual, spread, np.zeros_like(err), count, FLAT, TREES, 8)
    assert (naive.sigma > 1.2 * found.sigma).all()


@pytest.mark.parametrize("tail", [False, True])
def test_errors_of_new_stars_cover_truth_and_labels(tail):
    residual, spread, err, count, _ = made_up(seed=1, tail=tail)
    found = calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 8)
    rng = np.random.default_rng(2)
    new = rng.gamma(4.0, 0.05, 40_000)
    off = (0.3 * new + 0.02) * (rng.standard_t(4, len(new)) if tail else rng.normal(size=len(new)))
    sigma = found.error(new, 0.05)
    label_err = rng.uniform(0.01, 0.2, len(new))
    of_labels = np.abs(off + label_err * rng.normal(size=len(new))) < np.hypot(sigma, label_err)
    assert 0.65 < of_labels.mean() < 0.71
    of_truth = np.abs(off) < sigma
    # heavy tails beside Gaussian label errors cannot be told apart exactly
    assert (0.65 if not tail else 0.63) < of_truth.mean() < (0.71 if not tail else 0.78)
    for lo, hi in ((0, 0.1), (0.45, 0.55), (0.9, 1)):  # small, middling and large spreads
        part = (new > np.quantile(new, lo)) & (new < np.quantile(new, hi))
        assert 0.6 < of_labels[part].mean() < 0.76


def test_photometric_noise_that_the_trees_do_not_show_is_found_and_carried_on():
    rng = np.random.default_rng(8)
    n = 40_000
    spread, noise, err = rng.gamma(4.0, 0.05, n), rng.uniform(0.02, 0.14, n), np.full(n, 0.05)
    count = np.full(n, 110)

    def true(spread, noise):
        return 0.5 * spread * np.sqrt(0.3 + 100 * noise**2)

    few = spread * np.sqrt(1 / 110 - 1 / TREES)
    residual = true(spread, noise) * rng.normal(size=n) + np.hypot(err, few) * rng.normal(size=n)
    found = calibrate(residual, spread, err, count, noise, TREES, 8)
    for level in (0.03, 0.08, 0.13, 0.25):  # the last beyond all that was seen
        assert np.allclose(found.error(np.array([0.1, 0.2, 0.3]), level), true(np.array([0.1, 0.2, 0.3]), level), rtol=0.12)
    blind = calibrate(residual, spread, err, count, FLAT, TREES, 8)
    assert blind.error(np.array([0.2]), 0.25)[0] < 0.5 * true(0.2, 0.25)


def test_error_rises_with_the_spread_everywhere():
    residual, spread, err, count, _ = made_up(3000, seed=3)
    found = calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 8)
    grid = np.linspace(0, 2 * spread.max(), 500)
    error = found.error(grid, 0.05)
    assert (np.diff(error) >= 0).all() and (error > 0).all()
    assert error[0] == found.error(found.spread[:1], 0.05)[0]
    top = found.spread[-1]
    assert found.error(np.array([2 * top]), 0.05)[0] == pytest.approx(2 * found.error(np.array([top]), 0.05)[0])
    assert np.isnan(found.error(np.array([np.nan]), 0.05))[0]


def test_label_errors_larger_than_the_scatter_leave_a_floor():
    rng = np.random.default_rng(4)
    residual, spread = rng.normal(0, 0.1, 1000), rng.uniform(0.1, 0.2, 1000)
    found = calibrate(residual, spread, np.full(1000, 0.3), np.full(1000, 100), FLAT[:1000], TREES, 4)
    assert found.floored.all()
    assert (found.sigma >= FLOOR * found.scatter).all() and found.sigma.max() < 0.05


def test_few_stars_make_few_bins_and_none_is_an_error():
    residual, spread, err, count, _ = made_up(120, seed=5)
    assert len(calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 8).spread) == 2
    assert len(calibrate(residual[:9], spread[:9], err[:9], count[:9], FLAT[:9], TREES, 8).spread) == 1
    spread = spread.copy()
    spread[:100] = np.nan
    assert calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 8).count.sum() == 20
    with pytest.raises(InputError, match="no training star"):
        calibrate(residual, np.full(120, np.nan), err, count, FLAT[:120], TREES, 8)


def test_calibration_survives_its_arrays():
    residual, spread, err, count, _ = made_up(1000)
    found = calibrate(residual, spread, err, count, FLAT[: len(residual)], TREES, 4)
    back = Calibration.from_arrays(found.arrays())
    assert np.array_equal(back.error(spread, 0.05), found.error(spread, 0.05))
    assert [row["count"] for row in found.summary()] == [250] * 4


def test_a_real_forest_tells_the_truth_about_new_stars():
    rng = np.random.default_rng(6)

    def stars(n):
        x = rng.normal(size=(n, 5))
        truth = np.sin(2 * x[:, 0]) + 0.5 * np.abs(x[:, 1])  # sparse far out: large errors there
        err = rng.uniform(0.05, 0.25, n)
        return x, truth, truth + err * rng.normal(size=n), err

    x, _, y, err = stars(3000)
    settings = {"n_estimators": 60, "max_features": None, "max_depth": 17}
    trained, oob = forest.train(x, y, settings, 0, 2)
    found = calibrate(oob.mean - y, oob.spread, err, oob.count, np.full(3000, 0.05), 60, 8)
    new, truth, label, label_err = stars(20_000)
    mean, spread = trained.predict_spread(new)
    error = found.error(spread, 0.05)
    assert 0.63 < (np.abs(mean - label) < np.hypot(error, label_err)).mean() < 0.73
    assert 0.63 < (np.abs(mean - truth) < error).mean() < 0.75
    far = error > np.quantile(error, 0.9)
    assert np.abs(mean - truth)[far].mean() > 1.5 * np.abs(mean - truth)[~far].mean()


def bent(n: int, seed: int) -> np.ndarray:
    """Stars along a bent line in three features of which one is the sum of two others, as colours are."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-2, 2, n)
    a, b = t + rng.normal(0, 0.1, n), t**2 + rng.normal(0, 0.1, n)
    return np.column_stack([15 + a, 15 + b, a - b, np.full(n, 0.03)]).astype(np.float32)


def test_domain_holds_its_share_and_sees_stars_off_the_locus():
    x = bent(5000, 0)
    domain = fit_domain(x, np.arange(3), 0.99, seed=1)
    assert domain.projection.shape[1] == 2  # the third feature says nothing new
    assert domain.outside(x).mean() == pytest.approx(0.01, abs=0.001)
    assert domain.outside(bent(5000, 1)).mean() == pytest.approx(0.01, abs=0.006)
    # the first is within the range of every feature
    assert domain.outside(np.array([[15, 17.5, -2.5, 0.03], [15, 0, 15, 0.03], [19, 15, 4, 0.03]], np.float32)).all()


def test_domain_does_not_depend_on_pieces_or_order():
    x = bent(2500, 2)
    domain = fit_domain(x, np.arange(3), 0.999, seed=1)
    again = fit_domain(x, np.arange(3), 0.999, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(domain.arrays().values(), again.arrays().values(), strict=True))
    new = bent(3000, 3) + np.float32(0.1)
    assert np.array_equal(domain.distance(new), np.concatenate([domain.distance(new[k : k + 7]) for k in range(0, len(new), 7)]))
    many = bent(30_000, 6)
    assert np.array_equal(domain.distance(many, threads=3), domain.distance(many))
    assert np.array_equal(domain.outside(new)[::-1], domain.outside(new[::-1]))
    back = Domain.from_arrays(domain.arrays())
    assert np.array_equal(back.outside(new), domain.outside(new))
    assert domain.outside(new[:0]).shape == (0,)


def test_distance_is_scikit_learns():
    x = bent(5000, 5)
    domain = fit_domain(x, np.arange(3), 0.99, seed=1)
    mixture = GaussianMixture(len(domain.weights))
    mixture.weights_, mixture.means_, mixture.precisions_cholesky_ = domain.weights, domain.means, domain.cholesky
    far = np.concatenate([bent(300, 6), bent(300, 6) + 50, bent(300, 6) * 1e6])
    z = (far[:, domain.columns].astype(float) - domain.centre) @ domain.projection
    assert len(domain.weights) == 8
    assert np.allclose(domain.distance(far), -mixture.score_samples(z), rtol=1e-11)


def test_few_stars_and_constant_features():
    x = bent(30, 4)
    assert len(fit_domain(x, np.arange(4), 0.999, 0).weights) == 1
    with pytest.raises(InputError, match="do not vary"):
        fit_domain(x, np.array([3]), 0.999, 0)


def test_reddening_and_parallax_take_no_part():
    names = ["gaia_g_0", "col_bp_rp_0", "parallax", "abs_gaia_g_0", "ebv_sfd"]
    assert domain_columns(names, ["ebv_sfd"]).tolist() == [0, 1, 3]
    assert domain_columns(["gaia_g_0", "parallax", "ebv_sfd"], ["ebv_sfd"]).tolist() == [0, 1]
    assert domain_columns(names, without=[]).tolist() == [0, 1, 3, 4]
