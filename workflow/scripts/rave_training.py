"""Training and test sample of one variant of the RAVE network."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.training import run_training

    given, params = snakemake.input, snakemake.params
    run_training(
        snakemake.wildcards.variant,
        list(given.stars),
        list(given.spectra),
        params.rave,
        params.seed,
        {name: snakemake.output[name] for name in ("training", "spectra", "scaling", "selection")},
        given.get("include") or None,
    )
