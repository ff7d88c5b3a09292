"""Simulated spectra beside observed ones of other surveys, and the network's labels of both."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.real_spectra import run_real_spectra

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_real_spectra(params.rave["real_spectra"], given.get("ensemble"), params.rave, out.summary, out.lines, out.windows)
