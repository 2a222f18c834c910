"""From raw exports to tables: read as text, mapped, validated. Reading, mapping and validating are separate rooms."""
