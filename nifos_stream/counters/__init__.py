"""The labelled topic counted into Redis, and read back: views, generations, windows, freshness."""
