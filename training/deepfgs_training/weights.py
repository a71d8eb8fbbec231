"""Float weights: what training writes and goes on from, and how those of a smaller network grow."""
import json

import torch

from .config import Ablation, ModelConfig
from .errors import TrainingError
from .grow import grown
from .model import DeepFGS
from .safetensors_files import read_tensors, write_tensors
from .shipped import CONFIG_KEY, Shipped

FLOAT_KEY = "deepfgs.float"


def save_float(path, config: ModelConfig, weights: dict[str, torch.Tensor], name: str) -> None:
    """Writes float weights (the averaged ones) with the configuration, as float32."""
    meta = {FLOAT_KEY: json.dumps(config.metadata(name))}
    write_tensors(path, {key: value.float() for key, value in weights.items()}, meta)


def load_network(path, config: ModelConfig | None = None, ablation: Ablation = Ablation()) -> DeepFGS:
    """A float network from float weights (ours, or bare tensors of `config`) or from a shipped model.

    Weights of a network that `config` has grown from begin as that network (`grow.grown`). Raises TrainingError where the
    file is another configuration's or no model at all.
    """
    tensors, meta = read_tensors(path)
    if CONFIG_KEY in meta:
        shipped = Shipped(path)
        stated, state = shipped.config, shipped.restore_float().state_dict()
    else:
        stated = ModelConfig.from_float_metadata(json.loads(meta[FLOAT_KEY])) if FLOAT_KEY in meta else None
        state = {key: value.float() for key, value in tensors.items()}
    if config is not None and stated != config:
        state = grown(state, stated, config)
        if state is None:
            raise TrainingError(f"{path} is a model of another configuration: {stated}, not {config}")
    net = DeepFGS(config or stated or ModelConfig(), ablation)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(f"{path} does not hold the weights of this configuration: {error}") from None
    return net
