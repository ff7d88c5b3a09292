"""Labels of the observed stars of one slice."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.predict import run_predict

    given = snakemake.input
    run_predict(
        given.stars,
        given.spectra,
        given.ensemble,
        snakemake.params.rave,
        snakemake.wildcards.variant,
        snakemake.threads,
        snakemake.output[0],
    )
