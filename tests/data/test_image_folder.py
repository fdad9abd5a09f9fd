"""What is found in a folder of pictures, and what is copied from it."""

import io

import numpy as np
import pytest
from PIL import Image

from dlbook.data import clean_image_folder
from dlbook.data.image_folder import fault_of_picture

GENERATOR = np.random.default_rng(0)


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(GENERATOR.integers(0, 256, (30, 40, 3)).astype("uint8")).convert(mode)


def content(kind: str, mode: str = "RGB", frames: int = 1) -> bytes:
    file = io.BytesIO()
    more = {"save_all": True, "append_images": [picture(mode)] * (frames - 1)} if frames > 1 else {}
    picture(mode).save(file, kind, **more)
    return file.getvalue()


JPEG, PNG = content("JPEG"), content("PNG")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", JPEG),
        ("a.JPEG", JPEG),
        ("a.png", PNG),
        ("a.bmp", content("BMP")),
        ("a.gif", content("GIF", "P")),
        ("palette.png", content("PNG", "P")),
        ("transparent.png", content("PNG", "RGBA")),
    ],
)
def test_still_colour_pictures_pass(name, file):
    assert fault_of_picture(file, name) is None


@pytest.mark.parametrize(
    ("name", "file", "kind"),
    [
        ("notes.txt", b"hello", "wrongly named"),
        ("no_ending", JPEG, "wrongly named"),
        (".DS_Store", b"x", "wrongly named"),
        ("new.webp", content("WEBP"), "wrongly named"),
        ("png.jpg", PNG, "wrongly named"),
        ("jpeg.png", JPEG, "wrongly named"),
        ("gif.jpg", content("GIF", "P", 2), "wrongly named"),
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"hello", "corrupt"),
        ("half.jpg", JPEG[: len(JPEG) // 2], "corrupt"),
        ("half.png", PNG[: len(PNG) // 2], "corrupt"),
        ("zeros.jpg", bytes(300), "corrupt"),
        ("moving.gif", content("GIF", "P", 3), "animated"),
        ("grey.jpg", content("JPEG", "L"), "grey"),
        ("grey.png", content("PNG", "L"), "grey"),
        ("black_and_white.png", content("PNG", "1"), "grey"),
        ("print.jpg", content("JPEG", "CMYK"), "CMYK"),
    ],
)
def test_every_fault_has_its_kind(name, file, kind):
    fault = fault_of_picture(file, name)
    assert fault.kind == kind
    assert str(fault) == f"{kind} ({fault.detail})"


def test_too_many_pixels_are_not_decoded(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    assert fault_of_picture(PNG, "a.png") == ("corrupt", "too many pixels")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "mine"
    for place, file in {
        "cat/1.jpg": JPEG,
        "cat/half.jpg": JPEG[:200],
        "cat/grey.jpg": content("JPEG", "L"),
        "dog/1.png": PNG,
        "dog/more/2.jpg": JPEG,
        "dog/empty.jpg": b"",
        "readme.txt": b"hello",
    }.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(file)
    return folder


def test_folder_is_copied_without_what_is_named(source, tmp_path):
    cleaned = clean_image_folder(source, tmp_path / "clean")
    assert cleaned.kept == {"cat": 1, "dog": 2}
    assert {place: fault.kind for place, fault in cleaned.skipped.items()} == {
        "cat/grey.jpg": "grey",
        "cat/half.jpg": "corrupt",
        "dog/empty.jpg": "empty",
        "readme.txt": "wrongly named",
    }
    new = {path.relative_to(tmp_path / "clean").as_posix() for path in cleaned.folder.rglob("*.*")}
    assert new == {"cat/1.jpg", "dog/1.png", "dog/more/2.jpg"}
    assert (cleaned.folder / "dog/more/2.jpg").read_bytes() == JPEG
    assert len([path for path in source.rglob("*") if path.is_file()]) == 7  # only read


def test_grey_pictures_can_be_kept(source, tmp_path):
    cleaned = clean_image_folder(source, tmp_path / "clean", keep=("grey",))
    assert cleaned.kept == {"cat": 2, "dog": 2}
    assert (cleaned.folder / "cat/grey.jpg").is_file()


def test_class_without_a_usable_picture_keeps_its_folder(source, tmp_path):
    (source / "fox").mkdir()
    cleaned = clean_image_folder(source, tmp_path / "clean")
    assert cleaned.kept["fox"] == 0
    assert (cleaned.folder / "fox").is_dir()  # so that the numbers of the classes stay


def test_unclear_orders_are_refused(source, tmp_path):
    with pytest.raises(ValueError, match="no folder inside"):
        clean_image_folder(source / "cat", tmp_path / "clean")
    with pytest.raises(ValueError, match="inside source"):
        clean_image_folder(source, source / "clean")
    with pytest.raises(ValueError, match="not empty"):
        clean_image_folder(source, source.parent)
    with pytest.raises(ValueError, match=r"animated, grey.*corrupt"):
        clean_image_folder(source, tmp_path / "clean", keep=("corrupt",))


def test_keras_reads_the_new_folder_and_stops_at_the_old_one(source, tmp_path):
    import keras

    def pictures_in(folder):
        dataset = keras.utils.image_dataset_from_directory(folder, image_size=(8, 8), verbose=False)
        return sum(len(labels) for _, labels in dataset)

    cleaned = clean_image_folder(source, tmp_path / "clean")
    assert pictures_in(cleaned.folder) == 3
    with pytest.raises(Exception, match=r"(?i)decode|jpeg|unknown image"):
        pictures_in(source)
