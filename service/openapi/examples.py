"""The examples of the OpenAPI document: one job, told from upload to findings. A test reads each as what it shows."""

from typing import Any

MODEL_ID = "mdl_7Zq3vN0xS1mYt8KcRbWd2g"
SAMPLES_ID = "smp_1fJp9aQe5LhXu0VoTz4Ckw"
JOB_ID = "job_6RkB2yDn8GsWq4McHx7Lfa"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

MODEL: dict[str, Any] = {
    "id": MODEL_ID,
    "kind": "onnx",
    "name": "digits",
    "state": "ready",
    "refusal": None,
    "sha256": SHA256,
    "size_bytes": 151_304,
    "input": {"name": "image", "dtype": "float32", "shape": [1, 8, 8], "batch": None},
    "output": {"name": "logits", "classes": 10, "kind": "logits"},
    "output_told": None,
    "reads": {"output": "logits", "as": "logits", "because": "graph"},
    "classes_named": None,
    "preprocessing": {"subtract": 0.5, "divide": 0.25},
    "opset": 18,
    "offers": ["labels", "scores", "gradients"],
    "withheld": [],
    "parity": {"max_abs_difference": 4.8e-7, "rows": 8},
    "endpoint": None,
    "credential": None,
    "probe": None,
    "created_at": "2026-11-22T09:00:00Z",
}

ENDPOINT_REQUEST: dict[str, Any] = {
    "kind": "endpoint",
    "name": "digits in production",
    "url": "https://models.example.com/v2/models/digits/infer",
    "protocol": "open_inference_v2",
    "input": {"shape": [1, 8, 8], "dtype": "float32"},
    "output": {"kind": "logits", "classes": 10},
    "auth": {"type": "bearer", "token": "the secret of the endpoint"},
    "limits": {"max_batch": 64, "concurrency": 4, "requests_per_second": 20},
}

TEMPLATE_REQUEST: dict[str, Any] = {
    "kind": "endpoint",
    "url": "https://models.example.com/score",
    "protocol": "json_template",
    "input": {"shape": [20]},
    "output": {"kind": "probabilities", "classes": 3},
    "auth": {"type": "header", "name": "X-Api-Key", "value": "the secret of the endpoint"},
    "options": {"request": {"instances": "$batch"}, "scores": "$.predictions[*].probabilities"},
}

SAMPLES: dict[str, Any] = {
    "id": SAMPLES_ID,
    "name": "test digits",
    "count": 200,
    "shape": [1, 8, 8],
    "dtype": "float32",
    "labelled": True,
    "label_minimum": 0,
    "label_maximum": 9,
    "label_values": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "minimum": 0.0,
    "maximum": 1.0,
    "sha256": SHA256,
    "size_bytes": 53_248,
    "created_at": "2026-11-22T09:00:02Z",
}

JOB_REQUEST: dict[str, Any] = {
    "model_id": MODEL_ID,
    "samples_id": SAMPLES_ID,
    "method": {"name": "clever", "preset": "quick"},
    "threat": {"norm": "l2", "box": [0, 1], "epsilon": None, "goal": "untargeted"},
    "budget": {"queries_per_sample": 10_000},
    "samples": {"limit": 20},
    "seed": 0,
}

SMALLEST_JOB_REQUEST: dict[str, Any] = {
    "model_id": MODEL_ID,
    "samples_id": SAMPLES_ID,
    "method": {"name": "clever"},
}

JOB: dict[str, Any] = {
    "id": JOB_ID,
    "state": "running",
    "method": {"name": "clever", "version": "2", "params": {"preset": "quick", "batches": 50, "batch_size": 128}},
    "request": JOB_REQUEST,
    "hints": None,
    "progress": {
        "samples_done": 8,
        "samples_total": 20,
        "queries": 16,
        "gradients": 51_200,
        "fraction": 0.4,
        "eta_seconds": 6.5,
    },
    "summary": None,
    "details": None,
    "error": None,
    "created_at": "2026-11-22T09:00:03Z",
    "started_at": "2026-11-22T09:00:04Z",
    "finished_at": None,
}

FINDING: dict[str, Any] = {
    "index": 0,
    "label": 7,
    "predicted": 7,
    "kind": "estimate",
    "norm": "l2",
    "value": 1.184,
    "confidence": None,
    "queries": 2,
    "gradients": 6400,
    "ended": "finished",
    "details": {"status": "ok", "interval": [1.102, 1.251], "interval_level": 0.95, "rival": 9},
}

WHOLE_FINDING: dict[str, Any] = FINDING | {
    "kind": "lower_bound",
    "value": 0.05,
    "confidence": 1.0,
    "queries": 3,
    "gradients": 0,
    "details": {"domains": 61, "curve": [[1, -0.42], [14, -0.11], [61, 0.02]], "bound": 0.02},
    "curve_seconds": [0.031, 0.24, 0.97],
}

AUDIT_ID = "aud_3Tn5wKz9PrVbXj0QeYs6Mg"

AUDIT_REQUEST: dict[str, Any] = {
    "model_id": MODEL_ID,
    "samples_id": SAMPLES_ID,
    "recipe": "quick-1",
    "threat": {"norm": "l2", "box": [0, 1], "epsilon": 0.5, "goal": "untargeted"},
    "policy": {
        "rules": [
            {"name": "accurate", "metric": "clean_accuracy", "at_least": 0.95, "confidence": 0.95},
            {"name": "robust", "metric": "robust_accuracy", "at": 0.3, "at_least": 0.7},
        ]
    },
    "samples": {"limit": 200},
    "seed": 0,
}

SMALLEST_AUDIT_REQUEST: dict[str, Any] = {"model_id": MODEL_ID, "samples_id": SAMPLES_ID}

AUDIT: dict[str, Any] = {
    "id": AUDIT_ID,
    "state": "running",
    "request": AUDIT_REQUEST,
    "jobs": [
        {"job_id": JOB_ID, "method": "pgd", "state": "running"},
        {"job_id": "job_9aQe5LhXu0VoTz4Ckw1fJp", "method": "square", "state": "queued"},
    ],
    "skipped": [{"method": "nearest_neighbor", "reason": "It needs neighbours, which this model does not offer."}],
    "progress": {
        "samples_done": 80,
        "samples_total": 400,
        "queries": 9_800,
        "gradients": 12_000,
        "fraction": 0.2,
        "eta_seconds": None,
    },
    "verdict": None,
    "summary": None,
    "report_ready": False,
    "draft": False,
    "error": None,
    "created_at": "2026-11-22T09:00:03Z",
    "started_at": "2026-11-22T09:00:04Z",
    "finished_at": None,
}

VERDICT: dict[str, Any] = {
    "verdict": "inconclusive",
    "rules": [
        {
            "name": "accurate",
            "metric": "clean_accuracy",
            "at_least": 0.95,
            "confidence": 0.95,
            "observed": 0.965,
            "low": 0.929,
            "high": 0.986,
            "evidence": "empirical",
            "verdict": "inconclusive",
            "needed_samples": 899,
            "detail": "The interval contains the bound: too few samples to tell.",
        }
    ],
}

PROBLEM: dict[str, Any] = {
    "type": "urn:brinell:problem:access_too_weak",
    "title": "Access too weak",
    "status": 422,
    "detail": "clever needs scores, gradients; this model offers labels, scores. Try square.",
    "code": "access_too_weak",
    "request_id": "0f3c5a0e6f8b4c7f9a1d2e3b4c5d6e7f",
    "errors": [{"pointer": "/method/name", "detail": "needs scores, gradients"}],
}

OBJECTS = {
    "ModelCard": MODEL,
    "SamplesCard": SAMPLES,
    "Job": JOB,
    "Finding": FINDING,
    "WholeFinding": WHOLE_FINDING,
    "Audit": AUDIT,
    "Verdict": VERDICT,
    "Problem": PROBLEM,
}
