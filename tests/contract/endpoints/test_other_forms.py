"""Servers as people have them, each asked over HTTP: what is read as it is meant, and what each other one is told."""

import datetime
import ipaddress
import json
import ssl
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from algorithms.errors import Refused
from models.cards import EndpointOutput
from models.endpoints import _client
from models.endpoints._probing import probe
from tests.endpoints_for_tests import endpoint, permit, remote
from tests.served import ServedModel, sends
from tests.truths import Linear

SHAPE, NAMES = (4,), ("crow", "moth", "bear")  # in the order of the columns, which is no alphabet's
RNG = np.random.default_rng(6)
WEIGHTS = 3 * RNG.normal(size=(3, 4))
LINEAR = Linear(WEIGHTS, -WEIGHTS @ np.full(4, 0.5))
ROWS = RNG.random((20, *SHAPE), dtype=np.float32)
COLUMNS = LINEAR.scores(ROWS).argmax(axis=1)


def probabilities(rows):
    powers = np.exp(LINEAR.scores(rows).astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def by_name(row):
    return dict(zip(NAMES, row.tolist(), strict=True))


def likeliest_first(row):
    return dict(sorted(by_name(row).items(), key=lambda each: -each[1]))


def pairs(row):
    return [{"label": name, "score": value} for name, value in likeliest_first(row).items()]


FORMS = {
    "an object a row": lambda p: [by_name(row) for row in p],
    "an object a row, sorted": lambda p: [likeliest_first(row) for row in p],
    "pairs, sorted": lambda p: [pairs(row) for row in p],
    "numbers as text": lambda p: {"predictions": [[f"{value:.6f}" for value in row] for row in p]},
    "names": lambda p: {"predictions": [NAMES[j] for j in p.argmax(axis=1)]},
    "numbers of other names": lambda p: {"predictions": [7 * int(j) for j in p.argmax(axis=1)]},
    "an error told with 200": lambda p: {"error": "out of memory", "code": 500},
}


def speaks(form):
    """The rows at `rows`, answered in a form."""

    def exchange(handler, body):
        p = probabilities(np.array(json.loads(body)["rows"], np.float32))
        handler.send(200, json.dumps(FORMS[form](p)).encode())

    return exchange


def registered(server, output, **path):
    options = {"request": {"rows": "$batch"}, **path}
    return endpoint(server, SHAPE, 3, protocol="json_template", options=options, output=output)


@pytest.fixture
def server():
    with ServedModel(probabilities) as served:
        yield served


def output(kind, classes=3):
    return EndpointOutput(kind=kind, classes=classes)


@pytest.mark.parametrize("form", ["an object a row", "an object a row, sorted"])
def test_members_that_the_path_names_stand_in_its_order(server, form):
    server.always = speaks(form)
    path = "$[*]['crow', 'moth', 'bear']"
    found = probe(registered(server, output("probabilities", NAMES), scores=path), permit())
    assert (found.output.classes, found.classes_named) == (3, NAMES)
    asked = remote(server, SHAPE, 3, protocol="json_template", output=output("probabilities"),
                   options={"request": {"rows": "$batch"}, "scores": path})  # fmt: skip
    np.testing.assert_allclose(asked.scores(ROWS), probabilities(ROWS), atol=1e-6)
    asked.close()


@pytest.mark.parametrize(("form", "names"), [("names", NAMES), ("numbers of other names", ("0", "7", "14"))])
def test_labels_by_name_are_read_by_the_names_of_the_registration(server, form, names):
    server.always = speaks(form)
    options = {"request": {"rows": "$batch"}, "label": "$.predictions"}
    asked = remote(server, SHAPE, 3, protocol="json_template", output=output("labels", names), options=options)
    np.testing.assert_array_equal(asked.labels(ROWS), COLUMNS)
    assert len(set(COLUMNS)) == 3
    asked.close()


def test_open_inference_answers_labels_by_name_too(server):
    def names(handler, body):
        rows = np.array(json.loads(body)["inputs"][0]["data"], np.float32).reshape(-1, 4)
        data = [NAMES[j] for j in probabilities(rows).argmax(axis=1)]
        tensor = {"name": "predict", "datatype": "BYTES", "shape": [len(data), 1], "data": data}
        handler.send(200, json.dumps({"outputs": [tensor]}).encode())

    server.always = names
    asked = remote(server, SHAPE, 3, output=output("labels", NAMES))
    np.testing.assert_array_equal(asked.labels(ROWS), COLUMNS)
    asked.close()
    assert "output.classes as the list of their names" in refused(endpoint(server, SHAPE, 3, kind="labels"))


def refused(registration):
    with pytest.raises(Refused) as error:
        probe(registration, permit())
    assert error.value.code in ("endpoint_bad_response", "endpoint_unavailable")
    assert not any(word in error.value.detail for word in (*NAMES, "memory"))
    return error.value.detail


@pytest.mark.parametrize(
    ("form", "kind", "path", "told"),
    [
        ("an object a row", "probabilities", {"scores": "$[*].*"}, "an object has no order"),
        ("an object a row, sorted", "probabilities", {"scores": "$[*].*"}, "an object has no order"),
        ("an object a row", "probabilities", {"scores": "$[*]"}, "let the path name their members"),
        ("pairs, sorted", "probabilities", {"scores": "$[*][*].score"}, "the names change places"),
        ("pairs, sorted", "probabilities", {"scores": "$[*]"}, "objects where numbers are wanted"),
        ("numbers as text", "probabilities", {"scores": "$.predictions"}, 'JSON numbers (0.5, not "0.5")'),
        ("names", "probabilities", {"scores": "$.predictions"}, "register it with output.kind labels"),
        ("names", "labels", {"label": "$.predictions"}, "output.classes as the list of their names"),
        ("numbers of other names", "labels", {"label": "$.predictions"}, "none of its classes, 0 to 2"),
        ("an error told with 200", "probabilities", {"scores": "$.predictions"}, "an error told with status 200"),
        ("an error told with 200", "labels", {"label": "$.predictions[*]"}, "an error told with status 200"),
    ],
)
def test_what_cannot_be_read_as_it_is_meant_is_told_why(server, form, kind, path, told):
    server.always = speaks(form)
    assert told in refused(registered(server, output(kind), **path))


def test_a_sorted_list_is_found_out_where_all_noise_is_of_one_class(server):
    ramp = Linear(np.outer([3.0, 1.0, 2.0], np.ones(4)), np.zeros(3))  # one order on one side of 0, the other beyond

    def exchange(handler, body):
        powers = np.exp(ramp.scores(np.array(json.loads(body)["rows"], np.float32)).astype(np.float64))
        p = powers / powers.sum(axis=1, keepdims=True)
        handler.send(200, json.dumps([pairs(row) for row in p]).encode())

    server.always = exchange
    assert "the names change places" in refused(registered(server, output("probabilities"), scores="$[*][*].score"))


SORTED_PAIRS = {
    "objects": ("$[*].score", pairs),
    "lists": ("$[*][1]", lambda row: list(map(list, likeliest_first(row).items()))),
    "numbers": (
        "$[*].score",
        lambda row: [{"class": NAMES.index(p["label"]), "score": p["score"]} for p in pairs(row)],
    ),
}


@pytest.mark.parametrize("form", SORTED_PAIRS)
@pytest.mark.parametrize("most", [1, 32])
def test_a_sorted_list_is_found_out_where_rows_are_asked_one_by_one(server, form, most):
    path, written = SORTED_PAIRS[form]

    def exchange(handler, body):
        p = probabilities(np.array(json.loads(body)["rows"], np.float32))
        handler.send(200 if len(p) == 1 else 422, json.dumps(written(p[0])).encode())

    server.always = exchange
    options = {"request": {"rows": "$batch"}, "scores": path}
    given = {"protocol": "json_template", "options": options, "output": output("probabilities")}
    assert "the names change places" in refused(endpoint(server, SHAPE, 3, limits={"max_batch": most}, **given))


def percent(rows):
    return 100 / (1 + np.exp(-LINEAR.scores(rows)[:, :1].astype(np.float64)))


def test_percentages_are_told_to_be_shares():
    with ServedModel(percent) as served:
        assert "a percentage is not: let it answer 0 to 1" in refused(endpoint(served, SHAPE, 2, kind="probabilities"))
        assert "Of a percentage, let it answer shares" in refused(endpoint(served, SHAPE, 2, kind="logits"))
    with ServedModel(lambda rows: (100 * probabilities(rows)).round(1)) as served:
        for kind in ("logits", "probabilities"):
            assert "which sum to 100; let it answer shares" in refused(endpoint(served, SHAPE, 3, kind=kind))


def written(form):
    """(p, [N, 3]) -> JSON, where the rows are at `rows`."""

    def exchange(handler, body):
        p = probabilities(np.array(json.loads(body)["rows"], np.float32))
        handler.send(200, json.dumps(form(p)).encode())

    return exchange


def with_confidence(p):
    two = np.stack([1 - p[:, 0], p[:, 0]], axis=1)
    return [{"label": ("no", "yes")[int(row.argmax())], "sure": float(row.max())} for row in two]


def test_a_confidence_beside_a_class_is_no_probability_of_class_1(server):
    server.always = written(with_confidence)
    options = {"request": {"rows": "$batch"}, "scores": "$[*].sure"}
    asked = {"protocol": "json_template", "options": options}
    for kind, told in {
        "probabilities": "how sure the endpoint is",
        "logits": "register it with output.kind prob",
    }.items():
        assert told in refused(endpoint(server, SHAPE, 2, output=output(kind, 2), **asked))
    server.always = written(lambda p: [{"pod": str(i % 2), "sure": float(row[0])} for i, row in enumerate(p)])
    assert probe(endpoint(server, SHAPE, 2, output=output("probabilities", 2), **asked), permit()).probe.max_batch == 32


def test_the_likeliest_classes_alone_are_not_advised_to_be_logits(server):
    server.always = written(lambda p: {"p": (-np.sort(-p, axis=1))[:, :2].tolist()})
    asked = {"protocol": "json_template", "options": {"request": {"rows": "$batch"}, "scores": "$.p"}}
    assert "let it answer all of them" in refused(
        endpoint(server, SHAPE, 2, output=output("probabilities", 2), **asked)
    )
    assert "as if they were sorted" in refused(endpoint(server, SHAPE, 2, output=output("logits", 2), **asked))


def test_one_number_a_row_may_come_in_one_list(server):
    server.always = written(lambda p: {"predictions": p[:, 0].tolist()})
    options = {"request": {"rows": "$batch"}, "scores": "$.predictions"}
    asked = endpoint(server, SHAPE, 2, protocol="json_template", options=options, output=output("probabilities", 2))
    assert probe(asked, permit()).probe.max_batch == 32


def test_a_logit_that_is_positive_near_by_is_no_percentage():
    with ServedModel(lambda rows: 7 + LINEAR.scores(rows)[:, :1]) as served:
        assert probe(endpoint(served, SHAPE, 2, kind="logits"), permit()).output.classes == 2


def test_scores_that_are_sorted_are_not_taken_for_those_of_classes():
    weights = RNG.normal(size=(6, 4))

    def sorted_scores(rows):
        return -np.sort(-Linear(weights, np.zeros(6)).scores(rows), axis=1)

    with ServedModel(sorted_scores) as served:
        assert "as if they were sorted" in refused(endpoint(served, SHAPE, 6))
    with ServedModel(lambda rows: sorted_scores(rows)[:, :5]) as served:
        assert "as if they were sorted" in refused(endpoint(served, SHAPE, 5)), "the best five of six, too"
    with ServedModel(lambda rows: np.eye(6)[np.zeros(len(rows), int)]) as served:
        asked = endpoint(served, SHAPE, 6, kind="probabilities")
        assert "as if they were sorted" in refused(asked), "one order for ever cannot be told from it"


def test_an_error_told_with_200_is_no_answer_of_open_inference(server):
    server.always = sends(200, b'{"error": "out of memory", "code": 500}')
    assert "an error told with status 200" in refused(endpoint(server, SHAPE, 3))


def test_a_server_that_takes_whole_numbers_is_told_what_is_sent(server):
    def takes_uint8(handler, body):
        is_uint8 = json.loads(body)["inputs"][0]["datatype"] == "UINT8"
        handler.send(200 if is_uint8 else 400, b'{"error": "the input is UINT8"}')

    server.always = takes_uint8
    assert "another datatype than FP32 or FP64 (UINT8, INT64)" in refused(endpoint(server, SHAPE, 3))


def certificate(folder: Path) -> Path:
    """Of 127.0.0.1, signed by itself: key and certificate in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "in-house")]),
    )
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(encoding)
    )
    return file


@pytest.fixture
def behind_tls(tmp_path):
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    served = ServedModel(LINEAR.scores)
    served.socket = context.wrap_socket(served.socket, server_side=True, do_handshake_on_connect=False)
    with served:
        yield served, file


def over_tls(server):
    origin = server.origin.replace("http:", "https:")
    return endpoint(server, SHAPE, 3, origin=origin, url=f"{origin}/v2/models/m/infer")


def test_a_certificate_that_is_not_trusted_is_told_as_such_and_not_tried_again(behind_tls, monkeypatch):
    server, _ = behind_tls
    turns = []

    def counted(calls, hold):
        turns.append(calls)
        return hold

    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr(_client, "FIRST_PAUSE_SECONDS", 0.01)
    with pytest.raises(Refused, match=r"certificate is not trusted.*SSL_CERT_FILE") as error:
        probe(over_tls(server), permit(reserve=counted))
    assert (error.value.code, len(turns)) == ("endpoint_unavailable", 3)  # rows are asked one by one, once each
    assert server.calls == 0


def test_a_certificate_that_the_operator_trusts_is_trusted(behind_tls, monkeypatch):
    server, file = behind_tls
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert probe(over_tls(server), permit()).probe.deterministic
