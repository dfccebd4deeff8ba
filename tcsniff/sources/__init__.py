"""Where deliveries come from: a broker, recordings, the simulator; and the queue's API.

The one package that imports kombu and py-amqp. Start reading with `consumer`
for brokers and with `recording` for files; both are `tcsniff.pipeline.Source`.
"""
