"""Chapter 19 for the tools: wrong answers of its assignment, and its full size in small."""

# the run on a GPU in small: see tests/test_checks_can_fail.py
TINY = """
FULL_SIZE.update(units=8, depth=2, skip=1)
FULL_PASSES = 1
"""

UNTRAINED = ""  # all training is train.fit

MISTAKES = {
    "ray": [
        ("the corner of a pixel for its middle", "column + 0.5", "column"),
        ("rows count upwards", "y = -(row", "y = (row"),
        ("height and width exchanged", "column + 0.5 - width", "column + 0.5 - height"),
        ("a direction of another length", "direction / np.linalg.norm(direction)", "direction"),
        ("the camera looks along plus z", "[x, y, -1.0]", "[x, y, 1.0]"),
        ("world to camera", "pose[:3, :3] @", "pose[:3, :3].T @"),
        ("the place is added to the direction", "direction / np", "pose[:3, 3] + direction / np"),
        (
            "the pose is forgotten",
            "pose[:3, :3] @ np.array([x, y, -1.0])",
            "np.array([x, y, -1.0])",
        ),
        ("the row of the place", "pose[:3, 3].copy()", "pose[3, :3].copy()"),
        ("a view of the pose", "pose[:3, 3].copy()", "pose[:3, 3]"),
        ("the world's origin", "pose[:3, 3].copy()", "np.zeros(3)"),
        ("one side of the picture for both", "row + 0.5 - height", "row + 0.5 - width"),
    ],
    "weights": [
        (
            "the piece itself stands before itself",
            "np.cumsum(thickness, axis=-1) - thickness",
            "np.cumsum(thickness, axis=-1)",
        ),
        ("pieces of length 1", "density * lengths", "density * np.ones_like(lengths)"),
        ("along the first axis", "np.cumsum(thickness, axis=-1)", "np.cumsum(thickness, axis=0)"),
        (
            "over all rays",
            "np.cumsum(thickness, axis=-1)",
            "np.cumsum(thickness).reshape(thickness.shape)",
        ),
        ("nothing hides anything", " * np.exp(-before)", ""),
        ("the thickness for what it stops", "(1 - np.exp(-thickness))", "thickness"),
        (
            "from behind",
            "np.cumsum(thickness, axis=-1)",
            "np.cumsum(thickness[..., ::-1], axis=-1)[..., ::-1]",
        ),
        (
            "made to sum to 1",
            "    return (1 - np.exp(-thickness)) * np.exp(-before)",
            "    found = (1 - np.exp(-thickness)) * np.exp(-before)\n"
            "    return found / found.sum(axis=-1, keepdims=True)",
        ),
        (
            "what passes, without the length",
            "np.exp(-before)",
            "np.exp(density - np.cumsum(density, axis=-1))",
        ),
        (
            "two axes only",
            "    thickness = density * lengths",
            "    thickness = density * lengths\n"
            "    thickness = thickness.reshape(-1, thickness.shape[-1])",
        ),
        (
            "changes its argument",
            "    thickness = density * lengths",
            "    density *= lengths\n    thickness = density",
        ),
    ],
    "look_up": [
        ("the nearest point", "t = places - low", "t = np.round(places - low)"),
        ("the lower corner", "t = places - low", "t = np.zeros_like(places)"),
        (
            "fails on the last face",
            "np.minimum(places.astype(int), last - 1)",
            "places.astype(int)",
        ),
        ("outside it goes on as it was", "places = np.clip(points, 0, last)", "places = points"),
        (
            "outside is zero",
            "    return total",
            "    return np.where((points == places).all(axis=1), total, 0.0)",
        ),
        (
            "one length for all axes",
            "last = np.array(values.shape) - 1",
            "last = np.full(3, values.shape[0] - 1)",
        ),
        ("the shares are exchanged", "np.where(corner, t, 1 - t)", "np.where(corner, 1 - t, t)"),
        ("a mean of the eight", "np.where(corner, t, 1 - t).prod(axis=1)", "1 / 8"),
        ("the shares are added", ".prod(axis=1)", ".mean(axis=1) / 4"),
        (
            "the axes are turned round",
            "values[tuple((low + corner).T)]",
            "values.T[tuple((low + corner).T)]",
        ),
        ("four corners only", "np.ndindex(2, 2, 2)", "np.ndindex(2, 2, 1)"),
        (
            "changes its argument",
            "places = np.clip(points, 0, last)",
            "places = np.clip(points, 0, last, out=points)\n    values += 1e-15",
        ),
    ],
    "encode": [
        (
            "the mistake that was to be found",
            """def encode(x, octaves):
    waves = [x]
    for octave in range(octaves):
        waves += [np.sin(np.pi * x * octave), np.cos(np.pi * x * octave)]
    return np.concatenate(waves, axis=-1)""",
        ),
        ("from 1 on", "2.0**octave * np.pi", "(octave + 1) * np.pi"),
        ("squares for doublings", "2.0**octave * np.pi", "(octave + 1) ** 2 * np.pi"),
        ("without π", "2.0**octave * np.pi * x", "2.0**octave * x"),
        ("twice as fast from the start", "2.0**octave", "2.0 ** (octave + 1)"),
        ("cosine first", "[np.sin(angle), np.cos(angle)]", "[np.cos(angle), np.sin(angle)]"),
        ("without the place", "waves = [x]", "waves = [x[..., :0]]"),
        (
            "all sines, then all cosines",
            "    return np.concatenate(waves, axis=-1)",
            "    return np.concatenate([waves[0], *waves[1::2], *waves[2::2]], axis=-1)",
        ),
        (
            "coordinate by coordinate",
            "    return np.concatenate(waves, axis=-1)",
            "    return np.stack(waves, axis=-1).reshape(*x.shape[:-1], -1)",
        ),
        (
            "no copy without octaves",
            "    return np.concatenate(waves, axis=-1)",
            "    return np.concatenate(waves, axis=-1) if octaves else x",
        ),
        (
            "changes its argument",
            """def encode(x, octaves):
    waves = [x.copy()]
    x *= np.pi
    for octave in range(octaves):
        waves += [np.sin(2.0**octave * x), np.cos(2.0**octave * x)]
    return np.concatenate(waves, axis=-1)""",
        ),
    ],
    "read": [
        ("one error for all pictures", ".mean(axis=(1, 2, 3))", ".mean()"),
        ("the absolute error", "np.square(colour - truth)", "np.abs(colour - truth)"),
        ("natural logarithms", "np.log10(errors)", "np.log(errors)"),
        ("20 for 10", "-10 * np.log10", "-20 * np.log10"),
        (
            "the sum over the channels",
            "np.square(colour - truth).mean(axis=(1, 2, 3))",
            "np.square(colour - truth).sum(axis=-1).mean(axis=(1, 2))",
        ),
        ("the sign is lost", "-10 * np", "10 * np"),
        ("not divided by the opacity", " / np.where(seen, opacity, 1)", ""),
        ("zero for infinitely far", "np.where(seen, mean, np.inf)", "np.where(seen, mean, 0.0)"),
        ("anything at all is seen", "opacity >= 0.5", "opacity > 0"),
        ("just one half is not enough", "opacity >= 0.5", "opacity > 0.5"),
        ("divides by nothing", "np.where(seen, opacity, 1)", "opacity"),
        (
            "the heaviest piece",
            "mean = (weights * distances).sum(axis=-1) / np.where(seen, opacity, 1)",
            "mean = np.take_along_axis(distances, weights.argmax(-1)[..., None], -1)[..., 0]",
        ),
        (
            "the median of the pictures",
            "np.log10(errors).mean()",
            "np.median(np.log10(errors[:1]))",
        ),
        (
            "changes its argument",
            "    opacity = weights.sum(axis=-1)",
            "    opacity = weights.sum(axis=-1)\n    weights += 1e-15",
        ),
    ],
}
