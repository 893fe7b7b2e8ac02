"""What each message type says, by the part of the house that it comes from."""
