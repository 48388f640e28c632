# The PDF, from what is written by hand in paper/ and what the study put into paper/generated/.


# Not on a cluster's nodes: they may have no LaTeX.
localrules:
    typeset,


SECTIONS = sorted(str(path) for path in Path("paper").glob("**/*.tex") if "generated" not in path.parts)


rule typeset:
    input:
        # Of the repository, not of the study: never fetched from object storage.
        local("paper/main.tex"),
        local("paper/references.bib"),
        [local(section) for section in SECTIONS],
        expand("paper/generated/{{study}}/figures/{figure}.pdf", figure=FIGURES),
        rules.tables.output,
        "paper/generated/{study}/performance.tex",
        numbers=rules.numbers.output.tex,
    output:
        report(
            "results/{study}/paper.pdf",
            caption="../report/paper.rst",
            category="Paper",
            labels={"document": "the paper"},
        ),
    log:
        "results/{study}/logs/typeset.log",
    params:
        generated=subpath(input.numbers, parent=True),
        code=code_digest("dying_relu.paper.typeset"),
    threads: 1
    shell:
        "dying-relu typeset --generated {params.generated:q} --out {output:q} > {log:q} 2>&1"
