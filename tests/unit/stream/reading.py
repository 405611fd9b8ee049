"""What tests of a source read from it."""


def poll(source, consumer, *events):
    consumer.events.extend(events)
    return source.poll(100, 0.1)


def places(rows):
    return [(row.record.partition, row.record.offset) for row in rows]
