"""The transforms in floats: pictures to latents and back. The codec runs them as they are, or as 8-bit integers."""
import torch
import torch.nn as nn

from .config import Ablation, ModelConfig
from .layers import Block, TransformConv, Up

PARTS = ("ga", "hb", "hs", "ha", "ffm", "gsyn")  # names in the model file begin so


class Transforms(nn.Module):
    """g_a, the heads h_b, h_s and h_a, the fusion and g_s.

    Shapes: pictures [N, 3, H, W] in [0, 1] with H and W multiples of 64; features and latents [N, c, H/16, W/16];
    hyper-latent [N, z, H/64, W/64]. The order of the layers, and so the names of the weights, is that of the model file.
    """

    config: ModelConfig
    ablation: Ablation

    def build_transforms(self) -> None:
        """Makes the layers; `config` and `ablation` are set before."""
        config = self.config
        a, b, c = config.widths
        basic, scalable = config.basic_channels, config.scalable_channels
        stage = lambda width, count: [Block(width, config.slope) for _ in range(count)]
        down, up = config.analysis_blocks, config.synthesis_blocks
        self.ga = nn.Sequential(
            nn.PixelUnshuffle(4), TransformConv(48, a, 3, padding=1), *stage(a, down[0]),
            TransformConv(a, b, 2, stride=2), *stage(b, down[1]), TransformConv(b, c, 2, stride=2), *stage(c, down[2]))
        self.hb = TransformConv(c, basic, 1)
        self.hs = nn.Sequential(TransformConv(c + basic, c, 1), *stage(c, 1), TransformConv(c, scalable, 1))
        self.ffm = nn.Sequential(TransformConv(basic + scalable, c, 1), *stage(c, 1))
        self.gsyn = nn.Sequential(
            *stage(c, up[0]), Up(c, b, TransformConv), *stage(b, up[1]), Up(b, a, TransformConv), *stage(a, up[2]),
            TransformConv(a, 48, 3, padding=1), nn.PixelShuffle(4))
        p, z = config.feature_channels, config.z_channels
        self.ha = nn.Sequential(
            TransformConv(c, p, 1), nn.ReLU(), TransformConv(p, p, 2, stride=2, behind_relu=True), nn.ReLU(),
            TransformConv(p, z, 2, stride=2, behind_relu=True))
        with torch.no_grad():  # latents of a useful size from the first step
            self.hb.weight.mul_(8)
            self.hs[-1].weight.mul_(8)

    def trunk(self, x: torch.Tensor) -> torch.Tensor:
        """The features of pictures, from which all heads start."""
        return self.ga(x - self.config.grey)

    def scalable(self, f: torch.Tensor, basic: torch.Tensor) -> torch.Tensor:
        """y_s from the trunk's features and the decoded y_b."""
        known = basic.to(f.dtype)
        return self.hs(torch.cat([f, known if self.ablation.basic_into_scalable else torch.zeros_like(known)], 1))

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Decoded latents to a picture, not clamped."""
        return self.gsyn(self.ffm(y)).float() + self.config.grey
