"""One training run: settings, presets, data, telemetry, outcomes, the loop."""
