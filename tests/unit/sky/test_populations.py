"""Components, metallicities, ages and abundances of the simulated stars."""

import numpy as np
import pytest
from scipy import stats

from starlabels.sky import populations as pop
from starlabels.sky import random as rnd

N = 40_000
INDEX = np.arange(N)


def _uniform(purpose, k=1):
    return rnd.uniforms(11, purpose, INDEX, k)


def test_shares_of_the_components():
    component, boosted = pop.draw_components(11, INDEX, 0.0)
    assert not boosted.any()
    counts = np.bincount(component, minlength=4)
    assert stats.chisquare(counts, N * np.array([0.80, 0.16, 0.024, 0.016])).pvalue > 1e-3


def test_boost_adds_metal_poor_halo_stars_and_moves_no_other():
    plain, _ = pop.draw_components(11, INDEX, 0.0)
    component, boosted = pop.draw_components(11, INDEX, 0.05)
    assert boosted.mean() == pytest.approx(0.05, abs=0.004)
    assert (component[boosted] == pop.ACCRETED).all()
    assert np.array_equal(component[~boosted], plain[~boosted])
    feh = pop.draw_feh(_uniform("f", 2), component, boosted)
    assert stats.kstest(feh[boosted], lambda f: np.interp(f, (-4, -3, -1), (0.0, 0.1, 1.0))).pvalue > 1e-3
    assert (feh < -2).mean() > 0.03


def test_metallicity_of_the_components():
    none = np.zeros(N, bool)
    for part, mean, tail in ((pop.THIN, -0.06, 0.03), (pop.THICK, -0.50, 0.06), (pop.INSITU, -1.35, 0.24)):
        feh = pop.draw_feh(_uniform("f", 2), np.full(N, part), none)
        assert feh.mean() == pytest.approx(mean - tail, abs=0.01)
        assert feh.min() >= -4 and feh.max() <= 0.5


def test_ages_stay_within_their_limits():
    thin, thick, halo = (pop.draw_age(_uniform("a")[:, 0], np.full(N, part)) for part in (pop.THIN, pop.THICK, pop.ACCRETED))
    assert thin.min() >= 0.4 - 1e-9 and thin.max() <= 11 + 1e-9
    law = stats.gamma(2.2, loc=0.3, scale=1.9)
    assert stats.kstest(thin, lambda t: (law.cdf(t) - law.cdf(0.4)) / (law.cdf(11) - law.cdf(0.4))).pvalue > 1e-3
    assert thick.min() >= 6.5 and thick.max() <= 13 and thick.mean() == pytest.approx(9.97, abs=0.05)
    assert halo.mean() == pytest.approx(12, abs=0.03) and halo.max() < 13.81


def test_alpha_separates_the_discs():
    feh = np.full(N, -0.4)
    thin, thick = (pop.draw_alpha(_uniform("x")[:, 0], feh, np.full(N, part)) for part in (pop.THIN, pop.THICK))
    assert thin.mean() == pytest.approx(0.061, abs=0.002) and thin.std() == pytest.approx(0.018, rel=0.03)
    assert thick.mean() == pytest.approx(0.195, abs=0.002) and thick.std() == pytest.approx(0.028, rel=0.03)


def test_elements_follow_alpha_and_share_scatter():
    feh, alpha = np.full(N, -0.3), np.linspace(0, 0.3, N)
    e = pop.draw_elements(1, INDEX, feh, alpha, np.zeros(N, bool))
    assert np.polyfit(alpha, e["mg_fe"], 1) == pytest.approx([1.29, 0.018], abs=0.004)
    al, ni = e["al_fe"] - 0.80 * alpha, e["ni_fe"] - 0.30 * alpha
    assert np.cov(al, ni)[0, 1] == pytest.approx(1.3 * 0.6 * 0.016**2, rel=0.15)
    assert abs(np.corrcoef(e["mg_fe"] - 1.29 * alpha, e["si_fe"] - 0.85 * alpha)[0, 1]) < 0.03
    poor = pop.draw_elements(1, INDEX, feh, alpha, np.ones(N, bool))["al_fe"]
    assert poor.mean() == pytest.approx(-0.30, abs=0.002)
