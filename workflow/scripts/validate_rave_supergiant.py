"""The yellow supergiant of Section 6.8 (Figure 22)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.supergiant import run_supergiant

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_supergiant(
        list(given.stars), list(given.spectra), list(given.photometry), list(given.alone), params.rave, params.simulated,
        out.spectra, out.summary,
    )
