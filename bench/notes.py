"""What a reader must know of each section; printed above its table in docs/benchmarks.md.

A section in which a bar is missed says here why, and what it would take.
"""

NOTES: dict[str, tuple[str, ...]] = {
    "handlers": (
        "One process calls the functions as Lambda does, one event after the other. DynamoDB is moto, which takes"
        " 5 to 8 ms a call and answers one at a time; ECS and @connections are stubs. Round trips are counted in"
        " extra calls, in which each AWS call lasts 50 ms, so that calls which can run at once do.",
    ),
    "package": (
        "The zip is made as for a deployment and extracted; each run is a fresh interpreter without site-packages."
        " What Lambda's runtime brings (botocore and what it needs) lies in a folder of its own. The zip's binaries"
        " are arm64: on another machine its own builds of the three packages with binaries stand in front of them.",
    ),
    "answers": (
        "The Bridge's turns, answers and delivery run as in the container, on the real tables, joined to a scripted"
        " gateway that writes its deltas at once, each as a frame with the whole text so far. The real gateway sends"
        " about ten of them a second, however fast the model is (see End to end).",
    ),
    "throughput": (
        "The stand-in for DynamoDB is one Python process that takes about 200 writes a second, and it shares two"
        " cores with everything else: the message rows show how the handler behaves when many come at once, not what"
        " DynamoDB would bear. A run has one frame every 0.1 s for each tab.",
    ),
    "snapshots": (
        "Half of each file is noise, and a turn writes three files anew and adds a row to the database. S3 is moto on"
        " the same machine. “As one archive” is how earlier versions saved: everything, each time. Written in all"
        " counts what was deleted again too, because the bucket keeps deleted versions for 30 days. This run shared"
        " its two cores with three other test runs (load 5 to 9), and the rows of 164 MiB were taken again minutes"
        " later; on a quieter machine the restore took 0.5 to 1.7 s. Measure again on an idle one.",
    ),
    "watchdog": (
        "DynamoDB and ECS are stubs that take 5 ms a call. “Quiet” is a user who wrote nothing for longer than the"
        " shortest idle timeout: only then are settings and habits read. Users without a container are in no index"
        " that the watchdog reads, so they cost nothing. A Lambda function of 512 MB has about a third of a"
        " processor: its processor time is about three times that of this machine.",
    ),
    "bridge": (
        "Starts are those of the whole stack with a gateway that is ready in 0.1 s, so that what is left is ours."
        " Memory is that of the Bridge's process beside the real OpenClaw, on botocore as the image has it: without"
        " the descriptions of services that the Bridge does not use.",
    ),
    "coldstart": (
        "The container and the bare gateway start in turns in the same minutes, with the same lean configuration,"
        " the same compile cache, empty homes and the same model on loopback. The container's clock begins with the"
        " Bridge's process. Fargate's own time before that (placing, pulling, booting) is not in it.",
    ),
    "endtoend": (
        "The model writes the time into its first and last word; the tab is a WebSocket client on the same clock."
        " OpenClaw's own share is measured in turns on a second gateway without us.",
    ),
}
