"""infinity-emb: its engine behind the plain loop of confluent-kafka.

The engine's documented synchronous interface. It sorts what is queued by length, eight batches' worth at
once, and runs transformers' pipeline.
"""

from collections.abc import Sequence

from infinity_emb import EngineArgs, SyncEngineArray

from tests.peers.apps.confluent import run
from tests.peers.apps.job import Job
from tests.peers.apps.labellers import BATCH, Labeller, Sentiment, ready, scored

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def infinity(model: str, dtype: str) -> Labeller:
    engines = SyncEngineArray.from_args(
        [
            EngineArgs(
                model_name_or_path=model,
                served_model_name="sentiment",
                engine="torch",
                dtype=DTYPES[dtype],
                batch_size=BATCH,
                # It measures lengths with a method of tokenizers that transformers 5 has no more.
                model_warmup=False,
            )
        ]
    )

    def label(texts: Sequence[str]) -> list[Sentiment]:
        found, _usage = engines.classify(model="sentiment", sentences=list(texts)).result()
        return [scored(rows) for rows in found]

    return label


def main() -> None:
    job = Job.given()
    run(job, ready(infinity(job.model, job.dtype)))


if __name__ == "__main__":
    main()
