"""Whether ``check`` turns to FAIL before the model loses marks: blur, motion and light."""
