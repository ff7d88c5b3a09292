"""Spectra drawn on the fine grid, and taken from it at any wavelengths: what numba compiles.

All jitted functions and the numbers that they read stand in this one file, since numba's cache of a function is renewed when its
own file changes.
"""

import numba
import numpy as np

START, STEP, PIXELS = 8403.0, 0.2, 1996  # the fine grid, 8403 to 8802 Angstrom: the window of RAVE and a shift of 150 km/s
WING = 45.0  # Angstrom, reach of the Ca II profiles


@numba.njit(nogil=True, cache=True)
def _absorb_strong(start, step, size, centres, eta, width, damping, wing, out):
    """Add the opacity of Ca II lines to `out` (size,), float32: eta [exp(-v^2) + a / (sqrt(pi) (v^2 + 1.5))] within `wing` Angstrom."""
    for line in range(len(centres)):
        first = max(0, int(np.ceil((centres[line] - wing - start) / step)))
        last = min(size, int(np.floor((centres[line] + wing - start) / step)) + 1)
        scale = np.float32(step / width[line])
        zero = np.float32((start + first * step - centres[line]) / width[line])
        far = np.float32(eta[line] * damping[line] / np.sqrt(np.pi))
        for j in range(first, last):
            v = zero + np.float32(j - first) * scale
            out[j] += far / (v * v + np.float32(1.5))
        core = int(5.0 * width[line] / step) + 1
        middle = int(round((centres[line] - start) / step))
        for j in range(max(first, middle - core), min(last, middle + core + 1)):
            v = (start + j * step - centres[line]) / width[line]
            out[j] += np.float32(eta[line] * np.exp(-v * v))


@numba.njit(nogil=True, cache=True)
def _absorb_lorentz(start, step, centres, strength, width, out):
    """Add the opacity of Lorentzian lines to `out`, float32."""
    for line in range(len(centres)):
        zero, s, w2 = np.float32(start - centres[line]), np.float32(strength[line]), np.float32(width[line] ** 2)
        for j in range(len(out)):
            distance = zero + np.float32(j) * np.float32(step)
            out[j] += s / (distance * distance + w2)


@numba.njit(nogil=True, cache=True)
def draw(centres, eta, width, damping, hot, paschen_centres, paschen, paschen_width, depth, first, weak, gauss, kernel, flux):
    """Draw spectra into `flux`, float32 (n, PIXELS), one after the other: strong lines, convolution, weak lines.

    Parameters are those that `Synthesizer` prepares: of the strong lines (n, 3) and the Paschen lines (n, 9), whether a star is hot
    enough for the latter, depths (n,), first pixels, widths (n, k) and profiles of the weak lines, the instrument's kernel.
    """
    reach = len(kernel) // 2
    size = PIXELS + 2 * reach
    start = START - reach * STEP
    opacity = np.empty(size, np.float32)
    exponent = np.empty(PIXELS, np.float32)
    one = np.float32(1.0)
    for i in range(len(flux)):
        opacity[:] = 0.0
        _absorb_strong(start, STEP, size, centres, eta[i], width[i], damping[i], WING, opacity)
        if hot[i]:
            _absorb_lorentz(start, STEP, paschen_centres, paschen[i], paschen_width[i], opacity)
        d = np.float32(depth[i])
        for j in range(size):
            opacity[j] = one - d * opacity[j] / (one + opacity[j])
        row = flux[i]
        row[:] = 0.0
        for k in range(len(kernel)):
            tap = kernel[k]
            for j in range(PIXELS):
                row[j] += tap * opacity[j + k]
        exponent[:] = 0.0
        for line in range(len(first)):
            for k in range(gauss.shape[1]):
                j = first[line] + k
                if 0 <= j < PIXELS:
                    exponent[j] -= weak[i, line] * gauss[line, k]
        for j in range(PIXELS):
            row[j] *= np.exp(exponent[j])


@numba.njit(nogil=True, cache=True)
def cubic(fine, wavelengths, out):
    """Spectra at wavelengths (n or 1, m), into `out`: Lagrange's cubic through the two pixels on either side; at the ends the last four."""
    common = len(wavelengths) == 1
    for i in range(len(fine)):
        grid = wavelengths[0 if common else i]
        for j in range(len(grid)):
            x = (grid[j] - START) / STEP
            k = min(max(int(np.floor(x + 1e-6)) - 1, 0), PIXELS - 4)
            t = x - k - 1.0
            if abs(t) < 1e-6:
                out[i, j] = fine[i, k + 1]
                continue
            a = -t * (t - 1.0) * (t - 2.0) / 6.0
            b = (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0
            c = -(t + 1.0) * t * (t - 2.0) / 2.0
            d = (t + 1.0) * t * (t - 1.0) / 6.0
            out[i, j] = a * fine[i, k] + b * fine[i, k + 1] + c * fine[i, k + 2] + d * fine[i, k + 3]
