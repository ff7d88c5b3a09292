"""Counter-based random numbers: independent of order, chunks and columns; good enough for 10^5 stars."""

import numpy as np
import pytest
from scipy import stats

from starlabels.sky import random as rnd

N = 100_000
INDEX = np.arange(N)
FROZEN = [
    "0xe384b91f89b3f509",
    "0xb3bb7d99ffaa2725",
    "0xdfb39d1bb8abeb1",
    "0x532e1bc847df8437",
    "0x5e6c094b1e74ad92",
    "0x55975ac82bc5a4d9",
]


def test_numbers_belong_to_the_star_alone():
    whole = rnd.uniforms(42, "a", INDEX, 5)
    order = np.argsort(rnd.uniforms(1, "shuffle", INDEX)[:, 0])
    assert np.array_equal(rnd.uniforms(42, "a", order, 5), whole[order])
    assert np.array_equal(rnd.uniforms(42, "a", INDEX[777:778], 5), whole[777:778])
    assert np.array_equal(rnd.uniforms(42, "a", INDEX, 2), whole[:, :2])
    assert whole.dtype == np.float64 and whole.shape == (N, 5)


def test_values_do_not_change_between_versions():
    # a change here changes every simulated sky: it must be a decision, not an accident
    assert [hex(v) for v in rnd.integers(42, "a", [0, 1, -1], 2).ravel()] == FROZEN


@pytest.mark.parametrize("index", [INDEX, INDEX * 4096, INDEX + 2**40, -INDEX])
def test_uniform_in_every_column(index):
    u = rnd.uniforms(42, "a", index, 4)
    assert u.min() > 0 and u.max() < 1
    for j in range(4):
        assert stats.kstest(u[:, j], "uniform").pvalue > 1e-3


def test_no_correlation_between_columns_neighbours_purposes_and_seeds():
    u = rnd.uniforms(42, "a", INDEX, 6)
    pairs = [(u[:, i], u[:, j]) for i in range(6) for j in range(i)]
    pairs += [(u[:-lag, 0], u[lag:, 0]) for lag in (1, 2, 3, 8, 64, 1024)]
    pairs += [(u[:-1, 0], u[1:, 1]), (u[1:, 0], u[:-1, 1])]
    pairs += [(u[:, 0], rnd.uniforms(42, "b", INDEX)[:, 0]), (u[:, 0], rnd.uniforms(43, "a", INDEX)[:, 0])]
    worst = max(abs(np.corrcoef(x, y)[0, 1]) for x, y in pairs)
    assert worst < 4.5 / np.sqrt(N)
    # pairs of neighbours fill the unit square evenly, which a correlation alone would not show
    for x, y in pairs:
        counts = np.histogram2d(x, y, bins=16, range=[[0, 1], [0, 1]])[0].ravel()
        assert stats.chisquare(counts).pvalue > 1e-4


def test_every_bit_is_fair_and_no_state_repeats():
    bits = rnd.integers(7, "bits", INDEX, 2)
    share = ((bits[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean(axis=0)
    assert np.abs(share - 0.5).max() < 4.5 * 0.5 / np.sqrt(N)
    assert len(np.unique(bits)) == bits.size


def test_normals():
    z = rnd.normals(42, "z", INDEX, 2)
    assert np.isfinite(z).all()
    assert stats.kstest(z[:, 0], "norm").pvalue > 1e-3
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01 and abs(stats.kurtosis(z[:, 1])) < 0.08


@pytest.mark.parametrize(
    "draw, law",
    [
        (lambda u: rnd.exponential_of(u, 0.03), stats.expon(scale=0.03)),
        (lambda u: rnd.gamma_of(u, 2.2, 1.9), stats.gamma(2.2, scale=1.9)),
        (lambda u: rnd.student_of(u, 5), stats.t(5)),
        (lambda u: rnd.normal_of(u, 10, 1.2, 6.5, 13), stats.truncnorm(-3.5 / 1.2, 3 / 1.2, loc=10, scale=1.2)),
    ],
)
def test_continuous_laws(draw, law):
    assert stats.kstest(draw(rnd.uniforms(3, "law", INDEX)[:, 0]), law.cdf).pvalue > 1e-3


def test_discrete_laws():
    u = rnd.uniforms(3, "law", INDEX)[:, 0]
    pick = np.bincount(rnd.choice_of(u, [8, 1, 1]), minlength=3)
    assert stats.chisquare(pick, N * np.array([0.8, 0.1, 0.1])).pvalue > 1e-3
    hits = np.bincount(rnd.poisson_of(u, 1.7), minlength=12)
    expected = stats.poisson(1.7).pmf(np.arange(len(hits)))
    assert np.abs(hits / N - expected).max() < 0.006


def test_index_with_two_dimensions_is_refused():
    with pytest.raises(ValueError, match="one dimension"):
        rnd.uniforms(1, "a", np.zeros((2, 2), np.int64))
