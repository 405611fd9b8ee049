from nifos_stream.model.cache import LabelCache, PiecesCache
from nifos_stream.model.pieces import NOTHING, Piece, Pieces

SAID = (0.2, 0.3, 0.5)


def test_what_was_said_is_remembered():
    cache = LabelCache(2)
    cache.put(b"a", SAID)
    assert cache.get(b"a") == SAID
    assert cache.get(b"b") is None


def test_the_text_not_asked_for_longest_is_forgotten():
    cache = LabelCache(2)
    cache.put(b"a", SAID)
    cache.put(b"b", SAID)
    cache.get(b"a")
    cache.put(b"c", SAID)
    assert (cache.get(b"a"), cache.get(b"b"), len(cache)) == (SAID, None, 2)


def test_a_cache_of_no_entries_remembers_nothing():
    cache = LabelCache(0)
    cache.put(b"a", SAID)
    assert len(cache) == 0


def test_the_pieces_of_a_long_text_are_not_remembered():
    cache = PiecesCache(2)
    cache.put("숲" * 500, NOTHING)
    cache.put("길" * 501, NOTHING)
    assert (cache.get("숲" * 500), cache.get("길" * 501)) == (NOTHING, None)


def test_pieces_are_not_remembered_where_they_are_many():
    cache = PiecesCache(2)
    few, many = (Pieces((Piece(0, 1, b""),) * count, whole=False, truncated=False) for count in (16, 17))
    cache.put("few", few)
    cache.put("many", many)
    assert (cache.get("few"), cache.get("many")) == (few, None)
