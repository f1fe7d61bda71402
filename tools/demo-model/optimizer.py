"""Muon for the blocks' matrices, AdamW for the embedding and the norms; in place on the flat vector of model.py."""

import torch

from model import layout, split

BETAS, CLIP, MOMENTUM = (0.9, 0.95), 1.0, 0.95
STATE = ("m", "v", "momentum")
# A Muon step has the RMS of a typical AdamW step, so that both share one learning rate (Liu et al., 2025).
MUON_RMS = 0.2


def orthogonalized(matrices):
    """The nearest orthogonal matrix of each [n, rows, columns], about: five Newton-Schulz steps (Jordan, 2024)."""
    x = matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    for _ in range(5):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + (2.0315 * (a @ a) - 4.7750 * a) @ x
    return x.transpose(1, 2) if tall else x


class Optimizer:
    """State vectors are flat too, so a checkpoint is a handful of vectors."""

    def __init__(self, flat, vocab, weight_decay, muon=True):
        self.flat, self.weight_decay = flat, weight_decay
        self.m, self.v, self.momentum, self.change = (torch.zeros_like(flat) for _ in range(4))
        # weight decay acts on matrices, not on norms
        self.decays = torch.cat([torch.full(shape, float(len(shape) > 1)).flatten() for _, shape in layout(vocab)])
        self.vocab, self.muon = vocab, muon
        self.roles = {}
        for name, shape in layout(vocab):
            if "layers" in name and len(shape) > 1:
                self.roles.setdefault(name.split(".", 3)[3], []).append(name)

    def step(self, grad, lr, step):
        """One update with the gradient (which is clipped in place); returns the gradient's norm."""
        norm = grad.norm().item()
        grad.mul_(min(1.0, CLIP / (norm + 1e-6)))
        self._adam(grad, step)
        if self.muon:
            self._muon(grad)
        self.flat.addcmul_(self.flat, self.decays, value=-lr * self.weight_decay)
        self.flat.sub_(self.change, alpha=lr)
        return norm

    def _adam(self, grad, step):
        """change = AdamW's direction, for all parameters."""
        self.m.mul_(BETAS[0]).add_(grad, alpha=1 - BETAS[0])
        self.v.mul_(BETAS[1]).addcmul_(grad, grad, value=1 - BETAS[1])
        scale = (1 - BETAS[1] ** (step + 1)) ** 0.5 / (1 - BETAS[0] ** (step + 1))
        torch.div(self.m, self.v.sqrt().add_(1e-8), out=self.change).mul_(scale)

    def _muon(self, grad):
        """change = the orthogonalized Nesterov momentum, for the blocks' matrices (one batch per role)."""
        self.momentum.mul_(MOMENTUM).add_(grad)
        nesterov = split(grad.add(self.momentum, alpha=MOMENTUM), self.vocab)
        change = split(self.change, self.vocab)
        gradients = split(grad, self.vocab)
        for role in self.roles.values():
            names = [name for name in role if gradients[name].any()]  # blocks that take part in this step
            directions = orthogonalized(torch.stack([nesterov[name] for name in names]))
            scale = MUON_RMS * max(directions.shape[1:]) ** 0.5
            for name, direction in zip(names, directions):
                change[name].copy_(direction).mul_(scale)
