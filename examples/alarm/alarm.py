#!/usr/bin/env python3
"""
Do these DRS jobs run? DRS is asked how they stand now; no stack is needed, and nothing is changed.

  python alarm.py JOB_ID...

Exit status:
  0  nothing is wrong: every job runs, is starting, or waits for its time
  1  something is wrong: the output names each job that is paused, failed, not started, over or missing
  2  no answer: no job named, no login, DRS can't be reached, the package is not installed
"""

import sys

# In any other phase, also one of a later version, a job does not do what it shall.
WELL = {"running", "starting", "scheduled"}


def main(job_ids: list[str]) -> int:
    # Not at the head of the file: an ImportError would end with 1 there.
    from pulumi_drs_start import get_job_statuses

    if not job_ids:
        raise ValueError("name the jobs: python alarm.py JOB_ID...")
    rows = get_job_statuses(job_ids)
    wrong = {job_id: row for job_id, row in rows.items() if row["phase"] not in WELL}
    for job_id, row in wrong.items():
        job = f"{row['name']} ({job_id})" if row["name"] else job_id
        reason = f": {row['error_message']}" if row["error_message"] else ""
        print(f"job {job}: {row['phase'].replace('_', ' ')}, {row['status']}{reason}", file=sys.stderr)
    if wrong:
        print(f"alarm: something is wrong with {len(wrong)} of {len(rows)}", file=sys.stderr)
        return 1
    print(f"alarm: nothing is wrong with any of {len(rows)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Exception as error:
        print(f"alarm: no answer: {error}", file=sys.stderr)
        raise SystemExit(2) from error
