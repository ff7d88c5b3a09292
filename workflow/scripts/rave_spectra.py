"""The spectra of one slice on the common grid."""

from adapter import stage

with stage(snakemake):
    from starlabels.spectra_pack import run_pack

    params, out = snakemake.params, snakemake.output
    run_pack(list(params.folders), params.rave["spectra"], params.simulated, out.spectra, out.counts, params.may_be_empty)
