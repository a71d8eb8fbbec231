"""The entropy networks in floats, as they are trained; the codec runs them as integers (`integer_entropy`)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .config import SCALE_STEP, Ablation, ModelConfig
from .layers import EntropyConv, Factorized, Up, in_two_passes, round_ste


class EntropyNetworks(nn.Module):
    """The hyper-decoder, the prior of z, and for each slice of y what predicts it from the slices before."""

    config: ModelConfig
    ablation: Ablation

    def build_entropy(self) -> None:
        """Makes the layers; `config` and `ablation` are set before."""
        config, p = self.config, self.config.feature_channels
        self.quantised = False  # true in quantisation-aware training: means and scales on the integers' grids
        self.hyp = nn.Sequential(
            EntropyConv(config.z_channels, p, 3, padding=1), nn.ReLU(), Up(p, p, EntropyConv), nn.ReLU(),
            EntropyConv(p, p, 3, padding=1), nn.ReLU(), Up(p, p, EntropyConv), nn.ReLU())
        self.ez = Factorized(config.z_channels)
        self.e1, self.e2, self.ctx, self.lin, self.chk = (nn.ModuleList() for _ in range(5))
        before = 0
        for i, n in enumerate(config.slices):
            inputs = p + config.context_channels * (i + config.two_passes(i))
            if config.two_passes(i):
                self.chk.append(EntropyConv(n, config.context_channels, 3, padding=1))
            self.e1.append(EntropyConv(inputs, config.hidden, 1))
            out = EntropyConv(config.hidden, 2 * n, 1)
            with torch.no_grad():
                out.weight.mul_(0.3)
                out.bias[:n], out.bias[n:] = 0, 1
            self.e2.append(out)
            last = i == len(config.slices) - 1
            self.ctx.append(nn.Identity() if last else EntropyConv(n, config.context_channels, 3, padding=1))
            self.lin.append(EntropyConv(before, n, 1, bias=False) if i else nn.Identity())
            if i:
                nn.init.zeros_(self.lin[i].weight)
                self.lin[i].weight.requires_grad_(self.ablation.linear_prediction)
            before += n

    def predict(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor], reconstruct):
        """Mean and standard deviation of slice i from Phi and context features, and the decoded slices before.

        `reconstruct`: maps means to the decoded latents of the slice. Where a slice has two passes, the anchors that
        the first gives are what the second sees.
        """
        if not self.config.two_passes(i):
            return self._pass(i, features, decoded)
        none = torch.zeros_like(features[0][:, : self.config.context_channels])
        predict = lambda own: self._pass(i, [*features, own], decoded)
        return in_two_passes(predict, lambda known: F.relu(self.chk[i](known)), reconstruct, none)

    def context(self, i: int, latents: torch.Tensor) -> torch.Tensor:
        """Features of the decoded slice i for the slices behind it."""
        return F.relu(self.ctx[i](latents))

    def _pass(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor]):
        mean, log_scale = self.e2[i](F.relu(self.e1[i](torch.cat(features, 1)))).chunk(2, 1)
        if i and self.ablation.linear_prediction:
            mean = mean + self.lin[i](torch.cat(decoded, 1))
        if self.quantised:
            mean, log_scale = round_ste(mean * 16) / 16, round_ste(log_scale / SCALE_STEP) * SCALE_STEP
        return mean, torch.exp(log_scale.clamp(-4, 6))
