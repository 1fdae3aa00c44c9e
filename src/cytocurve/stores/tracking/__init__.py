"""All of MLflow: experiments, runs and the model registry."""
