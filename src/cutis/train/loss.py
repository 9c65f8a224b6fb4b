"""What the network is taught by."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from cutis.vocabulary.outputs import Outputs


def supervised_loss(
    outputs: Outputs[Tensor], diagnosis: Tensor, *, auxiliary_weight: float, label_smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of the final classifier plus that of each auxiliary one, weighted.

    This is deep supervision (Lee et al. 2015, Deeply-Supervised Nets).

    Args:
        outputs: logits (N, K) of the final and of each auxiliary classifier.
        diagnosis: (N,) index of the true diagnosis.
        auxiliary_weight: weight of each auxiliary classifier's loss; 0 turns them off.
        label_smoothing: probability spread over all diagnoses.

    Returns:
        A scalar.
    """
    loss = functional.cross_entropy(outputs.logits, diagnosis, label_smoothing=label_smoothing)
    if auxiliary_weight:
        heard = (
            functional.cross_entropy(each, diagnosis, label_smoothing=label_smoothing)
            for each in outputs.auxiliary_logits
        )
        loss = loss + auxiliary_weight * sum(heard)
    return loss
