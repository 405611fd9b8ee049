"""Every setting, its default and what it means, from NIFOS_* variables and a TOML file. Knows no client."""

from nifos_stream.settings.counters import GRAINS, CounterSettings, Dimension, RetentionSettings
from nifos_stream.settings.kafka import REFUSED_PROPERTIES, KafkaSettings, TopicSettings
from nifos_stream.settings.loading import load
from nifos_stream.settings.model import ModelSettings, ShadowSettings
from nifos_stream.settings.servers import HttpSettings, LogSettings, RedisSettings, WebSettings
from nifos_stream.settings.stream import StreamSettings
from nifos_stream.settings.whole import Settings

__all__ = [
    "GRAINS",
    "REFUSED_PROPERTIES",
    "CounterSettings",
    "Dimension",
    "HttpSettings",
    "KafkaSettings",
    "LogSettings",
    "ModelSettings",
    "RedisSettings",
    "RetentionSettings",
    "Settings",
    "ShadowSettings",
    "StreamSettings",
    "TopicSettings",
    "WebSettings",
    "load",
]
