"""Records: the journal and its verification, evidence pictures, health, status and telemetry."""
