"""What a decoded picture is judged by in training."""
import torch

from .errors import TrainingError

KINDS = ("mse", "msssim")
SIMILARITY_UNIT = 1300  # of 1 - MS-SSIM in squared errors of 255^2: the ratio of CompressAI's lambdas for the two
SIDE_MIN = 161  # MS-SSIM's five scales of windows of 11


def distortion(kind: str, decoded: torch.Tensor, x: torch.Tensor, mse: torch.Tensor) -> torch.Tensor:
    """[N]: `mse` itself, or 1 - MS-SSIM in its units (Z. Wang and others, Multiscale structural similarity for image
    quality assessment, 2003). decoded, x: [N, 3, H, W] in [0, 1], `decoded` not clamped; mse: [N], of 255^2."""
    if kind == "mse":
        return mse
    from pytorch_msssim import ms_ssim  # not on every machine that trains

    if min(x.shape[2:]) < SIDE_MIN:
        raise TrainingError(f"MS-SSIM needs crops of at least {SIDE_MIN}: a --crop of 192 or more")
    return SIMILARITY_UNIT * (1 - ms_ssim(decoded.float(), x.float(), data_range=1.0, size_average=False))
