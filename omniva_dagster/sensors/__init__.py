"""What drives the pipeline: schedules and sensors."""
