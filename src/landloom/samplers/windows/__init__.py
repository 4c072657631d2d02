"""Windows side by side, or one around each parcel."""
