"""Sources of labels: checked, and read around cells."""
