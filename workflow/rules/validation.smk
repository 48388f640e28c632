# Our networks against theory and published numbers, before any data.
rule validate:
    output:
        "results/{study}/validation.parquet",
    log:
        "results/{study}/logs/validate.log",
    params:
        code=code_digest("dying_relu.validation.validating"),
        libraries=VERSIONS,
    threads: 1
    shell:
        "dying-relu validate --out {output:q} > {log:q} 2>&1"


rule born_dead:
    output:
        "results/{study}/born_dead.parquet",
    log:
        "results/{study}/logs/born_dead.log",
    params:
        code=code_digest("dying_relu.validation.birth"),
        libraries=VERSIONS,
    threads: 1
    shell:
        "dying-relu born-dead --out {output:q} > {log:q} 2>&1"
