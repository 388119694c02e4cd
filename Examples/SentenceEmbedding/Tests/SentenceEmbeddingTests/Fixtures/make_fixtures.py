#!/usr/bin/env python3
"""Records what Hugging Face's BertTokenizer and BertModel make of a small model of random weights.

    python make_fixtures.py

Needs torch (CPU is enough), transformers and safetensors. Writes beside itself:

    tiny/               a model's folder: config.json, vocab.txt, model.safetensors, ...
    tokens.json         texts and their tokens, the case of the letters kept or not
    tiny.safetensors    for the texts of tokens.json: the encoder's outputs of each text alone, one behind the other
                        ([T, E], without padding), and the embeddings [N, E], in float64; and how far PyTorch's float32
                        computation is from them at most (hidden.float32_error, embeddings.float32_error)
"""

import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizer

here = pathlib.Path(__file__).parent
tiny = here / "tiny"
(tiny / "1_Pooling").mkdir(parents=True, exist_ok=True)
torch.manual_seed(7)
torch.set_num_threads(1)

LENGTH = 24
pieces = (
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    + list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    + list("0123456789abcdefghijklmnopqrstuvwxyz")
    + [f"##{c}" for c in "0123456789abcdefghijklmnopqrstuvwxyz"]
    + "the cat cats sat on mat run ##ning ##ner ##s un una ##ffa ##ble ##able caf cafe naive resume uber".split()
    + ["strasse"]
    + "http https www ##ttp com 19 ##19 20 ##24 hello world don ##ing ##ed walk".split()
    + list("我爱中国豈𠀀😀👍€§·¿…—“”")
    + ["é", "e\u0301", "##é", "É", "Hello", "H", "W", "##orld"]
    + ["ß", "ss", "σ", "##σ", "ς", "ο", "##ο", "##ς", "か", "##な"]
    + ["\u1112", "##\u1161", "##\u11ab", "한", "и", "##и", "##й", "й", "ﬁ", "i̇", "i"]
)
# `i` stands twice: of equal pieces the last counts.
(tiny / "vocab.txt").write_text("".join(p + "\n" for p in pieces), encoding="utf-8", newline="\n")

texts = [
    "",
    "   \t\r\n ",
    "The cat sat on the mat.",
    "Unaffable RUNNING runners, running cats!",
    "Café naïve résumé Über Straße ÉÈÊ e\u0301",
    "cafe\u0301 vs café; Å Å ñ n\u0303",
    "我爱中国 I love中国and豈more𠀀x",
    "かな カナ 한국 한",
    "emoji 😀👍🏽 👨\u200d👩\u200d👧 🇩🇪 x😀y ❤\ufe0f",
    "https://www.example.com/a_b?c=1&d=2#e",
    "3.14159 1,000,000 1919 2024-11-21 x2 ½ ²",
    "don't \"quote\" (paren) [bracket] {brace} <tag> a--b … — “smart” ¿que? €5 $5 ~ ^ `",
    "a" * 100,
    "a" * 101,
    "é" * 101 + " the cat",
    "the cat " * 40,
    "zero\u0000width\u200bsoft\u00adhyphen\ufeffbom\ufffdrepl",
    "bell\u0007esc\u001b[31mred vt\u000bff\u000cnel\u0085ls\u2028ps\u2029nbsp\u00a0em\u2003ideo\u3000end",
    "private\ue000use \U000f0000 noncharacter\uffff",
    "ΟΔΟΣ οδος Σ ΣΣ İstanbul ısı ẞ ﬁ",
    "й и\u0306 Й",
    "[CLS] the [SEP] cat [MASK] sat[UNK]on [PAD] [cls] [SEP",
    "Hello World hello WORLD",
    "\u0301 \u0301a a\u0301\u0302\u0323 ֑ क्षि",
    "unaffableunknowable walking walked xyz19unaffable24",
    "the\tcat\nsat\r\non",
    "e\u0301\u200de\u200d\u0301 §·¶ ⁂ ‽ 〈中〉 。，",
]
cased = BertTokenizer(vocab=str(tiny / "vocab.txt"), do_lower_case=False, strip_accents=False)
uncased = BertTokenizer(vocab=str(tiny / "vocab.txt"))
record = []
for text in texts:
    ids = uncased(text, truncation=True, max_length=LENGTH)["input_ids"]
    record.append(
        {
            "text": text,
            "tokens": ids,
            "untruncated": uncased(text)["input_ids"],
            "cased": cased(text)["input_ids"],
        }
    )
(here / "tokens.json").write_text(json.dumps(record, indent=0, ensure_ascii=True) + "\n")

config = BertConfig(
    vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
    max_position_embeddings=30, hidden_act="gelu",
    layer_norm_eps=0.01,  # so large that it shows in the numbers
)
model = BertModel(config).eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        # Far larger than BERT's own, so that the attention is not even and GELU not linear.
        if "LayerNorm.weight" in name:
            parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
        else:
            parameter.copy_(0.4 * torch.randn_like(parameter))
save_file({k: v.contiguous() for k, v in model.state_dict().items()}, tiny / "model.safetensors", {"format": "pt"})
(tiny / "config.json").write_text(config.to_json_string(use_diff=False))
(tiny / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "strip_accents": None}) + "\n")
(tiny / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": LENGTH}) + "\n")
(tiny / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}) + "\n")


def outputs(dtype):
    net = model.to(dtype)
    hidden = [net(input_ids=torch.tensor([r["tokens"]])).last_hidden_state[0] for r in record]
    means = torch.stack([h.mean(0) for h in hidden])
    return torch.cat(hidden), torch.nn.functional.normalize(means)


with torch.no_grad():
    single, double = outputs(torch.float32), outputs(torch.float64)
file = {}
for name, s, d in zip(("hidden", "embeddings"), single, double):
    file[name] = d
    file[f"{name}.float32_error"] = (s.double() - d).abs().max().reshape(1)
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
save_file(file, here / "tiny.safetensors", versions)
print(versions, {k: tuple(v.shape) for k, v in file.items()}, [float(v) for k, v in file.items() if "error" in k])
