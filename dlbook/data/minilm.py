"""all-MiniLM-L6-v2: a small BERT with published weights, for those who want to try a real one."""

from pathlib import Path

from dlbook.data.files.locate import locate
from dlbook.data.files.types import Collection, RemoteFile

_HOST = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/"

# not among the data sets: it has no stand-in, and nobody should get 91 MB without asking for them
MINILM = Collection(
    name="minilm",
    title="all-MiniLM-L6-v2",
    files=(
        RemoteFile.on_hosts(
            "minilm/config.json",
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "minilm/tokenizer_config.json",
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "minilm/vocab.txt",
            231_508,
            "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "minilm/model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            _HOST,
        ),
    ),
    licence="Apache-2.0",
    citation=(
        "W. Wang and others: MiniLM: deep self-attention distillation for task-agnostic "
        "compression of pre-trained Transformers. NeurIPS, 2020; N. Reimers, I. Gurevych: "
        "Sentence-BERT. EMNLP, 2019"
    ),
    homepage="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
)


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2: 6 blocks of width 384, in Hugging Face's form.

    The files come from the folder ``minilm`` of the mirror folder, else from the cache, else from
    Hugging Face (91 MB), and are verified.

    Returns:
        A folder for ``dlbook.models.bert.pretrained.load_bert``.

    Raises:
        DataUnavailableError: when a file cannot be had, or DLBOOK_DATA asks for stand-ins.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    paths = locate(MINILM).paths
    folders = {path.parent for path in paths.values()}
    if len(folders) > 1:  # a part in the mirror folder, a part in the cache
        from dlbook.data.files.locate import make_mirror
        from dlbook.data.files.settings import cache_folder

        make_mirror(cache_folder(), [MINILM])
        return cache_folder() / "minilm"
    return folders.pop()
