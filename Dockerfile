# The libraries are installed in a stage of their own: no trace of pip's work is left in the image.
FROM python:3.13-slim-trixie AS libraries
COPY requirements.txt .
RUN pip install --no-cache-dir --root-user-action=ignore --prefix=/libraries \
    --require-hashes -r requirements.txt

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data stopgap \
    && install --directory --mode=0700 --owner=stopgap --group=stopgap /data
COPY --from=libraries /libraries /usr/local
WORKDIR /stopgap
COPY ML_server.py .
COPY src src
RUN python -m compileall -q src
RUN printf '#!/bin/sh\nPYTHONPATH=/stopgap/src${PYTHONPATH:+:$PYTHONPATH} exec python -P -m stopgap.cli "$@"\n' \
    > /usr/local/bin/stopgap && chmod +x /usr/local/bin/stopgap

ENV PORT=5000 \
    PYTHONUNBUFFERED=1 \
    STOPGAP_DATA=/data \
    STOPGAP_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["python", "-c", "import http.client, os, sys; server = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('STOPGAP_PORT') or os.environ['PORT']), timeout=2); server.request('GET', '/status'); sys.exit(server.getresponse().status != 200)"]
CMD ["python", "ML_server.py"]
