"""Spectra with another continuum level (Section 3.1.1)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.studies.continuum import run_continuum

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_continuum(
        files.training, files.spectra, files.ensemble, params.rave, params.simulated, snakemake.threads, out.table, out.summary,
        seed=params.seed,
    )
