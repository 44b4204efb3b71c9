# What Python apps run on: the base and the SDK. An app's packages and code come on top.
ARG BASE
FROM ${BASE}
COPY sdk/ /usr/lib/python3/dist-packages/
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
