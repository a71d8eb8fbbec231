"""Files of tensors: read whole, written whole or not at all."""
import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .errors import TrainingError


def write_atomically(path, write) -> None:
    """Calls `write(temporary path)` beside `path`, then renames: a reader never sees half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes its files readable by the owner alone
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_tensors(path, tensors: dict[str, torch.Tensor], meta: dict[str, str] | None = None) -> None:
    """Writes tensors of any device as they are, with metadata."""
    ours = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    write_atomically(path, lambda p: save_file(ours, str(p), metadata=meta))


def read_tensors(path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file. Raises TrainingError where it cannot be read."""
    try:
        with safe_open(str(path), "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{path}: {error}") from None


def identity_of(path) -> str:
    """The first 8 bytes of the file's SHA-256, in hexadecimal: what streams carry."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
