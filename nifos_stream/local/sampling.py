"""How the bundled sample was made from a labelled corpus. Run once by hand; nothing else needs it.

    python -m nifos_stream.local.sampling CORPUS.tsv.xz OUT.jsonl.xz

CORPUS: columns id, source, channel, text, label (0 negative, 1 neutral, 2 positive), of which only the
CC0 rows (source nsmc_raw) are taken. Same corpus, same sample.
"""

import json
import lzma
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SINGLE_POSTS = 2340
LONG_POSTS = 60
DAY_SECONDS = 86_400

# Words that give a film away: a sample about trails reads oddly with actors in it.
_FILM = re.compile(
    "영화|배우|감독|연기|스토리|드라마|개봉|극장|주인공|평점|점수|시리즈|원작|전작|작품|명작|수작|졸작|망작|띵작|ost|OST"
    "|장면|결말|반전|애니|캐릭|별점|출연|시청|관람|각본|대사|주연|촬영|방송|방영|시즌|회차|무비|비디오|디비디|dvd|DVD|다큐|만화"
    "|소설|극본|제작|흥행|더빙|자막|액션|코미디|공포|스릴러|멜로|평론|관객|호러|로맨스|히어로|좀비|귀신|CG|cg|티비|TV|tv|예고"
    "|[0-9]부작|[0-9]편|[0-9]화|[0-9]점|씬|봤|보고|보는|보면|보세|보길|보게|볼|봐|봄|본|만점|십점|막장|크리스|톰|죤|존|성룡|작가|연출"
)
# Stems of swearing and of what hurts people; a sample is shown to anyone.
_UGLY = re.compile(
    "씨[발바팔]|시[발바팔]|ㅅㅂ|ㅆㅂ|썅|쌍|병신|븅|ㅂㅅ|등신|지랄|ㅈㄹ|존나|졸라|조낸|ㅈㄴ|좆|좃|개새|새끼|ㅅㄲ|미친|미쳤|꺼져|닥쳐|쓰레기|쓰렉"
    "|개같|개쓰|개노|개판|엿|또라이|돌아이|멍청|바보|찌질|찐따|돼지|듣보|성괴|빨갱|좌파|우파|좌빨|수꼴|일베|김치|한남|게이|레즈|호모|장애"
    "|짱깨|짱개|쪽바리|왜놈|일본|중국|조선족|흑인|양키|섹스|섹시|야동|야한|노출|벗[겨기]|에로|애로|강간|성폭|변태|창녀|걸레|자살|죽[어여이]"
    "|뒤[져질]|뒈|살인|대통령|정부|박근혜|노무현|문재인|이명박|전두환|박정희|놈|년[들이아]|빠가|환불|알바|한심|저질|더러|토나|토할"
    "|운지|홍어|오유|엣헴|애비|애미|불륜|창[녀년]|삼청|박원순|안철수|자위"
    "|성기|가슴[이 ]?크|몸매|벌거|난교|포르노|종북|매국|나치|테러"
)

_SOURCES = {
    "twitter": ("sns", 30),
    "instagram": ("sns", 18),
    "naver_blog": ("blog", 14),
    "tistory": ("blog", 5),
    "naver_review": ("review", 18),
    "kakao_map": ("review", 8),
    "naver_news": ("news", 7),
}
_LONG_SOURCES = {"naver_blog": ("blog", 6), "tistory": ("blog", 3), "naver_news": ("news", 1)}
# Share of each search word among negative, neutral and positive posts, so that a table by word has a shape.
_KEYWORDS = {
    "산불": (34, 16, 4),
    "등산로": (16, 16, 10),
    "캠핑": (16, 16, 14),
    "국립공원": (10, 14, 12),
    "둘레길": (8, 14, 18),
    "산림욕장": (6, 9, 14),
    "자연휴양림": (6, 9, 18),
    "수목원": (4, 6, 10),
}
_RATINGS = {0: (1, 2), 1: (3, 3), 2: (4, 5)}
_NAMES = ("숲길", "산바람", "초록", "들꽃", "걷는사람", "주말캠퍼", "솔향", "새벽산행", "가을하늘", "나무")
_PLACES = ("북쪽", "남쪽", "바닷가", "강변", "마을", "도시", "고개", "계곡")


@dataclass(frozen=True, slots=True)
class Review:
    """A row of the corpus. label: 0 negative, 1 neutral, 2 positive."""

    id: str
    text: str
    label: int


def make_sample(corpus: Path, out: Path, seed: int = 20_240_501) -> int:
    """Write 2,400 posts drawn from `corpus` to `out`; returns how many bytes they take.

    Each line is a post with `seconds_ago` in place of `created_at`, oldest first.
    """
    chance = random.Random(seed)
    reviews = [review for review in read_corpus(corpus) if not _UGLY.search(review.text)]
    plain = [review for review in reviews if not _FILM.search(review.text) and 8 <= len(review.text) <= 140]
    if len(plain) < SINGLE_POSTS + LONG_POSTS:
        raise ValueError(f"{corpus} has too few rows for a sample: {len(plain)}")
    chance.shuffle(plain)
    singles, rest = plain[:SINGLE_POSTS], plain[SINGLE_POSTS:]
    posts = [_single(review, chance) for review in singles]
    posts += [_long(number, rest, chance) for number in range(1, LONG_POSTS + 1)]
    posts.sort(key=lambda post: -post["seconds_ago"])
    text = "".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts)
    out.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return out.stat().st_size


def read_corpus(path: Path) -> Iterator[Review]:
    """The CC0 rows of a corpus."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            name, source, _channel, text, label = line.rstrip("\n").split("\t")
            if source == "nsmc_raw":
                yield Review(name, text, int(label))


def _single(review: Review, chance: random.Random) -> dict[str, Any]:
    return {"id": review.id, "text": review.text} | _about(review.id, review.label, _SOURCES, chance)


def _long(number: int, reviews: Sequence[Review], chance: random.Random) -> dict[str, Any]:
    """A post longer than the model reads at once, of reviews that share a label."""
    label = chance.choices((0, 1, 2), (3, 2, 5))[0]
    alike = [review for review in reviews if review.label == label]
    parts = chance.sample(alike, chance.randint(7, 14))
    text = "".join(part.text + chance.choice((" ", " ", "\n", "\n\n")) for part in parts).strip()
    name = f"long-{number:03d}"
    about = _about(name, label, _LONG_SOURCES, chance)
    title = f"{chance.choice(_PLACES)} {about['keywords'][0]}에 다녀와서"
    return {"id": name, "title": title, "text": text} | about


def _about(
    name: str, label: int, sources: dict[str, tuple[str, int]], chance: random.Random
) -> dict[str, Any]:
    """Everything invented about a post."""
    source = chance.choices(list(sources), [weight for _, weight in sources.values()])[0]
    channel = sources[source][0]
    words = chance.choices(list(_KEYWORDS), [shares[label] for shares in _KEYWORDS.values()], k=2)
    keywords = list(dict.fromkeys(words if chance.random() < 0.2 else words[:1]))
    about: dict[str, Any] = {"source": source, "channel": channel, "keywords": keywords}
    about["author"] = f"{chance.choice(_NAMES)}{chance.randint(1, 400)}"
    if channel in ("blog", "news"):
        about["url"] = f"https://example.com/{source}/{name}"
    if channel == "review":
        about["rating"] = chance.choice(_RATINGS[label])
    about["seconds_ago"] = _seconds_ago(keywords, chance)
    return about


def _seconds_ago(keywords: list[str], chance: random.Random) -> int:
    """Spread over the day, denser towards now; half of the posts on a wildfire came in one half hour."""
    if "산불" in keywords and chance.random() < 0.5:
        return chance.randint(9000, 10_800)
    if chance.random() < 0.3:
        return min(DAY_SECONDS - 1, int(chance.expovariate(1 / 3600)) + 5)
    return chance.randint(5, DAY_SECONDS - 1)


if __name__ == "__main__":
    print(make_sample(Path(sys.argv[1]), Path(sys.argv[2])))
