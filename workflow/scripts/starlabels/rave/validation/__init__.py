"""Tests of the labels from RAVE spectra: distributions, errors, references, repeats, clusters (Sections 2 to 8 of Guiglion et al. 2020)."""
