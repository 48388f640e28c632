# Does the study say what the published one says? `snakemake verify` prints it, and fails if a conclusion differs.
localrules:
    verify,


rule verify:
    input:
        f"results/{STUDY.name}/runs.parquet",
        f"results/{STUDY.name}/claims.csv",
        local("results/published/runs.parquet"),
        local("results/published/claims.csv"),
        published=local("results/published/provenance.json"),
    log:
        f"results/{STUDY.name}/logs/verify.log",
    params:
        folder=subpath(input[0], parent=True),
        published=subpath(input.published, parent=True),
    threads: 1
    shell:
        "dying-relu verify --results {params.folder:q} --published {params.published:q} 2>&1 | tee {log:q}"
