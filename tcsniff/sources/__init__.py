"""Where deliveries come from: a broker, recordings, the simulator."""
