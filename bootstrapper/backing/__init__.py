"""One folder for each backing service: its Dockerfile, its start script, and `backing.py` which declares it."""
