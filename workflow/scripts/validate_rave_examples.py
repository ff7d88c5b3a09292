"""Four spectra of the training sample (Figure 2)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.example_spectra import run_example_spectra

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_example_spectra(given.training, given.spectra, params.rave, params.simulated, out.spectra, out.summary)
