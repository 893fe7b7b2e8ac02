"""The editor: from a span of a video to a finished vertical clip (module interfaces, 5.3).

`plan` decides everything and is pure; `render` runs what was planned and verifies the result.
"""
