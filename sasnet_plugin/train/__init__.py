"""Networks, from simulated measurements to a calibrated model of the zoo; nothing else imports Keras."""
