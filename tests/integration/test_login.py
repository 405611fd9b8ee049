"""A broker that asks for a password: the right one works, a wrong one is one sentence."""

import pytest
from pydantic import SecretStr

from nifos_stream import kafka
from nifos_stream.errors import UserError
from nifos_stream.local import kafka as local_kafka
from nifos_stream.local.datadir import choose_port
from nifos_stream.local.stack import LocalStack
from nifos_stream.settings import KafkaSettings


@pytest.fixture(scope="module")
def login_address(tmp_path_factory):
    """host:port of a listener that knows the user `analyst` with the password `right`."""
    port = choose_port("Kafka", 0, default=0, kept=None)
    plain = local_kafka._PROPERTIES
    named = plain.replace("CONTROLLER:PLAINTEXT", "CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT").replace(
        "PLAINTEXT://127.0.0.1:{port},", f"PLAINTEXT://127.0.0.1:{{port}},LOGIN://127.0.0.1:{port},"
    )
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    login = f'listener.name.login.plain.sasl.jaas.config={module} required user_analyst="right";\n'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_kafka, "_PROPERTIES", f"{named}sasl.enabled.mechanisms=PLAIN\n{login}")
        with LocalStack(tmp_path_factory.mktemp("login")):
            yield f"127.0.0.1:{port}"


def settings(address, password):
    mechanism = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    return KafkaSettings(
        bootstrap_servers=address, username="analyst", password=password, properties=mechanism
    )


def test_the_right_password_is_let_in(login_address):
    assert kafka.connect(settings(login_address, "right")).list_topics(timeout=10).brokers


def test_a_wrong_password_is_said_at_once_and_not_shown(login_address):
    with pytest.raises(
        UserError, match=f"Kafka at {login_address} refused the user name or password"
    ) as said:
        kafka.connect(settings(login_address, "wrong-password"))
    assert "wrong-password" not in str(said.value)


def test_a_mechanism_that_the_broker_does_not_have_is_said_to_be_that(login_address):
    wrong = KafkaSettings(
        bootstrap_servers=login_address,
        username="analyst",
        password="right",
        properties={"security.protocol": "SASL_PLAINTEXT"},
    )
    with pytest.raises(UserError, match=r"does not take the sasl\.mechanism: .*SCRAM-SHA-512.*: PLAIN\.$"):
        kafka.connect(wrong)


def test_tls_where_the_broker_speaks_none_is_guessed_at(login_address):
    wrong = KafkaSettings(bootstrap_servers=login_address, username="analyst", startup_timeout_seconds=2)
    with pytest.raises(UserError, match=r"No Kafka broker answered .*: connecting to a PLAINTEXT .*\?$"):
        kafka.connect(wrong.model_copy(update={"password": SecretStr("right")}))
