"""Refusals before a file is opened: archives that unpack to gigabytes, damaged workbooks, files of another kind."""
