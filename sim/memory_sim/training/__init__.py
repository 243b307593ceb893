"""Networks that are trained here, on what simulation shows."""
