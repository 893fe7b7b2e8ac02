"""What every worker that touches media needs: ffmpeg found and bounded, files probed."""
