"""What changes while training runs: learning rate, crop, cuts and their weights."""
import math

import torch

from .config import TrainConfig


def rate(config: TrainConfig, step: int, done: float) -> float:
    """Factor of the learning rate: linear warm-up over the first steps, constant, then a cosine down to 2 %.

    `done`: share of the budget that is used, 0 to 1.
    """
    warm = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    if done < config.decay_from:
        return warm
    fall = min(1.0, (done - config.decay_from) / (1 - config.decay_from))
    return warm * (0.02 + 0.49 * (1 + math.cos(math.pi * fall)))


def crop(config: TrainConfig, done: float) -> int:
    """Side of the crops at this share of the budget."""
    return config.final_crop if config.final_crop and done >= config.final_crop_from else config.crop


def draw_cuts(config: TrainConfig, count: int, channels: int, generator: torch.Generator) -> torch.Tensor:
    """Cuts k [count]: 0 for `base_share` of the samples, every channel for `full_share`, else uniform over all."""
    device = generator.device
    kind = torch.rand(count, device=device, generator=generator)
    k = torch.randint(0, channels + 1, (count,), device=device, generator=generator)
    k = torch.where(kind < config.base_share, 0, k)
    return torch.where(kind >= 1 - config.full_share, channels, k)


def draw_steps(config: TrainConfig, count: int, generator: torch.Generator) -> torch.Tensor:
    """Quantiser steps [count], their logarithm uniform on +-log(step_range); 1 is the integers."""
    uniform = torch.rand(count, device=generator.device, generator=generator)
    return torch.exp((2 * uniform - 1) * math.log(config.step_range))


def multipliers(config: TrainConfig, k: torch.Tensor, channels: int, steps: torch.Tensor | float = 1.0):
    """lambda(k) / step^2 and the weight w(k) of each sample; the weights' mean is 1.

    A sample quantised with twice the step has four times the squared error, so its lambda is a quarter.
    """
    value = config.lambda_min * (config.lambda_max / config.lambda_min) ** (k.float() / channels)
    weight = (value / config.lambda_max) ** config.weight_power
    return value / steps**2, weight * steps / (weight * steps).mean()
