"""What a reader must know about each section; printed above its table in docs/benchmarks.md.

If a section misses a bar, its note says why, and what it would take to meet the bar.
"""

NOTES: dict[str, tuple[str, ...]] = {
    "handlers": (
        "One process calls the functions as Lambda does, one event after the other. DynamoDB is moto: a call takes"
        " 5 to 8 ms, and moto answers one call at a time. ECS and @connections are stubs. Round trips are counted in"
        " separate runs in which each AWS call takes 50 ms, so that parallel calls really overlap.",
    ),
    "package": (
        "The zip is built as for a deployment and extracted. Each run is a new interpreter without site-packages."
        " A separate folder contains what Lambda's runtime provides (botocore and its dependencies). The zip's"
        " binaries are built for arm64. On another machine, builds for that machine replace the three packages with"
        " binaries.",
    ),
    "answers": (
        "The Bridge's turns, answers and delivery run as in the container, on the real tables. A scripted gateway"
        " writes its deltas without a pause; each is a frame with the whole text so far. The real gateway sends about"
        " ten frames a second, however fast the model is (see End to end).",
    ),
    "throughput": (
        "The stand-in for DynamoDB is one Python process with about 200 writes a second, and it shares two cores with"
        " everything else. So the message rows show how the handler behaves when many messages arrive together. They"
        " do not show how much DynamoDB can take. A run sends one frame every 0.1 s to each tab.",
    ),
    "snapshots": (
        "Half of each file is noise, and a turn writes three files anew and adds a row to the database. S3 is moto on"
        " the same machine. “As one archive” is how earlier versions saved: everything, each time. Written in all"
        " counts what was deleted again too, because the bucket keeps deleted versions for 30 days. Each restore goes"
        " to a new folder and nothing is deleted between the runs: ext4 needs 0.45 instead of 0.03 ms for each new file"
        " for half a minute after thousands of files were deleted. With deletions in between, the same restore took"
        " 3.7 s, nearly all of it in the kernel. A new container's disk knows no deleted files.",
    ),
    "watchdog": (
        "DynamoDB and ECS are stubs that take 5 ms a call. A “quiet” user has written nothing for longer than the"
        " shortest idle timeout; the watchdog reads settings and habits only for quiet users. Users without a"
        " container are in no index that the watchdog reads, so they cost nothing. A Lambda function with 512 MB has"
        " about a third of a processor, so its processor time is about three times the time on this machine.",
    ),
    "bridge": (
        "A start is a start of the whole stack. The gateway is ready after 0.1 s, so the rest of the time is our own."
        " Memory is the memory of the Bridge's process next to the real OpenClaw. Its botocore is the image's, without"
        " the descriptions of services that the Bridge does not use.",
    ),
    "coldstart": (
        "The container and the bare gateway start alternately in the same minutes. Both have the same compile cache,"
        " empty homes, the same plugins, tools and automations, and the same model on loopback. The container's time"
        " starts with the Bridge's process. It does not include Fargate's own time before that (placing the task,"
        " pulling the image, booting).",
        "What is left of the difference is mostly OpenClaw's: a process that loads first and then starts says hello"
        " 0.2 s later than one that starts at once, and is faster in its first turn. To tell a loader that still loads"
        " to start at once was tried: the first character came at the same time.",
    ),
    "loaded": (
        "Two local stacks in the same run, each measured in turn: one starts OpenClaw in the ordinary way, the other"
        " from a process that has loaded it before. A container waits, ready, before its claim is timed. Memory is"
        " the memory of OpenClaw's process when its first turn has ended.",
    ),
    "processor": (
        "The container's processes (Bridge, OpenClaw and what they start) run in a cgroup that may use 0.5 or 1"
        " processor, in turn in one run; the stand-ins, the functions, the model and the tab are outside. cgroup v1, a"
        " period of 100 ms. Fargate limits a task in the same way, on ARM processors of its own. Saves and restores are"
        " of a process in the same groups. Needs root and cgroup v1.",
    ),
    "console": (
        "Chromium on the same machine as everything else. The browser has the console's files in its cache, as for"
        " anybody who has opened it before. From sleep, the click is on *Wake your agent* in the console's dialog, and"
        " the console opens by itself (early starts are off); the local stack starts a process where Fargate starts a"
        " task, which takes half a minute more.",
    ),
    "pause": (
        "Two local stacks in the same run, measured in turn, with the real OpenClaw: RUNTIME=microvm and Fargate. The"
        " model answers at once. After a pause a MicroVM is suspended (SIGSTOP, its connections cut), and a container"
        " has ended and starts again. The first message of the day starts a MicroVM from a process that has loaded"
        " everything, as from its snapshot. Not included is what only AWS takes: 0.7 s for a resume and about 2 s for"
        " a launch as others measured them, 30 s and more for a task of Fargate.",
    ),
    "endtoend": (
        "The model writes the time into its first and last word. The tab is a WebSocket client on the same clock."
        " OpenClaw's own share is measured alternately on a second gateway without our code.",
    ),
}
