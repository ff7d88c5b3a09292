"""Simulated RAVE survey: stars, spectra and the files of the archives around it."""
