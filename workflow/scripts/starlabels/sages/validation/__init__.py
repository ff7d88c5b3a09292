"""Tests of the predictions: labels, other catalogues, clusters, reddening, the simulated truth (Section 3 of Gu et al. 2025)."""
