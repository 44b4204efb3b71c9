# What fetches the packages of Python apps: the runtime with pip, which no app's own image has.
ARG BASE
FROM ${BASE}
COPY pip/ /opt/pip/
ENV PYTHONPATH=/opt/pip
