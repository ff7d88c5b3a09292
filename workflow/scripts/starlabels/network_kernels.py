"""Forward pass, gradient and Adam steps of the network, compiled by numba, float32, one network a thread.

Spectra run along the innermost axis, so that the loops over their pixels become vector instructions; the products of a
convolution are unrolled because the kernel's length is part of a type (`Plan.taps`, a tuple of that length). Arrays of the
innermost loops are rows that cannot overlap in other ways than two outputs beside one input: with more of them the compiler
gives up vector instructions. Two filters are worked on together, which halves the reads.

Weights are in the order of `network_numba.py`, not of Keras: kernels (filters, channels, pixels), dense kernels (neurons, inputs),
features channel by channel.

All jitted functions stand in this one file, since numba's cache of a function is renewed when its own file changes.
Reassociation is allowed, so sums depend on the processor's vector length, but not on threads. NaN propagates: the flags do
not promise its absence.
"""

from typing import NamedTuple

import numba
import numpy as np

_FAST = {"reassoc", "contract", "nsz", "arcp"}
_jit = numba.njit(fastmath=_FAST, nogil=True, cache=True, error_model="numpy")
_F = np.float32
_ZERO, _ONE = _F(0), _F(1)


class Plan(NamedTuple):
    """The architecture as the kernels see it.

    Attributes
    ----------
    taps : tuple of int
        As many zeros as a convolution kernel has pixels; only its length counts.
    convolutions : ndarray (l, 5) of int64
        Of each convolution: start of its kernel and of its bias in the weights, channels in and out, pixels out.
    pixels, features, dense, inputs, photometric, joined, outputs, labels : int
        Sizes; 0 for a branch that is left out.
    channels : int
        Of the features.
    dense_at, photometric_at, joined_at, labels_at : int
        Where the kernel of each dense layer starts in the weights; its bias follows it.
    slope, dropout : float32
        Of the leaky ReLU; fraction dropped.
    """

    taps: tuple
    convolutions: np.ndarray
    pixels: int
    channels: int
    features: int
    dense: int
    inputs: int
    photometric: int
    joined: int
    outputs: int
    labels: int
    dense_at: int
    photometric_at: int
    joined_at: int
    labels_at: int
    slope: np.float32
    dropout: np.float32


# --- convolutions -----------------------------------------------------------------------------------------------------


@_jit
def _correlate(x, v, w, taps, y, z, n):
    """y[t] += sum_k v[k] x[t + k] and z[t] += sum_k w[k] x[t + k] for t < n."""
    for t in range(n):
        s, r = y[t], z[t]
        for k in range(len(taps)):
            s += v[k] * x[t + k]
            r += w[k] * x[t + k]
        y[t], z[t] = s, r


@_jit
def _products(x, d, e, n, g, h):
    """g[k] += sum_t d[t] x[t + k] and h[k] += sum_t e[t] x[t + k] for k < 5."""
    a0, a1, a2, a3, a4 = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
    b0, b1, b2, b3, b4 = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
    for t in range(n):
        p, q = d[t], e[t]
        a0 += p * x[t]
        a1 += p * x[t + 1]
        a2 += p * x[t + 2]
        a3 += p * x[t + 3]
        a4 += p * x[t + 4]
        b0 += q * x[t]
        b1 += q * x[t + 1]
        b2 += q * x[t + 2]
        b3 += q * x[t + 3]
        b4 += q * x[t + 4]
    g[0] += a0
    g[1] += a1
    g[2] += a2
    g[3] += a3
    g[4] += a4
    h[0] += b0
    h[1] += b1
    h[2] += b2
    h[3] += b3
    h[4] += b4


@_jit
def _leaky(y, n, slope):
    """Leaky ReLU in place."""
    for t in range(n):
        u = y[t]
        y[t] = u if u > _ZERO else slope * u


@_jit
def _convolve(x, kernel, bias, taps, y, n, slope):
    """y[o, :n] = leaky(bias[o] + sum_c,k kernel[o, c, k] x[c, t + k])."""
    for o in range(0, kernel.shape[0], 2):
        first, second = y[o], y[o + 1]
        for t in range(n):
            first[t] = bias[o]
        for t in range(n):
            second[t] = bias[o + 1]
        for c in range(kernel.shape[1]):
            _correlate(x[c], kernel[o, c], kernel[o + 1, c], taps, first, second, n)
        _leaky(first, n, slope)
        _leaky(second, n, slope)


@_jit
def _convolve_back(x, d, taps, n, kernel_gradient, bias_gradient):
    """Add a spectrum's part to the gradients of a convolution: x its input, d[o, margin:] the gradient of its output."""
    margin = len(taps) - 1
    for o in range(0, kernel_gradient.shape[0], 2):
        first, second = d[o, margin:], d[o + 1, margin:]
        s, r = _ZERO, _ZERO
        for t in range(n):
            s += first[t]
            r += second[t]
        bias_gradient[o] += s
        bias_gradient[o + 1] += r
        for c in range(kernel_gradient.shape[1]):
            for k in range(0, len(taps), 5):
                _products(x[c, k:], first, second, n, kernel_gradient[o, c, k:], kernel_gradient[o + 1, c, k:])


@_jit
def _slopes(d, h, n, slope):
    """d *= derivative of the leaky ReLU whose output is h."""
    for t in range(n):
        d[t] *= _ONE if h[t] > _ZERO else slope


@_jit
def _convolve_down(d, flipped, taps, h, below, n, slope):
    """below[c, margin:margin + n] = gradient of what goes into the activation h of the layer below.

    d has `margin` zeros before and after the gradient of this layer's output; `flipped` is (channels in, out, pixels).
    """
    margin = len(taps) - 1
    for c in range(0, flipped.shape[0], 2):
        first, second = below[c, margin:], below[c + 1, margin:]
        for t in range(n):
            first[t] = _ZERO
        for t in range(n):
            second[t] = _ZERO
        for o in range(flipped.shape[1]):
            _correlate(d[o], flipped[c, o], flipped[c + 1, o], taps, first, second, n)
        _slopes(first, h[c], n, slope)
        _slopes(second, h[c + 1], n, slope)


@_jit
def _layer(weights, plan, k):
    """Kernel (filters, channels, pixels) and bias of the k-th convolution as views."""
    row = plan.convolutions[k]
    at, bias, channels, filters = row[0], row[1], row[2], row[3]
    return weights[at:bias].reshape(filters, channels, len(plan.taps)), weights[bias : bias + filters]


@_jit
def _flip(kernel):
    """Kernel (out, in, k) -> (in, out, k) with its pixels in reverse order."""
    out, channels, size = kernel.shape
    flipped = np.empty((channels, out, size), _F)
    for o in range(out):
        for c in range(channels):
            for k in range(size):
                flipped[c, o, k] = kernel[o, c, size - 1 - k]
    return flipped


@_jit
def _spectral(spectrum, weights, plan, activations):
    """Pass one spectrum through the convolutions; activations (l + 1, channels, pitch), the last one holds the features."""
    activations[0, 0, : plan.pixels] = spectrum
    for k in range(len(plan.convolutions)):
        kernel, bias = _layer(weights, plan, k)
        _convolve(activations[k], kernel, bias, plan.taps, activations[k + 1], plan.convolutions[k, 4], plan.slope)


# --- dropout ----------------------------------------------------------------------------------------------------------


@_jit
def _mix(z):
    """Hash of a 32-bit counter: two rounds of shift and multiplication (constants of the "lowbias32" finaliser)."""
    z = np.uint32(z ^ (z >> np.uint32(16)))
    z = np.uint32(z * np.uint32(0x7FEB352D))
    z = np.uint32(z ^ (z >> np.uint32(15)))
    z = np.uint32(z * np.uint32(0x846CA68B))
    return np.uint32(z ^ (z >> np.uint32(16)))


@_jit
def dropout_factors(factors, key, channels, rate):
    """Fill factors (spectra, features) with 0 or 1 / (1 - rate), a pure function of key, spectrum and feature.

    Features run channel by channel here, as `Plan` says; the counter is that of Keras' order, so that it can use the same.
    """
    rows, features = factors.shape
    pixels = features // channels
    keep = _F(1.0 / (1.0 - rate))
    limit = np.uint32(rate * 4294967296.0)
    for i in range(rows):
        for c in range(channels):
            row = factors[i, c * pixels : (c + 1) * pixels]
            start = np.uint32(i * features + c)
            step = np.uint32(channels)
            for t in range(pixels):
                counter = np.uint32(start + step * np.uint32(t))
                row[t] = keep if _mix(np.uint32(counter ^ key)) >= limit else _ZERO


# --- dense layers -----------------------------------------------------------------------------------------------------


@_jit
def _dense_of(weights, at, width, neurons):
    """Kernel (neurons, inputs) and bias of a dense layer as views."""
    end = at + width * neurons
    return weights[at:end].reshape(neurons, width), weights[end : end + neurons]


@_jit
def _dense(x, weights, at, neurons, slope):
    """leaky(x kernel^T + bias) for rows of x; slope 1: no activation."""
    kernel, bias = _dense_of(weights, at, x.shape[1], neurons)
    y = np.dot(x, kernel.T)
    for i in range(y.shape[0]):
        for j in range(neurons):
            u = y[i, j] + bias[j]
            y[i, j] = u if u > _ZERO else slope * u
    return y


@_jit
def _dense_back(x, d, gradient, at, neurons):
    """Gradients of a dense layer from those of its output before activation."""
    kernel, bias = _dense_of(gradient, at, x.shape[1], neurons)
    np.dot(d.T, x, out=kernel)
    for j in range(neurons):
        bias[j] = _ZERO
    for i in range(d.shape[0]):
        for j in range(neurons):
            bias[j] += d[i, j]


@_jit
def _dense_down(d, weights, at, width, neurons):
    """Gradient of a dense layer's input."""
    kernel, _ = _dense_of(weights, at, width, neurons)
    return np.dot(d, kernel)


@_jit
def _dense_row(x, kernel, bias, y, slope):
    """One row through a dense layer without BLAS: no result hangs on the rows beside it."""
    neurons, width = kernel.shape
    for j in range(neurons):
        neuron, s = kernel[j], _ZERO
        for k in range(width):
            s += x[k] * neuron[k]
        s += bias[j]
        y[j] = s if s > _ZERO else slope * s


@_jit
def _dense_four(x, kernel, bias, y, slope):
    """Four rows through a large dense layer: its weights come from the cache once for the four. Each row is added up alike."""
    neurons, width = kernel.shape
    x0, x1, x2, x3 = x[0], x[1], x[2], x[3]
    for j in range(neurons):
        neuron = kernel[j]
        a, b, c, d = _ZERO, _ZERO, _ZERO, _ZERO
        for k in range(width):
            w = neuron[k]
            a += x0[k] * w
            b += x1[k] * w
            c += x2[k] * w
            d += x3[k] * w
        y[0, j], y[1, j], y[2, j], y[3, j] = a, b, c, d
        for i in range(4):
            s = y[i, j] + bias[j]
            y[i, j] = s if s > _ZERO else slope * s


# --- training ---------------------------------------------------------------------------------------------------------


@_jit
def _output_gradient(out, labels, d, plan):
    """Loss of a batch, and its gradient d with respect to the outputs."""
    rows, n = labels.shape
    total, scale = 0.0, _F(1.0 / (rows * n))
    if plan.outputs == n:                                  # mean squared error
        for i in range(rows):
            for j in range(n):
                off = out[i, j] - labels[i, j]
                total += off * off
                d[i, j] = _F(2) * scale * off
    else:                                                  # values, then log variances
        for i in range(rows):
            for j in range(n):
                off, spread = out[i, j] - labels[i, j], out[i, n + j]
                precision = _F(np.exp(-spread))
                total += 0.5 * (precision * off * off + spread)
                d[i, j] = scale * precision * off
                d[i, n + j] = scale * _F(0.5) * (_ONE - precision * off * off)
    return total / (rows * n)


@_jit
def _features_of(flux, rows, weights, plan, activations, factors, features):
    """Features (b, features) of a batch, dropout applied; the activations of every spectrum are kept."""
    pixels = plan.features // plan.channels
    for i in range(len(rows)):
        _spectral(flux[rows[i]], weights, plan, activations[i])
        for c in range(plan.channels):
            part = slice(c * pixels, (c + 1) * pixels)
            row, factor, h = features[i, part], factors[i, part], activations[i, -1, c]
            for t in range(pixels):
                row[t] = h[t] * factor[t]


@_jit
def _features_back(d_features, weights, plan, activations, factors, deltas, found):
    """Add the gradients of the convolutions to `found`, from those of the features."""
    depth, margin = len(plan.convolutions), len(plan.taps) - 1
    pixels = plan.features // plan.channels
    flipped = [_flip(_layer(weights, plan, k)[0]) for k in range(depth)]
    for i in range(len(d_features)):
        for c in range(plan.channels):
            d, part, factor = deltas[depth, c, margin:], d_features[i, c * pixels :], factors[i, c * pixels :]
            h = activations[i, depth, c]
            for t in range(pixels):
                d[t] = part[t] * factor[t] * (_ONE if h[t] > _ZERO else plan.slope)
        for k in range(depth - 1, -1, -1):
            kernel, bias = _layer(found, plan, k)
            _convolve_back(activations[i, k], deltas[k + 1], plan.taps, plan.convolutions[k, 4], kernel, bias)
            if k:
                length = plan.convolutions[k - 1, 4]
                _convolve_down(deltas[k + 1], flipped[k], plan.taps, activations[i, k], deltas[k], length, plan.slope)


@_jit
def gradient(weights, flux, inputs, labels, rows, factors, plan, found, activations, deltas):
    """Loss and gradient of one batch.

    Parameters
    ----------
    weights, found : ndarray (p,) of float32
        Weights; the gradient is written to `found`.
    flux, inputs, labels : ndarray (n, pixels), (n, inputs), (n, labels) of float32
    rows : ndarray (b,) of int64
        The batch.
    factors : ndarray (>= b, features) of float32
        Dropout factors.
    activations, deltas : ndarray
        As `workspace` makes them.

    Returns
    -------
    float
        Mean loss of the batch.
    """
    n, both = len(rows), plan.dense + plan.photometric
    features, photometry = np.empty((n, plan.features), _F), np.empty((n, plan.inputs), _F)
    hidden, target = np.empty((n, both), _F), np.empty((n, plan.labels), _F)
    for i in range(n):
        target[i] = labels[rows[i]]
    if plan.pixels:
        _features_of(flux, rows, weights, plan, activations, factors, features)
        hidden[:, : plan.dense] = _dense(features, weights, plan.dense_at, plan.dense, plan.slope)
    if plan.inputs:
        for i in range(n):
            photometry[i] = inputs[rows[i]]
        hidden[:, plan.dense :] = _dense(photometry, weights, plan.photometric_at, plan.photometric, plan.slope)
    joined = _dense(hidden, weights, plan.joined_at, plan.joined, plan.slope)
    out = _dense(joined, weights, plan.labels_at, plan.outputs, _ONE)

    d_out = np.empty_like(out)
    loss = _output_gradient(out, target, d_out, plan)
    _dense_back(joined, d_out, found, plan.labels_at, plan.outputs)
    d_joined = _dense_down(d_out, weights, plan.labels_at, plan.joined, plan.outputs)
    for i in range(n):
        _slopes(d_joined[i], joined[i], plan.joined, plan.slope)
    _dense_back(hidden, d_joined, found, plan.joined_at, plan.joined)
    d_hidden = _dense_down(d_joined, weights, plan.joined_at, both, plan.joined)
    for i in range(n):
        _slopes(d_hidden[i], hidden[i], both, plan.slope)
    if plan.inputs:
        _dense_back(photometry, np.ascontiguousarray(d_hidden[:, plan.dense :]), found, plan.photometric_at, plan.photometric)
    if plan.pixels:
        d_dense = np.ascontiguousarray(d_hidden[:, : plan.dense])
        _dense_back(features, d_dense, found, plan.dense_at, plan.dense)
        if len(plan.convolutions):
            found[: plan.dense_at] = _ZERO                     # the convolutions' part is added up spectrum by spectrum
            d_features = _dense_down(d_dense, weights, plan.dense_at, plan.features, plan.dense)
            _features_back(d_features, weights, plan, activations, factors, deltas, found)
    return loss


@_jit
def _adam(weights, mean, square, found, step, rate, epsilon):
    """One step of Adam in Keras' form: the bias corrections are part of the rate, epsilon is added to the uncorrected root."""
    rate = _F(rate * np.sqrt(1.0 - 0.999**step) / (1.0 - 0.9**step))
    epsilon = _F(epsilon)
    for i in range(len(weights)):
        g = found[i]
        mean[i] += (g - mean[i]) * _F(0.1)
        square[i] += (g * g - square[i]) * _F(0.001)
        weights[i] -= rate * mean[i] / (np.sqrt(square[i]) + epsilon)


@_jit
def workspace(plan, rows):
    """Room for the activations of a batch and for the gradients of one spectrum, filled with zeros.

    Returns
    -------
    activations, deltas : ndarray (rows, l + 1, channels, pitch), (l + 1, channels, pitch) of float32
        The gradient of an activation stands behind as many zeros as a kernel has pixels less one, and as many follow it.
    """
    depth, channels = len(plan.convolutions), 1
    for k in range(depth):
        channels = max(channels, plan.convolutions[k, 3])
    pitch = (plan.pixels + 2 * len(plan.taps) + 15) // 16 * 16
    return np.zeros((rows, depth + 1, channels, pitch), _F), np.zeros((depth + 1, channels, pitch), _F)


@_jit
def train_epoch(weights, mean, square, steps, flux, inputs, labels, order, keys, batch, rate, epsilon, plan):
    """Train for one epoch.

    Parameters
    ----------
    weights, mean, square : ndarray (p,) of float32
        Weights and the moments of their gradients; changed in place.
    steps : int
        Steps of Adam before this epoch.
    order : ndarray (n,) of int64
        Rows in the order in which they are used.
    keys : ndarray (ceil(n / batch),) of uint32
        Key of the dropout factors of each batch.

    Returns
    -------
    float
        Loss, averaged over the spectra while the weights change.
    """
    activations, deltas = workspace(plan, batch)
    factors, found = np.ones((batch, plan.features), _F), np.zeros_like(weights)
    total = 0.0
    for k in range(len(keys)):
        rows = order[k * batch : (k + 1) * batch]
        if plan.pixels and plan.dropout > _ZERO:
            dropout_factors(factors, keys[k], plan.channels, plan.dropout)
        loss = gradient(weights, flux, inputs, labels, rows, factors, plan, found, activations, deltas)
        _adam(weights, mean, square, found, steps + k + 1, rate, epsilon)
        total += loss * len(rows)
    return total / len(order)


# --- prediction -------------------------------------------------------------------------------------------------------


@_jit
def _outputs_of(flux, inputs, weights, plan, activations, features, hidden, joined, out):
    """Outputs of one network for at most four stars; the rooms have four rows, whatever the number of stars."""
    if plan.pixels:
        pixels = plan.features // plan.channels
        for i in range(len(flux)):
            _spectral(flux[i], weights, plan, activations)
            for c in range(plan.channels):
                features[i, c * pixels : (c + 1) * pixels] = activations[-1, c, :pixels]
        kernel, bias = _dense_of(weights, plan.dense_at, plan.features, plan.dense)
        _dense_four(features, kernel, bias, hidden, plan.slope)
    for i in range(len(flux)):
        if plan.inputs:
            kernel, bias = _dense_of(weights, plan.photometric_at, plan.inputs, plan.photometric)
            _dense_row(inputs[i], kernel, bias, hidden[i, plan.dense :], plan.slope)
        kernel, bias = _dense_of(weights, plan.joined_at, plan.dense + plan.photometric, plan.joined)
        _dense_row(hidden[i], kernel, bias, joined, plan.slope)
        kernel, bias = _dense_of(weights, plan.labels_at, plan.joined, plan.outputs)
        _dense_row(joined, kernel, bias, out[i], _ONE)


@_jit
def _rooms(plan):
    """Room for `_outputs_of`: activations of a star, features and hidden neurons of four, joined neurons, outputs of four."""
    activations = workspace(plan, 1)[0][0]
    features, hidden = np.zeros((4, plan.features), _F), np.empty((4, plan.dense + plan.photometric), _F)
    return activations, features, hidden, np.empty(plan.joined, _F), np.empty((4, plan.outputs), _F)


@_jit
def outputs(flux, inputs, weights, plan, found):
    """Outputs of one network for rows of stars, written to found (n, outputs)."""
    activations, features, hidden, joined, out = _rooms(plan)
    for first in range(0, len(found), 4):
        end = min(first + 4, len(found))
        _outputs_of(flux[first:end], inputs[first:end], weights, plan, activations, features, hidden, joined, out)
        found[first:end] = out[: end - first]


@_jit
def moments(flux, inputs, networks, plan, mean, squares):
    """Mean over networks (m, p) of the labels' outputs for rows of stars, and the sum of squares around it (both float64).

    A star's networks are added in their order (Welford's update), so that the result is the same however the rows are divided.
    """
    activations, features, hidden, joined, out = _rooms(plan)
    mean[:] = 0.0
    squares[:] = 0.0
    for m in range(len(networks)):
        for first in range(0, len(mean), 4):
            end = min(first + 4, len(mean))
            _outputs_of(flux[first:end], inputs[first:end], networks[m], plan, activations, features, hidden, joined, out)
            for i in range(first, end):
                for j in range(plan.labels):
                    shift = np.float64(out[i - first, j]) - mean[i, j]
                    mean[i, j] += shift / (m + 1)
                    squares[i, j] += shift * (np.float64(out[i - first, j]) - mean[i, j])
