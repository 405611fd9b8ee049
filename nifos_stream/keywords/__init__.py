"""The watch list: words that every post is searched for, in a compacted topic, changed while workers run."""
