"""Labels from RAVE spectra with convolutional networks (Guiglion et al. 2020)."""
