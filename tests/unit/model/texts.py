"""Texts as people write them, and worse, for property tests."""

from hypothesis import strategies as st

PIECES = [
    *["정말 좋아요", "별로예요", "숲길이 예뻤다", "가격은 그저 그래요", "not bad", "5000원", "a.kr/?q=1"],
    *["ㅋㅋㅋㅋ", "ㅋ" * 30, "ㅠㅠ", "ㅜㅜㅜ", "ㅎㅎ", "~", "~~~", "!", "!!!", "?!", "...", "…", "。", "."],
    *[" ", "  ", "\n", "\r\n", "\t", "\u3000", "\u2028", "\xa0", "\u200b", "\x00", "각", "한", ",", "___"],
    *["😀", "😀😀😀", "❤", "❤❤❤", "❤\ufe0f", "❤\ufe0f❤\ufe0f❤\ufe0f", "👍🏻👍🏻👍🏻", "👨👨👨", "🇰🇷"],
    *["👨\u200d👩\u200d👧", "\u200d", "\ufe0f", "=\u0338", "===", "e\u0301", "\u0301", "\u0323\u0301"],
    *["\u1112\u1161\u11ab\u1100\u1173\u11af", "\u1100\u1161", "\u11a8", "\u1161", "\u110f" * 4],
    *["\u0f73", "\u0344", "\u09c7\u09be", "ﬁ", "\u212b"],
]

texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=14).map("".join)
