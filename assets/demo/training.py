"""What both training scripts share: batches of similar length, optimisers, and a loop that can be stopped and resumed."""

import pathlib
import random
import time

import torch
from tqdm import tqdm


def batches(examples: list, tokens_per_batch: int, rng: random.Random) -> list[list]:
    """One epoch: lists of examples of similar length, in random order. An example's first entry is its token ids."""
    order = sorted(examples, key=lambda e: len(e[0]) + rng.random() * 24)
    groups, group, longest = [], [], 0
    for example in order:
        longest = max(longest, len(example[0]))
        if group and longest * (len(group) + 1) > tokens_per_batch:
            groups.append(group)
            group, longest = [], len(example[0])
        group.append(example)
    groups.append(group)
    rng.shuffle(groups)
    return groups


def optimisers(model: torch.nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings and norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [torch.optim.Muon(matrices, lr=lr, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.95), weight_decay=0.0)]


class Training:
    """Trains `model` until `minutes` of training time are spent, all runs together."""

    def __init__(self, model: torch.nn.Module, checkpoint: pathlib.Path, lr: float, minutes: float, seed: int, resume: bool):
        self.model, self.checkpoint, self.lr, self.total_s, self.seed = model, checkpoint, lr, minutes * 60, seed
        self.steps = optimisers(model, lr)
        self.state = {"step": 0, "tokens": 0, "spent_s": 0.0, "epoch": 0, "loss": None}
        if resume and checkpoint.exists():
            saved = torch.load(checkpoint, weights_only=False)
            model.load_state_dict(saved["model"])
            for optimiser, state in zip(self.steps, saved["optimisers"]):
                optimiser.load_state_dict(state)
            self.state = saved["state"]

    def run(self, examples: list, tokens_per_batch: int, loss_of, schedule, on_save=lambda: None) -> dict:
        """loss_of(group) is a batch's loss; schedule(share done) scales the learning rate. Returns what was done."""
        state, last, saved_at = self.state, time.monotonic(), time.monotonic()
        bar = tqdm(total=round(self.total_s), initial=round(state["spent_s"]), unit="s", desc="train", mininterval=20)
        while state["spent_s"] < self.total_s:
            state["epoch"] += 1
            for group in batches(examples, tokens_per_batch, random.Random(self.seed * 1000 + state["epoch"])):
                self._step(loss_of(group), schedule(min(1.0, state["spent_s"] / self.total_s)))
                now = time.monotonic()
                state["tokens"] += sum(len(e[0]) for e in group)
                bar.update(round(state["spent_s"] + now - last) - round(state["spent_s"]))
                state["spent_s"] += now - last
                last = now
                bar.set_postfix(step=state["step"], tokens=state["tokens"], loss=f"{state['loss']:.3f}", epoch=state["epoch"])
                if now - saved_at > 240 or state["spent_s"] >= self.total_s:
                    self._save()
                    on_save()
                    saved_at = now
                if state["spent_s"] >= self.total_s:
                    break
        return state

    def _step(self, loss: torch.Tensor, share: float) -> None:
        state = self.state
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.steps:
            for group in optimiser.param_groups:
                group["lr"] = self.lr * min(1.0, (state["step"] + 1) / 40) * share
            optimiser.step()
            optimiser.zero_grad()
        state["step"] += 1
        state["loss"] = loss.item() if state["loss"] is None else 0.97 * state["loss"] + 0.03 * loss.item()

    def _save(self) -> None:
        torch.save({"model": self.model.state_dict(), "optimisers": [o.state_dict() for o in self.steps],
                    "state": self.state}, self.checkpoint)
