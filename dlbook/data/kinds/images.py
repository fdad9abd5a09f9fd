"""Pictures in classes."""

from dataclasses import dataclass

import numpy as np

from dlbook.data.kinds.dataset import DataSet, Pair, share_of, stratified, take


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImageData(DataSet):
    """Pictures in classes, in a training and a test part.

    Args:
        x_train: (pictures, height, width) or (pictures, height, width, channels), uint8, 0 to 255.
        y_train: (pictures,), int32: the class of each.
        x_test: as ``x_train``.
        y_test: as ``y_train``.
        class_names: one for each class.
        originals: (training pictures,): pictures with the same number were made from the same
            original, so a split must keep them together. ``None``: each is its own original.
        real_train_size: the training pictures of the real set, where this is a stand-in.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    originals: np.ndarray | None = None
    real_train_size: int | None = None

    def sizes(self) -> str:
        size = "×".join(str(n) for n in self.x_train.shape[1:])
        return (
            f"{len(self.x_train):,} training and {len(self.x_test):,} test pictures "
            f"of {size} pixels, {len(self.class_names)} classes"
        )

    def train_validation_split(self, validation: int = 5000, seed: int = 0) -> tuple[Pair, Pair]:
        """Holds out a part of the training pictures, each class in its proportion.

        Args:
            validation: how many pictures of the real set to hold out. A stand-in holds out the
                same share: of 2,400 pictures that stand for 60,000, one where that has 25.
            seed: another seed, another choice.

        Returns:
            ((x_train, y_train), (x_validation, y_validation)), in the order of ``x_train``.

        Raises:
            ValueError: when one of the two parts would lack pictures.
        """
        real_size = self.real_train_size or len(self.x_train)
        classes = len(self.class_names)
        share = share_of(validation, real_size, classes)
        if self.originals is None:
            kept, held = stratified(self.y_train, round(share * len(self.y_train)), seed)
        else:
            numbers, first = np.unique(self.originals, return_index=True)
            count = max(round(share * len(numbers)), classes)
            _, held_numbers = stratified(self.y_train[first], count, seed)
            inside = np.isin(self.originals, numbers[held_numbers])
            kept, held = np.flatnonzero(~inside), np.flatnonzero(inside)
        return take(self.x_train, self.y_train, kept), take(self.x_train, self.y_train, held)
