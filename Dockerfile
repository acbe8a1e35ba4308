# The hub's image: exact versions with hashes, built apart; what runs has no compiler, no tests, and is not root.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /app
COPY requirements.txt ./
RUN /app/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml requirements.in ./
COPY auth auth
COPY connectors connectors
COPY schema schema
COPY hub hub
RUN /app/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["hub"]
CMD ["serve"]
