#!/usr/bin/env python3
"""Records PyTorch's embeddings of the sentences in sentences.txt by a sentence-transformers model on disk.

    python record_minilm.py MODEL_FOLDER

Needs torch (CPU is enough), transformers and safetensors. Writes minilm.safetensors beside itself: embeddings [20, 384]
in float32, as sentence-transformers makes them: BertTokenizer with the model's maximal length, BertModel, the mean over
the tokens, divided by its length.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertModel, BertTokenizer

here = pathlib.Path(__file__).parent
folder = pathlib.Path(sys.argv[1])
sentences = (here / "sentences.txt").read_text(encoding="utf-8").splitlines()
length = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
tokenizer = BertTokenizer.from_pretrained(folder)
model = BertModel.from_pretrained(folder, dtype=torch.float32).eval()
batch = tokenizer(sentences, padding=True, truncation=True, max_length=length, return_tensors="pt")
with torch.no_grad():
    hidden = model(**batch).last_hidden_state
mask = batch["attention_mask"].unsqueeze(-1).float()
means = (hidden * mask).sum(1) / mask.sum(1)
embeddings = torch.nn.functional.normalize(means)
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
save_file({"embeddings": embeddings.contiguous()}, here / "minilm.safetensors", versions)
print(versions, tuple(embeddings.shape), batch["attention_mask"].sum(1).tolist())
