# The code alone, with the pages' vendor files, so that a change is rebuilt, pushed and rolled in seconds.
ARG BASE
FROM ${BASE}
COPY code/ /opt/berth/code/
COPY vendor/ /opt/berth/code/platform_ui/static/vendor/
RUN python3 -m compileall -q -j 0 /opt/berth/code || true
WORKDIR /opt/berth/code
USER 10100:10100
