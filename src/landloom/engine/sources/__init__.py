"""Label sources: checked, and read around cells."""
