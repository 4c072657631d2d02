"""Published encoders of satellite series, whose weights are files that a user names; nothing is ever fetched."""
