# Native files, as the archives publish them: from the simulated sky, shard by shard; or from the archives themselves.

# what the sky needs of the cells, and of the paper's choices: the reddening coefficients
SKY_CELLS = {key: config["cells"][key] for key in ("nside", "list", "margin_arcsec")}
REDDENING = {band: {"reddening": entry["reddening"]} for band, entry in config["sages"]["bands"].items()}


rule simulate:
    input:
        code=code("simulate.py"),
    output:
        **{name: passing(f"{RESULTS}/native/{name}/part-{{shard}}.{PLAN.ending(name)}") for name in PLAN.simulated_datasets()},
        truth=passing(f"{RESULTS}/native/truth/part-{{shard}}.parquet"),
    log:
        f"{RESULTS}/logs/simulate/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate/{{shard}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(20),
    params:
        sky=config["sky"],
        cells=SKY_CELLS,
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate.py"


rule simulate_maps:
    input:
        code=code("simulate_maps.py"),
    output:
        dust_ngp=f"{RESULTS}/native/dust/SFD_dust_4096_ngp.fits",
        dust_sgp=f"{RESULTS}/native/dust/SFD_dust_4096_sgp.fits",
        harris=f"{RESULTS}/native/harris/mwgc.dat",
    log:
        f"{RESULTS}/logs/simulate_maps.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate_maps/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(10),
    params:
        sky=config["sky"],
        cells=SKY_CELLS,
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate_maps.py"


rule simulate_rave:
    input:
        code=code("simulate_rave.py"),
    output:
        **{name: passing(f"{RESULTS}/native/{name}/part-{{shard}}.{PLAN.rave.ending(name)}") for name in PLAN.rave.simulated_datasets()},
        spectra=passing(directory(f"{RESULTS}/native/rave_spectra/{{shard}}")),
        truth=passing(f"{RESULTS}/native/rave_truth/part-{{shard}}.parquet"),
    log:
        f"{RESULTS}/logs/simulate_rave/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate_rave/{{shard}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(20),
    params:
        sky=config["sky"],
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate_rave.py"


# The archives (source: archives). What is here hangs on what was asked for, not on the code nor on the day: nothing dear is fetched twice.
# `update` keeps the old file until the job has looked at it; `ancient` inputs do not make a file out of date.

ARCHIVES = config["archives"]["folder"]


localrules:
    acquire,
    acquire_check,


rule acquire:
    """Every file of the archives that the run reads."""
    input:
        PLAN.archive_files(),


rule acquire_check:
    """What every source of the run has today, beside what config/datasets.yaml expects; downloads nothing."""
    input:
        code=code("acquire_check.py"),
    output:
        page=f"{RESULTS}/acquire_check.md",
        numbers=f"{RESULTS}/acquire_check.json",
    log:
        f"{RESULTS}/logs/acquire_check.log",
    benchmark:
        f"{RESULTS}/benchmarks/acquire_check/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(1000),
        runtime=resources.runtime(60),
    params:
        sources=PLAN.acquired(),
        dec_min=config["archives"]["dec_min"],
        asked=STARTED if "acquire_check" in sys.argv else 0,  # asked for by name, it looks again
    script:
        "../scripts/acquire_check.py"


rule fetch:
    input:
        positions=positions_of,
        code=ancient(code("fetch.py")),
    output:
        file=update(f"{ARCHIVES}/{{dataset}}/{{file}}"),
        record=update(f"{ARCHIVES}/{{dataset}}/{{file}}.json"),
    log:
        f"{RESULTS}/logs/fetch/{{dataset}}/{{file}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch/{{dataset}}/{{file}}.tsv"
    wildcard_constraints:
        dataset="(?!dust/|rave_spectra/)[a-z0-9_]+",
        file=r"[^/]+(?<!\.json)",
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(1440),
        downloads=1,
    params:
        asked=asked,
    script:
        "../scripts/fetch.py"


rule fetch_spectra:
    input:
        index=lambda wildcards: ancient(PLAN.rave.index_piece(wildcards.slice)),
        code=ancient(code("fetch_spectra.py")),
    output:
        update(directory(f"{ARCHIVES}/rave_spectra/{{slice}}")),
    log:
        f"{RESULTS}/logs/fetch_spectra/{{slice}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_spectra/{{slice}}.tsv"
    conda:
        ENV
    threads: 4
    resources:
        mem_mb=resources.memory(1000),
        runtime=resources.runtime(1440),
        downloads=1,
    script:
        "../scripts/fetch_spectra.py"


rule fetch_dust:
    input:
        code=ancient(code("fetch_dust.py")),
    output:
        **{pole: update(f"{ARCHIVES}/dust/SFD_dust_4096_{pole}.fits") for pole in ("ngp", "sgp")},
    log:
        f"{RESULTS}/logs/fetch_dust.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_dust/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(1000),
        runtime=resources.runtime(240),
        downloads=1,
    script:
        "../scripts/fetch_dust.py"
