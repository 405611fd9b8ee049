"""quixstreams: a StreamingDataFrame with a column more, exactly once.

A function of `apply` gets one message. What the library has for several are windows, but those are by message
key, and hold the last posts back until their window is full: nobody labels posts so.
"""

from quixstreams import Application

from tests.peers.apps.job import Job
from tests.peers.apps.labellers import BATCH, labeller


def main() -> None:
    job = Job.given()
    label = labeller(job)
    app = Application(
        broker_address=job.bootstrap_servers,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        # By time alone (5 s by default) the last posts of a run would come late, and the run look slower.
        commit_every=BATCH,
        state_dir=f"{job.folder}/state",
    )
    posts = app.topic(job.posts, value_deserializer="json")
    labelled = app.topic(job.labelled, value_serializer="json")
    sdf = app.dataframe(posts)
    sdf["sentiment"] = sdf["text"].apply(lambda text: label([text])[0])
    sdf.to_topic(labelled)
    app.run()


if __name__ == "__main__":
    main()
