"""From the tables of a study to statistics, verdicts, figures, tables and numbers: what the paper prints."""
