"""Whatever stands in a query, a header, an address or an uploaded archive of samples: never a 5xx."""

import io
import zipfile
from urllib.parse import quote_from_bytes

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.api.conftest import ONNX, Api
from tests.contract.api.hostile import STORM, hostile_bytes, is_no_fault_of_ours, spoilt

PARAMETERS = {
    "/v1/models": ("cursor", "limit"),
    "/v1/samples": ("cursor", "limit"),
    "/v1/jobs": ("state", "cursor", "limit"),
    "/v1/audits": ("state", "cursor", "limit"),
    "/v1/jobs/{job_id}/findings": ("cursor", "limit"),
    "/v1/audits/{audit_id}/report": ("format",),
}


def test_a_query(api: Api, caller: TestClient) -> None:
    ids = {"job_id": api.a_job(caller)["id"], "audit_id": api.an_audit(caller)["id"]}
    places = [(path.format(**ids), name) for path, names in PARAMETERS.items() for name in (*names, "")]

    @STORM
    @given(place=st.sampled_from(places), value=hostile_bytes)
    def ask(place: tuple[str, str], value: bytes) -> None:
        path, name = place
        is_no_fault_of_ours(caller.get(f"{path}?{name}={quote_from_bytes(value)}"), (path, name, value))

    ask()


@pytest.mark.parametrize("name", ["name", "kind", "preprocessing", "output"])
def test_the_query_of_an_upload(caller: TestClient, name: str) -> None:
    @settings(STORM, max_examples=60)
    @given(value=hostile_bytes)
    def upload(value: bytes) -> None:
        answer = caller.post(f"/v1/models?{name}={quote_from_bytes(value)}", content=b"a model", headers=ONNX)
        is_no_fault_of_ours(answer, value)
        answer = caller.post(f"/v1/samples?{name}={quote_from_bytes(value)}", content=b"samples", headers=ONNX)
        is_no_fault_of_ours(answer, value)

    upload()


def test_numbers_of_a_preprocessing(caller: TestClient) -> None:
    @settings(STORM, max_examples=60)
    @given(body=spoilt([{"subtract": 0.5, "divide": 2}, {"subtract": [0.5, 1], "divide": [2, 3]}]))
    def upload(body: bytes) -> None:
        answer = caller.post(f"/v1/models?preprocessing={quote_from_bytes(body)}", content=b"a model", headers=ONNX)
        is_no_fault_of_ours(answer, body)

    upload()


HEADERS = [
    "Idempotency-Key",
    "Prefer",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
    "Content-Type",
    "Authorization",
    "Accept",
    "X-Forwarded-For",
]


def test_a_header(api: Api, caller: TestClient) -> None:
    """Whatever httptools lets through. A key that is wrong is a stranger's."""
    job = api.a_job(caller)
    api.compute(job["id"])
    calls = [("GET", f"/v1/jobs/{job['id']}"), ("GET", f"/v1/jobs/{job['id']}/events"), ("POST", "/v1/jobs")]

    @STORM
    @given(call=st.sampled_from(calls), name=st.sampled_from(HEADERS), value=hostile_bytes)
    def ask(call: tuple[str, str], name: str, value: bytes) -> None:
        sent = bytes(byte for byte in value if byte >= 0x20 or byte == 9)
        asked = {} if name == "Prefer" and b"wait" in sent else {name: sent}
        is_no_fault_of_ours(caller.request(*call, headers=asked), (name, value))

    ask()


def test_an_address(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)["id"]
    paths = [
        "/v1/models/{}",
        "/v1/samples/{}",
        "/v1/jobs/{}",
        "/v1/jobs/{}/events",
        "/v1/audits/{}/verdict",
        f"/v1/jobs/{job}/findings/{{}}",
        "/v1/schemas/{}",
        "/{}",
    ]

    @STORM
    @given(path=st.sampled_from(paths), method=st.sampled_from(["GET", "DELETE"]), value=hostile_bytes)
    def ask(path: str, method: str, value: bytes) -> None:
        part = quote_from_bytes(value, safe="") or "%20"
        if part.strip(".") == "":
            return
        is_no_fault_of_ours(caller.request(method, path.format(part)), (path, value))

    ask()


def npy(header: bytes, *, version: bytes = b"\x02\x00", data: bytes = b"\x00" * 64) -> bytes:
    return b"\x93NUMPY" + version + len(header).to_bytes(4, "little") + header + data


SHAPES = [
    "(2, 4)",
    "(-1, 4)",
    f"({10**30}, 4)",
    "(2, 4" + "," * 99 + ")",
    "(" * 90 + "2" + ")" * 90,
    "(2**9**9, 4)",
    "(True, 4)",
]
TYPES = [
    "'<f4'",
    "'|O'",
    "'<f8'",
    "'<U9'",
    "'V0'",
    "'<M8[s]'",
    "[('a', '<f4')]",
    "'" + "(" * 50 + "'",
    "[" * 90 + "]" * 90,
    "''",
    "3",
]
HEADER = "{{'descr': {}, 'fortran_order': False, 'shape': {}, }}\n"
MEMBERS = [
    *(npy(HEADER.format(descr, shape).encode()) for descr in TYPES for shape in SHAPES),
    npy(b"(" * 9000),
    npy(b"-" * 9000),
    npy(b"[" * 60000 + b"]" * 60000),
    npy(b"{'descr': '<f4', 'fortran_order': \xff\xff}\n"),
    npy(b"", version=b"\xff\xff"),
    b"\x93NUMPY",
    b"",
]


def test_the_header_of_an_array(caller: TestClient) -> None:
    good = io.BytesIO()
    np.save(good, np.zeros((2, 4), np.float32))
    for member in MEMBERS:
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", method) as archive:
                archive.writestr("x.npy", member)
                archive.writestr("y.npy", good.getvalue())
            is_no_fault_of_ours(caller.post("/v1/samples", content=file.getvalue(), headers=ONNX), member[:200])


def test_an_archive_with_any_byte_changed(caller: TestClient) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((2, 4), np.float32), y=np.array([0, 1]))
    whole = file.getvalue()

    @settings(STORM, max_examples=300)
    @given(where=st.integers(0, len(whole) - 1), byte=st.integers(0, 255), cut=st.booleans())
    def upload(where: int, byte: int, cut: bool) -> None:
        spoilt = whole[:where] + bytes([byte]) + (b"" if cut else whole[where + 1 :])
        is_no_fault_of_ours(caller.post("/v1/samples", content=spoilt, headers=ONNX), spoilt)

    upload()
