"""An ordinary receiver of webhooks, for comparison: FastAPI, uvicorn, sqlite3, one durable transaction a delivery."""

import hashlib
import hmac
import json
import os
import sqlite3
import time

from fastapi import FastAPI, Request, Response

SECRET = os.environ["RECEIVER_SECRET"].encode()
TABLES = """
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, delivery TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, event INTEGER NOT NULL REFERENCES event(seq), state TEXT NOT NULL, due INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS job_due ON job(due) WHERE state = 'ready';
"""

rows = sqlite3.connect(os.environ["RECEIVER_DB"], isolation_level=None, check_same_thread=False)
for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
    rows.execute("PRAGMA " + setting)
rows.executescript(TABLES)
app = FastAPI()


def keep(delivery: str, body: bytes, now: int) -> bool:
    """Whether the delivery is new; it is durable when this returns."""
    rows.execute("BEGIN IMMEDIATE")
    try:
        done = rows.execute(
            "INSERT INTO event (delivery, at, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (delivery, now, body)
        )
        new = done.rowcount == 1
        if new:
            rows.execute("INSERT INTO job (event, state, due) VALUES (?, 'ready', ?)", (done.lastrowid, now))
        rows.execute("COMMIT")
        return new
    except BaseException:
        rows.execute("ROLLBACK")
        raise


@app.post("/hooks/tracker")
async def tracker(request: Request) -> Response:
    body = await request.body()
    signed = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed, request.headers.get("x-signature", "")):
        return Response(status_code=401)
    said = json.loads(body)
    now = int(time.time() * 1000)
    if abs(now - said["webhookTimestamp"]) > 300_000:
        return Response(status_code=401)
    new = keep(request.headers["x-delivery"], body, now)
    return Response(status_code=202 if new else 200)


@app.get("/health")
async def health() -> dict:
    return {"ok": True}
