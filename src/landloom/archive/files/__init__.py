"""Files that people have on disk as an archive: a folder of rasters with a name pattern, or one cube."""
