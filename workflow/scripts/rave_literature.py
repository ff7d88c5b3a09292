"""Lists of the literature matched to the spectra of RAVE."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.literature import run_literature

    lists = {name: path for name, path in snakemake.input.items() if name not in ("code", "stars")}
    out = snakemake.output
    run_literature(list(snakemake.input.stars), lists, snakemake.params.rave, out.literature, out.get("selection"))
