"""What a report says, one theme in each module: its words, tables and figures, as blocks of `reporting.blocks`."""
