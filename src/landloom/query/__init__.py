"""What you want: index engine, filter, resolve, download."""
