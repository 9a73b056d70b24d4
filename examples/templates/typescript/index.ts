// Start the DRS jobs that the stack's configuration lists, all in one batch.

import * as pulumi from "@pulumi/pulumi";
import * as drs from "pulumi-drs";

const config = new pulumi.Config();

const started = new drs.JobBatchStart("jobs", {
    jobs: config.require("jobs").split(",").map(jobId => jobId.trim()),
    timeout: "10m",
});

export const ready = started.ready;
export const summary = started.summary;
export const problems = started.problems;
