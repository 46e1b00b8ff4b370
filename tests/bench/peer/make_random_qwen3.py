#!/usr/bin/env python3
"""Writes a Qwen3 model of random bf16 weights twice: as a Hugging Face folder and as a GGUF file.

Speed does not depend on what the weights say, so a model made on the spot stands in for a download. Both files
hold the same bits. Output embeddings are tied. The vocabulary in the GGUF is a list of dummy words, and the
folder has no tokenizer.

Needs numpy and gguf (requirements.txt beside this file).
"""
import argparse
import json
import pathlib
import struct
import sys

import gguf
import numpy as np


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder for config.json and model.safetensors")
    parser.add_argument("--gguf", type=pathlib.Path, help="GGUF file; default: OUT/model.gguf")
    parser.add_argument("--seed", type=int, default=0)
    for name, value in {"hidden": 1024, "intermediate": 3072, "layers": 28, "heads": 16, "kv-heads": 8,
                        "head-dim": 128, "vocab": 151936, "positions": 40960}.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default {value} (Qwen3-0.6B)")
    parser.add_argument("--rope-theta", type=float, default=1e6)
    parser.add_argument("--rms-eps", type=float, default=1e-6)
    shape = parser.parse_args(argv)
    if shape.heads % shape.kv_heads:
        parser.error(f"--kv-heads: expected a divisor of {shape.heads} heads, found {shape.kv_heads}")
    if shape.vocab < 512:
        parser.error(f"--vocab: expected at least 512, found {shape.vocab}")
    return shape


def layer_tensors(shape):
    """(Hugging Face name, GGUF name, (n_out, n_in) or (n,)) of one layer, names without their prefix."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    return [("input_layernorm", "attn_norm", (shape.hidden,)),
            ("self_attn.q_proj", "attn_q", (q, shape.hidden)),
            ("self_attn.k_proj", "attn_k", (kv, shape.hidden)),
            ("self_attn.v_proj", "attn_v", (kv, shape.hidden)),
            ("self_attn.q_norm", "attn_q_norm", (shape.head_dim,)),
            ("self_attn.k_norm", "attn_k_norm", (shape.head_dim,)),
            ("self_attn.o_proj", "attn_output", (shape.hidden, q)),
            ("post_attention_layernorm", "ffn_norm", (shape.hidden,)),
            ("mlp.gate_proj", "ffn_gate", (shape.intermediate, shape.hidden)),
            ("mlp.up_proj", "ffn_up", (shape.intermediate, shape.hidden)),
            ("mlp.down_proj", "ffn_down", (shape.hidden, shape.intermediate))]


def all_tensors(shape):
    tensors = [("model.embed_tokens.weight", "token_embd.weight", (shape.vocab, shape.hidden)),
               ("model.norm.weight", "output_norm.weight", (shape.hidden,))]
    for layer in range(shape.layers):
        tensors += [(f"model.layers.{layer}.{hf}.weight", f"blk.{layer}.{ours}.weight", size)
                    for hf, ours, size in layer_tensors(shape)]
    return tensors


def random_bf16(rng, size):
    """uint16 bits: matrices around 0 with deviation 0.02 as models are initialised, norms near 1."""
    values = rng.standard_normal(size, dtype=np.float32) * np.float32(0.02)
    if len(size) == 1:
        values += np.float32(1)
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def safetensors_header(tensors):
    """Length and JSON that stand before the tensors' bytes, as the safetensors format says."""
    header, at = {}, 0
    for name, _, size in tensors:
        n_bytes = 2 * int(np.prod(size))
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [at, at + n_bytes]}
        at += n_bytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def config(shape):
    return {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "torch_dtype": "bfloat16",
            "hidden_size": shape.hidden, "intermediate_size": shape.intermediate,
            "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads, "head_dim": shape.head_dim, "vocab_size": shape.vocab,
            "max_position_embeddings": shape.positions, "rope_theta": shape.rope_theta,
            "rms_norm_eps": shape.rms_eps, "tie_word_embeddings": True, "hidden_act": "silu",
            "attention_bias": False, "eos_token_id": shape.vocab - 1}


def start_gguf(shape, path):
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("random-qwen3")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.positions)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.rms_eps)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"t{i}" for i in range(shape.vocab)])
    writer.add_token_types([gguf.TokenType.NORMAL] * shape.vocab)
    writer.add_token_merges(["t 1"])
    writer.add_eos_token_id(shape.vocab - 1)
    return writer


def main(argv):
    shape = parse(argv)
    shape.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(shape.seed)
    writer = start_gguf(shape, shape.gguf or shape.out / "model.gguf")
    tensors = all_tensors(shape)
    with open(shape.out / "model.safetensors", "wb") as folder_file:
        folder_file.write(safetensors_header(tensors))
        for _, gguf_name, size in tensors:
            bits = random_bf16(rng, size)
            folder_file.write(bits.tobytes())
            if len(size) == 1:  # llama.cpp takes norms as float32; widening is exact
                writer.add_tensor(gguf_name, (bits.astype(np.uint32) << 16).view(np.float32))
            else:
                writer.add_tensor(gguf_name, bits.view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (shape.out / "config.json").write_text(json.dumps(config(shape), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
