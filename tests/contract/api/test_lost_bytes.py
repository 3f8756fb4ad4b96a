"""What the library has lost is said to be lost, with what to do; uploading the same bytes mends it."""

from fastapi.testclient import TestClient

from tests.contract.api.conftest import Api, some_samples
from tests.contract.api.test_problems import problem_of


def test_a_job_on_lost_samples_says_to_upload_them_again_and_that_helps(api: Api, caller: TestClient) -> None:
    request = api.a_job_request(caller, threat={"box": [[0.0] * 4, [1.0] * 4]})
    api.library.delete(caller.get(f"/v1/samples/{request['samples_id']}").json()["sha256"])
    problem = problem_of(caller.post("/v1/jobs", json=request), "not_found")
    assert "Upload the model or the samples again" in problem.detail
    api.samples(caller, some_samples())
    assert caller.post("/v1/jobs", json=request).status_code == 202
