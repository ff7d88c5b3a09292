"""Evolution formulae against the Sun, published turn-off masses and the shape of the giant branch."""

import numpy as np
import pytest

from starlabels.sky import evolution


def _array(*values):
    return np.array(values, float)


def test_sun():
    luminosity, teff = evolution.main_sequence(_array(1), _array(4570), _array(0))
    assert luminosity[0] == pytest.approx(1.00, abs=0.01)
    assert teff[0] == pytest.approx(5715, abs=3)  # 57 K below the real Sun: the hook and the mixing length are missing
    assert evolution.surface_gravity(_array(1), luminosity, teff)[0] == pytest.approx(4.42, abs=0.005)


def test_low_mass_dwarf():
    luminosity, teff = evolution.main_sequence(_array(0.8), _array(3000), _array(0))
    assert teff[0] == pytest.approx(4741, abs=2)
    assert evolution.surface_gravity(_array(0.8), luminosity, teff)[0] == pytest.approx(4.59, abs=0.005)


def test_turn_off_masses():
    mass = evolution.turn_off_mass(_array(1, 4, 8, 12), np.zeros(4))
    assert mass == pytest.approx([2.11, 1.35, 1.10, 0.99], abs=0.006)
    poor = evolution.turn_off_mass(_array(12), _array(-2.0))[0]
    assert 0.78 < poor < 0.86  # old metal-poor stars turn off near 0.8 solar masses


def test_turn_off_mass_agrees_with_the_time_formula():
    age = np.geomspace(0.06, 13.9, 200)
    zeta = np.linspace(-2.25, 0.27, 200)
    mass = evolution.turn_off_mass(age, zeta)
    assert evolution.t_bgb(mass, zeta) / 1000 == pytest.approx(age, rel=0.01)


def test_zams_of_tout_et_al():
    # the fits give the Sun 0.70 solar luminosities and 0.89 radii at zero age
    luminosity, radius = evolution.zams(_array(1.0), _array(0.0))
    assert luminosity[0] == pytest.approx(0.70, abs=0.01)
    assert radius[0] == pytest.approx(0.89, abs=0.01)


@pytest.mark.parametrize("zeta", [-2.3, -1.0, 0.0, 0.28])
def test_main_sequence_joins_the_giant_branch(zeta):
    mass = np.linspace(0.75, 2.5, 60)
    z = np.full_like(mass, zeta)
    end = evolution.main_sequence(mass, evolution.t_bgb(mass, z), z)
    start = evolution.red_giant(mass, z, np.zeros_like(mass))
    assert end[0] == pytest.approx(start[0], rel=1e-9)
    assert end[1] == pytest.approx(start[1], rel=1e-9)


@pytest.mark.parametrize("zeta", [-2.3, -1.0, 0.0, 0.28])
def test_giants_brighten_and_cool(zeta):
    phase = np.linspace(0, 1, 2001)
    z, mass = np.full_like(phase, zeta), np.full_like(phase, 1.1)
    luminosity, teff = evolution.red_giant(mass, z, phase)
    assert (np.diff(luminosity) > 0).all() and (np.diff(teff) < 0).all()
    assert luminosity[-1] == pytest.approx(evolution.l_tip(mass[:1], z[:1])[0], rel=1e-9)
    # the two luminosity laws join: no jump larger than the steady growth around it
    growth = np.diff(np.log(luminosity))
    assert (growth[1:-30] < 1.5 * growth[2:-29]).all()


def test_giant_temperature_solves_its_equation():
    rng = np.random.default_rng(1)
    mass, zeta = rng.uniform(0.8, 2.5, 500), rng.uniform(-2.3, 0.28, 500)
    luminosity = 10 ** rng.uniform(0.3, 3.3, 500)
    teff = evolution.giant_temperature(mass, luminosity, zeta)
    above = evolution.surface_gravity(mass, luminosity, teff) - 2.6
    right = 4630 - 430 * zeta + np.where(above < 0, 555, 380) * above + 130 * (np.minimum(mass, 2.2) - 1.1)
    assert np.abs(teff - right).max() < 0.01


def test_metal_poor_giants_are_hotter():
    one = np.ones(1)
    rich = evolution.giant_temperature(one, 50 * one, 0 * one)[0]
    poor = evolution.giant_temperature(one, 50 * one, -one)[0]
    assert 350 < poor - rich < 620


def test_late_start_of_the_giant_branch():
    mass, z = np.full(5, 0.85), np.full(5, -1.5)
    luminosity, _ = evolution.red_giant(mass, z, np.linspace(0, 1, 5), luminosity_min=60.0)
    assert luminosity[0] == pytest.approx(60, rel=1e-9) and (np.diff(luminosity) > 0).all()


def test_composition_of_the_tracks():
    assert evolution.zeta_of(_array(-1), _array(0))[0] == pytest.approx(-1, abs=1e-9)
    assert evolution.zeta_of(_array(-1), _array(0.3))[0] == pytest.approx(-0.79, abs=0.01)  # Salaris et al. 1993
    assert evolution.zeta_of(_array(-4), _array(0.3))[0] == evolution.ZETA_MIN


def test_weighted_giants_follow_time_times_a_power_of_luminosity():
    """Against the unweighted branch, reweighted by L^power: the same share of giants above some luminosities."""
    n = 200_000
    mass, z = np.full(n, 0.85), np.full(n, -1.3)
    draw = (np.arange(n) + 0.5) / n
    in_time, _ = evolution.red_giant(mass, z, draw)
    in_time = in_time[in_time < evolution.WEIGHTED_TIP]
    weighted, teff = evolution.red_giant_weighted(mass, z, draw, np.full(n, 1.1))
    assert weighted.min() >= evolution.l_bgb(mass, z)[0] * 0.999 and weighted.max() <= evolution.WEIGHTED_TIP
    assert np.all(np.diff(teff) < 0)
    for limit in (30.0, 100.0, 400.0):
        expected = (in_time[in_time > limit] ** 1.1).sum() / (in_time**1.1).sum()
        assert (weighted > limit).mean() == pytest.approx(expected, abs=0.02)
