"""A small HTTP server that speaks the JSON of the API, and fails when told to: the other end of the client's tests."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.reports_for_tests import report

KEY = "brn_test"
MODEL = {
    "id": "mdl_1",
    "name": "m.onnx",
    "state": "ready",
    "refusal": None,
    "offers": ["labels", "scores", "gradients"],
}
SAMPLES = {"id": "smp_1", "name": "s.npz", "count": 3, "shape": [64], "labelled": True}
DETAILS = {"status": "ok", "interval": [0.4, 0.6], "interval_level": 0.95, "max_sample_score": 0.55}


def finding(index, **changes):
    base = {"index": index, "label": 1, "predicted": 1, "kind": "estimate", "norm": "l2", "value": 0.5}
    rest = {"confidence": None, "queries": 2, "gradients": 6400, "ended": "finished", "details": DETAILS}
    return {**base, **rest, **changes}


RADIUS = {"anyOf": [{"const": "auto"}, {"type": "number", "exclusiveMinimum": 0}], "default": "auto"}
METHOD = {
    "name": "clever",
    "family": "score",
    "needs": ["scores", "gradients"],
    "norms": [],
    "proves": "estimate",
    "params_schema": {"properties": {"name": {"const": "clever"}, "radius": RADIUS | {"description": "of the ball"}}},
}
COST = {"queries": 0, "gradients": 0, "eta_seconds": 12.3}
SUMMARY = {
    "counts": {"estimate": 2, "misclassified": 1},
    "samples": 3,
    "labels": "given",
    "clean_accuracy": {"value": 2 / 3, "low": 0.09, "high": 0.99},
    "value": {"mean": 0.33, "median": 0.5, "min": 0.0, "max": 0.5},
    "success_rate": None,
    "queries": {"total": 6, "mean": 2.0, "median": 2.0, "max": 2, "http_calls": 0},
    "gradients": 19200,
    "seconds": 1.5,
    "versions": {"clever": "1"},
    "warnings": [],
}


def problem(status, code, detail="Do this instead.", **more):
    return status, {"status": status, "code": code, "detail": detail, "request_id": "req_1", **more}, {}


class StandIn:
    """What it knows, what it was asked, and how it is to fail next."""

    def __init__(self):
        self.requests = []  # (method, path, headers, body)
        self.queries = []  # (path, what stands behind it)
        self.faults = []  # consumed one a request: "reset", or (status, body, headers)
        self.job_states = ["queued", "running", "succeeded"]  # the last one stays
        self.findings = [finding(0), finding(1), finding(2, kind="misclassified", value=0.0, predicted=4, details={})]
        self.audit_states = ["running", "succeeded"]  # likewise
        self.unfit = set()  # ids of models that no job's method fits
        self.verdict = None
        self.lost_jobs = 0  # of the audit, the last ones
        self.model = MODEL
        self.url = ""

    def paths(self, method):
        return [path for asked, path, _, _ in self.requests if asked == method]

    def job(self, state):
        done = len(self.findings) if state == "succeeded" else 1
        progress = {"samples_done": done, "samples_total": 3, "fraction": done / 3, **COST}
        error = {"code": "model_fault", "detail": "The model crashed."} if state == "failed" else None
        known = {"id": "job_1", "state": state, "request": {"method": {"name": "clever"}}, "created_at": "now"}
        known["method"] = {"name": "clever", "version": "1", "params": {}}
        return {**known, "progress": progress, "summary": SUMMARY if state == "succeeded" else None, "error": error}

    def audit(self, state):
        has_ended = state == "succeeded"
        progress = {"samples_done": 6 if has_ended else 1, "samples_total": 6, "fraction": 1.0 if has_ended else 0.5}
        error = {"code": "model_fault", "detail": "The model crashed."} if state == "failed" else None
        jobs = [{"job_id": f"job_{i + 1}", "method": name, "state": state} for i, name in enumerate(["pgd", "c"])]
        for job in jobs[len(jobs) - self.lost_jobs :]:
            job["state"] = "failed"
        known = {"id": "aud_1", "state": state, "request": {"recipe": "quick-1"}, "jobs": jobs, "created_at": "now"}
        ended = {"verdict": self.verdict if has_ended else None, "report_ready": has_ended, "error": error}
        return {**known, **ended, "progress": progress | COST, "summary": None}

    def report(self):
        rules = {} if self.verdict else {"rules": ()}
        return report(12, verdict=self.verdict, **rules).model_dump(mode="json")

    def answer(self, method, path, query, headers):
        """(status, JSON body or bytes or None, headers)"""
        if path in {"/healthz", "/readyz"}:
            return 200, {}, {}
        if headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, "unauthenticated", "Send a key.")
        match method, path.split("/")[2:]:
            case "POST", ["models"]:
                return 201, self.model, {}
            case "POST", ["samples"]:
                return 201, SAMPLES, {}
            case "GET", ["models"]:
                return 200, {"items": [self.model], "next_cursor": None}, {}
            case "GET", ["models", "mdl_1"]:
                return 200, self.model, {}
            case "DELETE", ["models", "mdl_1"]:
                return 204, None, {}
            case "GET", ["methods"]:
                return 200, [METHOD], {}
            case "POST", ["jobs"]:
                fits = json.loads(self.requests[-1][3]).get("model_id") not in self.unfit
                return (202, self.job("queued"), {}) if fits else problem(422, "access_too_weak", "It has no slopes.")
            case "GET", ["jobs", "job_1"]:
                state = self.job_states.pop(0) if len(self.job_states) > 1 else self.job_states[0]
                return 200, self.job(state), {"Retry-After": "0"}
            case "POST", ["jobs", "job_1", "cancel"]:
                self.job_states = ["cancelled"]
                return 202, self.job("running"), {}
            case "GET", ["jobs", "job_1", "adversarials"]:
                return 200, b"PK-npz", {}
            case "GET", ["jobs", "job_1", "findings"]:
                start = int(query.get("cursor", ["0"])[0])
                following = str(start + 2) if start + 2 < len(self.findings) else None
                return 200, {"items": self.findings[start : start + 2], "next_cursor": following}, {}
            case "POST", ["audits"]:
                is_known = json.loads(self.requests[-1][3])["model_id"] == "mdl_1"
                return (202, self.audit("queued"), {}) if is_known else problem(404, "not_found")
            case "GET", ["audits"]:
                return 200, {"items": [self.audit("succeeded")], "next_cursor": None}, {}
            case "GET", ["audits", "aud_1"]:
                state = self.audit_states.pop(0) if len(self.audit_states) > 1 else self.audit_states[0]
                return 200, self.audit(state), {"Retry-After": "0"}
            case "GET", ["audits", "aud_1", "verdict"]:
                return 200, {name: self.report()[name] for name in ("verdict", "rules")}, {}
            case "GET", ["audits", "aud_1", "report"]:
                form = query.get("format", ["json"])[0]
                return 200, self.report() if form == "json" else f"<{form}>".encode(), {}
            case "POST", ["audits", "aud_1", "cancel"]:
                self.audit_states = ["cancelled"]
                return 202, self.audit("running"), {}
            case "DELETE", ["audits", "aud_1"]:
                return 204, None, {}
        return problem(404, "not_found", "There is no such thing.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _handle(self):
        stand_in, asked = self.server.stand_in, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        stand_in.requests.append((self.command, asked.path, dict(self.headers), body))
        stand_in.queries.append((asked.path, parse_qs(asked.query)))
        fault = stand_in.faults.pop(0) if stand_in.faults else None
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        reply = fault or stand_in.answer(self.command, asked.path, parse_qs(asked.query), self.headers)
        self._reply(*reply)

    def _reply(self, status, content, headers):
        data = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _handle

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    stand_in: StandIn


@contextmanager
def running() -> Iterator[StandIn]:
    stand_in = StandIn()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.stand_in = stand_in
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield stand_in
        server.shutdown()
