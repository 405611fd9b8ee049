from nifos_stream.messages import Label
from nifos_stream.model import Reading, SentenceReading


def test_a_reading_knows_its_label_in_both_languages():
    reading = Reading((0.1, 0.2, 0.7), 12)
    assert (reading.label, reading.label_ko, reading.score) == (Label.POSITIVE, "긍정", 0.7)
    assert (reading.sentences, reading.truncated) == ((), False)


def test_of_equal_probabilities_the_first_label_stands():
    sentence = SentenceReading(0, 3, 5, (0.4, 0.4, 0.2))
    assert (sentence.label, sentence.score) == (Label.NEGATIVE, 0.4)
