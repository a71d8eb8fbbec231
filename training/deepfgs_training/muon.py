"""Muon: momentum made orthogonal (K. Jordan and others, 2024, https://kellerjordan.github.io/posts/muon/)."""
import torch


class Muon(torch.optim.Optimizer):
    """For weights that are matrices once flattened to [out, rest]. The momentum's singular values are driven to 1 by
    five Newton-Schulz steps, and the update scaled by 0.2 sqrt(max(rows, columns)), the size of Adam's."""

    def __init__(self, params, lr: float, momentum: float = 0.95, precision: torch.dtype = torch.bfloat16):
        """`precision`: of the Newton-Schulz steps. Where bfloat16 is emulated it is a hundred times slower than
        float32, so ask for it only where the hardware multiplies it."""
        super().__init__(params, dict(lr=lr, momentum=momentum))
        self.precision = precision

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("momentum", torch.zeros_like(p.grad))
                m.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(m, group["momentum"]).reshape(p.shape[0], -1)
                update = orthogonal(g.to(self.precision)).to(p.dtype).reshape(p.shape)
                p.add_(update, alpha=-group["lr"] * 0.2 * max(g.shape) ** 0.5)


def orthogonal(g: torch.Tensor) -> torch.Tensor:
    """A matrix of nearly the same singular vectors as `g` whose singular values are about 1 (0.7 to 1.2)."""
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.T if tall else x


def optimisers(net: torch.nn.Module, lr: float, muon: float, precision: torch.dtype, smallest: int = 32):
    """[AdamW, Muon]: Muon (at lr * muon) for every convolution with at least `smallest` inputs and outputs, AdamW for
    the rest; with muon = 0, AdamW alone for all. `precision`: see Muon."""
    trained = [p for p in net.parameters() if p.requires_grad]
    matrices = [p for p in trained if muon > 0 and p.ndim == 4 and min(p.shape[:2]) >= smallest]
    ids = {id(p) for p in matrices}
    rest = [p for p in trained if id(p) not in ids]
    adam = torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.99), weight_decay=1e-6)
    both = [(adam, 1.0)] + ([(Muon(matrices, lr * muon, precision=precision), muon)] if matrices else [])
    return both
