"""Simulated spectra: lines of the Sun, of a giant and of two real dwarfs; how they follow the labels; no spectrum knows its neighbours."""

import time

import numpy as np
import pandas as pd
import pytest
from paths import SHARED

from starlabels.sky.rave import defects, noise
from starlabels.sky.rave.atmosphere import ELEMENTS, layer
from starlabels.sky.rave.line_profiles import growth
from starlabels.sky.rave.lines import calcium_triplet, paschen_lines, weak_lines
from starlabels.sky.rave.synthesis import PIXELS, START, STEP, WAVELENGTHS, Synthesizer, interpolate

CONFIG = {"seed": 20}
#: equivalent widths (mA) that the model must have in the Sun; observed ones are within 12 % of them
SUN = {"Fe I 8468.41": 128, "Fe I 8514.07": 121, "Fe I 8515.11": 80, "Fe I 8611.80": 102, "Fe I 8621.60": 70, "Fe I 8688.62": 251,
       "Fe I 8710.39": 68, "Fe I 8757.19": 97, "Si I 8648.47": 110, "Ti I 8675.37": 16, "Al I 8772.87": 68}
#: the same in a giant of 4500 K, log g 2, solar abundances
GIANT = {"Fe I 8468.41": 227, "Fe I 8496.99": 116, "Fe I 8661.90": 333, "Fe I 8688.62": 474, "Fe I 8713.19": 97, "Ti I 8675.37": 100,
         "Ti I 8434.96": 149, "Si I 8742.45": 99, "Mg I 8717.83": 92, "Al I 8773.90": 110, "Ni I 8770.67": 47, "Ni I 8606.39": 27}


def stars(n: int = 1, **given) -> pd.DataFrame:
    frame = {"teff": 5772.0, "logg": 4.438, "feh": 0.0} | dict.fromkeys(("alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe"), 0.0) | given
    return pd.DataFrame({name: np.broadcast_to(np.asarray(value, float), n).copy() for name, value in frame.items()})


def many(n: int = 700) -> pd.DataFrame:
    r = np.random.default_rng(3)
    frame = stars(n, teff=r.uniform(3700, 7100, n), logg=r.uniform(0.3, 4.9, n), feh=r.uniform(-2.5, 0.4, n))
    return frame.assign(alpha_fe=r.normal(0.1, 0.1, n), al_fe=r.normal(0.0, 0.2, n))


@pytest.fixture(scope="module")
def synthesizer():
    return Synthesizer()


def width(flux, centre, half, wavelengths=WAVELENGTHS):
    inside = np.abs(wavelengths - centre) <= half
    return np.trapezoid(1.0 - flux[..., inside], wavelengths[inside])


@pytest.mark.parametrize("labels, printed, tolerance", [({}, SUN, 0.025), ({"teff": 4500.0, "logg": 2.0}, GIANT, 0.03)])
def test_equivalent_widths_of_sun_and_giant(synthesizer, labels, printed, tolerance):
    found = synthesizer.equivalent_widths(stars(**labels))
    for name, value in printed.items():
        own = found[name].iloc[0]
        assert np.max(own) == pytest.approx(value, rel=tolerance, abs=0.8), name


def test_line_list():
    weak, strong = weak_lines(), calcium_triplet()
    assert len(weak.element) + len(strong.element) == 82
    assert (np.diff(weak.wavelength) >= 0).all() and {name.split()[0] for name in weak.element} <= set(ELEMENTS)
    wavelengths = paschen_lines()[0]
    assert wavelengths[[0, 2]] == pytest.approx([8750.47, 8598.39], abs=0.08)


def test_layer_of_the_sun():
    state = layer(np.array([5772.0]), np.array([4.438]), {name: np.array([10 ** (e.abundance - 12)]) for name, e in ELEMENTS.items()})
    assert state.gas_pressure[0] == pytest.approx(3.6e4, rel=0.05) and state.electron_pressure[0] == pytest.approx(4.6, rel=0.1)


def test_curve_of_growth():
    eta = 10.0 ** np.array([-6.0, -5.0, -4.0, -3.0])
    assert growth(eta, np.full(4, 0.01)) == pytest.approx(np.sqrt(np.pi) * eta, rel=0.01)        # weak: area of the profile
    strong = growth(np.array([1e3, 1e5]), np.full(2, 0.05))
    assert strong[1] / strong[0] == pytest.approx(10.0, rel=0.2)                                  # damped: the square root


def test_shape_type_and_range(synthesizer):
    flux = synthesizer.spectra(many())
    assert flux.shape == (700, 912) and flux.dtype == np.float32
    assert flux.min() > 0.05 and flux.max() <= 1.0001
    assert synthesizer.spectra(many(0)).shape == (0, 912)


@pytest.mark.parametrize("size", [1, 37, 300])
def test_pieces_give_the_same_bits(synthesizer, size):
    labels, grid = many(), 8409.0 + 0.377 * np.arange(1000) + np.linspace(0, 1, 700)[:, None]
    whole = synthesizer.spectra(labels, grid)
    starts = range(0, 700 if size > 1 else 5, size)
    parts = [synthesizer.spectra(labels[k : k + size], grid[k : k + size]) for k in starts]
    parts = np.concatenate(parts)
    assert np.array_equal(parts, whole[: len(parts)])
    index = np.arange(700) + 10**12
    noisy = noise.observe(whole, grid, np.full(700, 30.0), index, CONFIG)
    parts = np.concatenate([noise.observe(whole[k : k + size], grid[k : k + size], np.full(size, 30.0)[: len(whole[k : k + size])],
                                          index[k : k + size], CONFIG) for k in starts])
    assert np.array_equal(parts, noisy[: len(parts)])


def test_interpolation_is_exact_on_the_fine_grid_and_close_between(synthesizer):
    fine = START + STEP * np.arange(PIXELS)
    labels = stars(2, teff=[4500, 6500], logg=[2.0, 4.2])
    exact = synthesizer.spectra(labels, fine)
    assert np.array_equal(exact[:, 85:1909:2], synthesizer.spectra(labels))
    half = interpolate(exact, fine[4:-4] + 0.1)
    back = 0.5625 * (half[:, 1:-2] + half[:, 2:-1]) - 0.0625 * (half[:, :-3] + half[:, 3:])
    assert np.abs(back - exact[:, 6 : 6 + back.shape[1]]).max() < 0.001


@pytest.mark.parametrize("grid", [[8402.0, 8500.0], [8500.0, 8803.0], [8500.0, np.nan]])
def test_wavelengths_outside_are_refused(synthesizer, grid):
    with pytest.raises(ValueError, match="outside"):
        synthesizer.spectra(stars(), np.array(grid))


def test_missing_label_is_refused(synthesizer):
    with pytest.raises(ValueError, match="label mg_fe is not finite in 1 of 2"):
        synthesizer.spectra(stars(2, mg_fe=[np.nan, 0.0]))


@pytest.mark.parametrize("label, low, high, line", [
    ("feh", -1.0, 0.2, 8688.62), ("mg_fe", -0.1, 0.3, 8736.02), ("si_fe", -0.1, 0.3, 8648.47), ("al_fe", -0.2, 0.3, 8773.9),
    ("ni_fe", -0.2, 0.2, 8770.67), ("alpha_fe", 0.0, 0.3, 8542.09), ("teff", 5500.0, 4300.0, 8435.3), ("logg", 2.5, 1.0, 8515.11),
])  # fmt: skip
def test_lines_follow_the_labels(synthesizer, label, low, high, line):
    labels = stars(5, teff=4700, logg=2.4).assign(**{label: np.linspace(low, high, 5)})
    assert (np.diff(width(synthesizer.spectra(labels), line, 1.4)) > 0).all()


def test_an_element_moves_its_own_lines_only(synthesizer):
    flux = synthesizer.spectra(stars(2, si_fe=[0.0, 0.2]))
    change = np.abs(flux[1] - flux[0])
    far = np.abs(WAVELENGTHS[:, None] - weak_lines().wavelength[[name == "Si I" for name in weak_lines().element]]).min(axis=1) > 4
    assert change[~far].max() > 0.015 and change[far].mean() < 0.001      # the electrons of silicon change the rest a little


def test_calcium_grows_with_luminosity_and_paschen_with_temperature(synthesizer):
    giants = synthesizer.spectra(stars(3, teff=4500, logg=[3.5, 2.0, 0.8]))
    assert (np.diff(width(giants, 8542.09, 1.6)) > 0).all()
    hot = synthesizer.spectra(stars(4, teff=[5400, 6000, 6500, 7000], logg=4.2))
    assert (np.diff(width(hot, 8598.39, 2.0)[1:]) > 0).all()


@pytest.mark.parametrize("name, labels", [("Kepler-93", (5669, 4.468, -0.17)), ("Kepler-409", (5460, 4.50, 0.08))])
def test_calcium_lines_of_real_dwarfs(synthesizer, name, labels):
    """Widths over real ones are 1.01 to 1.07 within 10 Angstrom, 1.06 to 1.16 in the core; those of six iron lines near 1."""
    from starlabels.real_spectra import degrade, read_rvs

    folder = SHARED / "gaia-rvs-samples"
    if not folder.exists():
        pytest.skip(f"no real spectra at {folder}")
    real = next(s for s in read_rvs(folder) if s.name == name)
    flux = degrade(real, 7500.0)
    model = synthesizer.spectra(stars(**dict(zip(("teff", "logg", "feh"), labels, strict=True))), real.wavelength)[0]
    ratio = {(c, half): width(model, c, half, real.wavelength) / width(flux, c, half, real.wavelength)
             for c in (8542.09, 8662.14) for half in (10.0, 1.55)}
    assert ratio[8542.09, 10.0] == pytest.approx(1.015, abs=0.025) and ratio[8662.14, 10.0] == pytest.approx(1.055, abs=0.03)
    assert ratio[8542.09, 1.55] == pytest.approx(1.065, abs=0.025) and ratio[8662.14, 1.55] == pytest.approx(1.13, abs=0.04)
    iron = [width(model, c, 1.5, real.wavelength) / width(flux, c, 1.5, real.wavelength)
            for c in (8514.07, 8582.26, 8611.80, 8621.60, 8674.75, 8688.62)]
    assert np.mean(iron) == pytest.approx(1.03, abs=0.06)


def test_noise_has_the_stated_size_and_correlation():
    n, flux = 3000, np.full((3000, 400), 0.64, np.float32)
    grid = 8410.0 + 0.38 * np.arange(400)
    noisy = noise.observe(flux, grid, np.full(n, 25.0), np.arange(n), CONFIG)
    level = noise.observe(flux, grid, np.full(n, np.inf), np.arange(n), CONFIG)
    rest = noisy - level
    assert rest.std() == pytest.approx(0.8 / 25.0, rel=0.02) and abs(rest.mean()) < 2e-4
    for lag, value in ((1, 2 / 3), (2, 1 / 6), (3, 0.0)):
        assert np.mean(rest[:, lag:] * rest[:, :-lag]) / rest.var() == pytest.approx(value, abs=0.01)
    relative = level / 0.64 - 1
    assert relative[:, 200].std() == pytest.approx(np.hypot(0.006, 0.002), rel=0.06)
    assert relative[:, -1].std() == pytest.approx(np.sqrt(0.006**2 + 2 * 0.004**2), rel=0.06)


def test_velocity_error_moves_lines(synthesizer):
    labels = stars(2000, teff=4600, logg=2.4)
    flux = synthesizer.spectra(labels[:1]).astype(float).repeat(2000, axis=0)
    moved = noise.shift(flux[:2], WAVELENGTHS[None], np.array([3.0, -1.5]))
    exact = synthesizer.spectra(labels[:2], WAVELENGTHS[100:800] / (1 + np.array([[3.0], [-1.5]]) / noise.LIGHT))
    slope = np.abs(exact - flux[:2, 100:800]).max(axis=1)
    assert (np.abs(moved[:, 100:800] - exact).max(axis=1) < 0.25 * slope).all()
    seen = noise.observe(flux, WAVELENGTHS, np.full(2000, np.inf), np.arange(2000), CONFIG)
    side = 0.5 * (flux[0, 2:] - flux[0, :-2]) / 0.4 * WAVELENGTHS[1:-1] / noise.LIGHT
    near = np.abs(WAVELENGTHS[1:-1] - 8542.09) < 1.2
    change = (seen - flux)[:, 1:-1][:, near]
    change -= change.mean(axis=1, keepdims=True)
    speed = -(change * side[near]).sum(axis=1) / (side[near] ** 2).sum()
    assert np.std(speed) == pytest.approx(1.5, rel=0.06)


def test_noise_belongs_to_the_spectrum():
    flux, grid = np.ones((3, 50), np.float32), 8410.0 + 0.38 * np.arange(60)
    first = noise.observe(flux, grid[:50], np.full(3, 20.0), np.array([5, 6, 7]), CONFIG)
    again = noise.observe(flux[:2], grid[:50], np.full(2, 20.0), np.array([7, 5]), CONFIG)
    assert np.array_equal(again, first[[2, 0]]) and not np.array_equal(first[0], first[1])
    other = noise.observe(flux, grid[:50], np.full(3, 20.0), np.array([5, 6, 7]), {"seed": 21})
    assert not np.array_equal(other, first)
    short, long = (noise.correlated(m, np.arange(3), CONFIG, "rave/spectrum/pixels") for m in (50, 60))
    assert np.array_equal(short, long[:, :50])


@pytest.fixture(scope="module")
def spoiled(synthesizer):
    classes = np.array(list("nbcw") * 8)
    labels = stars(32, teff=5200, logg=4.3)
    grid = np.tile(8410.0 + 0.38 * np.arange(1010), (32, 1))
    row = np.flatnonzero(classes == "b")
    companions = pd.DataFrame({"row": row, "teff": 4800.0, "logg": 4.5, "light": 0.5, "speed": np.linspace(-150, 150, 8)})
    flux = defects.spectra(synthesizer, labels, grid, classes, np.arange(32), companions, CONFIG)
    return classes, grid, companions, flux, synthesizer.spectra(labels, grid)


def test_classes_spoil_their_own_spectra_only(spoiled):
    classes, _, _, flux, clean = spoiled
    assert np.array_equal(flux[classes == "n"], clean[classes == "n"])
    assert (np.abs(flux - clean).max(axis=1)[classes != "n"] > 0.04).all()


def test_wavy_continuum(spoiled):
    classes, _, _, flux, clean = spoiled
    amplitude = np.abs(flux / clean - 1)[classes == "c"].max(axis=1)
    assert (amplitude > 0.049).all() and (amplitude <= 0.1501).all()


def test_companion_shows_at_its_velocity(spoiled):
    classes, grid, companions, flux, clean = spoiled
    for k in (0, 7):
        row, speed = companions["row"][k], companions["speed"][k]
        own, other = (np.argmin(np.abs(grid[row] - 8542.09 * (1 + v / noise.LIGHT))) for v in (0.0, speed))
        assert flux[row, other] < clean[row, other] - 0.08 and flux[row, own] > clean[row, own] + 0.08
        # companion and star keep their shares of the light
        assert width(flux[row], 8662.14, 14, grid[row]) == pytest.approx(width(clean[row], 8662.14, 14, grid[row]), rel=0.15)


def test_stretched_wavelengths(spoiled):
    classes, grid, *_ = spoiled
    off = defects.stretch(grid, np.arange(32), CONFIG) - grid
    assert np.abs(off[:, 505]).max() < 0.01
    assert ((np.abs(off[:, -1]) >= 0.4) & (np.abs(off[:, -1]) <= 1.0)).all() and np.allclose(off[:, 0], -off[:, -1])
    assert {-1.0, 1.0} == set(np.sign(off[:, -1]))


def test_rate(synthesizer):
    labels, grid = many(1024 - 324), 8410.0 + 0.377 * np.arange(1000)
    best = 0.0
    for _ in range(3):
        begin = time.process_time()
        noise.observe(synthesizer.spectra(labels, grid), grid, np.full(700, 30.0), np.arange(700), CONFIG)
        best = max(best, 700 / (time.process_time() - begin))
    assert best > 2000
