"""The order in which latents are coded: the one loop over the slices that training, encoder, decoder and export share."""
import functools

import torch


def walk(config, entropy, phi: torch.Tensor, basic: torch.Tensor, scalable, code) -> torch.Tensor:
    """Codes all slices of y, each predicted from those before, and returns the decoded latents [N, c, h, w].

    entropy: has `predict(i, features, decoded, reconstruct)`, which gives the mean and scale of slice i, and
    `context(i, latents)`, its features for the slices behind (`EntropyNetworks`, `IntegerEntropy`).
    basic: what is to be coded of y_b [N, c_b, h, w]; scalable: maps the decoded y_b to what is to be coded of y_s.
    code: called with (i, channels of y as a slice, what is to be coded of them, predict) where predict(reconstruct) gives
    (mean, scale) and reconstruct maps means to the slice's decoded latents; returns the decoded latents of the slice.
    """
    features, decoded, y, start = [phi], [], basic, 0
    for i, n in enumerate(config.slices):
        if i == config.basic_slices:
            y = torch.cat([basic, scalable(torch.cat(decoded, 1))], 1)
        channels = slice(start, start + n)
        predict = functools.partial(entropy.predict, i, features, decoded)
        decoded.append(code(i, channels, y[:, channels], predict))
        if i < len(config.slices) - 1:
            features.append(entropy.context(i, decoded[-1]))
        start += n
    return torch.cat(decoded, 1)
