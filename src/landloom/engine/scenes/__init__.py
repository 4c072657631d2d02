"""Finding and choosing scenes, and downloading whole products."""
