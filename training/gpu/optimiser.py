"""Muon and AdamW whose whole step can be captured as a part of a CUDA graph: Muon's products in batches of like sizes."""
import torch

from deepfgs_training.muon import orthogonal_batch


class Optimiser:
    """Muon for every convolution with at least 32 inputs and outputs, AdamW for the rest; see `muon.optimisers`."""

    def __init__(self, net, lr: float, muon: float, clip: float, momentum: float = 0.95, smallest: int = 32):
        trained = [p for p in net.parameters() if p.requires_grad]
        self.matrices = [p for p in trained if p.ndim == 4 and min(p.shape[:2]) >= smallest]
        ids = {id(p) for p in self.matrices}
        self.rest = [p for p in trained if id(p) not in ids]
        self.all = self.matrices + self.rest
        device, self.cuda = self.all[0].device, self.all[0].is_cuda
        self.lr, self.factor, self.clip, self.beta = lr, muon, clip, momentum
        self.rate, self.adam_rate = torch.zeros((), device=device), torch.zeros((), device=device)
        capturable = dict(fused=True, capturable=True) if self.cuda else {}
        self.adam = torch.optim.AdamW(self.rest, lr=self.adam_rate, betas=(0.9, 0.99), weight_decay=1e-6, **capturable)
        self.momentum = [torch.zeros_like(p, memory_format=torch.contiguous_format) for p in self.matrices]
        self.groups = {}  # matrices that fit into one batch, by the batch's (rows, columns): (index, whether transposed)
        up = lambda value, multiple: -(-value // multiple) * multiple
        for j, p in enumerate(self.matrices):
            rows, columns = p.shape[0], p[0].numel()
            key = (up(min(rows, columns), 64), up(max(rows, columns), 128))
            self.groups.setdefault(key, []).append((j, rows > columns))

    def set(self, rate: float) -> None:
        """The factor of the learning rate for the next steps; not captured."""
        self.rate.fill_(rate)
        self.adam_rate.fill_(self.lr * rate)

    def forget(self) -> None:
        """Zeroes all moments."""
        torch._foreach_zero_(self.momentum)
        for state in self.adam.state.values():
            state["exp_avg"].zero_(), state["exp_avg_sq"].zero_()

    @torch.no_grad()
    def step(self) -> torch.Tensor:
        """One step of both; returns the norm of the gradient before it was clipped."""
        gradients = [p.grad for p in self.all]
        norm = torch.nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (self.clip / (norm + 1e-6)).clamp(max=1.0))
        self.adam.step()
        g = [p.grad.contiguous() for p in self.matrices]
        torch._foreach_lerp_(self.momentum, g, 1 - self.beta)
        g = torch._foreach_lerp(g, self.momentum, self.beta)
        updates = [None] * len(g)
        for (rows, columns), members in self.groups.items():
            x = torch.zeros(len(members), rows, columns, device=norm.device,
                            dtype=torch.bfloat16 if self.cuda else torch.float32)
            for n, (j, tall) in enumerate(members):
                m = g[j].reshape(g[j].shape[0], -1)
                m = m.t() if tall else m
                x[n, : m.shape[0], : m.shape[1]].copy_(m)
            x = orthogonal_batch(x)
            for n, (j, tall) in enumerate(members):
                p = self.matrices[j]
                r, c = p.shape[0], p[0].numel()
                u = x[n].t() if tall else x[n]
                updates[j] = (u[:r, :c].float() * (-0.2 * max(r, c) ** 0.5)).reshape(p.shape)
        torch._foreach_mul_(updates, self.rate * (self.lr * self.factor))
        torch._foreach_add_(self.matrices, updates)
        return norm
