"""Records BLEU and chrF of sacreBLEU (pip install sacrebleu==2.6.0): python make_sacrebleu_fixtures.py

Writes sacrebleu.json beside itself: texts of hand and random ones, each under several settings, for the corpus and for
each sentence.
"""

import json
import logging
import pathlib
import random

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

logging.disable(logging.WARNING)

TEXTS = {
    "ordinary": (
        ["The cat sat on the mat.", "He doesn't know what to do.", "I have lived here for ten years."],
        [
            ["The cat is sitting on the mat.", "There is a cat on the mat."],
            ["He does not know what to do.", "He doesn't know what he should do."],
            ["I've lived here for ten years.", "For ten years I have lived here."],
        ],
    ),
    "identical": (["I am a student .", "Hello, world!"], [["I am a student ."], ["Hello, world!"]]),
    "nothing in common": (["aaa bbb ccc ddd"], [["eee fff ggg hhh"]]),
    "empty hypotheses": (["", "It works.", "   "], [["It is empty."], ["It works."], ["Nothing", "Nothing at all"]]),
    "all empty": (["", ""], [["a b"], ["c"]]),
    "empty references": (["one two three four five", "x"], [["", "one two three four"], [""]]),
    "one word": (["Hi.", "Run", "Stop!", "no"], [["Hi."], ["Go"], ["Stop!", "Wait!"], ["No"]]),
    "punctuation": (
        ["(Well...), he said: \"no\"; it's 50% - or [so] {maybe}/perhaps?!", "a,b,,c..d . e, f .g -h 5-6 7 -8 x-9",
         ".,.,.,", "@home #1 $5 ^_^ `quote` ~tilde |pipe| \\back <tag> a=b+c*d", "end."],
        [["(Well...) he said: \"no\", it's 50 % - or [so] {may be} / perhaps?!", "Well, he said no."],
         ["a, b, c..d. e, f. g -h 5-6 7-8 x-9"], [".,.,"],
         ["@home # 1 $ 5 ^_^ 'quote' ~ tilde | pipe | \\ back < tag > a = b + c * d"], ["end ."]],
    ),
    "numbers": (
        ["It costs 1,000.5 dollars.", "In 2024, 3.14 is pi, 1.5-2.5 too.", "10-year-old at 7:45, 1,2,3", "5. 6, 7"],
        [["It costs 1,000.5 dollars .", "It costs 1000.5 dollars."], ["In 2024 , 3.14 is pi, 1.5 - 2.5 too."],
         ["A 10-year-old at 7:45; 1, 2, 3"], ["5 . 6 , 7"]],
    ),
    "entities": (
        ["He said &quot;yes&quot; &amp; left &lt;now&gt;.", "<skipped>a -\nb\nc &amp;quot; d", "AT&T & co &quot"],
        [["He said \"yes\" & left <now>."], ["a b c &quot; d"], ["AT & T & co &quot"]],
    ),
    "quotes and spaces": (
        ["  “Curly” ‘quotes’ — and … dashes  ",
         "tab\tand\u00a0no-break\u2003em\u3000wide", "unit\u001fseparator\u0085next"],
        [["\"Curly\" 'quotes' - and ... dashes"], ["tab and no-break em wide"], ["unit separator next"]],
    ),
    "Chinese": (
        ["我爱你。", "他在2024年3月5日去了北京，对吗？", "Tom说：“你好！”", "三万二千零五十", "①你〔好〕😀ｱ한"],
        [["我喜欢你。", "我爱你！"], ["他2024年3月5日去北京了，是吗？"], ["Tom说:\"你好!\"", "汤姆说：“你好。”"],
         ["三万两千零五十"], ["你好😀ア한국"]],
    ),
    "accents": (
        ["Être où ÇA? Straße ÀÉÎ.", "cafe\u0301 naïve", "ПРИВЕТ, мир! €5 ½ ² Ⅷ",
         "ΟΔΟΣ ΣΑΣ Σ ΑΣ' ΑΣ'Α ΑΣ\u0301. İI ǅ ẞ"],
        [["être où ça ? STRASSE àéî."], ["café nai\u0308ve"], ["Привет, МИР! 5 € 1/2 2 VIII"],
         ["οδος σας σ ας' ασ'α ας\u0301. i\u0307i ǆ ß"]],
    ),
    "differing references": (
        ["the the the the the the the", "a b c d e f", "on the table lies a book"],
        [["the cat is on the mat", "there is a cat on the mat"], ["a b c d e g"],
         ["a book lies on the table", "there is a book on the table", "on the table there is a book"]],
    ),
    "long": (["word " * 60 + "end"], [["word " * 55 + "the end", "other words"]]),
}


def random_text(seed):
    """Sentences of few words, so that long runs match, with signs between them; references are hypotheses changed."""
    rng = random.Random(seed)
    words = ["the", "a", "cat", "dog", "Dog", "runs", "don't", "1,000.5", "10-year-old", "x,y", "“so”", "(and)", "我",
             "很好。",
             "&quot;hi&quot;", "U.S.", "é", "e\u0301", "-", "...", "50%", "3-4", "他们"]
    signs = [".", ",", "!", " ?", "...", "", "。", " .", ";"]

    def sentence():
        n = rng.choice([0, 1, 2, 3, 5, 8, 13])
        return " ".join(rng.choice(words) for _ in range(n)) + rng.choice(signs)

    def changed(text):
        kept = []
        for word in text.split(" "):
            if rng.random() < 0.15:
                kept.append(rng.choice(words))
            if rng.random() < 0.85:
                kept.append(word)
        return " ".join(kept)

    hypotheses = [sentence() for _ in range(rng.choice([5, 8]))]
    return hypotheses, [[changed(h) for _ in range(rng.choice([1, 1, 2, 3]))] for h in hypotheses]


for number in range(26):
    TEXTS[f"random {number}"] = random_text(number)

BLEUS = [
    dict(),
    dict(lowercase=True),
    dict(tokenize="none"),
    dict(tokenize="char"),
    dict(tokenize="intl"),
    dict(tokenize="zh"),
    dict(smooth_method="floor"),
    dict(smooth_method="add-k"),
    dict(smooth_method="none"),
    dict(effective_order=True),
    dict(max_ngram_order=2, smooth_method="floor", smooth_value=0.01, effective_order=True, lowercase=True),
    dict(smooth_method="add-k", smooth_value=0.5, tokenize="char", effective_order=True),
]
CHRFS = [
    dict(),
    dict(word_order=2),
    dict(lowercase=True, word_order=1, beta=1),
    dict(whitespace=True, char_order=4, beta=3),
]


def rounded(number):
    return round(float(number), 10)


def per_stream(references):
    """sacreBLEU wants the first reference of each sentence, then the second, …; None where a sentence has none."""
    return [[r[k] if k < len(r) else None for r in references] for k in range(max(map(len, references)))]


cases = []
for name, (hypotheses, references) in TEXTS.items():
    case = dict(name=name, hypotheses=hypotheses, references=references, bleu=[], chrf=[])
    # All settings on texts of hand, the plain ones and two others on random texts.
    number = int(name.split()[1]) if name.startswith("random") else None
    for index, settings in enumerate(BLEUS):
        if number is not None and index not in (0, 1 + number % 11, 1 + (number + 5) % 11):
            continue
        metric = BLEU(**settings)
        score = metric.corpus_score(hypotheses, per_stream(references))
        signature = str(metric.get_signature()).split("|version")[0]
        case["bleu"].append(dict(
            tokenization=settings.get("tokenize", "13a"), smoothing=settings.get("smooth_method", "exp"),
            smoothingValue=settings.get("smooth_value"), lowercase=settings.get("lowercase", False),
            maximumOrder=settings.get("max_ngram_order", 4), effectiveOrder=settings.get("effective_order", False),
            signature=signature, score=rounded(score.score), precisions=[rounded(p) for p in score.precisions],
            brevityPenalty=rounded(score.bp), text=str(score),
            # With add-k sacreBLEU adds k to these counts.
            matches=None if metric.smooth_method == "add-k" else score.counts,
            totals=None if metric.smooth_method == "add-k" else score.totals,
            hypothesisLength=score.sys_len, referenceLength=score.ref_len,
            sentences=[rounded(metric.sentence_score(h, r).score) for h, r in zip(hypotheses, references)]))
    for index, settings in enumerate(CHRFS):
        if number is not None and index not in (0, 1 + number % 3):
            continue
        metric = CHRF(**settings)
        score = metric.corpus_score(hypotheses, per_stream(references))
        case["chrf"].append(dict(
            characterOrder=settings.get("char_order", 6), wordOrder=settings.get("word_order", 0),
            beta=settings.get("beta", 2), lowercase=settings.get("lowercase", False),
            whitespace=settings.get("whitespace", False),
            signature=str(metric.get_signature()).split("|version")[0], name=score.name, score=rounded(score.score),
            sentences=[rounded(metric.sentence_score(h, r).score) for h, r in zip(hypotheses, references)]))
    cases.append(case)

path = pathlib.Path(__file__).parent / "sacrebleu.json"
lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
path.write_text(f'{{"version":"{sacrebleu.__version__}","cases":[\n{lines}\n]}}\n')
