"""The decoder of an auto-encoder that is trained on other samples: what it makes of few numbers looks like them."""

from dataclasses import dataclass

from algorithms.artifacts import training
from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.wish import Declaration, Declared

FEWEST_SAMPLES = 20  # of fewer it learns the samples, not what they have in common: a guess


@dataclass(frozen=True)
class Decoder:
    """A decoder is wanted that doubles images `blocks` times; None: as `Autoencoder.of` chooses."""

    blocks: int | None = None
    kind: str = "decoder"
    purpose: str = "to train an auto-encoder on"
    is_trained: bool = True

    def layers(self, shape: tuple[int, ...]) -> Autoencoder:
        """Returns the auto-encoder that it is a part of, for samples of this shape."""
        return Autoencoder.of(shape, self.blocks)

    def misfit(self, shape: tuple[int, ...], count: int) -> str | None:
        """Says that too few samples train nothing."""
        del shape
        if count >= FEWEST_SAMPLES:
            return None
        return f"An auto-encoder is trained on {FEWEST_SAMPLES} auxiliary samples at least, not on {count}; name more."

    def arrays(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares the decoder's weights."""
        del count
        return {name: Declared(size) for name, size in self.layers(shape).decoder.items()}

    def between(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares the state of training encoder and decoder together."""
        del count
        layers = self.layers(shape)
        return training.state({**layers.encoder, **layers.decoder})
