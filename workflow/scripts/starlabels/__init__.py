"""Stellar labels from photometry and spectra: the functions behind the workflow. Knows nothing of Snakemake."""
