"""
Start DRS jobs from a script: python start.py JOB_ID...

Exit status: 0 every job is started; 1 some jobs could not be started; 2 Pulumi failed.
"""

import sys

import pulumi
from pulumi import automation

from pulumi_drs_start import JobBatchStart


def main(job_ids: list[str]) -> int:
    def program() -> None:
        # "record", so that `up` succeeds and the failures are told below, one by one.
        batch = JobBatchStart("batch", jobs=job_ids, on_failure="record")
        pulumi.export("statuses", batch.job_statuses)

    stack = automation.create_or_select_stack("dev", project_name="drs-automation-api", program=program)
    rows = stack.up(on_output=print, suppress_outputs=True).outputs["statuses"].value

    for job_id, row in sorted(rows.items()):
        print(job_id, row["outcome"], row["status"], row["error_message"] or "")
    if any(row["outcome"] == "failed" for row in rows.values()):
        return 1

    stack.preview(expect_no_changes=True)  # an error if anything were left to do
    print("nothing is left to do")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except automation.CommandError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
