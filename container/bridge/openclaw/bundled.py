"""What becomes of each skill that OpenClaw ships: it works here, or the model is not offered it, and why.

The compatibility test holds these two tables to the skills that the gateway knows (`skills.status`).
"""

_MAC = "it works on a Mac only"
_HOME = "it needs devices in your own network"
_PROGRAM = "it needs a program that is not in the container"
_KEY = "it needs a key for a service, and none is set up"
_SCREEN = "there is no screen, browser, phone or other node in a container"
_DEPLOYMENT = "setup and repair belong to the deployment"
_UNTRIED = "nobody has shown yet that it works here"

WORKS: dict[str, str] = {
    "weather": "tells the weather",
    "skill-creator": "writes and repairs skills",
    "spike": "tries an idea out with a throwaway prototype",
}

NOT_OFFERED: dict[str, str] = {
    "1password": _PROGRAM,
    "add-model-provider": _DEPLOYMENT,
    "apple-notes": _MAC,
    "apple-reminders": _MAC,
    "bear-notes": _MAC,
    "blogwatcher": _PROGRAM,
    "blucli": _HOME,
    "camsnap": _HOME,
    "cloud-image-bake": _DEPLOYMENT,
    "configure-channel": _DEPLOYMENT,
    "diagnose-gateway": _DEPLOYMENT,
    "clawhub": "skills from ClawHub are installed in the room Skills and tools",
    "coding-agent": _PROGRAM,
    "diagram-maker": _UNTRIED,
    "eightctl": _PROGRAM,
    "gemini": _PROGRAM,
    "gh-issues": _PROGRAM,
    "gifgrep": _PROGRAM,
    "github": _PROGRAM,
    "gog": _PROGRAM,
    "goplaces": _PROGRAM,
    "healthcheck": _DEPLOYMENT,
    "himalaya": _PROGRAM,
    "mcporter": _PROGRAM,
    "meme-maker": _UNTRIED,
    "model-usage": _MAC,
    "nano-pdf": _PROGRAM,
    "node-connect": _SCREEN,
    "node-inspect-debugger": _UNTRIED,
    "notion": _KEY,
    "obsidian": _PROGRAM,
    "openai-whisper": _PROGRAM,
    "openai-whisper-api": _KEY,
    "openhue": _HOME,
    "oracle": _PROGRAM,
    "ordercli": _PROGRAM,
    "peekaboo": _MAC,
    "python-debugpy": _UNTRIED,
    "sag": _KEY,
    "sherpa-onnx-tts": _PROGRAM,
    "songsee": _PROGRAM,
    "sonoscli": _HOME,
    "spotify-player": _PROGRAM,
    "summarize": _PROGRAM,
    "taskflow": _UNTRIED,
    "taskflow-inbox-triage": _UNTRIED,
    "things-mac": _MAC,
    "tmux": _PROGRAM,
    "trello": _KEY,
    "video-frames": _PROGRAM,
    "xurl": _PROGRAM,
}
