# What to hand in and what to deposit: `snakemake archive`.
ARCHIVES = ["arxiv", "results"]


localrules:
    pack,


rule pack:
    input:
        expand("paper/generated/{{study}}/figures/{figure}.pdf", figure=FIGURES),
        rules.tables.output,
        expand("results/{{study}}/{table}.parquet", table=TABLES + SIMULATIONS),
        "results/{study}/provenance.json",
        local("LICENSE"),
        local("CITATION.cff"),
        local("codemeta.json"),
        rules.settle.output,
        rules.numbers.output.json,
        tex=rules.numbers.output.tex,
        pdf=rules.typeset.output[0],
        study=ancient(local(CONFIG)),
    output:
        expand(
            "results/{{study}}/archive/{name}.tar.gz{sum}",
            name=ARCHIVES,
            sum=AND_SUM,
        ),
    log:
        "results/{study}/logs/archive.log",
    params:
        folder=subpath(input.pdf, parent=True),
        generated=subpath(input.tex, parent=True),
        out=subpath(output[0], parent=True),
        spec=STUDY.fingerprint,
        code=code_digest("dying_relu.paper.archive"),
    threads: 1
    shell:
        "dying-relu archive --results {params.folder:q} --generated {params.generated:q}"
        " --config {input.study:q} --out {params.out:q} > {log:q} 2>&1"


rule archive:
    input:
        expand(
            "results/{study}/archive/{name}.tar.gz{sum}",
            study=STUDY.name,
            name=ARCHIVES,
            sum=AND_SUM,
        ),
