"""Questionnaires as data: one file per instrument and version, checked when it is read, scored in one pass.

`parts` and `definition` say what an instrument is, `checks` what a sound one must satisfy, `library` finds the shipped
ones, `scoring` turns responses into scores, `bands` puts names to them, `families` scores children whose age
decides the form.
"""
