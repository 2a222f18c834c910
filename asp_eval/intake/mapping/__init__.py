"""The mapping beside an export: its columns and labels become ours."""
