"""Records steps of PyTorch's Adam and AdamW on a table whose gradient has rows of zeros.

    python make_adam_fixture.py    # needs torch, safetensors; writes adam.safetensors beside itself
"""

import pathlib

import torch
from safetensors.torch import save_file

if __name__ == "__main__":
    torch.manual_seed(3)
    start = torch.randn(9, 5)
    gradients = torch.randn(6, 9, 5)
    for step, rows in enumerate([[0, 1], [2, 5, 8], [4], [0, 8], [], [3, 4, 5]]):
        gradients[step, rows] = 0
    tensors = {"start": start, "gradients": gradients}
    for name, optimizer in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        table = start.clone().requires_grad_()
        options = {"weight_decay": 0.05} if name == "adamw" else {}
        run = optimizer([table], lr=0.02, betas=(0.9, 0.99), eps=1e-8, **options)
        for step, gradient in enumerate(gradients):
            table.grad = gradient.clone()
            if step == 3:
                torch.nn.utils.clip_grad_norm_([table], 1.5)
            run.step()
        tensors[name] = table.detach()
        tensors[f"{name}.mean"] = run.state[table]["exp_avg"]
        tensors[f"{name}.square"] = run.state[table]["exp_avg_sq"]
    save_file(tensors, pathlib.Path(__file__).parent / "adam.safetensors")
