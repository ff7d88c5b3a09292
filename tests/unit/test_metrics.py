"""Statistics of residuals, against known answers and against numpy."""

import numpy as np
import pandas as pd
import pytest

from starlabels.metrics import Density2D, Histogram1D, binned, bootstrap_error, density_table, gaussian_fit, histogram, robust_sigma


@pytest.mark.parametrize(("mean", "sigma", "width"), [(0.03, 0.1, 0.02), (-40.0, 70.0, 10.0), (0.001, 0.021, 0.02)])
def test_fit_recovers_a_gaussian_whatever_the_bin(mean, sigma, width):
    n = 40_000
    x = np.random.default_rng(1).normal(mean, sigma, n)
    fit = gaussian_fit(x, width)
    # error of the mean is sigma / sqrt(n); unweighted least squares on a histogram is somewhat worse
    assert abs(fit["mean"] - mean) < 5 * sigma / np.sqrt(n)
    assert abs(fit["sigma"] - sigma) < 5 * sigma / np.sqrt(n)
    assert fit["amplitude"] == pytest.approx(n * width / (sigma * np.sqrt(2 * np.pi)), rel=0.03)
    assert fit["n"] == n and n * 0.999 < fit["n_in_range"] <= n


def test_outliers_move_the_moments_and_not_the_fit():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0.0, 0.1, 20_000), rng.uniform(1.0, 2.0, 500)])
    fit = gaussian_fit(x, 0.02)
    assert abs(fit["mean"]) < 0.004 and fit["sigma"] == pytest.approx(0.1, abs=0.004)
    assert fit["bias"] > 0.03 and fit["std"] > 0.2
    assert fit["median"] == pytest.approx(np.median(x))
    assert fit["rmse"] == pytest.approx(np.sqrt(np.mean(x**2)))


def test_missing_values_are_left_out():
    x = np.random.default_rng(3).normal(0, 0.1, 500)
    dirty = np.concatenate([[np.nan, np.inf], x, [-np.inf]])
    assert gaussian_fit(dirty, 0.02) == gaussian_fit(x, 0.02)
    assert robust_sigma(dirty) == robust_sigma(x)


@pytest.mark.parametrize(
    "x", [[], [np.nan] * 20, [1.0], np.arange(9.0), [0.7] * 50, [0.0] * 40 + [5.0] * 5, [1e-9 * k for k in range(40)]],
    ids=["empty", "all missing", "one", "nine", "all equal", "mostly equal", "far narrower than a bin"],
)
@pytest.mark.parametrize("bootstrap", [0, 5])
def test_no_fit_without_enough_to_fit(x, bootstrap):
    fit = gaussian_fit(x, 0.02, bootstrap=bootstrap)
    assert np.isnan([fit["mean"], fit["sigma"], fit["amplitude"]]).all()
    values = np.asarray(x)[np.isfinite(x)]
    assert fit["n"] == len(values)
    if len(values):
        assert fit["median"] == np.median(values) and fit["bias"] == np.mean(values) and fit["std"] == np.std(values)
    else:
        assert np.isnan([fit["median"], fit["bias"], fit["std"], fit["rmse"], fit["robust_sigma"]]).all()
    assert ("mean_err" in fit) == bool(bootstrap)


def test_bootstrap_error_of_the_fit_is_that_of_repeated_samples():
    rng = np.random.default_rng(4)
    fits = pd.DataFrame([gaussian_fit(rng.normal(0, 0.1, 2000), 0.02) for _ in range(150)])
    one = gaussian_fit(rng.normal(0, 0.1, 2000), 0.02, bootstrap=150, seed=1)
    assert one["mean_err"] == pytest.approx(fits["mean"].std(), rel=0.3)
    assert one["sigma_err"] == pytest.approx(fits["sigma"].std(), rel=0.3)


def test_bootstrap_hangs_on_its_seed_only():
    x = np.random.default_rng(5).normal(0, 0.1, 300)
    assert gaussian_fit(x, 0.02, bootstrap=20, seed=1) == gaussian_fit(x, 0.02, bootstrap=20, seed=1)
    assert gaussian_fit(x, 0.02, bootstrap=20, seed=1)["mean_err"] != gaussian_fit(x, 0.02, bootstrap=20, seed=2)["mean_err"]
    assert bootstrap_error(x, np.mean, 400, 1) == pytest.approx(0.1 / np.sqrt(300), rel=0.2)
    assert np.isnan(bootstrap_error([1.0], np.mean, 400, 1))


def test_robust_sigma_is_that_of_a_gaussian():
    assert robust_sigma(np.random.default_rng(6).normal(5, 2, 100_000)) == pytest.approx(2.0, rel=0.02)
    assert robust_sigma([1, 2, 3, 4, 100]) == pytest.approx(1.4826)


def test_histogram_has_edges_at_multiples_and_counts_like_numpy():
    x = np.random.default_rng(7).normal(0.013, 0.2, 1000)
    table = histogram(x, 0.05)
    np.testing.assert_allclose(table["x_lo"] / 0.05, np.round(table["x_lo"] / 0.05))
    expected, _ = np.histogram(x, np.append(table["x_lo"], table["x_hi"].iloc[-1]))
    np.testing.assert_array_equal(table["count"], expected)
    assert histogram(x, 0.05, -0.1, 0.1)["count"].sum() == ((x >= -0.1) & (x < 0.15)).sum()
    assert len(histogram([], 0.05)) == 0


def test_value_at_an_edge_belongs_to_the_upper_bin():
    # 0.58 / 0.02 is 28.999999999999996 in floating point
    assert histogram([0.58], 0.02)["x_lo"].iloc[0] == pytest.approx(0.58)


def test_bins_of_figure_8():
    rng = np.random.default_rng(8)
    x = np.concatenate([rng.uniform(-1.0, -0.75, 200), rng.uniform(-0.5, -0.25, 49), rng.uniform(0.0, 0.25, 50), [np.nan]])
    residual = x * 0.1 + rng.normal(0, 0.01, len(x))
    table = binned(x, residual, 0.25, 50)
    assert table["x_lo"].tolist() == [-1.0, 0.0]  # 49 stars are too few, empty bins are absent
    assert table["n"].tolist() == [200, 50]
    inside = (x >= -1.0) & (x < -0.75)
    assert table["mean"][0] == pytest.approx(residual[inside].mean())
    assert table["sigma"][0] == pytest.approx(residual[inside].std())
    assert table["median"][0] == pytest.approx(np.median(residual[inside]))
    fitted = binned(x, residual, 0.25, 50, fit=0.002)
    assert fitted["mean"][0] == gaussian_fit(residual[inside], 0.002)["mean"]
    assert binned([], [], 0.25, 50).empty


def test_bins_with_given_edges():
    table = binned([0.0, 0.01, 0.02, 0.05, 0.5, 0.6, -0.1], np.arange(7.0), min_count=1, edges=[0.0, 0.02, 0.05, 0.5])
    assert table["n"].tolist() == [2, 1, 2]
    assert table["x_hi"].tolist() == [0.02, 0.05, 0.5]
    assert table["mean"].tolist() == [0.5, 2.0, 3.5]


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_streamed_histogram_is_the_whole_one(pieces):
    x = np.random.default_rng(9).normal(0.02, 0.1, 5000)
    grown = Histogram1D(0.02, -2, 2)
    for part in np.array_split(x, pieces):
        grown.add(part)
    whole = histogram(x, 0.02, -2, 2)
    pd.testing.assert_frame_equal(grown.table(), whole)
    fit, direct = grown.fit(bootstrap=10, seed=3), gaussian_fit(x, 0.02, bootstrap=10, seed=3)
    assert set(fit) == set(direct)
    assert fit["mean"] == pytest.approx(direct["mean"], abs=1e-4)
    assert fit["sigma"] == pytest.approx(direct["sigma"], abs=1e-4)
    assert fit["median"] == pytest.approx(direct["median"], abs=0.002)
    assert fit["robust_sigma"] == pytest.approx(direct["robust_sigma"], rel=0.02)
    assert fit["bias"] == pytest.approx(direct["bias"], abs=0.001)
    assert fit["n"] == 5000


def test_streamed_histogram_counts_what_lies_outside():
    grown = Histogram1D(0.5, -1, 1)
    grown.add([-5.0, 1e300, 2.0, np.nan, 0.1, -1.0, np.inf])
    assert (grown.below, grown.above, grown.missing, grown.counts.sum()) == (1, 2, 2, 2)
    assert grown.fit()["n"] == 5


@pytest.mark.parametrize("x", [[], [np.nan] * 20, [0.3] * 5, [9.0] * 30, [-9.0] * 15 + [9.0] * 15, [0.0] * 10 + [5.0] * 30])
def test_streamed_fit_without_enough_to_fit(x):
    grown = Histogram1D(0.02, -1, 1)
    grown.add(x)
    fit = grown.fit(bootstrap=3)
    assert np.isnan([fit["mean"], fit["sigma"], fit["mean_err"]]).all()


def test_median_of_counts_that_split_in_two_halves():
    grown = Histogram1D(1.0, 0, 10)
    grown.add([0.5] * 20 + [9.5] * 20)
    assert grown.fit()["median"] == pytest.approx(5.0)


def test_density_adds_up_and_equals_numpy():
    rng = np.random.default_rng(10)
    x, y = rng.normal(0, 1, 3000), rng.normal(0, 1, 3000)
    x[:3] = [np.nan, 2.0, -2.0]  # missing, the last edge, the first edge
    edges_x, edges_y = np.linspace(-2, 2, 21), np.linspace(-3, 3, 31)
    grown = Density2D(edges_x, edges_y)
    for part in np.array_split(np.arange(3000), 9):
        grown.add(x[part], y[part])
    good = np.isfinite(x)
    expected = np.histogram2d(x[good], y[good], [edges_x, edges_y])[0]
    np.testing.assert_array_equal(grown.counts, expected)
    assert grown.outside + grown.counts.sum() == 3000
    table = density_table(x, y, edges_x, edges_y)
    pd.testing.assert_frame_equal(table, grown.table())
    assert (table["count"] > 0).all() and table["count"].sum() == expected.sum()
    first = table.iloc[0]
    inside = (x >= first.x_lo) & (x < first.x_hi) & (y >= first.y_lo) & (y < first.y_hi)
    assert inside.sum() == first["count"]
