"""A card that is not there: its tensors lie in this process's memory, and meet no others, as on a card.

torch takes it for a device of its own. What is computed there has numbers, and a step that meets what lies on the
processor is told of as a card would; so is every number that is read back, for which a real card would be waited for.
It shows where code puts its tensors, and nothing of a card's own kernels. A process keeps its torch once that has
another device, so whoever sets it up is a program (`tests/on_fake_card.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

CARD = "card"
READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.equal", "aten.masked_select")
COPIES = ("aten.copy_", "aten._to_copy")
INDEXED = ("aten.index", "aten.index_put", "aten.index_put_", "aten._index_put_impl_")  # a card takes indices from here

waits: Counter[str] = Counter()  # by operator
_tensor = torch.tensor


class OnCard(Tensor):
    """A tensor on the card. `here`: the same in this process's memory."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "OnCard":
        made: OnCard = torch.Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=torch.device(CARD, 0),
        )
        return made

    def __init__(self, here: Tensor) -> None:
        self.here = here

    def tolist(self) -> Any:
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        return _compute(op, *args, **(kwargs or {}))


def set_up() -> object:
    """Gives torch the card, before it has taken any gradient. It is there as long as what is returned."""
    _setup_privateuseone_for_python_backend(CARD)
    library = torch.library.Library("_", "IMPL")
    library.fallback(_compute, "PrivateUse1")
    torch.tensor = _made  # which would go by another way than through operators
    return library


def _made(values: Any, *, dtype: Any = None, device: Any = "cpu", requires_grad: bool = False) -> Tensor:
    return _tensor(values, dtype=dtype).to(device).requires_grad_(requires_grad)


def _compute(op: Any, *args: Any, **kwargs: Any) -> Any:
    name, device = str(op.overloadpacket), kwargs.get("device")
    is_read = device is not None and torch.device(device).type != CARD
    given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    _check(name, args, given)
    if name == "aten.copy_" and not isinstance(args[0], OnCard):
        waits[name] += 1
        args[0].copy_(args[1].here)
        return args[0]
    if is_read or name in READS or (name in INDEXED and any(each.dtype is torch.bool for each in given[1:])):
        waits[name] += 1
    here = {word: _here(value) for word, value in kwargs.items() if word not in ("device", "pin_memory")}
    found = op(*_here(args), **here, **({} if device is None else {"device": "cpu"}))
    if is_read:
        return found.clone() if any(found is each.here for each in given if isinstance(each, OnCard)) else found
    made = tree_map(lambda each: OnCard(each) if isinstance(each, Tensor) else each, found)
    return return_and_correct_aliasing(op, args, kwargs, made)


def _here(values: Any) -> Any:
    return tree_map(lambda each: each.here if isinstance(each, OnCard) else each, values)


def _check(name: str, args: Sequence[Any], given: Sequence[Tensor]) -> None:
    """Raises RuntimeError where tensors of both places meet. A single number of the processor's may come along."""
    strangers = [each for each in given if not isinstance(each, OnCard) and each.dim() > 0]
    are_indices = name in INDEXED and isinstance(args[0], OnCard)
    if strangers and len(strangers) < len(given) and name not in COPIES and not are_indices:
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, found at least two: card and cpu")
