"""The spectra of the authors' public training sample, fetched and checked."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.fetch import fetch

    public = snakemake.params.public
    fetch(public["address"], snakemake.output[0], public["blob"], public.get("size"))
