import pytest

from nifos_stream.errors import UserError


def test_a_model_is_named_by_its_directory_and_settings(load):
    classifier = load(max_length=40, chunk_tokens=123)
    assert (classifier.info.name, classifier.info.max_length) == ("tiny", 40)
    assert (classifier.device, classifier.dtype, classifier.chunk_tokens) == ("cpu", "fp32", 123)


@pytest.mark.parametrize("length", [5, 65])
def test_a_length_that_the_model_cannot_read_is_one_sentence(load, length):
    with pytest.raises(UserError, match=f"max_length cannot be {length}"):
        load(max_length=length)


def test_a_device_that_is_not_there_is_one_sentence(load, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="no CUDA device"):
        load(device="cuda:3")


def test_threads_are_lanes(load):
    assert load(threads=3).lanes.count == 3


def test_a_model_whose_cleaning_leaves_nothing_of_the_sample_is_measured_all_the_same(load, monkeypatch):
    monkeypatch.setattr("nifos_stream.model.loading.SAMPLE", ("", " "))
    assert load(dtype="auto", chunk_tokens=0).chunk_tokens > 0


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["auto", "fp32", "bf16", "fp16"])
def test_a_gpu_reads_as_the_cpu_does(load, dtype):
    several = ["정말 좋아요!", "별로예요", "숲길 " * 20, "", "산"]
    on_cpu = load().classify(several)
    on_gpu = load(device="cuda", dtype=dtype).classify(several)
    for one, other in zip(on_cpu, on_gpu, strict=True):
        if one != other:
            assert one.probabilities == pytest.approx(other.probabilities, abs=0.02)


@pytest.mark.gpu
def test_int8_is_not_for_gpus(load):
    with pytest.raises(UserError, match="int8"):
        load(device="cuda", dtype="int8")
