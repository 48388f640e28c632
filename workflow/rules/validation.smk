# Our networks against theory and published numbers, before any data.
rule validate:
    output:
        table="results/{study}/validation.parquet",
        sum="results/{study}/validation.parquet.sha256",
    log:
        "results/{study}/logs/validate.log",
    benchmark:
        "results/{study}/benchmarks/validate.tsv"
    params:
        code=code_digest("dying_relu.simulations.validation"),
        libraries=VERSIONS,
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 1500,
        runtime=lambda wildcards, attempt: attempt * 15,
    shell:
        "dying-relu validate --out {output.table:q} > {log:q} 2>&1"


rule born_dead:
    output:
        table="results/{study}/born_dead.parquet",
        sum="results/{study}/born_dead.parquet.sha256",
    log:
        "results/{study}/logs/born_dead.log",
    benchmark:
        "results/{study}/benchmarks/born_dead.tsv"
    params:
        code=code_digest("dying_relu.simulations.born_dead"),
        libraries=VERSIONS,
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 1500,
        runtime=lambda wildcards, attempt: attempt * 15,
    shell:
        "dying-relu born-dead --out {output.table:q} > {log:q} 2>&1"
