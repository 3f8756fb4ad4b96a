"""What a command ends with. "Could not run" is never "passed"."""

DONE = 0  # it did what it was asked; of an audit: the policy passed, or no policy was given and all jobs succeeded
GATE_FAILED = 1
COULD_NOT_RUN = 2  # no server, model refused, job failed, no checkout, interrupted
UNDECIDED = 3  # an inconclusive policy, or time ran out
WRONG_USAGE = 4  # a bad option, a missing local file, a policy that cannot be read

OF_VERDICT = {"pass": DONE, "fail": GATE_FAILED, "inconclusive": UNDECIDED}
