"""The naive program: one dynamic resource per job, each with its own login, start and poll loop."""

import json
import os
import time
from pathlib import Path

import pulumi
import requests
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider


class StartJobProvider(ResourceProvider):
    def login(self):
        identity = {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": os.environ["OS_USERNAME"],
                    "password": os.environ["OS_PASSWORD"],
                    "domain": {"name": os.environ["OS_USER_DOMAIN_NAME"]},
                }
            },
        }
        body = {"auth": {"identity": identity, "scope": {"project": {"id": os.environ["OS_PROJECT_ID"]}}}}
        response = requests.post(os.environ["OS_AUTH_URL"] + "/auth/tokens", json=body, timeout=30)
        response.raise_for_status()
        return response.headers["X-Subject-Token"]

    def call(self, token, name, body):
        url = f"{os.environ['DRS_ENDPOINT']}/v3/{os.environ['OS_PROJECT_ID']}/jobs/{name}"
        response = requests.post(url, json=body, headers={"X-Auth-Token": token}, timeout=30)
        response.raise_for_status()
        return response.json()["results"][0]

    def create(self, props):
        token = self.login()
        self.call(token, "batch-starting", {"jobs": [{"job_id": props["job_id"]}]})
        while (status := self.call(token, "batch-status", {"jobs": [props["job_id"]]})["status"]) in (
            "CONFIGURATION",
            "STARTJOBING",
        ):
            time.sleep(0.5)
        return CreateResult(props["job_id"], {**props, "status": status})

    def read(self, id_, props):
        status = self.call(self.login(), "batch-status", {"jobs": [props["job_id"]]})["status"]
        return ReadResult(id_, {**props, "status": status})


class StartJob(Resource):
    status: pulumi.Output[str]

    def __init__(self, name, job_id):
        super().__init__(StartJobProvider(), name, {"job_id": job_id, "status": None})


for number, job_id in enumerate(json.loads(Path(os.environ["BENCH_JOBS"]).read_text())):
    StartJob(f"job-{number}", job_id)
