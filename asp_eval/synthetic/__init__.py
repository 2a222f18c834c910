"""The demo's trial: a population declared in one place, people drawn from it, and files as an evaluator receives them.

`population` declares every value and its source, `calibration` turns values on the reported scores into latent ones,
`people` draws institutions, staff and children, `children` and `competences` their answers, `fieldwork` puts them
together, `truth` says what an analysis should find, `exports` and `study_file` write the study folder's files.
"""
