# Native files, as the archives publish them: here from the simulated sky, shard by shard.


rule simulate:
    input:
        code=code("simulate.py"),
    output:
        truth=f"{RESULTS}/native/truth/part-{{shard}}.parquet",
        **{name: f"{RESULTS}/native/{name}/part-{{shard}}.{PLAN.ending(name)}" for name in PLAN.simulated_datasets()},
    params:
        sky=config["sky"],
        cells=config["cells"],
        seed=config["seed"],
        bands=config["sages"]["bands"],
    log:
        f"{RESULTS}/logs/simulate/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate/{{shard}}.tsv"
    resources:
        mem_mb=2000,
        runtime=20,
    conda:
        ENV
    script:
        "../scripts/simulate.py"


rule simulate_maps:
    input:
        code=code("simulate_maps.py"),
    output:
        dust_ngp=f"{RESULTS}/native/dust/SFD_dust_4096_ngp.fits",
        dust_sgp=f"{RESULTS}/native/dust/SFD_dust_4096_sgp.fits",
        harris=f"{RESULTS}/native/harris/mwgc.dat",
    params:
        sky=config["sky"],
        cells=config["cells"],
        seed=config["seed"],
        bands=config["sages"]["bands"],
    log:
        f"{RESULTS}/logs/simulate_maps.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate_maps/all.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        ENV
    script:
        "../scripts/simulate_maps.py"
