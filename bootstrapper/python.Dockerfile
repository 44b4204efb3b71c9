# What every subsystem runs on: the base, the firewall's tools, the locked wheels. Code comes on top.
ARG BASE
ARG LISTS
FROM ${LISTS} AS lists
FROM ${BASE}
RUN --mount=type=bind,from=lists,source=/,target=/var/lib/apt/lists,rw \
    --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99machine,mode=0444 --mount=type=secret,id=ca,target=/run/ca.crt,mode=0444 \
    apt-get install -y -qq --no-install-recommends iptables ipset >/dev/null
COPY site/ /opt/berth/site/
# .pyc with the image's own Python, in a layer of its own: nothing of the first is copied again
RUN python3 -m compileall -q -j 0 /opt/berth/site || true
# a new volume takes over owner and mode of the folder it is mounted on
RUN mkdir -p /run/haproxy /scratch /keep && chown 10006:10006 /run/haproxy && chown 10100:10100 /scratch /keep
ENV PYTHONPATH=/opt/berth/code:/opt/berth/site PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
