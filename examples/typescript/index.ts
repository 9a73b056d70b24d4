// Start the DRS jobs that the stack's configuration lists, all in one batch.

import * as pulumi from "@pulumi/pulumi";
import * as drs from "pulumi-drs";

const config = new pulumi.Config();

const nightly = new drs.JobBatchStart("nightly", {
    jobs: config.requireObject<string[]>("jobs"),
    timeout: "10m",
});

export const ready = nightly.ready;
export const summary = nightly.summary;
export const problems = nightly.problems;
