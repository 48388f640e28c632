"""The answers of a stack to examples with labels: loss, accuracy, and whether they are all the same."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.loss import LOSSES
from dying_relu.stack.precision import in_float64


@dataclass(frozen=True)
class Answers:
    """The answers of K networks to N examples; every tensor is (K,), on the CPU.

    Attributes:
        loss_sum: float64, the sum of the losses.
        correct: int64, how many examples were classified correctly.
        lowest, highest: int64, the smallest and the largest number of a predicted class.
        examples: N.
    """

    loss_sum: Tensor
    correct: Tensor
    lowest: Tensor
    highest: Tensor
    examples: int

    @classmethod
    def of(cls, logits: Tensor, labels: Tensor, loss: str = "cross_entropy") -> "Answers":
        """The answers to one batch.

        Args:
            logits: (K, classes, B).
            labels: (B,) int64.
            loss: its name in the configuration.
        """
        predicted = logits.argmax(1)
        return cls(
            in_float64(LOSSES[loss](logits, labels).loss) * len(labels),
            (predicted == labels).sum(1),
            predicted.amin(1),
            predicted.amax(1),
            len(labels),
        )

    def merge(self, other: "Answers") -> "Answers":
        """The answers of the same networks to both sets of examples.

        Args:
            other: to examples that are not among those of this one.
        """
        return Answers(
            self.loss_sum + other.loss_sum,
            self.correct + other.correct,
            torch.minimum(self.lowest, other.lowest),
            torch.maximum(self.highest, other.highest),
            self.examples + other.examples,
        )

    def of_networks(self, chosen: Tensor) -> "Answers":
        """The answers of some of the networks.

        Args:
            chosen: (n,) their places.
        """
        # On a device without float64 the sum of losses is kept on the CPU.
        loss_sum, correct, lowest, highest = (
            each[chosen.to(each.device)] for each in (self.loss_sum, self.correct, self.lowest, self.highest)
        )
        return Answers(loss_sum, correct, lowest, highest, self.examples)

    def among_all(self, chosen: Tensor, networks: int) -> "Answers":
        """These answers among those of other networks, whose loss is NaN.

        Args:
            chosen: (n,) the places of these networks.
            networks: K, the number of all.
        """

        def whole(values: Tensor, fill: float) -> Tensor:
            filled = values.new_full((networks,), fill)
            filled[chosen.to(values.device)] = values
            return filled

        return Answers(
            whole(self.loss_sum, torch.nan),
            whole(self.correct, 0),
            whole(self.lowest, 0),
            whole(self.highest, 1),
            self.examples,
        )

    @property
    def loss(self) -> Tensor:
        """(K,) float64, the mean loss."""
        return self.loss_sum / self.examples

    @property
    def accuracy(self) -> Tensor:
        """(K,) float64, the share of examples classified correctly."""
        return in_float64(self.correct) / self.examples

    @property
    def constant(self) -> Tensor:
        """(K,) bool, whether the predicted class is the same for all examples."""
        return self.lowest == self.highest
