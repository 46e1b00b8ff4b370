"""The DFlash drafter in PyTorch, for training: every anchor of a sequence is one block (arXiv 2602.06036)."""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


class RmsNorm(nn.Module):
    def __init__(self, dim: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return F.rms_norm(x.float(), self.weight.shape, self.weight.float(), self.eps).to(x.dtype)


def rotate(x, positions, theta: float):
    """x (..., n, d) turned by its positions (..., n), halves paired as in Qwen3."""
    d = x.shape[-1]
    angle = positions[..., None].float() * theta ** (-torch.arange(0, d, 2, device=x.device).float() / d)
    cos, sin = torch.cat([angle.cos()] * 2, -1).to(x.dtype), torch.cat([angle.sin()] * 2, -1).to(x.dtype)
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Attention(nn.Module):
    """Queries from the block; keys and values from the context before the anchor and from the whole block."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.kv, self.dim, self.theta = c["heads"], c["kv_heads"], c["head_dim"], c["rope_theta"]
        self.q_proj = nn.Linear(c["hidden"], self.heads * self.dim, bias=False)
        self.k_proj = nn.Linear(c["hidden"], self.kv * self.dim, bias=False)
        self.v_proj = nn.Linear(c["hidden"], self.kv * self.dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.dim, c["hidden"], bias=False)
        self.q_norm, self.k_norm = RmsNorm(self.dim, c["eps"]), RmsNorm(self.dim, c["eps"])

    def split(self, x, heads: int):
        return x.unflatten(-1, (heads, self.dim)).transpose(1, 2)

    def forward(self, x, context, positions, anchors):
        """x (b, a * s, hidden) blocks; context (b, t, hidden); positions (b, a * s); anchors (b, a)."""
        b, t, a = x.shape[0], context.shape[1], anchors.shape[1]
        s, groups = x.shape[1] // a, self.heads // self.kv
        where = torch.arange(t, device=x.device).expand(b, t)
        q = rotate(self.q_norm(self.split(self.q_proj(x), self.heads)), positions[:, None], self.theta)
        keys = [rotate(self.k_norm(self.split(self.k_proj(v), self.kv)), p[:, None], self.theta)
                .repeat_interleave(groups, 1) for v, p in ((context, where), (x, positions))]
        values = [self.split(self.v_proj(v), self.kv).repeat_interleave(groups, 1) for v in (context, x)]
        far = (q @ keys[0].transpose(-1, -2)).unflatten(2, (a, s))                    # (b, h, a, s, t)
        far = far.masked_fill((where[:, None] >= anchors[..., None])[:, None, :, None], float("-inf"))
        near = q.unflatten(2, (a, s)) @ keys[1].unflatten(2, (a, s)).transpose(-1, -2)  # (b, h, a, s, s)
        p = (torch.cat([far, near], -1).float() / self.dim ** 0.5).softmax(-1).to(x.dtype)
        out = (p[..., :t].flatten(2, 3) @ values[0]).unflatten(2, (a, s)) + p[..., t:] @ values[1].unflatten(2, (a, s))
        return self.o_proj(out.flatten(2, 3).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = nn.Linear(c["hidden"], c["intermediate"], bias=False)
        self.up_proj = nn.Linear(c["hidden"], c["intermediate"], bias=False)
        self.down_proj = nn.Linear(c["intermediate"], c["hidden"], bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = RmsNorm(c["hidden"], c["eps"]), RmsNorm(c["hidden"], c["eps"])
        self.self_attn, self.mlp = Attention(c), Mlp(c)

    def forward(self, x, context, positions, anchors):
        x = x + self.self_attn(self.input_layernorm(x), context, positions, anchors)
        return x + self.mlp(self.post_attention_layernorm(x))


class Drafter(nn.Module):
    """c: hidden, intermediate, heads, kv_heads, head_dim, rope_theta, eps, layers, layer_ids, block, mask_id, vocab."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.fc = nn.Linear(c["hidden"] * len(c["layer_ids"]), c["hidden"], bias=False)
        self.hidden_norm, self.norm = RmsNorm(c["hidden"], c["eps"]), RmsNorm(c["hidden"], c["eps"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["layers"]))

    def forward(self, embed, ids, features, anchors):
        """Hidden states (b, a, block - 1, hidden) of slots 1.. of every anchor's block.

        embed: the target's table; ids (b, t); features (b, t, m * hidden); anchors (b, a) positions.
        """
        b, a, s = ids.shape[0], anchors.shape[1], self.c["block"]
        tokens = torch.full((b, a, s), self.c["mask_id"], dtype=torch.long, device=ids.device)
        tokens[..., 0] = ids.gather(1, anchors)  # slot 0 is the anchor itself, never the mask
        positions = (anchors[..., None] + torch.arange(s, device=ids.device)).flatten(1)
        context, x = self.hidden_norm(self.fc(features)), embed(tokens.flatten(1))
        for layer in self.layers:
            x = layer(x, context, positions, anchors)
        return self.norm(x).unflatten(1, (a, s))[:, :, 1:]

    def start_from(self, target) -> None:
        """Begins with the target's last layers and last feature: much nearer than random weights."""
        for mine, theirs in zip(self.layers, target.model.layers[-len(self.layers):]):
            mine.load_state_dict(theirs.state_dict())
        with torch.no_grad():
            self.fc.weight.mul_(0.1)
            self.fc.weight[:, -self.c["hidden"]:] += torch.eye(self.c["hidden"], device=self.fc.weight.device)

    def export(self, out: pathlib.Path, n_target_layers: int) -> None:
        """Writes the official DFlash layout in bf16."""
        c = self.c
        out.mkdir(parents=True, exist_ok=True)
        save_file({k: v.detach().to(torch.bfloat16).contiguous().cpu() for k, v in self.state_dict().items()},
                  out / "model.safetensors", metadata={"format": "pt"})
        (out / "model.safetensors").chmod(0o644)
        (out / "config.json").write_text(json.dumps({
            "architectures": ["DFlashDraftModel"], "model_type": "qwen3", "hidden_size": c["hidden"],
            "intermediate_size": c["intermediate"], "num_hidden_layers": c["layers"], "num_target_layers": n_target_layers,
            "num_attention_heads": c["heads"], "num_key_value_heads": c["kv_heads"], "head_dim": c["head_dim"],
            "rope_theta": c["rope_theta"], "rms_norm_eps": c["eps"], "vocab_size": c["vocab"], "hidden_act": "silu",
            "attention_bias": False, "max_position_embeddings": 2048, "tie_word_embeddings": False,
            "block_size": c["block"], "layer_types": ["full_attention"] * c["layers"], "torch_dtype": "bfloat16",
            "dflash_config": {"mask_token_id": c["mask_id"], "target_layer_ids": c["layer_ids"]}}, indent=1))
