#!/bin/sh
# Would `pulumi up` act on the jobs of this project's stack? Nothing is started to find out.
#
#   sh check.sh [--stack NAME]     options are those of `pulumi preview`
#
# Exit status:
#   0  nothing to do for `pulumi up`
#   1  `pulumi up` would start something, or a job can't be started: the output names the jobs
#   2  no answer: no login, no such stack, an error in the program or its configuration
set -u
cd "$(dirname "$0")" || exit 2

if output=$(pulumi preview --expect-no-changes --non-interactive --color never "$@" 2>&1); then
    result=0 verdict="nothing to do for pulumi up"
else
    # By its text, since the exit status for changes differs between versions of Pulumi.
    case $output in
    *"no changes were expected"*) result=1 verdict="something is not as it should be, see above" ;;
    *) result=2 verdict="could not check, see above" ;;
    esac
fi

# Shown even when all is well: it may warn of a paused job.
printf '%s\n\ncheck: %s\n' "$output" "$verdict"
exit "$result"
