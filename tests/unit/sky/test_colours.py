"""Photometry of the simulated stars: the Sun, the inverted relations, the response to [Fe/H]."""

import numpy as np
import pytest

from starlabels.sky import colours

G, BP, RP, J, H, KS, W1, W2, U, V, NUV = range(11)


def _stars(teff, logg, feh):
    feh = np.atleast_1d(np.asarray(feh, float))
    return colours.absolute_magnitudes(np.ones_like(feh), np.full_like(feh, teff), np.full_like(feh, logg), feh)


def test_sun():
    m = _stars(5772, 4.438, 0)[0]
    assert m[G] == pytest.approx(4.68, abs=0.005)
    assert m[BP] - m[RP] == pytest.approx(0.817, abs=0.003)
    assert m[J] == pytest.approx(3.65, abs=0.01)
    assert m[KS] == pytest.approx(3.29, abs=0.01)


@pytest.mark.parametrize(
    "teff, logg, v, u, nuv, bp_rp",
    [  # change of colour between [Fe/H] 0 and -1, -1 and -2 (v: also -2 and -3), design of the simulated sky, section 4.2
        (6500, 4.30, (0.11, 0.08, 0.03), (0.10, 0.06), (0.50, 0.34), (0.01, 0.01)),
        (5772, 4.44, (0.20, 0.13, 0.06), (0.21, 0.13), (0.92, 0.62), (0.02, 0.02)),
        (5000, 4.55, (0.33, 0.23, 0.12), (0.31, 0.20), (1.19, 0.82), (0.05, 0.04)),
        (4800, 2.50, (0.35, 0.23, 0.10), (0.26, 0.15), (0.95, 0.63), (0.02, 0.01)),
    ],
)
def test_response_to_metallicity(teff, logg, v, u, nuv, bp_rp):
    m = _stars(teff, logg, [0, -1, -2, -3])
    assert -np.diff(m[:, V] - m[:, BP]) == pytest.approx(v, abs=0.01)
    assert -np.diff(m[:3, U] - m[:3, BP]) == pytest.approx(u, abs=0.01)
    assert -np.diff(m[:3, NUV] - m[:3, BP]) == pytest.approx(nuv, abs=0.01)
    assert -np.diff(m[:3, BP] - m[:3, RP]) == pytest.approx(bp_rp, abs=0.01)


@pytest.mark.parametrize("name, blue, red", [("bp_rp", BP, RP), ("bp_j", BP, J), ("bp_h", BP, H), ("bp_ks", BP, KS), ("g_rp", G, RP)])
@pytest.mark.parametrize("teff, logg, feh", [(4500, 4.5, 0.0), (5500, 4.5, -1.0), (6300, 4.0, -0.4), (4800, 2.5, -2.0), (4300, 1.5, 0.2)])
def test_relation_is_inverted(name, blue, red, teff, logg, feh):
    m = _stars(teff, logg, feh)[0]
    assert colours.relation_teff(name, m[blue] - m[red], logg, feh) == pytest.approx(teff, abs=1.0)


def test_colours_redden_monotonically_where_stars_are():
    table = colours.magnitude_table()
    rows = (colours.TEFF_NODES >= 3800) & (colours.TEFF_NODES <= 8000)
    for blue, red in ((BP, RP), (BP, J), (BP, H), (BP, KS), (G, RP)):
        steps = np.diff((table[..., blue] - table[..., red])[rows], axis=0)
        assert (steps < 0).all() and (steps > -0.25).all(), (blue, red)


def test_interpolation_error_of_the_analytic_bands():
    rng = np.random.default_rng(3)
    teff, logg, feh = rng.uniform(4000, 7500, 500), rng.uniform(0.6, 4.9, 500), rng.uniform(-3.5, 0.5, 500)
    m = colours.absolute_magnitudes(np.ones(500), teff, logg, feh)
    x = m[:, BP] - m[:, RP]
    for band, formula, limit in ((V, colours.v_minus_bp, 0.01), (U, colours.u_minus_bp, 0.012), (NUV, colours.nuv_minus_bp, 0.02)):
        assert np.abs(m[:, band] - m[:, BP] - formula(x, teff, logg, feh)).max() < limit
    assert np.abs(m[:, G] - colours.absolute_g(np.ones(500), teff)).max() < 0.001


def test_bolometric_correction():
    assert colours.bolometric_correction(5772.0) == pytest.approx(0.06)
    fine = colours.bolometric_correction(np.arange(3900.0, 4101.0))
    assert np.abs(np.diff(fine)).max() < 0.002  # the step at 4000 K is blended


def test_infrared_excess_depends_on_the_class():
    giant, dwarf = _stars(4300, 1.5, 0)[0], _stars(4300, 4.6, 0)[0]
    assert giant[W1] - giant[W2] < dwarf[W1] - dwarf[W2] < 0
    assert giant[KS] - giant[W1] == pytest.approx(0.054 + 0.112 * (5040 / 4300 - 0.9), abs=1e-9)


def test_outside_the_table_counts_as_its_edge():
    inside, outside = _stars(3500, -0.5, 0.6), _stars(2500, -2.0, 1.5)
    assert np.isfinite(outside).all()
    # log g and [Fe/H] of W1 and W2 are not tabulated, the other bands are at the same node
    assert outside[0, [G, BP, RP, J, H, KS, U, V, NUV]] == pytest.approx(inside[0, [G, BP, RP, J, H, KS, U, V, NUV]])


def test_two_equal_stars_are_075_mag_brighter():
    assert colours.add_fluxes(np.array([5.0]), np.array([5.0]))[0] == pytest.approx(5 - 2.5 * np.log10(2))
    assert colours.add_fluxes(np.array([5.0]), np.array([15.0]))[0] == pytest.approx(5, abs=2e-4)
